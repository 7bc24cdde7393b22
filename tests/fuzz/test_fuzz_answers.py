"""Answers of services and frames of the engine, spoiled by chance on their way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from routestudio.api import protocol
from routestudio.errors import ProtocolError
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.sinks import registry, standins
from routestudio.sinks.base import StandinAddress
from tests.contract.test_sinks import bound, records, routing
from tests.fuzz.search import SECONDS, Search, ceiling, long_search, peak, spoiled_bytes

__all__ = ["ceiling"]

SINKS = ("http_push", "nats", "rabbitmq", "redis_string", "redis_stream", "s2")
SILENCE = 0.15
"""Seconds without a byte after which the service ends the connection, so that nobody waits long."""

PATIENCE = 60.0
MEMORY = 400 << 20
"""Bytes by which the process may grow."""

TOKENS = [
    b"\r\n", b"\n", b"\0", b"\xff", b"\xce", b" ", b"-1", b"0", b"99999999999", b"1" * 40,
    b"+OK\r\n",
    b"-ERR no\r\n", b"-MOVED 1 127.0.0.1:1\r\n", b":1\r\n", b"$-1\r\n", b"$5\r\nhello\r\n",
    b"*3\r\n",
    b"*-1\r\n", b"PING\r\n", b"PONG\r\n", b"INFO {}\r\n", b"-ERR 'Authorization Violation'\r\n",
    b"MSG a 1 5\r\nhello\r\n", b"HMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\n", b"{}", b"[" * 60, b"null",
    b'{"error":{"code":404,"err_code":1,"description":"x"}}', b'{"stream":"s","seq":1}',
    b"\x00" * 8,
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 ",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"Content-Encoding: gzip\r\n",
    b"Location: http://127.0.0.1:1/\r\n", b"Connection: close\r\n", b"fffffff\r\n", b"0\r\n\r\n",
    b"\x01\x00\x01\x00\x00\x00\x05\x00\x3c\x00\x50\x01\xce", b"\x08\x00\x00\x00\x00\x00\x00\xce",
    b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x32\xce", b"AMQP\x00\x00\x09\x01",
    b"\x7f\xff\xff\xff",
]  # fmt: skip


class Spoiler:
    """A proxy that spoils what a service says, while `often` is above 0."""

    def __init__(self, target: int, chance: random.Random) -> None:
        self._target, self._chance = target, chance
        self.often = 0.0
        self.said = bytearray()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._stopped = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ends = {writer}
        self._ends |= ends
        with contextlib.suppress(OSError):
            inner, outer = await asyncio.open_connection("127.0.0.1", self._target)
            ends.add(outer)
            self._ends |= ends
            if not self._stopped:
                ways = [asyncio.ensure_future(self._carried(reader, outer, spoil=False)),
                        asyncio.ensure_future(self._carried(inner, writer,
                        spoil=True))]  # fmt: skip
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        for end in ends:
            end.transport.abort()
        self._ends -= ends
        self._tasks.discard(task)

    async def _carried(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, spoil: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                try:
                    async with asyncio.timeout(SILENCE if self.often and spoil else None):
                        data = await reader.read(65536)
                except TimeoutError:
                    return
                if not data:
                    return
                if spoil and self._chance.random() < self.often:
                    data = spoiled_bytes(data, self._chance, TOKENS)
                if spoil:
                    self.said = (self.said + data)[-4000:]
                for part in self._parts(data):
                    writer.write(part)
                    await writer.drain()

    def _parts(self, data: bytes) -> list[bytes]:
        if not self.often or self._chance.random() < 0.5:
            return [data]
        places = sorted(self._chance.randrange(len(data) + 1) for _ in range(3))
        return [data[a:b] for a, b in pairwise([0, *places, len(data)])]

    async def stop(self) -> None:
        self._stopped = True
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def spoiled(target: int, chance: random.Random) -> AsyncIterator[Spoiler]:
    proxy = Spoiler(target, chance)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        await proxy.stop()
        server.close()
        await server.wait_closed()


async def one_conversation(search: Search, sink: Any, proxy: Spoiler, standin: Any) -> None:
    """Check and send while the answers are spoiled; then, on the same link, with good ones."""
    config = sink.at_standin(bound(sink).config, StandinAddress("127.0.0.1", proxy.port))
    link = sink.connect(config)
    batch = records(sink, config, search.chance.choice((1, 2, 5)))
    proxy.often = search.chance.choice((0.1, 0.4, 0.9))
    proxy.said.clear()
    begun = time.process_time()
    try:
        async with asyncio.timeout(PATIENCE):
            if search.chance.random() < 0.4:
                async for step in link.check([routing(sink)]):
                    assert isinstance(step, CheckStep)
                    search.counts[f"check {step.status}"] += 1
            for _ in range(2):
                for outcome in await outcomes(link, batch):
                    search.counts[outcome.status] += 1
            took = time.process_time() - begun
            search.took(took, sink.key)
            proxy.often = 0.0
            await standin.clear()
            for _ in range(4):
                found = await outcomes(link, batch)
                if all(outcome.status == "delivered" for outcome in found):
                    break
            else:
                search.counts["not delivered afterwards"] += 1
                print("not delivered afterwards:", search.about((found[0], bytes(proxy.said))))
                return
        assert len(await standin.arrived()) >= len(batch) or sink.key == "redis_string"
        search.counts["delivered afterwards"] += 1
    except BaseException as error:
        raise AssertionError(search.about((sink.key, bytes(proxy.said)))) from error
    finally:
        proxy.often = 0.0
        await link.close()


async def outcomes(link: Any, batch: list[Any]) -> list[Outcome]:
    found = await link.send(batch)
    assert len(found) == len(batch)
    assert all(isinstance(outcome, Outcome) for outcome in found)
    return list(found)


async def conversations(key: str, search: Search, seconds: float) -> None:
    sink = registry.default().get(key)
    standin = standins.create(sink.standin)
    address = await standin.start()
    before = peak()
    try:
        async with spoiled(address.port, search.chance) as proxy:
            for _ in search.rounds(seconds):
                await one_conversation(search, sink, proxy, standin)
    finally:
        await standin.stop()
    grown = peak() - before
    assert grown < MEMORY, f"{key}: {grown >> 20} MB more"


@pytest.mark.parametrize("key", SINKS)
async def test_spoiled_answers_are_outcomes(key: str) -> None:
    search = Search(key, rounds=12)
    await conversations(key, search, 0)
    assert search.counts["delivered afterwards"] > 6


@long_search
@pytest.mark.parametrize("key", SINKS)
async def test_spoiled_answers_for_long(key: str) -> None:
    await conversations(key, Search(key), SECONDS / len(SINKS))


FRAMES = [
    protocol.encode(item)
    for item in (
        protocol.Request(1, "open", {"path": "/x", "deep": [[{}]]}), protocol.Cancel(7),
        protocol.Response(3, {"a": [1.5, None, "ü"]}), protocol.Event("e", {"n": 1}, 3),
        protocol.Response(4, failure=protocol.Failure("usage", "no", "hint")),
    )
]  # fmt: skip
LENGTHS = [b"Content-Length: ", b"\r\n\r\n", b"-1", b"0", b"9" * 13, b"9" * 5000, b"{", b'"',
           b"[" * 3000,
           b"1e999", b'"cancel":true', b'{"id":1.5}', b"\xff", b"null"]  # fmt: skip


def one_stream(search: Search) -> None:
    """Spoil frames; what follows whole frames is read again, and nothing else comes out."""
    data = b"".join(search.chance.choices(FRAMES, k=4))
    for _ in range(search.chance.choice((0, 1, 2))):
        data = spoiled_bytes(data, search.chance, LENGTHS)
    places = sorted(search.chance.randrange(len(data) + 1) for _ in range(3))
    reader = protocol.FrameReader()
    begun = time.process_time()
    known = (protocol.Request, protocol.Cancel, protocol.Response, protocol.Event, ProtocolError)
    for start, end in pairwise([0, *places, len(data)]):
        for item in reader.feed(data[start:end]):
            assert isinstance(item, known), search.about(data)
            search.counts[type(item).__name__] += 1
            if not isinstance(item, ProtocolError):
                json.loads(protocol.encode(item).partition(b"\r\n\r\n")[2])
    took = time.process_time() - begun
    assert took < 1.0, search.about(data)
    search.took(took, repr(data[:80]))


def test_spoiled_frames() -> None:
    search = Search("frames", rounds=2_000)
    for _ in search.rounds():
        one_stream(search)
    assert search.counts["ProtocolError"] > 100


@long_search
def test_spoiled_frames_for_long() -> None:
    search = Search("frames")
    for _ in search.rounds():
        one_stream(search)
