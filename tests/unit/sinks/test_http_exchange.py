"""The quick reading of plain answers agrees with `h11`, and what is doubtful is left to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import h11
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routestudio import tasks
from routestudio.sinks._shared.http import exchange
from routestudio.sinks._shared.http.connections import Connections
from tests.support.http_exchange import exchanged

NAMES = ["Date", "content-length", "Content-Length", "connection", "Transfer-Encoding", "upgrade",
         "content-encoding", "x-a", "X-A", "retry-after", "set-cookie", "x y", "", "ä"]  # fmt: skip
VALUES = ["", "0", "2", "02", "+2", "-1", " 2 ", "2, 2", "close", "keep-alive", "Close", "chunked",
          "gzip", "a: b", "\t", "x\0", "x\r", "\x7f", "é"]  # fmt: skip
LINES = ["HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 204 None", "HTTP/1.1 304 X",
         "HTTP/1.1 500 Not well: a", "HTTP/1.1 099 Low", "HTTP/1.1 2000 High", "HTTP/1.0 200 OK",
         "HTTP/1.1 100 Continue", "HTTP/1.1  200 OK",
         "http/1.1 200 OK", "HTTP/1.1 200 O\0"]  # fmt: skip


def read_by_h11(answer: bytes) -> tuple[int, str, dict[str, str], bytes, bool]:
    request = exchange.request("POST", httpx.URL("http://a.example/"), [])
    reading = exchange._Reading(request, b"{}", 1000, 1000)
    found = reading.feed(answer)
    assert found is not None, "the quick way took an answer that is not complete"
    return found.status, found.phrase, dict(found.headers), found.body, reading.reusable


@settings(max_examples=400)
@given(
    st.sampled_from(LINES),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=4),
    st.sampled_from(["0", "2", "2", "2", None]),
)
def test_what_is_read_quickly_is_what_h11_reads(
    line: str, headers: list[tuple[str, str]], length: str | None
) -> None:
    lines = [line, *(f"{name}: {value}" for name, value in headers)]
    if length is not None:
        lines.append(f"content-length: {length}")
    head = "".join(f"{each}\r\n" for each in lines).encode("latin-1") + b"\r\n"
    plain = exchange._plain(head)
    if plain is None:
        return
    body = b"ok"[: plain.length].ljust(plain.length, b"x")
    found = plain.with_body(body, True)
    assert read_by_h11(head + body) == (
        found.status, found.phrase, found.headers, found.body, plain.reusable
    )  # fmt: skip


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nDate: Sun, 29 Nov 2026 10:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nserver: nginx\r\n\r\n",
        b"HTTP/1.1 429 \r\nretry-after: 3\r\ncontent-length: 12\r\nconnection: keep-alive\r\n\r\n",
    ],
)
def test_what_servers_send_is_read_quickly(head: bytes) -> None:
    assert exchange._plain(head) is not None


@pytest.mark.parametrize("name", ["content-length", "Transfer-Encoding", "connection", "expect"])
def test_framing_of_a_callers_own_is_written_by_h11(name: str) -> None:
    value = {"content-length": b"2", "Transfer-Encoding": b"chunked", "connection": b"close"}
    pairs = [(name.encode(), value.get(name, b"100-continue"))]
    request = exchange.request("POST", httpx.URL("http://a.example/"), pairs)
    assert request.start is None
    assert request.written(b"{}") is None


def test_what_cannot_be_sent_is_refused_when_it_is_prepared() -> None:
    with pytest.raises(h11.LocalProtocolError):
        exchange.request("POST", httpx.URL("http://a.example/"), [(b"x", b"a\r\nb: c")])


def test_hosts_are_connected_to_as_they_are_written() -> None:
    """Decoded and encoded again by Python's older rule, this one would be strasse.example."""
    url = httpx.URL("https://xn--strae-oqa.example/a")
    assert exchange.origin_of(url) == ("https", "xn--strae-oqa.example", 443)
    assert exchange.request("POST", url, []).origin == exchange.origin_of(url)
    assert exchange.origin_of(httpx.URL("http://[::1]:80/")) == ("http", "::1", 80)


@contextlib.asynccontextmanager
async def answering(talk: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that reads a little, answers, and then holds its connections."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        await talk(writer)
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        over.set()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)


async def silent(writer: asyncio.StreamWriter) -> None:
    del writer


async def test_each_exchange_has_its_own_deadline() -> None:
    """One timer watches all of them; a later one with less time is not forgotten."""
    connections = Connections(None, limit=4, connecting=5)
    ended: list[float] = []

    async def ask(url: httpx.URL, seconds: float) -> None:
        with pytest.raises(TimeoutError):
            await exchanged(connections, "GET", url, [], b"", keep=1, most=1, seconds=seconds)
        ended.append(seconds)

    async with answering(silent) as address:
        url = httpx.URL(address)
        asked = [tasks.spawn(ask(url, seconds), name="exchange") for seconds in (0.3, 0.1, 0.2)]
        await asyncio.gather(*asked)
        assert ended == [0.1, 0.2, 0.3]
        assert not connections._all, "a connection whose exchange has no answer is not used again"
        await connections.close()


async def test_an_answer_in_front_of_the_requests_end_costs_the_connection() -> None:
    """What of the request is not sent yet would be read as the start of the next one."""
    seen = 0

    async def early(writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        writer.write(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    connections = Connections(None, limit=4, connecting=5)
    async with answering(early) as address:
        for _ in range(2):
            found = await exchanged(connections, "POST", httpx.URL(address), [], b"x" * 30_000_000,
                                               keep=1, most=1, seconds=20)  # fmt: skip
            assert found.status == 400
        assert seen == 2
        await connections.close()
