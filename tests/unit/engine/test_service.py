"""The engine's facade in-process: previews, checks, runs, edits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine import checks
from routestudio.engine.service import EngineService
from routestudio.errors import ConfigError, UsageError
from routestudio.model.outcome import CheckStep


async def streamed(service: EngineService, sink: str, **source: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    await service.preview_all(sink, rows.append, **source)
    return rows


def holders_of(text: str, folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if text in path.read_text()]


@pytest.mark.parametrize("sink", ["orders-to-kafka", "customers-to-redis", "events-to-http"])
async def test_paged_rows_equal_streamed_rows_and_the_totals(
    service: EngineService, demo: Path, sink: str
) -> None:
    await service.open(str(demo))
    for sample in ("shop", "awkward"):
        rows = await streamed(service, sink, sample=sample)
        totals = await service.preview(sink, sample=sample)
        paged = [row for start in range(0, len(rows), 7) for row in await service.rows(start, 7)]
        assert [row["index"] for row in paged] == [row["index"] for row in rows]
        for key in ("ok", "filtered", "routing", "error", "action"):
            assert [row[key] for row in paged] == [row[key] for row in rows]
        assert totals["rows"] == totals["done"] == len(rows)
        assert totals["ok"] == sum(row["ok"] and not row["filtered"] for row in rows)
        assert totals["filtered"] == sum(bool(row["filtered"]) for row in rows)
        assert totals["failed"] == sum(bool(row["error"]) for row in rows)
        assert sum(count for _, count in totals["destinations"]) == totals["ok"]
    assert await service.rows(10_000, 5) == []
    assert await service.rows(0, 5, view="another") == []


async def test_text_sample_and_file_give_the_same_rows(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    file = demo / "samples/shop.jsonl"
    by_name = await streamed(service, "events-to-http", sample="shop")
    assert await streamed(service, "events-to-http", input=str(file)) == by_name
    typed = await streamed(service, "events-to-http", text=file.read_text())
    assert [row["routing"] for row in typed] == [row["routing"] for row in by_name]


async def test_code_being_typed_is_previewed_and_not_kept(
    service: EngineService, demo: Path
) -> None:
    await service.open(str(demo))
    code = 'def route(action, record, changes, metadata):\n    return {"topic": "typed"}\n'
    totals = await service.preview("orders-to-kafka", sample="shop",
                                   code={"orders-by-region": code})  # fmt: skip
    assert totals["destinations"] == [("typed", totals["ok"])]
    assert "typed" not in (demo / "functions/orders_by_region.py").read_text()
    again = await service.preview("orders-to-kafka", sample="shop")
    assert again["distinct"] > 1


async def test_edits_are_undone_redone_and_saved(service: EngineService, demo: Path) -> None:
    before = (demo / "sequin.yaml").read_text()
    await service.open(str(demo))
    path = ["sinks", "customers-to-redis", "destination", "expire_ms"]
    changed = await service.apply({"op": "set", "path": path, "value": 1000})
    assert changed["dirty"] == ["sequin.yaml"]
    assert (await service.undo())["dirty"] == []
    assert (await service.redo())["dirty"] == ["sequin.yaml"]
    assert (demo / "sequin.yaml").read_text() == before
    saved = await service.saving.save()
    assert saved["dirty"] == []
    after = (demo / "sequin.yaml").read_text()
    assert after == before.replace("expire_ms: 86400000", "expire_ms: 1000")


async def test_a_secret_goes_to_the_env_file_only(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    path = ["sinks", "customers-to-redis", "destination", "password"]
    snapshot = await service.put_secret(path, "REDIS_PASSWORD", "hunter2-secret", "env")
    await service.saving.save()
    assert "hunter2-secret" not in json.dumps(snapshot)
    assert "${REDIS_PASSWORD}" in (demo / "sequin.yaml").read_text()
    assert holders_of("hunter2-secret", demo) == [".env"]
    assert service.redact("password hunter2-secret") == "password ••••"


async def test_a_check_that_hangs_ends_at_its_deadline(
    service: EngineService, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging:
        closed = False

        async def check(self, targets: object) -> AsyncIterator[CheckStep]:
            yield CheckStep("resolve", "passed", "fine")
            await asyncio.Event().wait()

        async def close(self) -> None:
            Hanging.closed = True

    await service.open(str(demo))
    sink = service.registry.get("redis_string")
    monkeypatch.setattr(sink, "connect", classmethod(lambda cls, config: Hanging()))
    monkeypatch.setattr(checks, "DEADLINE", 0.1)
    steps = await service.checks.sink("customers-to-redis")
    assert [(step.step, step.status) for step in steps] == [
        ("resolve", "passed"), ("deadline", "failed")]  # fmt: skip
    assert Hanging.closed


async def test_a_dynamic_check_proves_the_destinations_of_the_samples(
    service: EngineService, demo: Path
) -> None:
    await service.open(str(demo))
    (demo / "samples/broken.jsonl").write_bytes(b"\0\0\0")
    steps = await service.checks.sink("orders-to-kafka", standin=True)
    targets = {step.target for step in steps if step.target}
    assert {"orders.eu", "orders.us"} <= targets
    assert not [step for step in steps if step.status == "failed"]


async def test_a_run_that_is_not_ready_names_the_field(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    path = ["sinks", "customers-to-redis", "destination"]
    await service.apply({"op": "set", "path": [*path, "port"], "value": "many"})
    with pytest.raises(ConfigError) as caught:
        await service.run("customers-to-redis", sample="shop")
    assert [problem.field for problem in caught.value.problems] == ["port"]
    with pytest.raises(UsageError):
        await service.run("events-to-http", standin=True)


async def test_a_run_on_a_stand_in_delivers_what_the_preview_shows(
    service: EngineService, demo: Path
) -> None:
    await service.open(str(demo))
    rows = await streamed(service, "events-to-http", sample="shop")
    summary = await service.run("events-to-http", sample="shop", standin=True)
    arrived = await service.checks.arrived("events-to-http")
    wanted = sorted(row["routing"]["endpoint_path"] for row in rows if row["ok"])
    assert summary["delivered"] == len(wanted) == len(arrived)
    assert sorted(item.destination.removeprefix("/hooks") for item in arrived) == wanted
