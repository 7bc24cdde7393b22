"""A stand-in that speaks HTTP/1.1: requests are received whole, and answered by a subclass."""

from __future__ import annotations

import asyncio
import gzip
import io
import re
import zlib
from abc import abstractmethod
from typing import Final

from routestudio.http_server import Conversation, Request
from routestudio.sinks._shared.standins.server import ServerStandin

MAX_BODY: Final = 64 * 1024 * 1024
_IDLE: Final = 60.0
"""Seconds for a request, and for a client that sends none."""

Response = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers without those that frame the answer, and body."""


class HttpServerStandin(ServerStandin):
    """Converses in HTTP with any number of clients. Subclasses `_respond`."""

    @abstractmethod
    async def _respond(self, request: Request) -> Response:
        """The answer to one request."""

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = Conversation(reader, writer, head=256 * 1024, body=MAX_BODY)
        while (request := await self._next(talk)) is not None:
            if _from_a_page(request):
                answer: Response = (403, [], b'{"error": "web pages are not answered"}')
            else:
                answer = await self._respond(request)
            status, headers, content = answer
            if status != 204 and "content-type" not in {name.lower() for name, _ in headers}:
                headers = [("content-type", "application/json"), *headers]
            await talk.answer(status, headers, content)

    async def _next(self, talk: Conversation) -> Request | None:
        async with asyncio.timeout(_IDLE):
            return await talk.request()


def _from_a_page(request: Request) -> bool:
    """Whether a browser sent a request for a web page: it has an origin, or its own host name
    that leads here. Clients of services send neither."""
    headers = dict(request.headers)
    host = headers.get("host", "localhost").rpartition("@")[2].lower()
    name = re.sub(r":\d+$", "", host).strip("[]")
    local = name in ("127.0.0.1", "::1", "localhost") or name.endswith((".localhost", ".local"))
    return "origin" in headers or not local


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
