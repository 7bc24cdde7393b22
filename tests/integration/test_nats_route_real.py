"""Whole routes to NATS: previewed, checked and run, and read back message by message."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.tasks import spawn
from tests.support import projects
from tests.support.nats_server import NatsServer, wait_for

pytestmark = pytest.mark.real

PROJECT = """\
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: shop}}
functions:
  - {{name: by-region, type: routing, sink_type: nats, language: python, file: functions/r.py}}
  - {{name: slim, type: transform, language: python, file: functions/t.py}}
sinks:
  - name: dynamic
    database: shop
    routing: by-region
    transform: slim
    destination: {{type: nats, host: 127.0.0.1, port: {port}}}
  - name: static
    database: shop
    destination: {{type: nats, host: 127.0.0.1, port: {port}}}
"""
ROUTE = """\
def route(action, record, changes, metadata):
    region = record["region"] or "none"
    if region == "EU":
        return {"subject": f"shop.{action}.EU", "headers": {"X-Region": region}}
    return {"subject": f"shop.{action}.{region}"}
"""
TRANSFORM = """\
def transform(action, record, changes, metadata):
    return {"id": record["id"], "what": action, "where": record["region"]}
"""


def write_project(folder: Path, port: int) -> None:
    """Two sinks, and samples with all four actions."""
    functions = {"r": ROUTE, "t": TRANSFORM}
    projects.write_project(folder, PROJECT.format(port=port), functions, projects.region_rows())


@pytest.mark.parametrize("sink", ["dynamic", "static"])
@pytest.mark.parametrize("stored", [True, False], ids=["stream", "core"])
async def test_what_arrives_is_what_the_preview_said(
    nats_server: NatsServer, tmp_path: Path, sink: str, stored: bool
) -> None:
    write_project(tmp_path, nats_server.port)
    prefix = "shop" if sink == "dynamic" else "sequin"
    if stored:
        nats_server.create_stream("ALL", f"{prefix}.>")
    async with EngineService() as service:
        await service.open(str(tmp_path))
        rows: list[dict[str, Any]] = []
        assert await service.preview_all(sink, rows.append, sample="rows") == 0
        with nats_server.wire() as wire:
            wire.subscribe(f"{prefix}.>")
            steps = await service.checks.sink(sink, sample="rows")
            assert wire.rest() == [], "the check delivered something"
            summary = await service.run(sink, sample="rows")
            heard = wire.take(120)
            assert wire.rest() == []
    targets = [step for step in steps if step.step == "target"]
    assert {step.status for step in targets} == {"passed"}, steps
    assert len(targets) == (12 if sink == "dynamic" else 1)
    assert all(("acknowledges" if stored else "nobody confirms") in s.detail for s in targets)
    assert (summary["delivered"], summary["rejected"]) == (120, 0)
    wanted = sorted(
        (r["request"]["subject"], sorted(r["request"]["headers"].items()), r["request"]["payload"])
        for r in rows
    )
    for found in [heard, *([nats_server.stored("ALL")] if stored else [])]:
        assert wanted == sorted(
            (g.subject, sorted(g.headers.items()), g.body.decode()) for g in found
        )
    for row in rows:
        assert json.loads(row["request"]["payload"]) == json.loads(json.dumps(row["payload"]))


async def test_only_what_was_refused_is_tried_again(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    """One stream is full at first: the run goes on, and each message is stored exactly once."""
    write_project(tmp_path, nats_server.port)
    nats_server.create_stream("EU", "shop.*.EU", max_msgs=10, discard="new")
    # Without a window for repeats, a message that is sent twice is stored twice.
    nats_server.create_stream("REST", "shop.*.US", "shop.*.none", duplicate_window=100_000_000)
    async with EngineService() as service:
        await service.open(str(tmp_path))
        running = spawn(service.run("dynamic", sample="rows"), name="run")
        for stream, count in (("REST", 80), ("EU", 10)):
            assert len(await asyncio.to_thread(wait_for, nats_server, stream, count)) == count
        await asyncio.sleep(0.2)
        assert not running.done()
        nats_server.update_stream("EU", max_msgs=-1)
        summary = await running
    assert (summary["delivered"], summary["rejected"]) == (120, 0)
    assert summary["retried"] >= 30
    ids = [json.loads(g.body)["id"] for s in ("EU", "REST") for g in nats_server.stored(s)]
    assert sorted(ids) == list(range(120))
