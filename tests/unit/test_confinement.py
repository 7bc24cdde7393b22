"""Confinement: no route leaves the patterns of its sink, whatever its function returns."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.model import confinement
from routestudio.model.confinement import Limit
from routestudio.paths import resources


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineService]:
    shutil.copytree(resources() / "demo", tmp_path / "shop")
    async with EngineService() as service:
        await service.open(str(tmp_path / "shop"))
        yield service


async def confine(engine: EngineService, value: object) -> None:
    path = ["sinks", "orders-to-kafka", "annotations"]
    await engine.apply({"op": "set", "path": path, "value": {"routestudio": {"confine": value}}})


@pytest.mark.slow
async def test_values_outside_of_the_pattern_fail_in_the_preview_and_are_not_delivered(
    engine: EngineService, tmp_path: Path
) -> None:
    await confine(engine, {"topic": r"orders\.(eu|us|items)"})
    totals = await engine.preview("orders-to-kafka", sample="shop")
    rows = await engine.rows(0, 100)
    failed = [row for row in rows if not row["ok"]]
    assert len(failed) == totals["failed"] == 9
    problem = failed[0]["error"]
    assert problem["field"] == "topic"
    assert "`orders.apac` is outside of what this sink is confined to" in problem["message"]
    letters = tmp_path / "letters.jsonl"
    done = await engine.run(
        "orders-to-kafka", standin=True, sample="shop", dead_letters=str(letters)
    )
    assert (done["delivered"], done["rejected"]) == (54, 9)


@pytest.mark.slow
async def test_a_wrong_pattern_is_said_and_lets_nothing_pass(engine: EngineService) -> None:
    await confine(engine, {"topic": "orders.(eu", "topc": "x"})
    found = await engine.preview("orders-to-kafka", sample="shop")
    texts = {item["field"]: item["message"] for item in found["problems"]}
    assert texts["confine.topc"] == "is not a routed field of this sink"
    assert texts["confine.topic"].startswith("is not a valid pattern:")
    assert found["ok"] == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [("x", "confine"), ({"topic": 5}, "confine.topic"), ({"topic": "x" * 2000}, "confine.topic")],
)
def test_what_is_no_map_of_patterns(given: object, field: str) -> None:
    found = confinement.problems({"routestudio": {"confine": given}}, {"topic"})
    assert [item.field for item in found] == [field]


def test_no_confinement_is_no_problem() -> None:
    empty: tuple[Any, ...] = ({}, {"team": "a"}, {"routestudio": 1}, {"routestudio": {}})
    for given in empty:
        assert confinement.problems(given, {"topic"}) == []
        assert confinement.of(given) == {}


def test_a_hostile_pattern_ends_in_time() -> None:
    begun = time.process_time()
    assert not Limit("(a|aa)+$b").allows("a" * 5_000)
    assert time.process_time() - begun < 20


def test_numbers_are_matched_as_text_and_nothing_is_inside() -> None:
    assert Limit("[0-9]{1,4}").allows(1234)
    assert not Limit("[0-9]{1,4}").allows(12345)
    assert Limit("x").allows(None)
