"""A connection to RabbitMQ that publishes: signing in, one channel, confirms and returns.

Facts: https://www.rabbitmq.com/docs/confirms, /docs/connection-blocked, /docs/heartbeats and the
AMQP 0-9-1 specification. The client libraries aio-pika and aiormq are not used for delivery: they
find the publication that a returned message belongs to by its message id, which a routing function
may repeat, they refuse names of exchanges that RabbitMQ has, and their robust connections publish
again out of the caller's sight. Here nothing runs in the background but the heartbeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pydantic import SecretStr

from routestudio import __version__
from routestudio.sinks._shared.idle import unread
from routestudio.sinks._shared.net import tls_text
from routestudio.sinks.rabbitmq import codec

FRAME_MAX: Final = 131_072
"""Largest frame that this side takes, in bytes; RabbitMQ proposes the same."""

_CHANNEL: Final = 1
_MAX_RETURNED: Final = 512 * 1024 * 1024
_CLOSE_SECONDS: Final = 0.5


class WireError(Exception):
    """The connection cannot be made or used. `code` is short, the text is for people.

    `reply` is the server's own code when it closed the connection, e.g. 403; else 0.
    """

    def __init__(self, code: str, text: str, hint: str = "", reply: int = 0) -> None:
        super().__init__(text)
        self.code = code
        self.hint = hint
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Account:
    """Where a RabbitMQ server is and as whom to use it. `guest` is who nobody else is."""

    host: str
    port: int
    virtual_host: str = "/"
    username: str | None = None
    password: SecretStr | None = None
    tls: bool = False

    @property
    def user(self) -> str:
        """Who signs in."""
        return self.username or "guest"

    @property
    def response(self) -> bytes:
        """The answer of the mechanism PLAIN."""
        word = self.password.get_secret_value() if self.password else ""
        if self.username is None and self.password is None:
            word = "guest"
        return b"\0%b\0%b" % (self.user.encode(), word.encode())


@dataclass(frozen=True, slots=True)
class Confirm:
    """The server took (`ok`) or refused a publication, or all up to its number (`multiple`)."""

    number: int
    multiple: bool
    ok: bool


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that no queue gets, as it was published. Its confirm follows."""

    code: int
    text: str
    exchange: str
    key: str
    properties: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """The server closed the channel because of something that it cannot do."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a method that has one; `method` is its number."""

    method: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """The server stopped or resumed (`reason` empty) to take publications."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message of a queue, which waits for a word about its `tag`; `left` are behind it."""

    tag: int
    exchange: str
    key: str
    left: int
    properties: bytes
    body: bytes


Event = Confirm | Returned | ChannelClosed | Answer | Alarm | Delivered


def printable(text: object) -> str:
    """A server's words as they may be shown: at most 300 characters, none of them a control."""
    return "".join(c if c.isprintable() else "?" for c in str(text)[:300])


class Connection:
    """One connection: `dial`, `sign_in`, `open`, `open_channel`, then publish and listen.

    `info` is what the server reports about itself. `blocked` is why it takes no publications now,
    empty while it does. `published` counts the publications of the open channel.
    """

    def __init__(
        self, account: Account, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._account = account
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._pulse: asyncio.TimerHandle | None = None
        self._arriving: Callable[[bytes, bytes], Event] | None = None
        self._properties = b""
        self._missing = -1
        self._body = bytearray()
        self.info: dict[str, Any] = {}
        self.frame_max = FRAME_MAX
        self.blocked = ""
        self.channel_open = False
        self.published = 0

    @classmethod
    async def dial(cls, account: Account, context: ssl.SSLContext | None) -> Connection:
        """Connect without writing anything. Raises `WireError`."""
        name = account.host if context else None
        try:
            reader, writer = await asyncio.open_connection(
                account.host, account.port, ssl=context, server_hostname=name
            )
        except ssl.SSLError as error:
            raise WireError("tls", *tls_text(account.host, error)) from None
        except (OSError, UnicodeError) as error:
            where = f"{account.host}:{account.port}"
            text = getattr(error, "strerror", None) or str(error)
            raise WireError("connect", f"no connection to {where}: {text}") from None
        return cls(account, reader, writer)

    async def sign_in(self) -> None:
        """Give the credentials; done when the server accepts them. Raises `WireError`."""
        self._writer.write(codec.PREAMBLE)
        start = await self._method(codec.START)
        with _reading():
            start.take(2)
            self.info = start.table()
            mechanisms = start.long().split()
        if "PLAIN" not in mechanisms:
            raise WireError(
                "mechanism", f"the server takes no passwords, but {printable(mechanisms)}",
                "enable the mechanism PLAIN on the server",
            )  # fmt: skip
        capabilities = dict.fromkeys(
            ("authentication_failure_close", "basic.nack", "connection.blocked",
             "publisher_confirms"), True,
        )  # fmt: skip
        facts = codec.table(
            {"product": "RouteStudio", "version": __version__, "platform": "Python",
             "connection_name": "routestudio", "capabilities": capabilities}
        )  # fmt: skip
        answer = facts + codec.short("PLAIN") + codec.long(self._account.response)
        self._command(0, codec.START_OK, answer + codec.short("en_US"))
        tune = await self._method(codec.TUNE)
        with _reading():
            channels, frame_max, heartbeat = tune.number(2), tune.number(4), tune.number(2)
        if 0 < frame_max < FRAME_MAX:
            self.frame_max = max(frame_max, 4096)
        limits = struct.pack(">HIH", min(channels or 1, 1), self.frame_max, heartbeat)
        self._command(0, codec.TUNE_OK, limits)
        if heartbeat:
            self._beat(max(heartbeat / 2, 0.5))

    async def open(self) -> None:
        """Enter the virtual host. Raises `WireError`."""
        self._command(0, codec.OPEN, codec.short(self._account.virtual_host) + b"\x00\x00")
        await self._method(codec.OPEN_OK)

    async def open_channel(self, *, transactions: bool = False) -> None:
        """Open a channel, also after it was closed. Raises `WireError`.

        Publications on it are confirmed; with `transactions` they are only kept for a commit,
        which this client never sends.
        """
        self._command(_CHANNEL, codec.CHANNEL_OPEN, b"\x00")
        if transactions:
            self._command(_CHANNEL, codec.TX_SELECT)
        else:
            self._command(_CHANNEL, codec.SELECT, b"\x00")
        wanted = Answer(codec.TX_SELECT_OK if transactions else codec.SELECT_OK)
        while await self.event() != wanted:
            pass
        self.channel_open, self.published = True, 0

    async def declared(self, exchange: str) -> ChannelClosed | None:
        """What the server reports against an exchange; `None` when it is there. Makes nothing."""
        flags = codec.short(exchange) + codec.short("") + b"\x01" + codec.table({})
        self._command(_CHANNEL, codec.DECLARE, b"\x00\x00" + flags)
        while True:
            event = await self.event()
            if isinstance(event, ChannelClosed):
                return event
            if event == Answer(codec.DECLARE_OK):
                return None

    def publish(self, exchange: str, key: str, properties: bytes, body: bytes) -> int:
        """Hand one mandatory publication to the socket; return its number on this channel."""
        self._writer.write(
            codec.publication(_CHANNEL, exchange, key, properties, body, self.frame_max)
        )
        self.published += 1
        return self.published

    async def taken_back(self, exchange: str, key: str, properties: bytes) -> ChannelClosed | None:
        """Why the server refuses a publication in a transaction that is rolled back at once.

        `None` when it takes it, and also when an alarm makes it take none: `blocked` has the reason
        then.
        The channel must have been opened with `transactions`.
        """
        self.publish(exchange, key, properties, b"")
        self._command(_CHANNEL, codec.TX_ROLLBACK)
        while (event := await self.event()) != Answer(codec.TX_ROLLBACK_OK):
            if isinstance(event, ChannelClosed):
                return event
            if isinstance(event, Alarm) and self.blocked:
                return None
        return None

    async def event(self) -> Event:
        """What comes next. Cancelling it loses nothing. Raises `WireError`."""
        while True:
            with _reading():
                event = self._take(*await self._frame())
            if event is not None:
                return event

    async def resumed(self, seconds: float) -> bool:
        """Whether the server takes publications, or does so again within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.blocked:
                    await self.event()
        except TimeoutError:
            return False
        return True

    @property
    def unread(self) -> bool:
        """Whether the server sent something that was not looked at."""
        return bool(self._buffer) or unread(self._reader)

    async def alive(self, seconds: float) -> bool:
        """Whether an idle connection still answers; asking for confirms again changes nothing."""
        self._command(_CHANNEL, codec.SELECT, b"\x00")
        try:
            async with asyncio.timeout(seconds):
                while await self.event() != Answer(codec.SELECT_OK):
                    pass
        except (WireError, TimeoutError):
            return False
        return self.channel_open

    def abort(self) -> None:
        """Drop the connection at once."""
        self._stop_pulse()
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close in good order, within a second."""
        self._command(0, codec.CLOSE, struct.pack(">H", 200) + codec.short("bye") + bytes(4))
        with contextlib.suppress(OSError, TimeoutError, WireError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                while await self.event() != Answer(codec.CLOSE_OK):
                    pass
        self._stop_pulse()
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._writer.wait_closed()

    def ask(self, number: int, arguments: bytes) -> None:
        """Hand a method of the channel to the socket."""
        self._command(_CHANNEL, number, arguments)

    def _command(self, channel: int, number: int, arguments: bytes = b"") -> None:
        self._writer.write(codec.method(channel, number, arguments))

    def _beat(self, seconds: float) -> None:
        """Report every few seconds that this side is alive."""
        if self._writer.transport.is_closing():
            return
        self._writer.write(codec.HEARTBEAT)
        self._pulse = asyncio.get_running_loop().call_later(seconds, self._beat, seconds)

    def _stop_pulse(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None

    async def _method(self, wanted: int) -> codec.Fields:
        """The arguments of the next method, which must be `wanted`. Raises `WireError`."""
        while True:
            kind, channel, payload = await self._frame()
            if kind == codec.METHOD and int.from_bytes(payload[:4]) == wanted:
                return codec.Fields(payload[4:])
            with _reading():
                self._take(kind, channel, payload)

    async def _frame(self) -> tuple[int, int, bytes]:
        """The next frame: kind, channel, payload. Raises `WireError`."""
        while (found := self._parse()) is None:
            try:
                data = await self._reader.read(262_144)
            except OSError as error:
                text = f"the connection ended: {error.strerror or error}"
                raise WireError("connection_lost", text) from None
            if not data:
                raise WireError("connection_lost", "the server closed the connection")
            self._buffer += data
        return found

    def _parse(self) -> tuple[int, int, bytes] | None:
        """The first complete frame; `None` when bytes are missing."""
        buffer = self._buffer
        if buffer and buffer[0] not in (codec.METHOD, codec.HEADER, codec.BODY, codec.BEAT):
            raise _foreign()
        if len(buffer) < 7:
            return None
        kind, channel, size = struct.unpack_from(">BHI", buffer)
        if size > self.frame_max:
            raise _foreign()
        if len(buffer) < size + 8:
            return None
        payload, end = bytes(buffer[7 : size + 7]), buffer[size + 7]
        if end != 0xCE:
            raise _foreign()
        del buffer[: size + 8]
        return kind, channel, payload

    def _take(self, kind: int, channel: int, payload: bytes) -> Event | None:
        """What a frame means to the caller; `None` when it is about the connection itself."""
        if kind == codec.BEAT:
            return None
        if kind == codec.HEADER:
            fields = codec.Fields(payload)
            fields.take(4)
            self._missing, self._properties = fields.number(8), fields.rest()
            if self._missing > _MAX_RETURNED:
                raise _foreign()
            return self._whole()
        if kind == codec.BODY:
            self._body += payload
            self._missing -= len(payload)
            return self._whole()
        fields = codec.Fields(payload)
        return self._meaning(fields.number(4), fields)

    def _meaning(self, number: int, fields: codec.Fields) -> Event | None:
        if number in (codec.ACK, codec.NACK):
            tag, flags = fields.number(8), fields.number(1)
            return Confirm(tag, bool(flags & 1), number == codec.ACK)
        if number == codec.RETURN:
            code, text = fields.number(2), fields.short()
            self._arriving = partial(Returned, code, text, fields.short(), fields.short())
            return None
        if number in (codec.DELIVER, codec.GET_OK):
            if number == codec.DELIVER:
                fields.short()
            tag, _ = fields.number(8), fields.take(1)
            exchange, key = fields.short(), fields.short()
            left = fields.number(4) if number == codec.GET_OK else 0
            self._arriving = partial(Delivered, tag, exchange, key, left)
            return None
        if number == codec.CHANNEL_CLOSE:
            code, text = fields.number(2), fields.short()
            self._command(_CHANNEL, codec.CHANNEL_CLOSE_OK)
            self.channel_open = False
            return ChannelClosed(code, printable(text))
        if number == codec.CLOSE:
            code, text = fields.number(2), printable(fields.short())
            self._command(0, codec.CLOSE_OK)
            raise WireError("closed", f"the server closed the connection: {text}", reply=code)
        if number in (codec.BLOCKED, codec.UNBLOCKED):
            self.blocked = (printable(fields.short()) or "alarm") if number == codec.BLOCKED else ""
            return Alarm(self.blocked)
        if number == codec.FLOW:
            self._command(_CHANNEL, codec.FLOW_OK, fields.take(1))
            return None
        return Answer(number)

    def _whole(self) -> Event | None:
        """The message once all of it is here."""
        if self._missing > 0 or self._arriving is None:
            return None
        found = self._arriving(self._properties, bytes(self._body))
        self._arriving, self._missing = None, -1
        self._body.clear()
        return found


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Turn bytes that are not AMQP into the end of the connection."""
    try:
        yield
    except codec.CodecError:
        raise _foreign() from None


def _foreign() -> WireError:
    return WireError("not_amqp", "the server does not answer in AMQP 0-9-1", "check host and port")
