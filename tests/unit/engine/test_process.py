"""The engine process through its client: answers, progress, cancellation, bad frames, death."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routestudio import tasks
from routestudio.api.client import EngineError, EngineLost
from tests.support.waiting import PATIENCE
from tests.unit.engine.conftest import Engine


async def until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for comes as an event of the engine
            await asyncio.sleep(0.005)


@pytest.mark.slow
async def test_requests_are_answered_also_side_by_side(engine: Engine, demo: Path) -> None:
    assert await engine.client.request("ping") == "pong"
    snapshot = await engine.client.request("open", path=str(demo))
    assert [sink["name"] for sink in snapshot["sinks"]] == [
        "orders-to-kafka", "customers-to-redis", "events-to-http"]  # fmt: skip
    answers = await asyncio.gather(*(engine.client.request("ping") for _ in range(20)))
    assert answers == ["pong"] * 20
    assert engine.client.busy == 0


@pytest.mark.slow
async def test_a_preview_reports_progress_and_its_rows_can_be_paged(
    engine: Engine, many: Path
) -> None:
    await engine.client.request("open", path=str(many))
    seen: list[tuple[str, dict[str, Any]]] = []
    totals = await engine.client.request(
        "preview", sink="orders-to-kafka", sample="many",
        on_event=lambda name, data: seen.append((name, data)),
    )  # fmt: skip
    assert seen[0][0] == "started"
    done = [data["done"] for name, data in seen if name == "progress"]
    assert len(done) > 3
    assert done == sorted(done)
    assert (totals["rows"], totals["done"], totals["ok"], totals["distinct"]) == (
        20_000, 20_000, 20_000, 7)  # fmt: skip
    rows = await engine.client.request("rows", start=12_345, count=3)
    assert [row["index"] for row in rows] == [12_345, 12_346, 12_347]
    assert rows[0]["routing"]["message_key"] == "12345"


@pytest.mark.slow
async def test_failures_name_code_and_hint_and_the_engine_goes_on(
    engine: Engine, demo: Path
) -> None:
    for method, params, code, text in [
        ("nonsense", {}, "usage", "unknown method `nonsense`"),
        ("rows", {"start": "x"}, "internal", ""),
        ("open", {"path": str(demo / "none")}, "project", "does not exist"),
        ("preview", {"sink": "x"}, "usage", "no project is open"),
    ]:
        with pytest.raises(EngineError) as caught:
            await engine.client.request(method, **params)  # type: ignore[arg-type]
        assert caught.value.code == code
        assert text in caught.value.message
    await engine.client.request("open", path=str(demo))
    with pytest.raises(EngineError) as caught:
        await engine.client.request("checks.sink", sink="orders-to-kafak")
    assert "orders-to-kafka" in (caught.value.hint or "")
    assert await engine.client.request("ping") == "pong"


@pytest.mark.slow
async def test_a_bad_frame_is_reported_and_the_engine_goes_on(engine: Engine) -> None:
    engine.write(b"Content-Length: 5\r\n\r\nhello" + b"garbage\r\n\r\n")
    assert await engine.client.request("ping") == "pong"
    assert [name for name, _ in engine.events] == ["BadFrame", "BadFrame"]
    engine.client.feed(b"Content-Length: 2\r\n\r\nxx")
    assert len(engine.bad_frames) == 1
    assert await engine.client.request("ping") == "pong"


async def cancelled(engine: Engine, method: str, **params: Any) -> None:
    """Start a request, cancel it at its first progress, and wait until nothing computes for it."""
    begun = asyncio.Event()
    work = tasks.spawn(
        engine.client.request(method, on_event=lambda name, data: begun.set(), **params),
        name=method,
    )
    await asyncio.wait_for(begun.wait(), PATIENCE)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    # Requests are answered by tasks of their own: this one waits for what still computes.
    async with asyncio.timeout(PATIENCE):
        assert await engine.client.request("ping") == "pong"


@pytest.mark.slow
async def test_a_preview_is_cancelled_at_once(engine: Engine, many: Path) -> None:
    await engine.client.request("open", path=str(many))
    await cancelled(engine, "preview", sink="orders-to-kafka", sample="many")
    totals = await engine.client.request("preview", sink="orders-to-kafka", sample="shop")
    assert totals["done"] == totals["rows"]


@pytest.mark.slow
async def test_a_hanging_function_is_cancelled_at_once(engine: Engine, many: Path) -> None:
    await engine.client.request("open", path=str(many))
    code = "def route(action, record, changes, metadata):\n    while True:\n        pass\n"
    await cancelled(engine, "preview", sink="orders-to-kafka", sample="many",
                    code={"orders-by-region": code})  # fmt: skip


@pytest.mark.slow
async def test_a_run_is_cancelled_at_once_and_says_what_it_did(engine: Engine, many: Path) -> None:
    await engine.client.request("open", path=str(many))
    events: list[tuple[str, dict[str, Any]]] = []
    work = tasks.spawn(
        engine.client.request(
            "runs.deliver", sink="events-to-http", source={"sample": "many"}, standin=True,
            on_event=lambda name, data: events.append((name, data)),
        ),
        name="run",
    )  # fmt: skip
    await until(lambda: any(data.get("counts", {}).get("delivered") for _, data in events))
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    async with asyncio.timeout(PATIENCE):
        assert await engine.client.request("ping") == "pong"
    arrived = await engine.client.request("checks.arrived", sink="events-to-http", limit=20_000)
    assert 0 < len(arrived) < 20_000
    again = await engine.client.request(
        "runs.deliver", sink="events-to-http", source={"sample": "shop"}, standin=True
    )
    assert again["status"] == "done"
    assert "rejected" not in again["counts"]


@pytest.mark.slow
async def test_the_death_of_the_engine_is_told_to_everyone_who_waits(
    engine: Engine, many: Path
) -> None:
    await engine.client.request("open", path=str(many))
    waiting = tasks.spawn(
        engine.client.request("preview", sink="orders-to-kafka", sample="many"), name="waiting"
    )
    await asyncio.sleep(0.05)
    engine.process.kill()
    with pytest.raises(EngineLost):
        await asyncio.wait_for(waiting, 60)
    await engine.process.wait()
    with pytest.raises(EngineLost):
        await engine.client.request("ping")
    assert engine.client.busy == 0
