"""Several messages of a group in one batch, on a real redis-server that refuses some of them."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.model.message import message_from
from routestudio.sinks.base import InOrder, Payload
from routestudio.sinks.redis_stream.sink import RedisStream
from tests.support.redis_server import RedisServer


def batch(server: RedisServer, streams: list[str], size: int = 1) -> InOrder:
    """A batch of records of two groups, each to the stream at its place."""
    config = RedisStream.Config(host=server.host, port=server.port)
    records = []
    for number, stream in enumerate(streams):
        message = message_from({"action": "insert", "record": {"id": number, "note": "x" * size}})
        routing = RedisStream.Routing(stream_key=stream)
        records.append(RedisStream.encode(config, message, routing, Payload(message.as_json())))
    return InOrder(records, [f"g{number % 2}" for number in range(len(streams))])


def numbers(server: RedisServer, key: str) -> list[int]:
    import re

    found: Any = server.command("XRANGE", key, "-", "+")
    return [int(re.search(rb'"id": ?(\d+)', b" ".join(parts))[1]) for _, parts in found]  # type: ignore[index]


def link_of(server: RedisServer) -> Any:
    return RedisStream.connect(RedisStream.Config(host=server.host, port=server.port))


async def test_a_batch_is_carried_out_in_its_order(redis_server: RedisServer) -> None:
    link = link_of(redis_server)
    try:
        for _ in range(2):  # the second one on the connection that was kept
            outcomes = await link.send(batch(redis_server, ["in_order"] * 50))
            assert {each.status for each in outcomes} == {"delivered"}
    finally:
        await link.close()
    assert numbers(redis_server, "in_order") == [*range(50), *range(50)]


async def test_a_command_that_can_never_work_is_rejected_and_the_others_go_on(
    redis_server: RedisServer,
) -> None:
    redis_server.command("SET", "taken", "a string")
    link = link_of(redis_server)
    try:
        outcomes = await link.send(batch(redis_server, ["free", "taken", "free", "free"]))
    finally:
        await link.close()
    assert [each.status for each in outcomes] == ["delivered", "rejected", "delivered", "delivered"]
    assert outcomes[1].code == "WRONGTYPE"
    assert numbers(redis_server, "free") == [0, 2, 3]


async def test_a_full_server_takes_all_of_a_batch_or_nothing(redis_server: RedisServer) -> None:
    """Without a transaction the memory that is free again in the middle lets later ones pass."""
    link = link_of(redis_server)
    redis_server.command("CONFIG", "SET", "maxmemory", "1")
    try:
        outcomes = await link.send(batch(redis_server, ["full"] * 6))
        assert {each.status for each in outcomes} == {"retry"}
        assert {each.code for each in outcomes} <= {"OOM", "EXECABORT"}
        assert not any(each.unknown for each in outcomes)
    finally:
        redis_server.command("CONFIG", "SET", "maxmemory", "0")
    try:
        assert redis_server.command("EXISTS", "full") == 0
        again = await link.send(batch(redis_server, ["full"] * 6))
        assert {each.status for each in again} == {"delivered"}
    finally:
        await link.close()
    assert numbers(redis_server, "full") == list(range(6))


async def test_a_user_who_may_not_use_transactions_gets_one_of_a_group_at_a_time(
    redis_server: RedisServer,
) -> None:
    redis_server.command("ACL", "SETUSER", "plain", "on", ">pw", "~*", "+@all", "-multi")
    config = RedisStream.Config(
        host=redis_server.host,
        port=redis_server.port,
        username="plain",
        password="pw",  # type: ignore[arg-type]
    )
    redis_server.command("SET", "other", "a string")
    link = RedisStream.connect(config)
    try:
        outcomes = await link.send(batch(redis_server, ["waves", "waves", "other", "waves"]))
    finally:
        await link.close()
        redis_server.command("ACL", "DELUSER", "plain")
    assert [each.status for each in outcomes] == ["delivered", "delivered", "rejected", "delivered"]
    assert numbers(redis_server, "waves") == [0, 1, 3]


@pytest.mark.parametrize("apart", [False, True])
async def test_what_failed_keeps_back_what_follows_in_its_group(
    redis_server: RedisServer, apart: bool
) -> None:
    """The first command of one group meets a full server; the rest of it is not written."""
    link = link_of(redis_server)
    link._ordered.apart = apart
    redis_server.command("CONFIG", "SET", "maxmemory", "1")
    try:
        outcomes = await link.send(batch(redis_server, ["behind"] * 4))
    finally:
        redis_server.command("CONFIG", "SET", "maxmemory", "0")
        await link.close()
    assert {each.status for each in outcomes} == {"retry"}
    assert redis_server.command("EXISTS", "behind") == 0
    if apart:
        assert [each.unsent for each in outcomes] == [False, False, True, True]
