"""HTTP/1.1 as the program's own servers speak it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from routestudio.http_server import Conversation, Request


@asynccontextmanager
async def served() -> AsyncIterator[tuple[int, list[Request]]]:
    """A server that echoes bodies; the port, and what it was asked."""
    asked: list[Request] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(reader, writer, head=2_000, body=5_000)
        try:
            while (request := await conversation.request()) is not None:
                asked.append(request)
                status = 204 if request.target == "/nothing" else 200
                await conversation.answer(status, [("x-one", "1")], request.body or b"empty")
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        await server.wait_closed()


async def said(port: int, raw: bytes, *, ends: bool = True) -> bytes:
    """All that comes for some bytes, until the server closes or `ends` says that no more go out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        if ends:
            writer.write_eof()
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


HOST = b" HTTP/1.1\r\nHost: x\r\n"


async def test_requests_of_one_connection_are_answered_in_turn() -> None:
    raw = (
        b"POST /a" + HOST + b"Content-Length: 3\r\nX-Name: \xfc\r\n\r\nabc"
        b"POST /b" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"
        b"HEAD /c" + HOST + b"\r\nGET /nothing" + HOST + b"\r\nGET /d?e=1" + HOST + b"\r\n"
    )  # fmt: skip
    async with served() as (port, asked):
        got = await said(port, raw)
    assert [(one.method, one.target, one.body) for one in asked] == [
        ("POST", "/a", b"abc"), ("POST", "/b", b"def"), ("HEAD", "/c", b""),
        ("GET", "/nothing", b""), ("GET", "/d?e=1", b""),
    ]  # fmt: skip
    assert asked[0].header("x-name") == "\xfc"
    assert asked[0].header("x-other") == ""
    parts = got.split(b"HTTP/1.1 ")[1:]
    assert [part[:3] for part in parts] == [b"200", b"200", b"200", b"204", b"200"]
    assert [part.partition(b"\r\n\r\n")[2] for part in parts] == [
        b"abc", b"def", b"", b"", b"empty"
    ]  # fmt: skip
    assert b"content-length: 5" in parts[2], "HEAD reports the length of what GET gives"
    assert b"content-length" not in parts[3]
    assert all(b"x-one: 1" in part for part in parts)


async def test_the_last_request_ends_the_conversation() -> None:
    async with served() as (port, asked):
        got = await said(port, b"GET /" + HOST + b"Connection: close\r\n\r\n", ends=False)
        older = await said(port, b"GET / HTTP/1.0\r\n\r\n", ends=False)
    assert len(asked) == 2
    assert got.endswith(b"empty")
    assert older.endswith(b"empty")


async def test_a_client_that_asks_before_it_sends_a_body_is_told_to_go_on() -> None:
    async with served() as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT /" + HOST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        async with asyncio.timeout(20):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(b"ok")
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"POST /" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST /" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET /" + HOST + b"X: " + b"x" * 3_000, 431),
        (b"POST /" + HOST + b"Content-Length: 6000\r\n\r\n" + b"x" * 6_000, 413),
    ],
)
async def test_what_is_refused_ends_the_conversation(raw: bytes, status: int) -> None:
    async with served() as (port, asked):
        got = await said(port, raw)
    assert got.startswith(b"HTTP/1.1 %d" % status)
    assert b"connection: close" in got
    assert asked == []


@pytest.mark.parametrize(
    "raw", [b"", b"GET /" + HOST, b"POST /" + HOST + b"Content-Length: 9\r\n\r\nab"]
)
async def test_half_a_request_is_none(raw: bytes) -> None:
    async with served() as (port, asked):
        got = await said(port, raw)
    assert asked == []
    assert got == b"" or got.startswith(b"HTTP/1.1 400")
