"""The Redis stream sink on a real redis-server, read back by an independent reader."""

from __future__ import annotations

from typing import Any, cast

from routestudio.model.function import FunctionResult
from routestudio.model.message import message_from
from routestudio.routing import Router
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import bind
from routestudio.sinks.redis_stream.sink import RedisStream
from tests.support.redis_server import RedisServer


def entries(server: RedisServer, key: str) -> list[dict[str, str]]:
    found = server.command("XRANGE", key, "-", "+")
    assert isinstance(found, list)
    result = []
    for item in cast(list[Any], found):
        _, parts = item
        texts = [part.decode() for part in parts]
        result.append(dict(zip(texts[::2], texts[1::2], strict=True)))
    return result


def config(server: RedisServer) -> Any:
    return RedisStream.Config(host=server.host, port=server.port)


async def test_what_arrives_is_what_was_encoded_in_order(redis_server: RedisServer) -> None:
    values = {"host": redis_server.host, "port": redis_server.port}
    router = Router(bind(RedisStream, values, dynamic=True))
    records = []
    for number in range(600):
        message = message_from(
            {"action": "update", "record": {"id": number, "note": f"é {number}\r\n"}}
        )
        result = {"stream_key": f"orders:{number % 3}"}
        effective = router.route(message, FunctionResult(result))
        payload = Payload(message.as_json())
        records.append(
            RedisStream.encode(config(redis_server), message, router.instance(effective), payload)  # type: ignore[arg-type]
        )
    link = RedisStream.connect(config(redis_server))
    try:
        outcomes = await link.send(records)
    finally:
        await link.close()
    assert {item.status for item in outcomes} == {"delivered"}
    for number in range(3):
        key = f"orders:{number}"
        sent = [record.fields for record in records if record.key == key]
        assert entries(redis_server, key) == sent


async def test_a_refused_command_is_one_records_outcome(redis_server: RedisServer) -> None:
    redis_server.command("SET", "taken", "a string")
    link = RedisStream.connect(config(redis_server))
    message = message_from({"action": "insert", "record": {"id": 1}})
    payload = Payload(message.as_json())
    keys = ["free", "taken", "free"]
    records = [
        RedisStream.encode(
            config(redis_server), message, RedisStream.Routing(stream_key=key), payload
        )
        for key in keys
    ]
    try:
        outcomes = await link.send(records)
    finally:
        await link.close()
    assert [item.status for item in outcomes] == ["delivered", "rejected", "delivered"]
    assert len(entries(redis_server, "free")) == 2


async def test_the_check_proves_the_right_to_append_without_writing(
    redis_server: RedisServer,
) -> None:
    link = RedisStream.connect(config(redis_server))
    try:
        steps = [s async for s in link.check([RedisStream.Routing(stream_key="orders")])]
    finally:
        await link.close()
    assert [step.step for step in steps] == ["resolve", "connect", "TLS", "authenticate", "target"]
    assert steps[-1].status == "passed"
    assert ("XADD" if redis_server.judges_rights else "every command") in steps[-1].detail
    assert redis_server.command("DBSIZE") == 0
