"""What is relied on in redis-py's connections, held to every version that is allowed.

`packaging/redis-majors` runs this with each major version (decision 0041).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from routestudio.model.message import message_from
from routestudio.model.outcome import Outcome
from routestudio.sinks._shared import idle
from routestudio.sinks.base import Link, Payload
from routestudio.sinks.redis_string.sink import RedisString
from tests.support.waiting import until

MESSAGE = message_from({"action": "insert", "record": {"id": 7}})


class Server:
    """Answers each batch by `answers`, in turn, and ends the connection where one is `None`."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.words: list[bytes] = []
        self.open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self.words.append(data)
                if any(word in data for word in (b"SETINFO", b"AUTH", b"SELECT", b"HELLO")):
                    writer.write(b"+OK\r\n" * data.count(b"*"))
                    continue
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                if answer.endswith(b"END"):
                    break
        self.open.discard(writer)
        writer.close()


@asynccontextmanager
async def served(*answers: bytes | None, **config: object) -> AsyncIterator[tuple[Server, Link]]:
    server = Server(*answers)
    listener = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    values = {"host": "127.0.0.1", "port": server.port, **config}
    link = RedisString.connect(RedisString.Config.model_validate(values))
    try:
        yield server, link
    finally:
        await link.close()
        listener.close()
        for writer in server.open:
            writer.transport.abort()
        await listener.wait_closed()


async def send(link: Link, count: int = 1) -> list[Outcome]:
    config = RedisString.Config(host="127.0.0.1", port=1)
    records = [
        RedisString.encode(config, MESSAGE, RedisString.Routing(key=f"k{n}", action="set"),
                           Payload(n)) for n in range(count)
    ]  # fmt: skip
    return list(await link.send(records))


async def test_each_reply_is_the_outcome_of_its_command() -> None:
    async with served(b"+OK\r\n-WRONGTYPE a b\r\n-OOM full\r\n+OK\r\n") as (server, link):
        found = await send(link, 4)
    assert [(one.status, one.code) for one in found] == [
        ("delivered", ""), ("rejected", "WRONGTYPE"), ("retry", "OOM"), ("delivered", ""),
    ]  # fmt: skip
    assert server.words[-1].count(b"SET") == 4, "one write for the batch"


async def test_what_was_answered_before_the_end_stays_known() -> None:
    async with served(b"+OK\r\n-WRONGTYPE a\r\n+END") as (_, link):
        found = await send(link, 4)
    assert [(one.status, one.unknown) for one in found] == [
        ("delivered", False), ("rejected", False), ("retry", True), ("retry", True),
    ]  # fmt: skip


async def test_nothing_is_sent_twice_by_the_client() -> None:
    async with served(None, b"+OK\r\n") as (server, link):
        (lost,) = await send(link)
        assert (lost.status, lost.code, lost.unknown) == ("retry", "connection_lost", True)
        assert server.connections == 1
        (again,) = await send(link)
    assert again.status == "delivered"
    assert server.connections == 2


def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()


def _speak(writer: asyncio.StreamWriter) -> None:
    writer.write(b"+OK\r\n")


@pytest.mark.parametrize("happens", [_end, _speak])
async def test_an_idle_connection_that_ended_or_spoke_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[asyncio.StreamWriter], None]
) -> None:
    monkeypatch.setattr(idle, "FRESH", -1.0)
    async with served(b"+OK\r\n", b"-WRONGTYPE a\r\n", b"+OK\r\n") as (server, link):
        assert [one.status for one in await send(link)] == ["delivered"]
        assert [one.status for one in await send(link)] == ["rejected"]
        assert server.connections == 1, "one that is well is used again"
        (writer,) = server.open
        reader = idle_reader(link)
        happens(writer)
        await until(lambda: reader.at_eof() or bool(reader._buffer))
        assert [one.status for one in await send(link)] == ["delivered"]
    assert server.connections == 2


def idle_reader(link: Any) -> Any:
    """What the link's only idle connection is read from."""
    ((connection, _),) = link._node._idle
    return connection._reader
