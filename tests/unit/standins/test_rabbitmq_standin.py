"""The RabbitMQ stand-in, used by an independent client and by bytes that are no AMQP."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker, ConnectionClosedByBroker

from routestudio.sinks import standins
from routestudio.sinks.base import StandinAddress
from routestudio.sinks.rabbitmq import codec
from routestudio.sinks.rabbitmq.sink import RabbitMq
from routestudio.sinks.rabbitmq.standin import RabbitMqStandin


@pytest.fixture
async def standin() -> AsyncIterator[tuple[RabbitMqStandin, StandinAddress]]:
    one = RabbitMqStandin()
    yield one, await one.start()
    await one.stop()
    await one.stop()


Used = tuple[RabbitMqStandin, StandinAddress]


async def with_client(address: StandinAddress, act: Callable[[Any], Any]) -> Any:
    """What `act` returns for a channel of another client; it runs in a thread of its own."""

    def work() -> Any:
        parameters = pika.ConnectionParameters(address.host, address.port, heartbeat=0)
        connection = pika.BlockingConnection(parameters)
        try:
            return act(connection.channel())
        finally:
            if connection.is_open:
                connection.close()

    return await asyncio.to_thread(work)


def test_it_is_the_stand_in_of_the_sink() -> None:
    assert RabbitMq.standin is not None
    assert isinstance(standins.create(RabbitMq.standin), RabbitMqStandin)


async def test_what_another_client_publishes_arrives(standin: Used) -> None:
    one, address = standin
    headers = {"text": "ü", "number": 5, "deep": {"list": [1, b"\xff"]}}
    properties = pika.BasicProperties(
        content_type="text/plain", headers=headers, delivery_mode=2, priority=3,
        message_id="m", timestamp=1_700_000_000, app_id="app", user_id="guest", expiration="60000",
    )  # fmt: skip

    def act(channel: Any) -> None:
        channel.confirm_delivery()
        channel.exchange_declare("shop", "topic", durable=True)
        channel.basic_publish("shop", "eu.1", "ü".encode() * 100_000, properties, mandatory=True)
        channel.basic_publish("", "queue", b"")
        channel.basic_publish("other", "k", b"\xff")

    await with_client(address, act)
    first, second, third = await one.arrived()
    assert (first.destination, first.key, first.body) == ("shop", "eu.1", "ü" * 100_000)
    assert first.details == {
        "routing_key": "eu.1", "content_type": "text/plain", "delivery_mode": 2, "priority": 3,
        "headers": {"text": "ü", "number": 5, "deep": {"list": [1, "base64:/w=="]}},
        "message_id": "m", "timestamp": 1_700_000_000, "app_id": "app", "user_id": "guest",
        "expiration": "60000",
    }  # fmt: skip
    assert (second.destination, second.key, second.body) == ("", "queue", "")
    assert third.body == "base64:/w=="
    assert [item.destination for item in await one.arrived(limit=1)] == ["other"]
    await one.clear()
    assert list(await one.arrived()) == []


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"user_id": "somebody"}, "user_id property set"),
        ({"expiration": "x"}, "invalid expiration"),
    ],
)
async def test_properties_that_rabbitmq_refuses(
    standin: Used, properties: dict[str, str], words: str
) -> None:
    one, address = standin

    def act(channel: Any) -> None:
        channel.confirm_delivery()
        with pytest.raises(ChannelClosedByBroker, match=words):
            channel.basic_publish("e", "k", b"x", pika.BasicProperties(**properties))
        again = channel.connection.channel()
        again.confirm_delivery()
        again.basic_publish("e", "k", b"y")

    await with_client(address, act)
    assert [item.body for item in await one.arrived()] == ["y"]


async def test_consumers_are_told_that_this_is_for_publishers(standin: Used) -> None:
    def act(channel: Any) -> None:
        with pytest.raises(ConnectionClosedByBroker, match="takes publications only"):
            channel.queue_declare("q")

    await with_client(standin[1], act)


async def converse(address: StandinAddress, raw: bytes) -> bytes:
    """Everything that the stand-in says to these bytes."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(raw)
        writer.write_eof()
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


HEADER = struct.pack(">HHQ", 60, 0, 2**40) + b"\x00\x00"
SMALL = struct.pack(">HHQ", 60, 0, 2) + b"\x00\x00"
PUBLISH = codec.method(1, codec.PUBLISH, b"\x00\x00\x01e\x01k\x00")
OPEN = codec.method(1, codec.CHANNEL_OPEN, b"\x00")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (struct.pack(">BHI", 1, 0, 2**31), 501),
        (codec.HEARTBEAT[:-1] + b"x", 501),
        (codec.frame(7, 0, b""), 501),
        (codec.method(0, codec.START_OK, b"\x00\x00\x00\xff"), 501),
        (OPEN, None),
        (PUBLISH, 504),
        (codec.frame(codec.BODY, 1, b"x"), 501),
        (OPEN + codec.frame(codec.BODY, 1, b"x"), 501),
        (OPEN + PUBLISH + codec.frame(codec.HEADER, 1, HEADER), 501),
        (OPEN + PUBLISH + codec.frame(codec.BODY, 1, b"x"), 501),
        (OPEN + PUBLISH + codec.frame(codec.HEADER, 1, SMALL) + codec.frame(codec.BODY, 1, b"xyz"),
         501),
        (OPEN + codec.method(1, 60 << 16 | 20), 540),
    ],
)  # fmt: skip
async def test_bytes_that_nobody_should_send(standin: Used, raw: bytes, code: int | None) -> None:
    one, address = standin
    said = await converse(address, codec.PREAMBLE + raw)
    closing = struct.pack(">I", codec.CLOSE) + struct.pack(">H", code or 0)
    assert (closing in said) == (code is not None)
    assert list(await one.arrived()) == []


async def test_other_versions_are_told_which_is_spoken(standin: Used) -> None:
    assert await converse(standin[1], b"AMQP\x00\x01\x00\x00") == codec.PREAMBLE
    assert await converse(standin[1], codec.PREAMBLE + codec.HEARTBEAT * 2) != b""
