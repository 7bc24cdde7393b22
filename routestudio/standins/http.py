"""The HTTP stand-in: a receiver on loopback that keeps what it gets and answers 200."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import zlib
from typing import Any, ClassVar, Final

import h11

from routestudio.standins._server import ServerStandin
from routestudio.standins.base import Arrived

MAX_BODY: Final = 64 * 1024 * 1024
_READ: Final = 65_536
_IDLE: Final = 60.0
_ALLOW: Final = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


class HttpStandin(ServerStandin):
    """An HTTP receiver. `answer` sets what it says to further requests, for trying out failures."""

    kind: ClassVar[str] = "http"
    title: ClassVar[str] = "HTTP receiver"

    def __init__(self) -> None:
        super().__init__()
        self._requests = 0
        self._status = 200
        self._headers: list[tuple[str, str]] = []

    def answer(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer further requests with `status` (200-599) and extra headers."""
        if not 200 <= status <= 599:
            raise ValueError("an answer's status is 200-599")
        self._status = status
        self._headers = list((headers or {}).items())

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
            status, headers = self._keep(request, body)
            content = b"" if status == 204 or request.method == b"HEAD" else b"{}"
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

    def _keep(self, request: h11.Request, body: bytes) -> tuple[int, list[tuple[str, str]]]:
        """Record a request, one entry per message of a batch; status and headers to answer."""
        method = request.method.decode("ascii")
        if method == "OPTIONS" and not body:
            return 204, [("allow", _ALLOW)]
        target = request.target.decode("latin-1")
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in request.headers}
        self._requests += 1
        details: dict[str, Any] = {
            "request": self._requests,
            "method": method,
            "headers": headers,
            "status": self._status,
        }
        messages = _messages(_plain(body, headers.get("content-encoding", "")))
        for index, text in enumerate(messages):
            more = {"batch_index": index, "batch_size": len(messages)}
            self._kept.add(Arrived(target, text, None, {**details, **more}))
        return self._status, self._headers


async def _reply(
    talk: h11.Connection,
    writer: asyncio.StreamWriter,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    if talk.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    named = [("content-type", "application/json"), ("content-length", str(len(body)))]
    if status == 204:
        named = []
    writer.write(talk.send(h11.Response(status_code=status, headers=[*named, *headers])) or b"")
    if body:
        writer.write(talk.send(h11.Data(data=body)) or b"")
    writer.write(talk.send(h11.EndOfMessage()) or b"")
    await writer.drain()


def _plain(body: bytes, encoding: str) -> bytes:
    """The body without gzip; as it is when it is not gzip or would become too large."""
    if encoding.strip().lower() != "gzip":
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            plain = file.read(MAX_BODY + 1)
    except (OSError, EOFError, zlib.error):
        return body
    return plain if len(plain) <= MAX_BODY else body


def _messages(body: bytes) -> list[str]:
    """The messages of a `{"data": [...]}` batch as JSON text, else the whole body as one."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ["base64:" + base64.b64encode(body).decode()]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    if isinstance(value, dict) and value.keys() == {"data"} and isinstance(value["data"], list):
        return [json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in value["data"]]
    return [text]
