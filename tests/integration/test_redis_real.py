"""The Redis string sink against real Redis servers, read back by an independent reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from routestudio import tasks
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import FunctionResult
from routestudio.model.message import Message, message_from
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.run import Delivery
from routestudio.pipeline.stages import SinkFunctions, Stages
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.redis_string.sink import RedisString
from tests.support.idle import aged
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

pytestmark = pytest.mark.real


@dataclass(frozen=True, slots=True)
class Plain:
    """A sink without settings."""

    actions: tuple[str, ...] = ("insert", "update", "delete")
    source: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    message_grouping: bool = True
    confine: dict[str, str] = field(default_factory=dict)
    timestamp_format: str = "iso8601"


def config(server: RedisServer, **values: Any) -> Any:
    given = {
        "host": "localhost" if server.tls else server.host,
        "port": server.port,
        "username": server.username,
        "password": server.password,
        "tls": server.tls,
    }
    return RedisString.Config.model_validate({**given, **values})


def messages(count: int) -> list[Message]:
    return [
        message_from(
            {
                "action": ("insert", "update", "read", "delete")[n % 4],
                "record": {"id": n, "text": "ü\n\u2028 \x00'\"" * (n % 3), "n": n * 1.5},
                "metadata": {"table_name": "orders", "commit_idx": n},
            },
            index=n,
        )
        for n in range(count)
    ]


async def deliver(settings: Any, records: list[Any], size: int = 50) -> list[Outcome]:
    link = RedisString.connect(settings)
    try:
        found: list[Outcome] = []
        for start in range(0, len(records), size):
            found += await link.send(records[start : start + size])
        return found
    finally:
        await link.close()


def record(settings: Any, key: str = "k", value: Any = "v", **routing: Any) -> Any:
    routed = RedisString.Routing.model_validate({"key": key, "action": "set", **routing})
    return RedisString.encode(settings, messages(1)[0], routed, Payload(value))


async def check(settings: Any, *keys: str) -> list[CheckStep]:
    link = RedisString.connect(settings)
    try:
        targets = [RedisString.Routing(key=key, action="set") for key in keys]
        found = [step async for step in link.check(targets)]
    finally:
        await link.close()
    for step in found:
        print(f"{step.step:13}{step.status:13}{step.ms:7.1f} ms  {step.detail} | {step.hint or ''}")
    return found


def verdict(steps: list[CheckStep]) -> str:
    """The first step that is neither passed nor skipped, with its status."""
    bad = [s for s in steps if s.status in ("failed", "inconclusive")]
    return f"{bad[0].step} {bad[0].status}" if bad else "passed"


@pytest.mark.parametrize("database", [0, 5])
async def test_what_arrives_is_what_was_encoded(redis_server: RedisServer, database: int) -> None:
    settings = config(redis_server, database=database)
    values = {"host": redis_server.host, "port": redis_server.port, "database": database}
    router = Router(bind(RedisString, values, dynamic=True))
    expected: dict[bytes, bytes] = {}
    expiring: dict[str, int] = {}
    records = []
    for item in messages(1000):
        result = {"key": f"orders:é:{item.record['id'] % 600}"}
        if item.record["id"] % 5 == 0:
            result["expire_ms"] = 3_600_000 + item.record["id"]
        effective = router.route(item, FunctionResult(result))
        assert effective.ok
        command = RedisString.encode(
            settings,
            item,
            router.instance(effective),  # type: ignore[arg-type]
            Payload(item.as_json()),
        )
        records.append(command)
        if command.value is None:
            expected.pop(command.key.encode(), None)
            expiring.pop(command.key, None)
        else:
            expected[command.key.encode()] = command.value
            expiring.pop(command.key, None)
            if command.expire_ms:
                expiring[command.key] = command.expire_ms
    outcomes = await deliver(settings, records)
    assert {o.status for o in outcomes} == {"delivered"}
    assert len(outcomes) == 1000
    assert redis_server.contents(database) == expected
    for key, expire in expiring.items():
        left = redis_server.command("PTTL", key, database=database)
        assert isinstance(left, int)
        assert expire - 60_000 < left <= expire


async def test_batches_may_run_at_the_same_time(redis_server: RedisServer) -> None:
    settings = config(redis_server)
    link = RedisString.connect(settings)
    batches = [[record(settings, f"b{b}:{n}", f"{b}.{n}") for n in range(100)] for b in range(20)]
    outcomes = await asyncio.gather(*(link.send(batch) for batch in batches))
    await link.close()
    assert {o.status for batch in outcomes for o in batch} == {"delivered"}
    assert len(redis_server.contents()) == 2000
    clients = redis_server.command("CLIENT", "LIST")
    assert isinstance(clients, bytes)
    assert clients.count(b"\n") == 1, "connections are left open"


async def test_values_larger_than_any_buffer(redis_server: RedisServer) -> None:
    settings = config(redis_server)
    value = "ü" * 3_000_000
    outcomes = await deliver(settings, [record(settings, f"k{n}", value) for n in range(5)])
    assert {o.status for o in outcomes} == {"delivered"}
    assert redis_server.command("GET", "k4") == value.encode()


async def test_rights_are_judged_per_record(redis_user_server: RedisServer) -> None:
    server = redis_user_server
    settings = config(server, username=server.prefixed)
    keys = ["allowed:1", "other:1", "allowed:2"]
    outcomes = await deliver(settings, [record(settings, key) for key in keys])
    assert [(o.status, o.code) for o in outcomes] == [
        ("delivered", ""),
        ("rejected", "NOPERM"),
        ("delivered", ""),
    ]
    assert set(server.contents()) == {b"allowed:1", b"allowed:2"}


async def test_a_full_server_is_a_retry(redis_server: RedisServer) -> None:
    settings = config(redis_server)
    redis_server.command("CONFIG", "SET", "maxmemory", "1")
    try:
        outcomes = await deliver(settings, [record(settings), record(settings, action="del")])
    finally:
        redis_server.command("CONFIG", "SET", "maxmemory", "0")
    assert [(o.status, o.code) for o in outcomes] == [("retry", "OOM"), ("delivered", "")]


async def test_a_run_repeats_only_the_commands_that_were_refused(
    redis_server: RedisServer,
) -> None:
    """A server without memory refuses SET and takes DEL, in the same pipelines."""
    values = {"host": redis_server.host, "port": redis_server.port}
    bound = bind(RedisString, values, dynamic=False, batch_size=40)
    given = messages(400)

    async def source() -> AsyncIterator[list[Message]]:
        yield given

    pool = FunctionPool()
    stages = Stages(bound, Plain(), SinkFunctions(), pool)
    redis_server.command("CONFIG", "RESETSTAT")
    redis_server.command("CONFIG", "SET", "maxmemory", "1")
    link = RedisString.connect(bound.config)
    delivery = Delivery(stages, link, bound.limits, source(), policy=RetryPolicy(base=0.2))
    running = tasks.spawn(delivery.run(), name="run")
    try:
        await until(lambda: delivery.summary.delivered >= 100)
        await asyncio.sleep(0.1)
        assert delivery.summary.delivered == 100, "the deletes pass, and nothing else"
    finally:
        redis_server.command("CONFIG", "SET", "maxmemory", "0")
    summary = await asyncio.wait_for(running, 60)
    await link.close()
    await pool.close()
    assert (summary.delivered, summary.rejected) == (400, 0)
    assert len(redis_server.contents()) == 300
    stats = redis_server.command("INFO", "commandstats")
    assert isinstance(stats, bytes)
    found = {
        name: dict(part.split("=") for part in line.split(","))
        for name, _, line in (
            row.partition(":") for row in stats.decode().splitlines() if ":" in row
        )
    }
    assert found["cmdstat_del"]["calls"] == "100", "a delete was sent twice"
    assert found["cmdstat_set"]["calls"] == "300", "a value was written twice"
    if redis_server.release >= (6, 2):  # older ones do not count them
        assert int(found["cmdstat_set"]["rejected_calls"]) >= 300


async def test_a_killed_connection_is_replaced(redis_server: RedisServer) -> None:
    settings = config(redis_server)
    link = RedisString.connect(settings)
    try:
        assert [o.status for o in await link.send([record(settings, "a")])] == ["delivered"]
        redis_server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(0.2)  # until its end has come
        aged(link._node)  # type: ignore[attr-defined]
        assert [o.status for o in await link.send([record(settings, "b")])] == ["delivered"]
    finally:
        await link.close()


async def test_a_replica_refuses_and_its_check_says_so(
    redis_server: RedisServer, redis_password_server: RedisServer
) -> None:
    redis_server.command("REPLICAOF", "127.0.0.1", redis_password_server.port)
    try:
        settings = config(redis_server)
        [outcome] = await deliver(settings, [record(settings)])
        steps = await check(settings, "k")
    finally:
        redis_server.command("REPLICAOF", "NO", "ONE")
    assert (outcome.status, outcome.code) == ("retry", "READONLY")
    assert verdict(steps) == "target failed"
    assert "read-only replica" in steps[-1].detail


async def test_right_credentials_pass(
    redis_server: RedisServer, redis_password_server: RedisServer, redis_user_server: RedisServer
) -> None:
    for server in (redis_server, redis_password_server, redis_user_server):
        steps = await check(config(server), "orders:1")
        assert verdict(steps) == "passed"
        assert [s.step for s in steps] == ["resolve", "connect", "TLS", "authenticate", "target"]
        assert server.contents() == {}, "the check wrote something"


async def test_tls(redis_tls_server: RedisServer, trusted_ca: Path) -> None:
    settings = config(redis_tls_server)
    steps = await check(settings, "orders:1")
    assert verdict(steps) == "passed"
    assert steps[2].status == "passed"
    assert [o.status for o in await deliver(settings, [record(settings)])] == ["delivered"]
    assert redis_tls_server.contents() == {b"k": b"v"}


async def test_a_certificate_that_is_not_trusted(redis_tls_server: RedisServer) -> None:
    settings = config(redis_tls_server)
    steps = await check(settings)
    assert verdict(steps) == "TLS failed"
    assert "not trusted" in steps[2].detail
    [outcome] = await deliver(settings, [record(settings)])
    assert (outcome.status, outcome.code) == ("retry", "tls")
    assert redis_tls_server.contents() == {}


async def test_wrong_passwords(
    redis_password_server: RedisServer, redis_user_server: RedisServer, redis_server: RedisServer
) -> None:
    for server in (redis_password_server, redis_user_server):
        for wrong in ("nope-hunter2", None):
            settings = config(server, password=wrong, username=server.username if wrong else None)
            steps = await check(settings, "k")
            assert verdict(steps) == "authenticate failed"
            assert "hunter2" not in repr(steps)
            [outcome] = await deliver(settings, [record(settings)])
            assert (outcome.status, outcome.code) == ("retry", "NOAUTH")
            assert outcome.unreachable, "no record is to blame"
    assert (
        verdict(await check(config(redis_server, password="not-needed"))) == "authenticate failed"
    )


async def test_rights(redis_user_server: RedisServer) -> None:
    server = redis_user_server
    reader = await check(config(server, username=server.reader), "k")
    assert verdict(reader) in ("target inconclusive", "target failed")
    prefixed = await check(config(server, username=server.prefixed), "allowed:1", "other:1")
    judged = ["passed", "failed"] if server.judges_rights else ["inconclusive"] * 2
    assert [(s.target, s.status) for s in prefixed if s.step == "target"] == [
        *zip(("allowed:1", "other:1"), judged, strict=True)
    ]
    server.command("ACL", "SETUSER", "writer", "on", f">{server.password}", "~*", "+set", "+del")
    writer = await check(config(server, username="writer"), "k")
    assert verdict(writer) == "authenticate inconclusive"
    [outcome] = await deliver(config(server, username="writer"), [record(config(server))])
    assert outcome.status == "delivered", "it needs no right but SET"


async def test_hosts_and_ports(redis_server: RedisServer, closed_port: int) -> None:
    refused = await check(config(redis_server, port=closed_port), "k")
    assert verdict(refused) == "connect failed"
    unknown = await check(config(redis_server, host="no-such-host.invalid"), "k")
    assert verdict(unknown) == "resolve failed"
    missing = await check(config(redis_server, database=99), "k")
    assert verdict(missing) == "target failed"
    for steps in (refused, unknown, missing):
        assert next(s.hint for s in steps if s.status == "failed")


async def test_tls_and_plain_ports_mixed_up(
    redis_server: RedisServer, redis_tls_server: RedisServer
) -> None:
    assert verdict(await check(config(redis_server, tls=True), "k")) == "TLS failed"
    plain = await check(config(redis_tls_server, tls=False), "k")
    assert verdict(plain) == "authenticate failed"
    assert "TLS" in (plain[3].hint or "")
