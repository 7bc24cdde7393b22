"""The RabbitMQ stand-in: takes publications over AMQP 0-9-1 for any exchange, and keeps them.

Every exchange is there, a queue is bound to each, and anybody may sign in. Who publishes gets
what RabbitMQ would answer: confirms, and the refusal of properties that it does not take.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from routestudio.sinks._shared.standins.server import ServerStandin
from routestudio.sinks.rabbitmq import codec
from routestudio.sinks.standin import Arrived, as_text

MAX_BODY: Final = 128 * 1024 * 1024
"""Bytes of the largest message: the default of RabbitMQ 3. Version 4 takes 16 MiB."""

_FRAME_MAX: Final = 131_072
_CHANNELS: Final = 2047
_TEXTS: Final = {
    15: "content_type", 14: "content_encoding", 10: "correlation_id", 9: "reply_to",
    8: "expiration", 7: "message_id", 5: "type", 4: "user_id", 3: "app_id", 2: "cluster_id",
}  # fmt: skip
_ANSWERS: Final = {
    codec.CHANNEL_OPEN: (codec.CHANNEL_OPEN_OK, bytes(4)),
    codec.DECLARE: (codec.DECLARE_OK, b""),
    codec.SELECT: (codec.SELECT_OK, b""),
    codec.TX_SELECT: (codec.TX_SELECT_OK, b""),
    codec.TX_ROLLBACK: (codec.TX_ROLLBACK_OK, b""),
}
_START: Final = (
    b"\x00\x09"
    + codec.table(
        {"product": "RabbitMQ", "version": "stand-in", "platform": "RouteStudio",
         "capabilities": dict.fromkeys(
             ("publisher_confirms", "basic.nack", "connection.blocked",
              "authentication_failure_close"), True)}
    )
    + codec.long(b"PLAIN")
    + codec.long(b"en_US")
)  # fmt: skip


class RabbitMqStandin(ServerStandin):
    """A server for publishers. The exchange is the destination, the routing key the key."""

    kind: ClassVar[str] = "rabbitmq"
    title: ClassVar[str] = "RabbitMQ for publishers"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(8) != codec.PREAMBLE:
            writer.write(codec.PREAMBLE)
            return
        talk = _Conversation(writer, self._kept.add)
        writer.write(codec.method(0, codec.START, _START))
        try:
            while not talk.ended:
                kind, channel, size = struct.unpack(">BHI", await reader.readexactly(7))
                if size > _FRAME_MAX:
                    raise codec.CodecError("the frame is too large")
                payload = await reader.readexactly(size + 1)
                if payload[-1] != 0xCE:
                    raise codec.CodecError("the frame has no end")
                talk.take(kind, channel, payload[:-1])
                await writer.drain()
        except codec.CodecError as error:
            talk.close(501, f"FRAME_ERROR - {error}")
        await writer.drain()


@dataclass(slots=True)
class _Channel:
    """One channel. `closed`: it was refused something, and is silent until it agrees.

    `transaction`: what is published waits for a commit, which no publisher here sends.
    """

    confirms: bool = False
    transaction: bool = False
    published: int = 0
    closed: bool = False
    place: tuple[str, str] | None = None
    size: int = -1
    properties: dict[str, Any] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class _Conversation:
    """The server's side of one connection: frames in, answers out."""

    def __init__(self, writer: asyncio.StreamWriter, keep: Any) -> None:
        self._writer = writer
        self._keep = keep
        self._channels: dict[int, _Channel] = {}
        self._user = ""
        self.ended = False

    def take(self, kind: int, channel: int, payload: bytes) -> None:
        """Answer one frame. Raises `CodecError` for one that cannot be understood."""
        if kind == codec.BEAT:
            self._writer.write(codec.HEARTBEAT)
        elif kind == codec.METHOD:
            fields = codec.Fields(payload)
            self._method(channel, fields.number(4), fields)
        elif kind in (codec.HEADER, codec.BODY):
            state = self._channels.get(channel)
            if state is None or (state.place is None and not state.closed):
                raise codec.CodecError("content without a publication")
            if not state.closed:
                self._content(channel, state, kind, payload)
        else:
            raise codec.CodecError("a frame of an unknown type")

    def close(self, code: int, text: str) -> None:
        """End the connection with a reason."""
        self.ended = True
        self._say(0, codec.CLOSE, _reason(code, text))

    def _say(self, channel: int, number: int, arguments: bytes = b"") -> None:
        self._writer.write(codec.method(channel, number, arguments))

    def _method(self, channel: int, number: int, fields: codec.Fields) -> None:
        if number == codec.START_OK:
            fields.table()
            fields.short()
            self._user = (f"{fields.long()}\0").split("\0")[1]
            self._say(0, codec.TUNE, struct.pack(">HIH", _CHANNELS, _FRAME_MAX, 0))
        elif number == codec.OPEN:
            self._say(0, codec.OPEN_OK, b"\x00")
        elif number == codec.CLOSE:
            self.ended = True
            self._say(0, codec.CLOSE_OK)
        elif number not in (codec.TUNE_OK, codec.CLOSE_OK):
            self._on_channel(channel, number, fields)

    def _on_channel(self, channel: int, number: int, fields: codec.Fields) -> None:
        if number == codec.CHANNEL_OPEN and 0 < channel <= _CHANNELS:
            self._channels[channel] = _Channel()
        state = self._channels.get(channel)
        if state is None:
            self.close(504, "CHANNEL_ERROR - expected 'channel.open'")
        elif number == codec.CHANNEL_CLOSE_OK:
            del self._channels[channel]
        elif number == codec.CHANNEL_CLOSE:
            del self._channels[channel]
            self._say(channel, codec.CHANNEL_CLOSE_OK)
        elif state.closed:
            return
        elif number == codec.PUBLISH:
            fields.take(2)
            state.place = (fields.short(), fields.short())
        elif number in _ANSWERS:
            state.confirms = state.confirms or number == codec.SELECT
            state.transaction = state.transaction or number == codec.TX_SELECT
            self._say(channel, *_ANSWERS[number])
        else:
            self.close(540, "NOT_IMPLEMENTED - the stand-in takes publications only")

    def _content(self, channel: int, state: _Channel, kind: int, payload: bytes) -> None:
        if kind == codec.HEADER:
            fields = codec.Fields(payload)
            fields.take(4)
            state.size, state.properties = fields.number(8), _properties(fields)
            state.body.clear()
            if state.size > MAX_BODY:
                raise codec.CodecError("the message is too large")
        else:
            state.body += payload
            if len(state.body) > state.size:
                raise codec.CodecError("content that no header announced")
        if len(state.body) < state.size:
            return
        assert state.place is not None
        (exchange, key), state.place, state.size = state.place, None, -1
        refusal = self._refusal(state.properties)
        if refusal:
            state.closed = True
            self._say(channel, codec.CHANNEL_CLOSE, _reason(406, refusal))
            return
        if state.transaction:
            return
        body = as_text(bytes(state.body))
        self._keep(Arrived(exchange, body, key, {"routing_key": key, **state.properties}))
        state.published += 1
        if state.confirms:
            self._say(channel, codec.ACK, struct.pack(">QB", state.published, 0))

    def _refusal(self, properties: dict[str, Any]) -> str:
        """Why RabbitMQ would not take these properties; empty when it would."""
        user, expiration = properties.get("user_id"), properties.get("expiration")
        if user not in (None, self._user):
            return (
                f"PRECONDITION_FAILED - user_id property set to '{user}' but authenticated user "
                f"was '{self._user}'"
            )
        if expiration is not None and not (expiration.isascii() and expiration.isdecimal()):
            return f"PRECONDITION_FAILED - invalid expiration '{expiration}'"
        return ""


def _reason(code: int, text: str) -> bytes:
    """The arguments of a method that closes something."""
    short = text.encode()[: codec.SHORT_BYTES].decode("utf-8", "ignore")
    return struct.pack(">H", code) + codec.short(short) + bytes(4)


def _properties(fields: codec.Fields) -> dict[str, Any]:
    """The properties of a message by name, as plain data."""
    flags, found = fields.number(2), dict[str, Any]()
    for bit in range(15, 1, -1):
        if not flags & 1 << bit:
            continue
        if bit == 13:
            found["headers"] = {name: _plain(item) for name, item in fields.table().items()}
        elif bit in (12, 11):
            found["delivery_mode" if bit == 12 else "priority"] = fields.number(1)
        elif bit == 6:
            found["timestamp"] = fields.number(8)
        else:
            found[_TEXTS[bit]] = fields.short()
    return found


def _plain(value: Any) -> Any:
    """A value of a table as plain data."""
    if isinstance(value, bytes):
        return as_text(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
