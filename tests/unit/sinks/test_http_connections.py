"""Connections to a server whose every byte is written here."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import h11
import httpx
import pytest

from routestudio import tasks
from routestudio.sinks._shared.http.answer import Answer
from routestudio.sinks._shared.http.connections import (
    BrokenError,
    ConnectError,
    Connections,
    ConnectTimeoutError,
)
from tests.support.certificates import Authority
from tests.support.http_exchange import exchanged

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Answers = Callable[[int], bytes]


class Server:
    """Answers request number n of a connection with `answers(n)`; empty closes it unanswered."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = 0
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        size = int(line.split(b":")[1])
                self.requests.append(head + await reader.readexactly(size))
                answer = self.answers(number)
                number += 1
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
                if b"connection: close" in answer or answer.endswith(b"CUT"):
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    @property
    def url(self) -> httpx.URL:
        return httpx.URL(f"http://127.0.0.1:{self.port}/a b?q=1")


@contextlib.asynccontextmanager
async def serving(answers: Answers) -> AsyncIterator[Server]:
    server = Server(answers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


@contextlib.asynccontextmanager
async def connected(limit: int = 4) -> AsyncIterator[Connections]:
    connections = Connections(None, limit=limit, connecting=5)
    try:
        yield connections
    finally:
        await connections.close()


def post(connections: Connections, server: Server, body: bytes = b"{}") -> Awaitable[Answer]:
    headers = [(b"Content-Type", b"application/json")]
    return exchanged(connections, "POST", server.url, headers, body, keep=10, most=100)


async def test_a_request_has_what_it_needs_and_no_more() -> None:
    async with serving(lambda _: OK) as server, connected() as connections:
        assert await post(connections, server) == Answer(
            200, "OK", {"content-length": "2"}, b"ok", True
        )
        await exchanged(connections, "DELETE", server.url, [], b"", keep=10, most=100)
        await exchanged(connections, "PUT", server.url, [], b"", keep=10, most=100)
    host = b"127.0.0.1:%d" % server.port
    assert server.requests == [
        b"POST /a%20b?q=1 HTTP/1.1\r\nhost: " + host + b"\r\nContent-Type: application/json\r\n"
        b"content-length: 2\r\n\r\n{}",
        b"DELETE /a%20b?q=1 HTTP/1.1\r\nhost: " + host + b"\r\n\r\n",
        b"PUT /a%20b?q=1 HTTP/1.1\r\nhost: " + host + b"\r\ncontent-length: 0\r\n\r\n",
    ]
    assert server.connections == 1


async def test_connections_are_shared_up_to_the_limit() -> None:
    async with serving(lambda _: OK) as server, connected(3) as connections:
        answers = await asyncio.gather(*(post(connections, server) for _ in range(20)))
        assert {answer.body for answer in answers} == {b"ok"}
        assert 1 <= server.connections <= 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nok",
    ],
)
async def test_a_connection_that_the_server_ends_is_not_used_again(answer: bytes) -> None:
    async with serving(lambda _: answer) as server, connected() as connections:
        for _ in range(3):
            assert (await post(connections, server)).body == b"ok"
        assert server.connections == 3


async def test_an_idle_connection_that_the_server_closed_is_noticed() -> None:
    closing: list[asyncio.StreamWriter] = []

    class Closing(Server):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            await reader.readuntil(b"{}")
            writer.write(OK)
            await writer.drain()
            closing.append(writer)

    server = Closing(lambda _: OK)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with connected() as connections:
        await post(connections, server)
        closing[0].close()
        await closing[0].wait_closed()
        await asyncio.sleep(0.05)
        assert (await post(connections, server)).body == b"ok"
        assert server.connections == 2
        closing[1].close()
    listening.close()
    await listening.wait_closed()


async def test_an_end_that_the_loop_did_not_see_yet_is_noticed() -> None:
    """A service dies in another process while this one is busy, and is asked right afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = httpx.URL(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        async with connected() as connections:
            asked = tasks.spawn(
                exchanged(connections, "POST", url, [], b"{}", keep=9, most=9), name="exchange"
            )
            held, _ = await asyncio.to_thread(listening.accept)
            with held:
                await asyncio.to_thread(held.recv, 1000)
                held.sendall(OK)
                assert (await asked).body == b"ok"
            listening.close()
            with pytest.raises(ConnectError, match=r"^Connection refused$"):
                await exchanged(connections, "POST", url, [], b"{}", keep=9, most=9)


async def test_tls_connections_that_end(ca: Authority) -> None:
    """Ended after an answer, inside of an answer, and before the handshake is over."""
    secure = Server(lambda number: OK if number == 0 else b"HTTP/1.1 200 OK\r\nCUT")
    listening = await asyncio.start_server(secure.serve, "127.0.0.1", 0, ssl=ca.server_context())
    secure.port = listening.sockets[0].getsockname()[1]
    url = httpx.URL(f"https://127.0.0.1:{secure.port}/")
    connections = Connections(ca.client_context(), limit=4, connecting=5)
    for _ in range(3):
        assert (await exchanged(connections, "GET", url, [], b"", keep=9, most=9)).body == b"ok"
        with pytest.raises((BrokenError, h11.RemoteProtocolError)):
            await exchanged(connections, "GET", url, [], b"", keep=9, most=9)
    assert secure.connections == 3
    listening.close()
    await listening.wait_closed()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = httpx.URL(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await exchanged(connections, "GET", url, [], b"", keep=9, most=9)
    listening.close()
    await listening.wait_closed()
    await connections.close()


async def test_a_host_of_the_callers_is_the_only_one() -> None:
    async with serving(lambda _: OK) as server, connected() as connections:
        given = [(b"HOST", b"shop.example")]
        await exchanged(connections, "GET", server.url, given, b"", keep=10, most=100)
    [request] = server.requests
    assert request.lower().count(b"host:") == 1
    assert b"HOST: shop.example\r\n" in request


async def test_a_host_without_address() -> None:
    async with connected() as connections:
        url = httpx.URL("http://no-such-host.invalid/")
        with pytest.raises(ConnectError, match=r"^(Name or service|No address|Temporary failure)"):
            await exchanged(connections, "GET", url, [], b"", keep=1, most=1)


async def test_bodies_in_pieces_packed_and_long() -> None:
    packed = gzip.compress(b"x" * 50)
    answers = [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b"
        % (len(packed), packed),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\nA: 1\r\na: 2\r\ncontent-length: 5000\r\n\r\n" + b"y" * 5000,
    ]
    async with serving(lambda number: answers[number]) as server, connected() as connections:
        found = [await post(connections, server) for _ in range(4)]
        assert [(item.body, item.complete) for item in found] == [
            (b"abcdefg", True), (b"x" * 10, False), (b"", True), (b"y" * 10, False)
        ]  # fmt: skip
        assert (found[3].status, found[3].phrase) == (500, "Oh")
        assert found[3].headers["a"] == "1, 2"
        # More than is worth reading: its connection is given up.
        server.answers = lambda _: OK
        assert (await post(connections, server)).body == b"ok"
        assert server.connections == 2


async def test_a_packed_body_cannot_fill_memory() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    async with serving(lambda _: answer + bomb) as server, connected() as connections:
        found = await post(connections, server)
        assert (found.body, found.complete) == (b"0" * 10, False)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (b"", BrokenError, "disconnected"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nCUT", h11.RemoteProtocolError, "closed"),
        (b"220 mail ready\r\n\r\nCUT", h11.RemoteProtocolError, "illegal"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nCUT",
         BrokenError, "decoded"),
    ],
)  # fmt: skip
async def test_what_is_no_answer(answer: bytes, error: type[Exception], text: str) -> None:
    async with serving(lambda _: answer) as server, connected() as connections:
        with pytest.raises(error, match=text):
            await post(connections, server)


async def test_a_refusal_that_comes_before_the_whole_request_counts() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = httpx.URL(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
    async with connected() as connections:
        found = await exchanged(connections, "POST", url, [], b"x" * 100_000, keep=1, most=1)
        assert found.status == 413
    listening.close()
    await listening.wait_closed()


async def test_no_connection() -> None:
    async with serving(lambda _: OK) as server:
        pass
    async with connected() as connections:
        with pytest.raises(ConnectError):
            await post(connections, server)
        url = httpx.URL("ftp://127.0.0.1/")
        with pytest.raises(h11.LocalProtocolError):
            await exchanged(connections, "GET", url, [], b"", keep=1, most=1)
    silent = Connections(None, limit=1, connecting=0.0)
    with pytest.raises(ConnectTimeoutError):
        await post(silent, server)
    await silent.close()


async def test_closing_ends_what_is_under_way() -> None:
    reached, held = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        reached.set()
        await held.wait()
        writer.close()

    listening = await asyncio.start_server(hold, "127.0.0.1", 0)
    url = httpx.URL(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
    connections = Connections(None, limit=1, connecting=5)
    waiting = tasks.spawn(
        exchanged(connections, "POST", url, [], b"{}", keep=1, most=1), name="exchange"
    )
    await reached.wait()
    await connections.close()
    with pytest.raises((BrokenError, h11.RemoteProtocolError)):
        await waiting
    held.set()
    listening.close()
    await listening.wait_closed()


async def test_a_cancelled_exchange_costs_its_connection() -> None:
    half = b"HTTP/1.1 200"
    async with serving(lambda _: half) as server, connected(1) as connections:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await post(connections, server)
        server.answers = lambda _: OK
        assert (await post(connections, server)).body == b"ok"
        assert server.connections == 2
