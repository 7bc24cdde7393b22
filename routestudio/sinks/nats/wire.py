"""A connection to a NATS server: INFO, TLS, signing in, publishing, and what the server answers.

Facts: https://docs.nats.io/reference/protocols/client. The client library nats-py is not used for
delivery: it reconnects and buffers out of the caller's sight, writes the PING of a flush ahead of
what waits to be published, folds the case of subjects in the server's errors, and sends
credentials in the clear to a server that offers no TLS. Here nothing is hidden: no task runs in
the background, and every answer is seen in the order in which the server gave it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import ssl
from dataclasses import dataclass
from typing import Any, Final, Literal

from routestudio import __version__
from routestudio.sinks._shared.idle import readable, unread
from routestudio.sinks.nats.account import Account, WireError, credentials

INFO_SECONDS: Final = 5.0
"""Seconds for a server to introduce itself, and for its answer to credentials."""

TLS_FIRST_SECONDS: Final = 2.0
"""Seconds of silence after which a server is taken for one that wants TLS before its INFO."""

_MAX_LINE: Final = 1024 * 1024
_MAX_MESSAGE: Final = 64 * 1024 * 1024
_DENIED: Final = re.compile(
    r"Permissions Violation for (Publish with Reply of|Publish to|Subscription to) \"([^\"]*)\"",
    re.IGNORECASE,
)
_RIGHTS: Final[dict[str, Right]] = {
    "publish to": "publish",
    "publish with reply of": "reply",
    "subscription to": "subscribe",
}
Right = Literal["publish", "reply", "subscribe"]


@dataclass(frozen=True, slots=True)
class Pong:
    """The server has processed everything that was written before the PING."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The server refuses something for lack of a right; the connection stays."""

    right: Right
    subject: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to this connection's inbox: `number` is that of the reply subject.

    `status` is set in the server's own replies, e.g. 503 when nobody listens to the subject.
    """

    number: int
    status: int | None
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


Event = Pong | Denied | Reply


def publication(subject: str, reply: str, headers: bytes, body: bytes) -> bytes:
    """One publish command. `headers` is the encoded block, empty for none; `reply` may be empty."""
    place = f"{subject} {reply}" if reply else subject
    if headers:
        size = len(headers) + len(body)
        return b"HPUB %b %d %d\r\n%b%b\r\n" % (place.encode(), len(headers), size, headers, body)
    return b"PUB %b %d\r\n%b\r\n" % (place.encode(), len(body), body)


def printable(text: object) -> str:
    """A server's words as they may be shown: at most 200 characters, none of them a control."""
    return "".join(c if c.isprintable() else "?" for c in str(text)[:200])


class Connection:
    """One connection. `dial`, `secure` where TLS is wanted, `sign_in`, then publish and listen.

    `info` is what the server reported about itself; `deaf` means that the user may not subscribe
    to an inbox, so that no reply can arrive; `leaving` that the server is about to shut down.
    """

    def __init__(
        self, account: Account, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._account = account
        self._reader = reader
        self._writer = writer
        self._plain = writer
        self._buffer = bytearray()
        self._numbers = 0
        self._secured = False
        self._inbox = f"_INBOX.{secrets.token_hex(11)}."
        self.info: dict[str, Any] = {}
        self.deaf = False
        self.leaving = False

    @classmethod
    async def dial(cls, account: Account) -> Connection:
        """Connect without reading anything yet. Raises `WireError`."""
        try:
            reader, writer = await asyncio.open_connection(account.host, account.port)
        except (OSError, UnicodeError) as error:
            where = f"{account.host}:{account.port}"
            text = getattr(error, "strerror", None) or str(error)
            raise WireError("connect", f"no connection to {where}: {text}") from None
        return cls(account, reader, writer)

    async def greet(self, context: ssl.SSLContext | None) -> None:
        """Read the server's INFO, and turn TLS on when `context` is given.

        Raises `WireError`, also when server and sink do not agree about TLS: then no credentials
        have been sent.
        """
        if context is not None:
            try:
                async with asyncio.timeout(TLS_FIRST_SECONDS):
                    await self._introduction()
            except TimeoutError:
                await self._start_tls(context)
        if not self.info:
            try:
                async with asyncio.timeout(INFO_SECONDS):
                    await self._introduction()
            except TimeoutError:
                raise WireError(
                    "not_nats", f"the server did not introduce itself within {INFO_SECONDS:g} s",
                    "the port may not be a NATS port, or it expects TLS",
                ) from None  # fmt: skip
        if context is None:
            if self.info.get("tls_required"):
                raise WireError("tls_required", "the server requires TLS", "turn TLS on")
        elif not self._secured:
            if not (self.info.get("tls_required") or self.info.get("tls_available")):
                raise WireError(
                    "tls_missing", "the server does not offer TLS",
                    "turn TLS off, or use a server that has it",
                )  # fmt: skip
            await self._start_tls(context)

    async def sign_in(self) -> None:
        """Send the credentials and subscribe to the inbox. Raises `WireError`."""
        nonce = str(self.info.get("nonce", ""))
        options = {
            "verbose": False, "pedantic": False, "tls_required": self._secured,
            "name": "RouteStudio", "lang": "python", "version": __version__, "protocol": 1,
            "echo": False, "headers": True, "no_responders": True,
            **credentials(self._account, nonce),
        }  # fmt: skip
        self.write(
            b"CONNECT %b\r\nSUB %b* 1\r\nPING\r\n"
            % (json.dumps(options).encode(), self._inbox.encode())
        )
        try:
            async with asyncio.timeout(INFO_SECONDS):
                while not isinstance(event := await self.event(), Pong):
                    self.deaf |= isinstance(event, Denied) and event.right == "subscribe"
        except TimeoutError:
            raise WireError(
                "timeout", f"no answer to the credentials within {INFO_SECONDS:g} s"
            ) from None

    @property
    def tls_version(self) -> str:
        """E.g. `TLSv1.3`; empty without TLS."""
        session = self._writer.get_extra_info("ssl_object")
        return (session.version() or "TLS") if session else ""

    def ticket(self) -> tuple[int, str]:
        """A new number and the reply subject whose replies carry it."""
        self._numbers += 1
        return self._numbers, f"{self._inbox}{self._numbers}"

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket."""
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the socket takes more. Raises `WireError` when it is gone."""
        try:
            await self._writer.drain()
        except OSError as error:
            raise _lost(error) from None

    async def event(self) -> Event:
        """The next answer. Cancelling it loses nothing. Raises `WireError`."""
        while True:
            event = self._parse()
            if event is not None:
                return event
            await self._receive()

    async def alive(self, seconds: float) -> bool:
        """Whether an idle connection still answers."""
        self.write(b"PING\r\n")
        try:
            async with asyncio.timeout(seconds):
                while not isinstance(await self.event(), Pong):
                    pass
        except (WireError, TimeoutError):
            return False
        return True

    async def settled(self) -> bool:
        """Whether nothing has come that could be taken for the answer to what is asked next.

        Nothing in a PONG names the PING that it answers. What a server sends by itself (INFO,
        PING) is dealt with, and replies are known by their numbers.
        """
        socket = self._writer.get_extra_info("socket")
        if self._reader.at_eof() or socket.fileno() < 0 or readable(socket):
            return False
        while self._buffer or unread(self._reader):
            try:
                event = self._parse()
                if event is None and not unread(self._reader):
                    break
                if event is None:
                    await self._receive()
                elif not isinstance(event, Reply):
                    return False
            except WireError:
                return False
        return not (self._buffer or self.leaving)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close in good order, within a second."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()

    async def _introduction(self) -> None:
        """Fill `info` from the first line. Raises `WireError`."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            strange = not self._buffer.startswith((b"INFO ", b"-ERR "))
            if len(self._buffer) > (4 if strange else _MAX_LINE):
                raise _foreign()
            await self._receive()
        line = bytes(self._buffer[:end])
        if line.startswith(b"-ERR "):
            _refusal(line[5:].decode("utf-8", "replace").strip(" '"))
        if not line.startswith(b"INFO ") or not self._inform(line[5:]):
            raise _foreign()
        del self._buffer[: end + 2]

    def _inform(self, text: bytes) -> bool:
        try:
            facts = json.loads(text)
        except (ValueError, RecursionError):
            return False
        if not isinstance(facts, dict):
            return False
        self.info |= facts
        self.leaving = self.leaving or bool(facts.get("ldm"))
        return True

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        # A separate reader: nothing that came before the handshake may count as secured.
        reader = asyncio.StreamReader()
        protocol = _SecuredProtocol(reader)
        self._buffer.clear()
        try:
            transport = await loop.start_tls(
                self._writer.transport, protocol, context, server_hostname=self._account.host,
                ssl_handshake_timeout=INFO_SECONDS,
            )  # fmt: skip
        except (OSError, TimeoutError) as error:
            from routestudio.sinks._shared.net import tls_text

            raise WireError("tls", *tls_text(self._account.host, error)) from None
        if transport is None:
            raise WireError("tls", "the server closed the connection in the TLS handshake")
        reader.set_transport(transport)
        # A stream writer closes its transport when it is forgotten, so the plain one is kept.
        self._plain, self._reader = self._writer, reader
        self._writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self._secured = True

    async def _receive(self) -> None:
        try:
            data = await self._reader.read(262_144)
        except OSError as error:
            raise _lost(error) from None
        if not data:
            raise WireError("connection_lost", "the server closed the connection")
        self._buffer += data

    def _parse(self) -> Event | None:
        """The first complete answer in the buffer; `None` when more bytes are needed."""
        buffer = self._buffer
        while (end := buffer.find(b"\r\n")) >= 0:
            line = bytes(buffer[:end])
            word, _, rest = line.partition(b" ")
            word = word.upper()
            if word in (b"MSG", b"HMSG"):
                return self._message(word, rest.split(), end + 2)
            del buffer[: end + 2]
            if word == b"PONG":
                return Pong()
            if word == b"PING":
                self._writer.write(b"PONG\r\n")
            elif word == b"-ERR":
                return _refusal(rest.decode("utf-8", "replace").strip(" '"))
            elif not (word == b"+OK" or (word == b"INFO" and self._inform(rest))):
                raise _foreign()
        if len(buffer) > _MAX_LINE:
            raise _foreign()
        return None

    def _message(self, word: bytes, fields: list[bytes], start: int) -> Event | None:
        try:
            size = int(fields[-1])
            headers = int(fields[-2]) if word == b"HMSG" else 0
            number = int(fields[0].rpartition(b".")[2])
        except (ValueError, IndexError):
            raise _foreign() from None
        if not 0 <= headers <= size <= _MAX_MESSAGE:
            raise _foreign()
        end = start + size + 2
        if len(self._buffer) < end:
            return None
        block = bytes(self._buffer[start : end - 2])
        del self._buffer[:end]
        status = re.match(rb"NATS/1\.0 +(\d{3})", block[:headers])
        return Reply(number, int(status.group(1)) if status else None, block[headers:])


class _SecuredProtocol(asyncio.StreamReaderProtocol):
    """A stream over TLS, which unlike a plain one cannot stay half open."""

    def eof_received(self) -> bool:
        super().eof_received()
        return False


def _refusal(text: str) -> Denied:
    """A lacking right as an event; raises `WireError` for errors that end the connection."""
    found = _DENIED.match(text)
    if found:
        return Denied(_RIGHTS[found.group(1).lower()], found.group(2))
    raise WireError("refused", f"the server reports: {printable(text)}")


def _foreign() -> WireError:
    return WireError(
        "not_nats", "the server does not answer in the NATS protocol", "check host and port"
    )


def _lost(error: OSError) -> WireError:
    return WireError("connection_lost", f"the connection ended: {error.strerror or error}")
