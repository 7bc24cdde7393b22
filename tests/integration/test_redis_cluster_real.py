"""Deliveries to a real Redis cluster of three servers, and its check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.sinks._shared.redis.cluster import slot_of
from routestudio.sinks.base import InOrder, Payload
from routestudio.sinks.redis_stream.sink import RedisStream
from routestudio.sinks.redis_string.sink import RedisString
from tests.support.redis_server import RedisServer, start_cluster

pytestmark = pytest.mark.real

Cluster = list[RedisServer]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("cluster"), 3) as found:
        yield found


@pytest.fixture
def cluster(servers: Cluster) -> Cluster:
    """Three servers without keys; the first one is known to the sink."""
    for server in servers:
        server.flush()
    return servers


def at(cluster: Cluster) -> dict[str, Any]:
    return {"host": cluster[0].host, "port": cluster[0].port}


def strings(keys: Sequence[str]) -> list[Any]:
    config = RedisString.Config(host="x", port=1)
    message = message_from({"action": "insert", "record": {"id": 1}})
    return [RedisString.encode(config, message, RedisString.Routing(key=key, action="set"),
                               Payload(f"value of {key}")) for key in keys]  # fmt: skip


def key_of(cluster: Cluster, server: int, text: str = "k") -> str:
    """A key that this server holds."""
    share = -(-16_384 // len(cluster))
    return next(f"{text}{n}" for n in range(1000) if slot_of(f"{text}{n}") // share == server)


def contents(cluster: Cluster) -> dict[bytes, bytes]:
    return {key: value for server in cluster for key, value in server.contents().items()}


async def test_each_key_goes_to_the_server_that_holds_it(cluster: Cluster) -> None:
    link = RedisString.connect(RedisString.Config(**at(cluster)))
    keys = [f"orders:{n}" for n in range(300)]
    try:
        for part in (keys[:100], keys[100:]):  # before the cluster is known, and after
            assert {o.status for o in await link.send(strings(part))} == {"delivered"}
    finally:
        await link.close()
    assert contents(cluster) == {key.encode(): f"value of {key}".encode() for key in keys}
    assert all(len(server.contents()) > 50 for server in cluster)


async def test_the_order_of_each_group_is_kept(cluster: Cluster) -> None:
    link = RedisStream.connect(RedisStream.Config(**at(cluster)))
    config = RedisStream.Config(host="x", port=1)
    keys = [key_of(cluster, server, "orders") for server in range(3)]

    def batch(start: int) -> InOrder:
        records = []
        for n in range(start, start + 60):
            message = message_from({"action": "insert", "record": {"id": n}})
            routing = RedisStream.Routing(stream_key=keys[n % 3])
            records.append(RedisStream.encode(config, message, routing, Payload({"n": n})))
        return InOrder(records, [f"g{n % 3}" for n in range(start, start + 60)])

    try:
        # Nothing is known of the cluster yet, and nothing may be taken out of order.
        first: Sequence[Outcome] = await link.send(batch(0))
        assert {o.status for o in first} <= {"retry"}
        for start in (0, 60):
            assert {o.status for o in await link.send(batch(start))} == {"delivered"}
    finally:
        await link.close()
    for number, key in enumerate(keys):
        found: Any = cluster[number].command("XRANGE", key, "-", "+")
        assert [int(re.sub(rb"\D", b"", fields[1])) for _, fields in found] == [
            n for n in range(120) if n % 3 == number
        ]


async def test_a_slot_that_is_moved_is_followed(cluster: Cluster) -> None:
    source, target = cluster[0], cluster[1]
    key = key_of(cluster, 0, "moved")
    slot = slot_of(key)
    names: list[Any] = [server.command("CLUSTER", "MYID") for server in (source, target)]
    link = RedisString.connect(RedisString.Config(**at(cluster)))
    try:
        warm = await link.send(strings([key_of(cluster, n, "warm") for n in range(3)]))
        assert {o.status for o in warm} == {"delivered"}
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", names[0])
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", names[1])
        [asked] = await link.send(strings([key]))
        assert asked.status == "delivered"
        assert source.command("KEYS", key) == []
        for server in cluster:
            server.command("CLUSTER", "SETSLOT", slot, "NODE", names[1])
        [moved] = await link.send(strings([key]))
        assert moved.status == "delivered"
        assert target.command("GET", key) == f"value of {key}".encode()
    finally:
        await link.close()
        for server in cluster:
            server.flush()
        for server in (target, source, cluster[2]):
            server.command("CLUSTER", "SETSLOT", slot, "NODE", names[0])


async def steps_of(cluster: Cluster, *keys: str, **more: Any) -> list[CheckStep]:
    link = RedisString.connect(RedisString.Config(**{**at(cluster), **more}))
    try:
        targets = [RedisString.Routing(key=key, action="set") for key in keys]
        return [step async for step in link.check(targets) if step.step == "target"]
    finally:
        await link.close()


async def test_the_check_asks_the_server_that_holds_the_key(cluster: Cluster) -> None:
    """Rights belong to a server: the second one lets this user write less than the others."""
    near, far = key_of(cluster, 0, "allowed:"), key_of(cluster, 1, "allowed:")
    for number, server in enumerate(cluster):
        keys = "~other:*" if number == 1 else "~*"
        server.command("ACL", "SETUSER", "writer", "on", ">word", keys, "&*", "+@all")
    found = await steps_of(cluster, near, far, username="writer", password="word")
    assert [(step.target, step.status) for step in found] == [(near, "passed"), (far, "failed")]
    assert "may not SET" in found[1].detail
    assert contents(cluster) == {}


async def test_servers_that_are_missing_are_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    with start_cluster(tmp_path_factory.mktemp("broken"), 3) as cluster:
        near, far = key_of(cluster, 0), key_of(cluster, 1)
        link = RedisString.connect(RedisString.Config(**at(cluster)))
        try:
            assert {o.status for o in await link.send(strings([near, far]))} == {"delivered"}
            lost = cluster[1]
            assert lost.child is not None
            lost.child.kill()
            kept, failed = await link.send(strings([near, far]))
            if failed.unknown:  # the end of the connection was only seen when writing
                kept, failed = await link.send(strings([near, far]))
        finally:
            await link.close()
        assert kept.status == "delivered"
        assert (failed.status, failed.unreachable) == ("retry", True)
        assert f"{lost.host}:{lost.port} of the cluster" in failed.reason
        first, second = await steps_of(cluster, near, far)
        assert (first.status, second.status) == ("passed", "failed")
        assert f"{lost.host}:{lost.port} of the cluster holds `{far}`" in second.detail
