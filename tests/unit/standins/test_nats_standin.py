"""The NATS stand-in, used by a client of NATS's own making and by one that breaks the rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import nats
import nats.errors
import pytest

from routestudio.sinks.base import StandinAddress
from routestudio.sinks.nats import standin as standin_module
from routestudio.sinks.nats.standin import NatsStandin


@pytest.fixture
async def started() -> AsyncIterator[tuple[NatsStandin, StandinAddress]]:
    standin = NatsStandin()
    address = await standin.start()
    yield standin, address
    await standin.stop()


Started = tuple[NatsStandin, StandinAddress]


async def client(started: Started, **options: Any) -> Any:
    address = started[1]
    url = f"nats://{address.host}:{address.port}"
    return await nats.connect(url, allow_reconnect=False, **options)


async def raw(started: Started, *lines: bytes) -> list[bytes]:
    """What the stand-in says to these lines after its INFO, until it closes or says PONG."""
    reader, writer = await asyncio.open_connection(started[1].host, started[1].port)
    assert json.loads((await reader.readline()).partition(b" ")[2])["headers"] is True
    writer.write(b"".join(lines) + b"PING\r\n")
    said = []
    while (line := await reader.readline()) not in (b"", b"PONG\r\n"):
        said.append(line.strip())
    writer.close()
    await writer.wait_closed()
    return said


async def test_messages_reach_subscribers_and_are_kept(started: Started) -> None:
    one = await client(started)
    two = await client(started)
    try:
        wide = await one.subscribe("shop.>")
        narrow = await one.subscribe("shop.*.new")
        await one.flush()
        await two.publish("shop.eu.new", "Zoë".encode(), headers={"A": "b c"})
        await two.publish("shop", b"1")
        await two.publish("shop.eu.old.x", b"\xff")
        await two.flush()
        first = await wide.next_msg(5)
        assert (first.subject, first.data.decode(), first.headers) == (
            "shop.eu.new", "Zoë", {"A": "b c"},
        )  # fmt: skip
        assert (await wide.next_msg(5)).subject == "shop.eu.old.x"
        assert (await narrow.next_msg(5)).subject == "shop.eu.new"
        with pytest.raises(nats.errors.TimeoutError):
            await narrow.next_msg(0.05)
    finally:
        await one.close()
        await two.close()
    arrived = await started[0].arrived()
    assert [(a.destination, a.body) for a in arrived] == [
        ("shop.eu.new", "Zoë"), ("shop", "1"), ("shop.eu.old.x", "base64:/w=="),
    ]  # fmt: skip
    assert arrived[0].details == {"headers": {"A": "b c"}}


async def test_requests_queues_and_limits(started: Started) -> None:
    one = await client(started)
    two = await client(started)

    async def answer(message: Any) -> None:
        await message.respond(b"pong")

    try:
        await one.subscribe("ask", cb=answer)
        workers = [await one.subscribe("work", queue="q") for _ in range(2)]
        once = await one.subscribe("once")
        await once.unsubscribe(limit=1)
        await one.flush()
        assert (await two.request("ask", b"ping", timeout=5)).data == b"pong"
        with pytest.raises(nats.errors.NoRespondersError):
            await two.request("nobody", b"", timeout=5)
        for _ in range(10):
            await two.publish("work", b"x")
        for _ in range(3):
            await two.publish("once", b"y")
        await two.flush()
        await one.flush()
        assert [worker.pending_msgs for worker in workers] == [5, 5]
        assert once.pending_msgs == 1
    finally:
        await one.close()
        await two.close()
    kept = {item.destination for item in await started[0].arrived()}
    assert kept == {"ask", "nobody", "work", "once"}


async def test_a_reserved_reply_is_refused_and_reaches_nobody(started: Started) -> None:
    said = await raw(started, b"SUB a 1\r\n", b"PUB a _R_.x 1\r\nz\r\n")
    assert said == [b"-ERR 'Permissions Violation for Publish with Reply of \"_R_.x\"'"]
    assert list(await started[0].arrived()) == []


async def test_options_of_a_client(started: Started) -> None:
    hears = await raw(started, b"CONNECT {}\r\n", b"SUB a 1\r\n", b"HPUB a 12 13\r\n",
                      b"NATS/1.0\r\n\r\nz\r\n")  # fmt: skip
    assert hears == [b"MSG a 1 1", b"z"]
    deaf = b'CONNECT {"echo": false, "verbose": true}\r\n'
    assert await raw(started, deaf, b"SUB a 1\r\nPUB a 1\r\nz\r\nUNSUB 1\r\n") == [b"+OK"] * 4


@pytest.mark.parametrize(
    "line",
    [b"GET / HTTP/1.1\r\n", b"PUB a b c d\r\n", b"PUB a -1\r\n", b"HPUB a 9 5\r\n", b"SUB a\r\n",
     b"CONNECT []\r\n", b"CONNECT x\r\n", b"\xff\r\n", b"\r\n", b"x" * 100_000],
)  # fmt: skip
async def test_what_is_not_the_protocol_ends_the_conversation(
    started: Started, line: bytes
) -> None:
    assert await raw(started, line) == [b"-ERR 'Unknown Protocol Operation'"]


async def test_too_large_a_message_ends_the_conversation(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standin_module, "MAX_PAYLOAD", 10)
    assert await raw(started, b"PUB a 11\r\n") == [b"-ERR 'Maximum Payload Violation'"]
    assert list(await started[0].arrived()) == []
