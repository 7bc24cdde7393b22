"""The demo project raises no false alarm; places in code that stands in the YAML are right."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from routestudio.engine.service import EngineService
from routestudio.functions.pool import FunctionPool
from tests.unit.hazards.projects import Setup, row

DEMO = Path(__file__).parents[3] / "resources" / "demo"


@pytest.fixture
async def engine() -> AsyncIterator[EngineService]:
    async with EngineService() as engine:
        yield engine


@pytest.mark.slow
async def test_the_demo_has_no_finding_that_is_not_true(engine: EngineService) -> None:
    await engine.open(str(DEMO))
    found = await engine.checks.lint()
    marker = ("GEN-03", "note", "samples/awkward.jsonl", 2)  # it holds `unchanged_toast`
    assert [(i.code, i.severity, i.file, i.line) for i in found] == [
        # Deletes in `awkward` have no region: they go to orders.unknown, as the function wants.
        ("GEN-02", "note", "functions/orders_by_region.py", 3),
        marker,
        # The row whose region has a blank, which is there to be found.
        ("GEN-13", "warning", "samples/awkward.jsonl", 8),
        marker,
    ]
    assert "orders.unknown" in found[0].message


async def test_each_sink_is_evaluated_in_one_call(
    engine: EngineService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row("update" if number % 2 else "insert", {"id": number, "region": "eu"},
                changes={"region": "us"} if number % 2 else None)
            for number in range(1_000)]  # fmt: skip
    setup = Setup("kafka", rows, route='return {"topic": str(record["region"])}')
    await engine.open(str(setup.write(tmp_path)))
    sizes = []
    evaluate = FunctionPool.evaluate

    async def counted(self: FunctionPool, functions, messages, **options):  # type: ignore[no-untyped-def]
        sizes.append(len(messages))
        return await evaluate(self, functions, messages, **options)

    monkeypatch.setattr(FunctionPool, "evaluate", counted)
    found = {item.code for item in await engine.checks.lint()}
    assert {"GEN-02", "GEN-35"} <= found
    assert len(sizes) == 1
    assert 1_000 < sizes[0] < 1_600


async def test_code_in_the_yaml_has_its_line_there(engine: EngineService, tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/a.jsonl").write_text(json.dumps(row()) + "\n")
    (tmp_path / "sequin.yaml").write_text(
        "databases:\n- {name: shop, hostname: localhost, database: shop}\n"
        "functions:\n- name: by-region\n  type: routing\n  sink_type: kafka\n  language: python\n"
        "  code: |\n    def route(action, record, changes, metadata):\n"
        '        return {"topic": str(record["regoin"])}\n'
        "sinks:\n- name: s\n  database: shop\n  routing: by-region\n  batch_size: 1\n"
        "  destination: {type: kafka, hosts: 'localhost:9092', compression: none}\n"
    )
    await engine.open(str(tmp_path))
    found = [item for item in await engine.checks.lint() if item.code == "unknown_column"]
    assert [(item.file, item.line) for item in found] == [("sequin.yaml", 10)]


async def test_a_hostile_value_is_only_quoted(engine: EngineService, tmp_path: Path) -> None:
    long = "x" * 10_000
    rows = [row(record={"id": 1, "region": long}), row(record={"id": [1, {"a": None}]}, pks=[])]
    setup = Setup("elasticsearch", rows, route='return {"index_name": "/" + str(record["region"])}')
    await engine.open(str(setup.write(tmp_path)))
    found = await engine.checks.lint()
    assert any(item.code == "GEN-33" for item in found)
    assert all(len(item.message) < 500 for item in found)
