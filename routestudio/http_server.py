"""HTTP/1.1 as a server speaks it, for metrics and for stand-ins: `h11` reads and writes it.

Decision 0042.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import h11

_READ: Final = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. `target` as it was sent, `headers` with names in lower case."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first header with this name, in lower case; empty when there is none."""
        return next((value for key, value in self.headers if key == name), "")


class Conversation:
    """The requests of one client, one after the other, each answered before the next is read.

    `head` and `body` are the most bytes of a request. It is for the caller to close `writer`, and
    to end a client that takes too long.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, head: int, body: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._most = body
        self._bare = False
        self._talk = h11.Connection(h11.SERVER, max_incomplete_event_size=head)

    async def request(self) -> Request | None:
        """The next one; `None` when no more come, also because one was refused (400, 413, 431)."""
        talk = self._talk
        if talk.our_state is h11.DONE and talk.their_state is h11.DONE:
            talk.start_next_cycle()
        if talk.our_state is not h11.IDLE:
            return None
        try:
            return await self._whole()
        except h11.RemoteProtocolError as error:
            await self.answer(error.error_status_hint, _LAST)
            return None

    async def answer(
        self, status: int, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        """Answer the request that was read last. Headers that frame the answer are added."""
        talk = self._talk
        if talk.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        named = [] if status == 204 else [("content-length", str(len(body)))]
        parts = [talk.send(h11.Response(status_code=status, headers=[*named, *headers])) or b""]
        if body and status != 204 and not self._bare:
            parts.append(talk.send(h11.Data(data=body)) or b"")
        parts.append(talk.send(h11.EndOfMessage()) or b"")
        self._writer.write(b"".join(parts))
        await self._writer.drain()

    async def _whole(self) -> Request | None:
        talk, found, parts, size = self._talk, None, list[bytes](), 0
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                if talk.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    self._writer.write(talk.send(go_on) or b"")
                talk.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                found, self._bare = event, event.method == b"HEAD"
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > self._most:
                    await self.answer(413, _LAST)
                    return None
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and found is not None:
                return _request(found, b"".join(parts))
            else:
                return None


_LAST: Final = (("connection", "close"),)


def _request(head: h11.Request, body: bytes) -> Request:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
    return Request(head.method.decode("latin-1"), head.target.decode("latin-1"), headers, body)
