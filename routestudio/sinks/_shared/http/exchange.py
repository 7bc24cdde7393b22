"""One HTTP/1.1 connection, for one exchange at a time (decision 0020).

The plainest answers (one piece, a declared length) are read by one regular expression, whose result
is kept for heads that are equal to the byte; `h11` reads everything else, and what is doubtful.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

import h11
import httpx

from routestudio.sinks._shared.http.answer import Answer
from routestudio.sinks._shared.idle import Socket
from routestudio.sinks._shared.proxy import Proxy

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket

_STEP: Final = 1 << 16
_MAX_HEAD: Final = 100 * 1024
"""Bytes of an answer's head at most."""

_PLAIN_HEAD: Final = 2000
"""Bytes of a head that is worth keeping."""

_KEEP_SECONDS: Final = 5.0
"""Idle connections are not used again after it: many servers close theirs soon after."""

_BODIES: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods that declare how long their body is also when there is none (RFC 9110, 8.6)."""

_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"connection", b"upgrade",
                             b"expect"})  # fmt: skip
"""Headers of a caller's own that change how a request is written: `h11` writes it each time."""

_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: ([\t -~]*))?\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~]*\r\n)*)\r\n"
)
_LENGTH: Final = re.compile("[0-9]{1,9}")
_NO_BODY: Final = (204, 304)

Origin = tuple[str, str, int]
Pairs = list[tuple[bytes, bytes]]


class BrokenError(Exception):
    """The connection ended before the answer did; the request may have been acted on."""


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """All of a request but its body: made once, sent as often as wanted.

    `start` is what is written in front of the length of the body, or `None` where `h11` is to write
    each request. `via` is the proxy that it goes through.
    """

    method: str
    origin: Origin
    target: bytes
    headers: Pairs
    start: bytes | None
    via: Proxy | None = None

    def written(self, body: bytes) -> bytes | None:
        """The bytes of the request with a body; `None`: `h11` writes them."""
        start = self.start
        if start is None:
            return None
        if body or self.method in _BODIES:
            return b"%bcontent-length: %d\r\n\r\n%b" % (start, len(body), body)
        return start + b"\r\n"


def origin_of(url: httpx.URL) -> Origin:
    """Scheme, host as it is written on the wire (`xn--`), and port.

    Raises `h11.LocalProtocolError` for what is not an address for HTTP.
    """
    scheme, host = url.scheme, url.raw_host.decode("ascii")
    if scheme not in ("http", "https") or not host:
        raise h11.LocalProtocolError(f"{scheme or 'no scheme'}: not an address for HTTP")
    return scheme, host, url.port or (443 if scheme == "https" else 80)


def request(
    method: str,
    url: httpx.URL,
    headers: Iterable[tuple[bytes, bytes]],
    via: Proxy | None = None,
) -> Request:
    """Prepare requests to `url`, through a proxy if there is one.

    A proxy sees all of a request to `http`, and no more than the host of one to `https`. Raises
    `h11.LocalProtocolError` for what cannot be sent.
    """
    origin = origin_of(url)
    pairs: Pairs = [*headers]
    if not any(name.lower() == b"host" for name, _ in pairs):
        pairs.insert(0, (b"host", url.netloc))
    target = url.raw_path
    if via is not None and url.scheme == "http":
        target = b"http://" + url.netloc + target
        own = any(name.lower() == b"proxy-authorization" for name, _ in pairs)
        if via.authorization is not None and not own:
            pairs.append((b"proxy-authorization", via.authorization))
    start = None
    if not any(name.lower() in _FRAMING for name, _ in pairs):
        head = h11.Connection(h11.CLIENT).send(
            h11.Request(method=method, target=target, headers=pairs)
        )
        assert head is not None
        start = head[:-2]
    return Request(method, origin, target, pairs, start, via)


class Connection(asyncio.Protocol):
    """One connection. `deadline` is when the exchange under way has to be over, on the loop's
    clock; 0 while there is none."""

    def __init__(self) -> None:
        self.deadline = 0.0
        self.since = monotonic()
        self._future: asyncio.Future[Answer] | None = None
        self._reading: _Reading | None = None
        self._asked: tuple[Request, bytes, int, int] | None = None
        self._reusable = False
        self._ended = False
        self._lost = asyncio.get_running_loop().create_future()

    # --- called by the loop --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        held: TransportSocket = transport.get_extra_info("socket")
        self._socket = Socket(held)

    def data_received(self, data: bytes) -> None:
        if self._future is None:
            # It belongs to no request: taken for the next answer, it would report for a message
            # what was reported for another one.
            self._ended = True
            self._transport.pause_reading()
            return
        if self._reading is None:
            assert self._asked is not None
            request, _, keep, _ = self._asked
            end = data.find(b"\r\n\r\n", 0, _PLAIN_HEAD) + 4
            if end > 3 and request.method != "HEAD":
                plain = _plain(data[:end])
                if plain is not None and plain.length == len(data) - end:
                    self._reusable = plain.reusable
                    self._finish(plain.answer if end == len(data) else plain.with_body(
                        data[end : end + keep], plain.length <= keep))  # fmt: skip
                    return
            self._reading = _Reading(*self._asked)
        self._feed(self._reading, data)

    def eof_received(self) -> None:
        self._ended = True
        if self._future is not None:
            assert self._asked is not None
            self._feed(self._reading or _Reading(*self._asked), b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        if self._future is not None:
            text = "the connection was closed" if exc is None else str(exc) or type(exc).__name__
            self._fail(BrokenError(text))
        if not self._lost.done():
            self._lost.set_result(None)

    # --- called by the pool --------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether another exchange may begin: nothing came, and the server has not closed it."""
        return (
            monotonic() - self.since < _KEEP_SECONDS
            and not self._ended
            and self.open
            and not self._transport.is_closing()
            and not self._socket.readable
        )

    def exchange(
        self, request: Request, body: bytes, keep: int, most: int
    ) -> asyncio.Future[Answer]:
        """Send a request. The answer comes, or `BrokenError`, or `h11`'s error about it.

        A server may refuse a request before it has read all of it: its answer counts.
        """
        written = request.written(body)
        self._asked = (request, body, keep, most)
        self._reading = None
        if written is None:
            self._reading = _Reading(request, body, keep, most)
            written = self._reading.written
        future = self._future = asyncio.get_running_loop().create_future()
        self._reusable = False
        if self._ended:
            self._fail(BrokenError("Server disconnected without sending a response."))
        else:
            self._transport.write(written)
        return future

    def over(self) -> bool:
        """The exchange is over, however it ended: whether another one may follow on it."""
        self.deadline = 0.0
        self.since = monotonic()
        self._future = self._asked = self._reading = None
        return self._reusable and not self._ended and not self._transport.get_write_buffer_size()

    def expire(self) -> None:
        """The time of the exchange is over."""
        self._fail(TimeoutError())

    @property
    def open(self) -> bool:
        """Whether it still holds its socket."""
        return self._socket.open

    def abort(self) -> None:
        """Close the socket without waiting for anything that was not sent."""
        self._transport.abort()

    async def ended(self) -> None:
        """Wait until an aborted connection has let go of its socket."""
        await self._lost

    # --- the exchange under way ----------------------------------------------------------------

    def _feed(self, reading: _Reading, data: bytes) -> None:
        try:
            answer = reading.feed(data)
        except (BrokenError, h11.RemoteProtocolError) as error:
            self._fail(error)
            return
        if answer is not None:
            self._reusable = reading.reusable
            self._finish(answer)

    def _finish(self, answer: Answer) -> None:
        future, self._future = self._future, None
        if future is not None and not future.done():
            future.set_result(answer)

    def _fail(self, error: Exception) -> None:
        self._reusable = False
        future, self._future = self._future, None
        if future is not None and not future.done():
            future.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Plain:
    """What the head of a plain answer says. `answer` is the one without a body."""

    answer: Answer
    length: int
    reusable: bool

    def with_body(self, body: bytes, complete: bool) -> Answer:
        """The answer with (the start of) its body."""
        found = self.answer
        return Answer(found.status, found.phrase, found.headers, body, complete)


@lru_cache(64)
def _plain(head: bytes) -> _Plain | None:
    """A head without anything doubtful: `None` sends its answer to `h11`."""
    found = _HEAD.fullmatch(head)
    if found is None:
        return None
    names: dict[str, str] = {}
    for line in found[3].decode("ascii").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        key = name.lower()
        if key in names:
            return None
        names[key] = value.strip(" \t")
    connection = names.get("connection", "").lower()
    if connection not in ("", "keep-alive", "close"):
        return None
    if not names.keys().isdisjoint(("transfer-encoding", "content-encoding", "upgrade")):
        return None
    status, length = int(found[1]), names.get("content-length", "")
    if status in _NO_BODY:
        length = "0"
    elif not _LENGTH.fullmatch(length):
        return None
    phrase = (found[2] or b"").strip().decode("ascii")
    return _Plain(Answer(status, phrase, names, b""), int(length), connection != "close")


class _Reading:
    """An answer that `h11` reads, which has to know the request, too."""

    def __init__(self, request: Request, body: bytes, keep: int, most: int) -> None:
        self._talk = talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._keep, self._most = keep, most
        self._answer: h11.Response | None = None
        self._names: dict[str, str] = {}
        self._decoder: zlib._Decompress | None = None
        self._parts: list[bytes] = []
        self._kept = self._size = 0
        pairs = request.headers
        if body or request.method in _BODIES:
            pairs = [*pairs, (b"content-length", b"%d" % len(body))]
        head = h11.Request(method=request.method, target=request.target, headers=pairs)
        pieces = [talk.send(head)]
        if body:
            pieces.append(talk.send(h11.Data(data=body)))
        pieces.append(talk.send(h11.EndOfMessage()))
        self._pieces = [piece or b"" for piece in pieces]

    @property
    def written(self) -> bytes:
        """The request in the words of `h11`."""
        return b"".join(self._pieces)

    @property
    def reusable(self) -> bool:
        """Whether both sides want another exchange and nothing is left over."""
        talk = self._talk
        return (
            talk.our_state is h11.DONE
            and talk.their_state is h11.DONE
            and not talk.trailing_data[0]
        )

    def feed(self, data: bytes) -> Answer | None:
        """What came, or the end for an empty text: the answer when it is complete, or longer than
        what is worth reading."""
        talk = self._talk
        if not data and talk.their_state is h11.SEND_RESPONSE:
            raise BrokenError("Server disconnected without sending a response.")
        talk.receive_data(data)
        while (event := talk.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Data):
                self._take(bytes(event.data))
                if self._size > self._most:
                    return self._complete()
            elif isinstance(event, h11.Response):
                self._begin(event)
            elif isinstance(event, h11.EndOfMessage):
                return self._complete()
            elif not isinstance(event, h11.InformationalResponse):
                raise BrokenError("Server disconnected without sending a response.")
        return None

    def _begin(self, answer: h11.Response) -> None:
        self._answer, names = answer, self._names
        for name, value in answer.headers:
            key, text = name.decode("ascii"), value.decode("utf-8", "replace")
            names[key] = f"{names[key]}, {text}" if key in names else text
        self._decoder = _decoder(names.get("content-encoding", ""))

    def _complete(self) -> Answer:
        answer = self._answer
        assert answer is not None
        phrase = answer.reason.decode("ascii", "ignore")
        body, complete = b"".join(self._parts), self._size <= self._keep
        return Answer(answer.status_code, phrase, self._names, body, complete)

    def _take(self, data: bytes) -> None:
        """Keep the start of the body; decode it until it is longer than what is worth reading."""
        while True:
            rest = b""
            if self._decoder is not None:
                try:
                    data = self._decoder.decompress(data, _STEP)
                except zlib.error as error:
                    raise BrokenError(f"the body cannot be decoded: {error}") from None
                rest = self._decoder.unconsumed_tail
            if self._kept < self._keep:
                self._parts.append(data[: self._keep - self._kept])
                self._kept += len(self._parts[-1])
            self._size += len(data)
            if not rest or self._size > self._most:
                return
            data = rest


def _decoder(encoding: str) -> zlib._Decompress | None:
    """What undoes the encodings that every server knows; others are left as they are."""
    name = encoding.strip().lower()
    return zlib.decompressobj(47) if name in ("gzip", "x-gzip", "deflate") else None
