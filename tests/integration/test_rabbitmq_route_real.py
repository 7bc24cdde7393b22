"""RabbitMQ's connection test in every situation, and whole routes: previewed, checked and run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.sinks.rabbitmq import check as rabbitmq_check
from routestudio.sinks.rabbitmq.sink import RabbitMq
from routestudio.sinks.rabbitmq.wire import Connection
from routestudio.tasks import spawn
from tests.support import projects
from tests.support.check_table import CheckTable
from tests.support.rabbitmq_config import settings
from tests.support.rabbitmq_server import PASSWORD, VHOST, Got, RabbitServer

pytestmark = pytest.mark.real


def target(exchange: str, key: str = "eu.1") -> Any:
    return RabbitMq.Routing(exchange=exchange, routing_key=key, message_id="m")


async def steps_of(config: Any, *targets: Any) -> list[Any]:
    link = RabbitMq.connect(config)
    try:
        return [step async for step in link.check(targets)]
    finally:
        await link.close()


# --- connection test --------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted_ca")
async def test_check_table(
    rabbitmq_server: RabbitServer, closed_port: int, silent_port: int, garbage_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = rabbitmq_server
    server.exchange("allowed-orders")
    server.exchange("topics")
    server.exchange("inner", internal=True)
    server.queue("everything", ("allowed-orders", "#"), ("topics", "#"), ("inner", "#"))
    orders, nowhere = target("allowed-orders"), target("nowhere")
    limited, topical = settings(server, username="limited"), settings(server, username="topical")
    table = CheckTable(RabbitMq, "RabbitMQ")
    passed, good, denied = "target passed", "right credentials", "authenticate failed"
    await table.run_both(good, settings(server), orders, passed)
    await table.run_both(good, settings(server, tls=True), orders, passed, variant="TLS")
    await table.run_both(good, limited, orders, passed, variant="restricted user")
    await table.run_both(good, topical, target("topics"), passed, variant="restricted to keys")
    wrong = "wrong credentials"
    await table.run_both(wrong, settings(server, password="no"), orders, denied,
                         variant="password")  # fmt: skip
    await table.run_both(wrong, settings(server, username="nobody"), orders, denied,
                         variant="unknown user")  # fmt: skip
    await table.run_both(wrong, settings(server, username=None, password=None), orders, denied,
                         variant="none given")  # fmt: skip
    missing = "missing right"
    await table.run_both(missing, settings(server, username="stranger"), orders, denied,
                         variant="virtual host")  # fmt: skip
    await table.run_both(missing, limited, target("topics"), "target failed", variant="write")
    await table.run_both(missing, topical, target("topics", "us.1"), "target failed",
                         variant="write with this key")  # fmt: skip
    await table.run_both(missing, settings(server), target("inner"), "target failed",
                         variant="internal exchange")  # fmt: skip
    absent = "missing target"
    await table.run_both(absent, settings(server), nowhere, "target failed", variant="exchange")
    await table.run("missing target", "dynamic", settings(server), [orders, nowhere],
                    "target failed", variant="one of two exchanges")  # fmt: skip
    await table.run_both(absent, settings(server, virtual_host="none"), orders, denied,
                         variant="virtual host")  # fmt: skip
    lost, strange = "unreachable", "wrong protocol"
    await table.run_both(lost, settings(server, port=closed_port), orders, "connect failed",
                         variant="port")  # fmt: skip
    unknown = settings(server, host="no-such-host.invalid")
    await table.run_both(lost, unknown, orders, "resolve failed", variant="host")
    await table.run_both(strange, settings(server, port=garbage_port), orders, denied,
                         variant="not RabbitMQ")  # fmt: skip
    await table.run_both(strange, settings(server, tls=True, port=garbage_port), orders,
                         "TLS failed", variant="not RabbitMQ, TLS on")  # fmt: skip
    await table.run_both(strange, settings(server, port=server.tls_port), orders, denied,
                         variant="TLS off, the port needs it")  # fmt: skip
    await table.run_both(strange, settings(server, tls=True, port=server.port), orders,
                         "TLS failed", variant="TLS on, the port has none")  # fmt: skip
    monkeypatch.setattr(rabbitmq_check, "SECONDS", 1.5)
    await table.run_both("timeout", settings(server, port=silent_port), orders, denied)
    assert server.drain("everything") == [], "a check delivered something"
    table.finish()


async def test_the_exchanges_of_samples_are_checked_each(rabbitmq_server: RabbitServer) -> None:
    """What is refused closes the channel, and the next exchange is asked about all the same."""
    rabbitmq_server.exchange("one")
    config = settings(rabbitmq_server)
    steps = await steps_of(
        config, target("nowhere"), target("one"), target("one"), target("gone"), target("amq.topic")
    )
    assert [(s.step, s.status, s.target) for s in steps[3:]] == [
        ("authenticate", "passed", None), ("target", "failed", "nowhere"),
        ("target", "passed", "one"), ("target", "failed", "gone"),
        ("target", "passed", "amq.topic"),
    ]  # fmt: skip
    assert "signed in to RabbitMQ " in steps[3].detail
    steps = await steps_of(config)
    assert [(s.step, s.status) for s in steps] == [
        ("resolve", "passed"), ("connect", "passed"), ("TLS", "skipped"),
        ("authenticate", "passed"), ("target", "skipped"),
    ]  # fmt: skip
    assert PASSWORD not in repr(steps)


async def test_a_server_of_another_make_is_asked_for_the_exchange_only(
    rabbitmq_server: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not RabbitMQ might deliver what RabbitMQ refuses."""
    sign_in = Connection.sign_in

    async def as_another(connection: Connection) -> None:
        await sign_in(connection)
        connection.info["product"] = "AnotherMQ"

    monkeypatch.setattr(Connection, "sign_in", as_another)
    monkeypatch.setattr(Connection, "publish", None)
    steps = await steps_of(settings(rabbitmq_server), target("amq.topic"), target("nowhere"))
    assert [s.status for s in steps[-2:]] == ["inconclusive", "failed"]
    assert "deliver one sample" in (steps[-2].hint or "")


async def test_a_server_without_memory_cannot_be_proved(rabbitmq_server: RabbitServer) -> None:
    await asyncio.to_thread(rabbitmq_server.alarm, True)
    try:
        steps = await steps_of(settings(rabbitmq_server), target("amq.topic"))
    finally:
        await asyncio.to_thread(rabbitmq_server.alarm, False)
    assert steps[-1].status == "inconclusive"
    assert "takes no messages now: low on memory" in steps[-1].detail


# --- routes -----------------------------------------------------------------------------------

PROJECT = """\
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: shop}}
functions:
  - {{name: by-region, type: routing, sink_type: rabbitmq, language: python, file: functions/r.py}}
  - {{name: slim, type: transform, language: python, file: functions/t.py}}
sinks:
  - name: dynamic
    database: shop
    routing: by-region
    transform: slim
    destination: {{{destination}}}
  - name: static
    database: shop
    destination: {{{destination}, exchange: everything, headers: {{X-Static: "yes"}}}}
"""
DESTINATION = (
    "type: rabbitmq, host: 127.0.0.1, port: {port}, virtual_host: {host}, username: orders, "
    "password: '${{RABBIT_PASSWORD}}'"
)
ROUTE = """\
def route(action, record, changes, metadata):
    region = record["region"]
    if region is None:
        return {"exchange": "rest", "routing_key": "", "message_id": "no region"}
    return {"exchange": "regions", "routing_key": f"{region}.{action}",
            "headers": {"X-Region": region}}
"""
TRANSFORM = """\
def transform(action, record, changes, metadata):
    return {"id": record["id"], "what": action, "where": record["region"]}
"""


def write_project(folder: Path, server: RabbitServer) -> None:
    """Two sinks, and samples with all four actions."""
    text = PROJECT.format(destination=DESTINATION.format(port=server.port, host=VHOST))
    (folder / ".env").write_text(f"RABBIT_PASSWORD={PASSWORD}\n")
    projects.write_project(folder, text, {"r": ROUTE, "t": TRANSFORM}, projects.region_rows())


def seen(got: Got) -> tuple[Any, ...]:
    return (got.exchange, got.routing_key, got.message_id, sorted(got.headers.items()),
            got.content_type, got.delivery_mode, got.body.decode())  # fmt: skip


def promised(row: dict[str, Any]) -> tuple[Any, ...]:
    said = row["request"]
    return (said["exchange"], said["routing_key"], said["message_id"],
            sorted(said["headers"].items()), said["content_type"], said["delivery_mode"],
            said["body"])  # fmt: skip


@pytest.mark.parametrize("sink", ["dynamic", "static"])
async def test_what_arrives_is_what_the_preview_said(
    rabbitmq_server: RabbitServer, tmp_path: Path, sink: str
) -> None:
    for name in ("everything", "regions"):
        rabbitmq_server.exchange(name, "topic")
    rabbitmq_server.exchange("rest", "fanout")
    bindings = [("everything", "#"), ("regions", "#"), ("rest", "")]
    rabbitmq_server.queue("all", *bindings)
    write_project(tmp_path, rabbitmq_server)
    async with EngineService() as service:
        await service.open(str(tmp_path))
        rows: list[dict[str, Any]] = []
        assert await service.preview_all(sink, rows.append, sample="rows") == 0
        steps = await service.checks.sink(sink, sample="rows")
        assert rabbitmq_server.drain("all") == [], "the check delivered something"
        summary = await service.run(sink, sample="rows")
    targets = [step for step in steps if step.step == "target"]
    assert {step.status for step in targets} == {"passed"}, steps
    assert len(targets) == (2 if sink == "dynamic" else 1)
    assert (summary["delivered"], summary["rejected"]) == (120, 0)
    assert sorted(map(promised, rows)) == sorted(map(seen, rabbitmq_server.drain("all")))
    assert len({str(promised(row)) for row in rows}) == 120
    for row in rows:
        assert json.loads(row["request"]["body"]) == json.loads(json.dumps(row["payload"]))


async def test_only_what_was_refused_is_tried_again(
    rabbitmq_server: RabbitServer, tmp_path: Path
) -> None:
    """One queue is full at first: the run goes on, and each message is there exactly once."""
    rabbitmq_server.exchange("regions", "topic")
    rabbitmq_server.queue("us", ("regions", "US.*"))
    rabbitmq_server.queue("eu", ("regions", "EU.*"), x_max_length=25, x_overflow="reject-publish")
    write_project(tmp_path, rabbitmq_server)
    async with EngineService() as service:
        await service.open(str(tmp_path))
        running = spawn(
            service.run("dynamic", sample="rows", dead_letters=str(tmp_path / "dead.jsonl")),
            name="run",
        )
        first: list[Got] = []
        for _ in range(100):
            await asyncio.sleep(0.1)
            first += await asyncio.to_thread(rabbitmq_server.drain, "eu")
            if len(first) >= 40:
                break
        summary = await running
    found = [*first, *rabbitmq_server.drain("eu"), *rabbitmq_server.drain("us")]
    assert sorted(got.json()["id"] for got in found) == [n for n in range(120) if n % 3 != 2]
    assert (summary["delivered"], summary["rejected"]) == (80, 40)
    assert summary["retried"] >= 1
    letters = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert len(letters) == 40
    assert "there is no exchange rest" in json.dumps(letters[0])
    assert PASSWORD not in (tmp_path / "dead.jsonl").read_text()
