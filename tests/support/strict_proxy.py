"""A forward proxy that refuses what a client may not send to one, and notes what it saw."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping

import h11

Place = tuple[str, int]


class StrictProxy:
    """Leads to `places`, by host and port, and asks for `user:password`.

    `seen` are the request lines it was sent; `extra` is sent behind the answer to CONNECT.
    """

    def __init__(self, places: Mapping[Place, Place], credentials: str = "") -> None:
        self.places = places
        self.wanted = b"Basic " + base64.b64encode(credentials.encode()) if credentials else None
        self.seen: list[bytes] = []
        self.faults: list[str] = []
        self.extra = b""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                talk = h11.Connection(h11.SERVER)
                talk.receive_data(head)
                request = talk.next_event()
                assert isinstance(request, h11.Request)
                self.seen.append(request.method + b" " + request.target)
                headers = dict(request.headers)
                if headers.get(b"proxy-authorization") != self.wanted:
                    await self._refuse(writer, b"407 Proxy Authentication Required")
                elif request.method == b"CONNECT":
                    await self._tunnel(request, headers, reader, writer)
                else:
                    body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
                    await self._forward(head, request, headers, body, writer)
        writer.transport.abort()

    async def _refuse(self, writer: asyncio.StreamWriter, status: bytes) -> None:
        writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        raise ConnectionError

    async def _tunnel(
        self,
        request: h11.Request,
        headers: Mapping[bytes, bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if headers.get(b"host") != request.target or b"content-length" in headers:
            self.faults.append("CONNECT with another host, or with a body")
        host, _, port = request.target.decode().rpartition(":")
        place = self.places.get((host, int(port)))
        if place is None:
            await self._refuse(writer, b"403 Forbidden")
            return
        there, back = await asyncio.open_connection(*place)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n" + self.extra)
        await asyncio.gather(_relay(reader, back), _relay(there, writer))
        raise ConnectionError

    async def _forward(
        self,
        head: bytes,
        request: h11.Request,
        headers: Mapping[bytes, bytes],
        body: bytes,
        writer: asyncio.StreamWriter,
    ) -> None:
        scheme, _, rest = request.target.partition(b"://")
        netloc, slash, path = rest.partition(b"/")
        if scheme != b"http" or netloc != headers.get(b"host"):
            self.faults.append("a target that is not a whole http address of its host")
        host, _, port = netloc.decode().partition(":")
        place = self.places.get((host, int(port or 80)))
        if place is None:
            await self._refuse(writer, b"403 Forbidden")
            return
        hop = (b"proxy-authorization:", b"connection:")
        lines = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(hop)]
        lines.insert(0, b"%b %b%b HTTP/1.1\r\nconnection: close" % (request.method, slash, path))
        there, back = await asyncio.open_connection(*place)
        back.write(b"\r\n".join(lines) + body)
        answer = await there.read()
        back.close()
        writer.write(answer.replace(b"connection: close\r\n", b""))
        await writer.drain()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


@contextlib.asynccontextmanager
async def proxying(
    places: Mapping[Place, Place], credentials: str = ""
) -> AsyncIterator[StrictProxy]:
    """A proxy on a free port of the loopback."""
    proxy = StrictProxy(places, credentials)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)
