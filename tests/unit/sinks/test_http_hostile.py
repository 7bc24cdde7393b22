"""Servers that answer what no server should: each exchange ends, and answers belong to requests.

The first request of every case meets a hostile server, the two after it an honest one on the same
port. Whatever the first one was answered, the others get their own answers and nobody else's.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError
from tests.support.waiting import PATIENCE

SECONDS = 0.5
"""For an exchange that takes all the time it has."""

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def said(*pieces: bytes, close: bool = False) -> Talk:
    """Say the pieces, each in a segment of its own."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        if close:
            writer.close()

    return talk


def endless(start: bytes, piece: bytes, pause: float = 0.0) -> Talk:
    """Say the start, then the piece again and again."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return talk


async def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection as a crash would."""
    writer.transport.abort()


BOMB = gzip.compress(b"\0" * 40_000_000)
PACKED = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n%b"

# What the server does; what that means: the status of an answer, or the code of an outcome.
CASES: dict[str, tuple[Talk, set[str]]] = {
    "two answers in one segment": (said(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
                                   {"200"}),
    "two answers in two segments": (said(OK, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
                                    {"200"}),
    "half of a second answer": (said(OK + b"HTTP/1.1 200 O"), {"200"}),
    "a late time-out": (said(OK, b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"),
                        {"200"}),
    "a late time-out that closes": (
        said(OK, b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n", close=True),
        {"200"}),
    "a refusal behind a chunked answer": (
        said(CHUNKED + b"5\r\nfirst\r\n0\r\n\r\nHTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n"),
        {"200"}),
    "more bytes than were announced": (said(OK + b"and more"), {"200"}),
    "an empty line behind the answer": (said(OK + b"\r\n"), {"200"}),
    "a body behind 204": (said(b"HTTP/1.1 204 None\r\n\r\nbody"), {"204"}),
    "a body behind 304": (said(b"HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\nfirst"), {"304"}),
    "closes, but goes on speaking": (
        said(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nfirst",
             b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n"), {"200"}),
    "fewer bytes than were announced": (
        said(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst", close=True),
        {"connection_lost"}),
    "a body that never ends as announced": (
        said(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst"), {"timeout"}),
    "two lengths": (said(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 0\r\n\r\nfirst"),
                    {"not_http"}),
    "a negative length": (said(b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nfirst"),
                          {"not_http"}),
    "a length of thousands of digits": (
        said(b"HTTP/1.1 200 OK\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\nfirst"),
        {"not_http"}),
    "a length and chunks": (
        said(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
             b"5\r\nfirst\r\n0\r\n\r\n"), {"200", "not_http"}),
    "an unknown transfer coding": (
        said(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        {"not_http"}),
    "a chunk without a size": (said(CHUNKED + b"zz\r\nfirst\r\n0\r\n\r\n"), {"not_http"}),
    "a chunk of all the bytes there are": (
        said(CHUNKED + b"ffffffffffffffffffffff\r\nfirst"), {"not_http", "timeout"}),
    "a chunk without an end": (said(CHUNKED + b"5\r\nfirst0\r\n\r\n"), {"not_http"}),
    "endless words behind a chunk's size": (endless(CHUNKED + b"5;", b"x" * 4096), {"not_http"}),
    "endless lines behind the chunks": (
        endless(CHUNKED + b"0\r\n", b"x: y\r\n" * 500), {"not_http"}),
    "no last chunk": (said(CHUNKED + b"5\r\nfirst\r\n", close=True), {"connection_lost"}),
    "endless provisional answers": (
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50, 0.001), {"timeout"}),
    "another protocol from here on": (
        said(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nx"),
        {"not_http", "connection_lost"}),
    "a head that drips": (endless(b"HTTP/1.1 200 OK\r\nx: ", b"y", 0.02), {"timeout"}),
    "a body that drips": (endless(OK[:-5], b"", 0.02), {"timeout"}),
    "an endless head": (endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), {"not_http"}),
    "one endless line": (endless(b"HTTP/1.1 200 ", b"x" * 4096), {"not_http"}),
    "an endless body": (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), {"200"}),
    "a body that unpacks to far more": (said(PACKED % (b"gzip", len(BOMB), BOMB)), {"200"}),
    "a packed body that is cut": (
        said(PACKED % (b"gzip", 40, BOMB[:40])), {"200", "connection_lost"}),
    "a packed body that is not packed": (
        said(PACKED % (b"deflate", 5, b"first")), {"connection_lost"}),
    "a body that is packed twice over": (
        said(PACKED % (b"deflate", len(zlib.compress(OK)), zlib.compress(OK))), {"200"}),
    "not HTTP": (said(b"220 mail.example ready\r\n\r\n", close=True), {"not_http"}),
    "HTTP of long ago": (said(b"<html>hello</html>", close=True), {"not_http", "connection_lost"}),
    "an answer of HTTP/2": (said(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0", close=True),
                            {"not_http", "connection_lost"}),
    "a refusal of TLS": (said(b"\x15\x03\x01\x00\x02\x02\x46", close=True),
                         {"not_http", "connection_lost"}),
    "a status that is too small": (said(b"HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n"),
                                   {"not_http"}),
    "a status that is too large": (said(b"HTTP/1.1 2000 High\r\ncontent-length: 0\r\n\r\n"),
                                   {"not_http"}),
    "a header without a name": (said(b"HTTP/1.1 200 OK\r\n: x\r\ncontent-length: 0\r\n\r\n"),
                                {"not_http"}),
    "a header with a NUL": (said(b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n"),
                            {"not_http"}),
    "a way to another host": (
        said(b"HTTP/1.1 307 There\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
        {"307"}),
    "an end before any answer": (said(close=True), {"connection_lost"}),
    "a reset before any answer": (reset, {"connection_lost"}),
    "silence": (endless(b"", b"", 0.02), {"timeout"}),
}  # fmt: skip


class Server:
    """Hostile to the first request that it gets, then honest: it answers with what was sent."""

    def __init__(self, talk: Talk) -> None:
        self._talk: Talk | None = talk
        self.silent = asyncio.Event()
        """It has said what it had to say to the first request."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"content-length: (\d+)", head.lower())
                body = await reader.readexactly(int(found[1]) if found else 0)
                talk, self._talk = self._talk, None
                if talk is not None:
                    try:
                        await talk(writer)
                    finally:
                        self.silent.set()
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
                    writer.write(body)
                    await writer.drain()


@contextlib.asynccontextmanager
async def serving(talk: Talk, seconds: float) -> AsyncIterator[tuple[str, HttpClient, Server]]:
    server = Server(talk)
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await server.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = HttpClient(tls=False, timeout=seconds)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/", client, server
    finally:
        await client.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        listening.close()
        await listening.wait_closed()


async def asked(client: HttpClient, url: str, body: bytes) -> Answer | UnansweredError:
    try:
        return await client.exchange("POST", url, [], body, keep=1000)
    except UnansweredError as failure:
        return failure


@pytest.mark.parametrize("case", list(CASES))
async def test_every_answer_is_that_of_its_own_request(case: str) -> None:
    talk, meant = CASES[case]
    seconds = SECONDS if "timeout" in meant else PATIENCE
    async with serving(talk, seconds) as (url, client, server):
        async with asyncio.timeout(2 * PATIENCE):
            first = await asked(client, url, b"first")
        if isinstance(first, Answer):
            assert str(first.status) in meant
            assert len(first.body) <= 1000
            await server.silent.wait()
        else:
            assert first.outcome.code in meant, first.outcome
            assert first.outcome.unknown, "the request was sent, so it may have been acted on"
        for body in (b"second", b"third", b"fourth"):
            # What the server still has to say has come. Nothing in HTTP/1.1 tells an answer
            # that comes only after the next request was sent from the answer to that one.
            await asyncio.sleep(0.05 if body == b"second" else 0)
            found = await asked(client, url, body)
            assert isinstance(found, Answer), found
            assert (found.status, found.body) == (200, body)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 35


async def test_a_message_that_was_refused_is_never_counted_as_delivered() -> None:
    """A proxy says 200 twice to the first message, and every later one is refused."""
    requests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(1)
                requests += 1
                yes, no = (b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % n for n in (200, 400))
                writer.write(yes + yes if requests == 1 else no)
                await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = HttpClient(tls=False, timeout=PATIENCE)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    answers = [await asked(client, url, b"x") for _ in range(4)]
    await client.close()
    listening.close()
    await listening.wait_closed()
    assert [a.status if isinstance(a, Answer) else a for a in answers] == [200, 400, 400, 400]
