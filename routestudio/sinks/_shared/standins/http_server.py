"""A stand-in that speaks HTTP/1.1: requests are received whole, and answered by a subclass."""

from __future__ import annotations

import asyncio
import gzip
import io
import re
import zlib
from abc import abstractmethod
from typing import Final

import h11

from routestudio.sinks._shared.standins.server import ServerStandin

MAX_BODY: Final = 64 * 1024 * 1024
_READ: Final = 65_536
_IDLE: Final = 60.0

Response = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers without those that frame the answer, and body."""


class HttpServerStandin(ServerStandin):
    """Converses in HTTP with any number of clients. Subclasses `_respond`."""

    @abstractmethod
    async def _respond(self, request: h11.Request, body: bytes) -> Response:
        """The answer to one request."""

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)
        while True:
            try:
                request, body, size = await self._receive(talk, reader, writer)
            except h11.RemoteProtocolError as error:
                await _reply(talk, writer, error.error_status_hint, [], b"")
                return
            if request is None:
                return
            if size > MAX_BODY:
                await _reply(talk, writer, 413, [("connection", "close")], b"")
                return
            if _from_a_page(request):
                answer: Response = (403, [], b'{"error": "web pages are not answered"}')
            else:
                answer = await self._respond(request, body)
            status, headers, content = answer
            if status == 204 or request.method == b"HEAD":
                content = b""
            await _reply(talk, writer, status, headers, content)
            if talk.our_state is h11.MUST_CLOSE or talk.their_state is h11.MUST_CLOSE:
                return
            talk.start_next_cycle()

    async def _receive(
        self, talk: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[h11.Request | None, bytes, int]:
        request: h11.Request | None = None
        parts: list[bytes] = []
        size = 0
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                if talk.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    writer.write(talk.send(go_on) or b"")
                async with asyncio.timeout(_IDLE):
                    talk.receive_data(await reader.read(_READ))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > MAX_BODY:
                    return request, b"", size
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return request, b"".join(parts), size
            else:
                return None, b"", 0


def _from_a_page(request: h11.Request) -> bool:
    """Whether a browser sent a request for a web page: it has an origin, or its own host name
    that leads here. Clients of services send neither."""
    headers = {name.lower(): value.decode("latin-1") for name, value in request.headers}
    host = headers.get(b"host", "localhost").rpartition("@")[2].lower()
    name = re.sub(r":\d+$", "", host).strip("[]")
    local = name in ("127.0.0.1", "::1", "localhost") or name.endswith((".localhost", ".local"))
    return b"origin" in headers or not local


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without gzip; as it is when it is not gzip or would become too large."""
    if encoding.strip().lower() != "gzip":
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            plain = file.read(MAX_BODY + 1)
    except (OSError, EOFError, zlib.error):
        return body
    return plain if len(plain) <= MAX_BODY else body


async def _reply(
    talk: h11.Connection,
    writer: asyncio.StreamWriter,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    if talk.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    named = [("content-length", str(len(body)))]
    if "content-type" not in {name.lower() for name, _ in headers}:
        named.insert(0, ("content-type", "application/json"))
    if status == 204:
        named = []
    writer.write(talk.send(h11.Response(status_code=status, headers=[*named, *headers])) or b"")
    if body:
        writer.write(talk.send(h11.Data(data=body)) or b"")
    writer.write(talk.send(h11.EndOfMessage()) or b"")
    await writer.drain()
