"""HTTP/1.1 connections that are used again: one exchange at a time on each, parsed by `h11`.

The deliveries' own client, because a general one costs more for each request than everything else
that happens to a hundred messages (docs/performance.md). It follows nothing, stores nothing and
reads no setting of the machine: no proxies, no cookies, no credentials from files.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import ssl
import zlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final, SupportsIndex

import h11
import httpx

from routestudio.sinks._idle import readable
from routestudio.sinks._tls import client_context

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket

_READ: Final = 1 << 16
_MAX_HEAD: Final = 100 * 1024
"""Bytes of an answer's head at most."""

_KEEP_SECONDS: Final = 5.0
"""Idle connections are not used again after it: many servers close theirs soon after."""

_STAGGER: Final = 0.25
"""Seconds between attempts at several addresses of one name (RFC 8305)."""

_BODIES: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods that declare how long their body is also when there is none (RFC 9110, 8.6)."""

Origin = tuple[str, str, int]
Pairs = list[tuple[bytes, bytes]]


class ConnectError(Exception):
    """There is no connection, so nothing was written. `text` explains why."""


class ConnectTimeoutError(ConnectError):
    """No connection in time."""


class BrokenError(Exception):
    """The connection ended before the answer did; the request may have been acted on."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `headers` have names in lower case; `body` is its start, decoded."""

    status: int
    phrase: str
    headers: dict[str, str]
    body: bytes
    complete: bool


class _Reader(asyncio.StreamReader):
    """A reader that knows how many bytes came and were not read."""

    unread = 0

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Called by the transport, with bytes."""
        held = bytes(data)
        self.unread += len(held)
        super().feed_data(held)

    async def read(self, n: int = -1) -> bytes:
        """At most `n` bytes; empty at the end."""
        data = await super().read(n)
        self.unread -= len(data)
        return data


class _Connection:
    """One connection, for one exchange at a time."""

    __slots__ = ("_reader", "_socket", "_writer", "protocol", "since")

    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._socket: TransportSocket = writer.get_extra_info("socket")
        self.protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self.since = monotonic()

    @property
    def usable(self) -> bool:
        """Whether another exchange may begin: nothing came, and the server has not closed it.

        Bytes that came between two requests belong to neither: taken for the next answer, they
        would report for a message what was reported for another one.
        """
        return (
            monotonic() - self.since < _KEEP_SECONDS
            and not self._reader.unread
            and not self._reader.at_eof()
            and not self._writer.is_closing()
            and self.open
            and not readable(self._socket)
        )

    async def exchange(
        self, method: str, target: bytes, headers: Pairs, body: bytes, keep: int, most: int
    ) -> Response:
        protocol = self.protocol
        head = protocol.send(h11.Request(method=method, target=target, headers=headers))
        assert head is not None
        pieces = [head]
        if body:
            pieces.append(protocol.send(h11.Data(data=body)) or b"")
        pieces.append(protocol.send(h11.EndOfMessage()) or b"")
        # A server may refuse a request before it has read all of it: its answer counts.
        with contextlib.suppress(ConnectionError):
            self._writer.write(b"".join(pieces))
            await self._writer.drain()
        answer = await self._answer()
        names: dict[str, str] = {}
        for name, value in answer.headers:
            key, text = name.decode("ascii"), value.decode("utf-8", "replace")
            names[key] = f"{names[key]}, {text}" if key in names else text
        start, complete = await self._body(names.get("content-encoding", ""), keep, most)
        phrase = answer.reason.decode("ascii", "ignore")
        return Response(answer.status_code, phrase, names, start, complete)

    async def _answer(self) -> h11.Response:
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise BrokenError("Server disconnected without sending a response.")

    async def _body(self, encoding: str, keep: int, most: int) -> tuple[bytes, bool]:
        """The start of the body; all of it is read, unless it is longer than `most`."""
        decoder = _decoder(encoding)
        parts: list[bytes] = []
        kept = size = 0
        while isinstance(event := await self._event(), h11.Data):
            data = bytes(event.data)
            while True:
                rest = b""
                if decoder is not None:
                    try:
                        data = decoder.decompress(data, _READ)
                    except zlib.error as error:
                        raise BrokenError(f"the body cannot be decoded: {error}") from None
                    rest = decoder.unconsumed_tail
                if kept < keep:
                    parts.append(data[: keep - kept])
                    kept += len(parts[-1])
                size += len(data)
                if not rest or size > most:
                    break
                data = rest
            if size > most:
                break
        return b"".join(parts), size <= keep

    async def _event(self) -> object:
        protocol = self.protocol
        while (event := protocol.next_event()) is h11.NEED_DATA:
            try:
                data = await self._reader.read(_READ)
            except (OSError, ssl.SSLError) as error:
                raise BrokenError(str(error) or type(error).__name__) from None
            if not data and protocol.their_state is h11.SEND_RESPONSE:
                raise BrokenError("Server disconnected without sending a response.")
            protocol.receive_data(data)
        return event

    def again(self) -> bool:
        """Make it ready for the next exchange, if both sides want that and nothing is left over."""
        protocol = self.protocol
        if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
            return False
        if protocol.trailing_data[0] or self._reader.unread:
            return False
        protocol.start_next_cycle()
        self.since = monotonic()
        return True

    @property
    def open(self) -> bool:
        """Whether it still holds its socket."""
        return self._socket.fileno() >= 0

    def abort(self) -> None:
        """Close the socket without waiting for anything that was not sent."""
        self._writer.transport.abort()

    async def ended(self) -> None:
        """Wait until an aborted connection has let go of its socket."""
        with contextlib.suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()


class Connections:
    """At most `limit` connections at once. `context` opens those to `https`.

    `connecting` is the longest time in seconds for a connection with its handshake.
    """

    def __init__(self, context: ssl.SSLContext | None, *, limit: int, connecting: float) -> None:
        self._context = context
        self._connecting = connecting
        self._room = asyncio.Semaphore(limit)
        self._idle: dict[Origin, deque[_Connection]] = {}
        self._all: set[_Connection] = set()
        self._ending: set[_Connection] = set()

    async def exchange(
        self, method: str, url: httpx.URL, headers: Iterable[tuple[bytes, bytes]], body: bytes,
        *, keep: int, most: int,
    ) -> Response:  # fmt: skip
        """One request and its answer, of the body at most `keep` bytes.

        An answer of more than `most` bytes costs its connection. Raises `ConnectError`,
        `BrokenError`, and `h11`'s errors about what is not HTTP.
        """
        scheme, host = url.scheme, url.host
        if scheme not in ("http", "https") or not host:
            raise h11.LocalProtocolError(f"{scheme or 'no scheme'}: not an address for HTTP")
        origin = (scheme, host, url.port or (443 if scheme == "https" else 80))
        pairs: Pairs = [*headers]
        if not any(name.lower() == b"host" for name, _ in pairs):
            pairs.insert(0, (b"host", url.netloc))
        if body or method in _BODIES:
            pairs.append((b"content-length", b"%d" % len(body)))
        async with self._room:
            connection = self._waiting(origin) or await self._opened(origin)
            reusable = False
            try:
                response = await connection.exchange(method, url.raw_path, pairs, body, keep, most)
                reusable = connection.again()
            finally:
                if reusable and connection in self._all:
                    self._idle.setdefault(origin, deque()).append(connection)
                else:
                    self._drop(connection)
        return response

    async def close(self) -> None:
        """Close all connections; exchanges on them end with `BrokenError`."""
        self._idle.clear()
        for connection in tuple(self._all):
            self._drop(connection)
        while self._ending:
            await self._ending.pop().ended()

    def _waiting(self, origin: Origin) -> _Connection | None:
        """The idle connection that was used last."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
            self._drop(connection)
        return None

    def _drop(self, connection: _Connection) -> None:
        """Close its socket, which takes a turn of the loop: `close` waits for the last ones."""
        if connection not in self._all:
            return
        self._all.discard(connection)
        self._ending = {each for each in self._ending if each.open}
        self._ending.add(connection)
        connection.abort()

    async def _opened(self, origin: Origin) -> _Connection:
        scheme, host, port = origin
        secure = scheme == "https"
        try:
            async with asyncio.timeout(self._connecting):
                reader, writer = await _dialled(
                    host,
                    port,
                    (self._context or client_context()) if secure else None,
                )
        except TimeoutError:
            raise ConnectTimeoutError from None
        except (OSError, ssl.SSLError, UnicodeError) as error:
            raise ConnectError(_reason(error)) from None
        connection = _Connection(reader, writer)
        self._all.add(connection)
        return connection


async def _dialled(
    host: str, port: int, context: ssl.SSLContext | None
) -> tuple[_Reader, asyncio.StreamWriter]:
    """What `asyncio.open_connection` does, with a reader that counts."""
    loop = asyncio.get_running_loop()
    reader = _Reader(limit=_READ, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.create_connection(
        lambda: protocol,
        host,
        port,
        ssl=context,
        happy_eyeballs_delay=None if _is_address(host) else _STAGGER,
    )
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _reason(error: Exception) -> str:
    """Why there is no connection, in the system's words; the loop's repeat address and number."""
    if isinstance(error, OSError) and not isinstance(error, (ssl.SSLError, socket.gaierror)):
        if error.errno is not None:
            return os.strerror(error.errno)
        text = str(error)
        return "no address of the host can be reached" if "Multiple exceptions" in text else text
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return str(error) or type(error).__name__


def _is_address(host: str) -> bool:
    """Whether there is nothing to resolve, so that there is one address only."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _decoder(encoding: str) -> zlib._Decompress | None:
    """What undoes the encodings that every server knows; others are left as they are."""
    name = encoding.strip().lower()
    return zlib.decompressobj(47) if name in ("gzip", "x-gzip", "deflate") else None
