"""AMQP 0-9-1 on the wire: the frames, methods and values that publishing needs. No I/O.

Facts: the AMQP 0-9-1 specification (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf) and,
for the types of table values, https://www.rabbitmq.com/amqp-0-9-1-errata.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

PREAMBLE: Final = b"AMQP\x00\x00\x09\x01"
HEARTBEAT: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"
METHOD, HEADER, BODY, BEAT = 1, 2, 3, 8
FRAME_EXTRA: Final = 8
"""Bytes of a frame besides its payload."""

SHORT_BYTES: Final = 255
"""Most bytes of a short text: names of exchanges, routing keys, message ids, keys of tables."""

START, START_OK = 10 << 16 | 10, 10 << 16 | 11
TUNE, TUNE_OK = 10 << 16 | 30, 10 << 16 | 31
OPEN, OPEN_OK = 10 << 16 | 40, 10 << 16 | 41
CLOSE, CLOSE_OK = 10 << 16 | 50, 10 << 16 | 51
BLOCKED, UNBLOCKED = 10 << 16 | 60, 10 << 16 | 61
CHANNEL_OPEN, CHANNEL_OPEN_OK = 20 << 16 | 10, 20 << 16 | 11
FLOW, FLOW_OK = 20 << 16 | 20, 20 << 16 | 21
CHANNEL_CLOSE, CHANNEL_CLOSE_OK = 20 << 16 | 40, 20 << 16 | 41
DECLARE, DECLARE_OK = 40 << 16 | 10, 40 << 16 | 11
QOS, QOS_OK = 60 << 16 | 10, 60 << 16 | 11
CONSUME, CONSUME_OK = 60 << 16 | 20, 60 << 16 | 21
CANCEL, CANCEL_OK = 60 << 16 | 30, 60 << 16 | 31
DELIVER = 60 << 16 | 60
GET, GET_OK, GET_EMPTY = 60 << 16 | 70, 60 << 16 | 71, 60 << 16 | 72
PUBLISH, RETURN = 60 << 16 | 40, 60 << 16 | 50
ACK, NACK = 60 << 16 | 80, 60 << 16 | 120
SELECT, SELECT_OK = 85 << 16 | 10, 85 << 16 | 11
TX_SELECT, TX_SELECT_OK = 90 << 16 | 10, 90 << 16 | 11
TX_ROLLBACK, TX_ROLLBACK_OK = 90 << 16 | 30, 90 << 16 | 31

_BASIC: Final = 60
_PERSISTENT: Final = 2
_FIXED: Final[Mapping[bytes, struct.Struct]] = {
    code: struct.Struct(layout)
    for code, layout in (
        (b"t", ">?"), (b"b", ">b"), (b"B", ">B"), (b"s", ">h"), (b"u", ">H"), (b"I", ">i"),
        (b"i", ">I"), (b"l", ">q"), (b"f", ">f"), (b"d", ">d"), (b"T", ">Q"), (b"D", ">Bi"),
    )
}  # fmt: skip
_DEPTH: Final = 16


class CodecError(ValueError):
    """Bytes that are not AMQP."""


def short(text: str) -> bytes:
    """A short text; raises `CodecError` when it has over 255 bytes."""
    data = text.encode()
    if len(data) > SHORT_BYTES:
        raise CodecError(f"{len(data)} bytes are too many for a short text")
    return bytes((len(data),)) + data


def long(data: bytes) -> bytes:
    """A long text."""
    return struct.pack(">I", len(data)) + data


def table(values: Mapping[str, Any]) -> bytes:
    """A table of texts, flags, numbers and tables: whole ones as `long-long-int`, others double."""
    parts = []
    for name, value in values.items():
        if isinstance(value, bool):
            encoded = b"t" + bytes((value,))
        elif isinstance(value, int):
            encoded = b"l" + _FIXED[b"l"].pack(value)
        elif isinstance(value, (float, Decimal)):
            encoded = b"d" + _FIXED[b"d"].pack(float(value))
        elif isinstance(value, Mapping):
            encoded = b"F" + table(value)
        else:
            encoded = b"S" + long(str(value).encode())
        parts.append(short(name) + encoded)
    return long(b"".join(parts))


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """One frame."""
    return b"%b%b\xce" % (struct.pack(">BHI", kind, channel, len(payload)), payload)


def method(channel: int, number: int, arguments: bytes = b"") -> bytes:
    """A method as a frame."""
    return frame(METHOD, channel, struct.pack(">I", number) + arguments)


def properties(headers: Mapping[str, Any], message_id: str) -> bytes:
    """The properties of a persistent JSON message; what is empty is left out."""
    flags, parts = 1 << 15, [short("application/json")]
    if headers:
        flags |= 1 << 13
        parts.append(table(headers))
    flags |= 1 << 12
    parts.append(bytes((_PERSISTENT,)))
    if message_id:
        flags |= 1 << 7
        parts.append(short(message_id))
    return struct.pack(">H", flags) + b"".join(parts)


def identified(known: bytes) -> tuple[dict[str, Any], str]:
    """Headers and message id of encoded properties."""
    fields = Fields(known)
    flags = fields.number(2)
    headers: dict[str, Any] = {}
    identity = ""
    for bit in range(15, 6, -1):
        if not flags >> bit & 1:
            continue
        if bit == 13:
            headers = fields.table()
        elif bit in (12, 11):
            fields.take(1)
        elif bit == 7:
            identity = fields.short()
        else:
            fields.short()
    return headers, identity


def publication(
    channel: int, exchange: str, key: str, known: bytes, body: bytes, frame_max: int
) -> bytes:
    """One mandatory publication with the properties `known`, cut into frames."""
    arguments = b"\x00\x00" + short(exchange) + short(key) + b"\x01"
    header = struct.pack(">HHQ", _BASIC, 0, len(body)) + known
    size = frame_max - FRAME_EXTRA
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(
        [
            method(channel, PUBLISH, arguments),
            frame(HEADER, channel, header),
            *(frame(BODY, channel, piece) for piece in pieces),
        ]
    )


def header_size(known: bytes) -> int:
    """Bytes of the frame that carries properties; it cannot be cut."""
    return 12 + len(known) + FRAME_EXTRA


class Fields:
    """Reads values off the front of some bytes. Everything raises `CodecError`."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if end > len(self._data):
            raise CodecError("the frame ends early")
        found, self._at = self._data[self._at : end], end
        return found

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size))

    def short(self) -> str:
        """A short text; what is not UTF-8 is replaced."""
        return self.take(self.number(1)).decode("utf-8", "replace")

    def long(self) -> str:
        """A long text."""
        return self.take(self.number(4)).decode("utf-8", "replace")

    def table(self, depth: int = 0) -> dict[str, Any]:
        """A table, with values of every type that RabbitMQ sends."""
        inner = Fields(self.take(self.number(4)))
        found = {}
        while not inner.ended:
            name = inner.short()
            found[name] = inner.value(depth)
        return found

    def value(self, depth: int = 0) -> Any:
        """A value of a table behind its type."""
        if depth > _DEPTH:
            raise CodecError("a table is too deep")
        kind = self.take(1)
        if kind == b"S":
            return self.long()
        if kind == b"F":
            return self.table(depth + 1)
        if kind == b"x":
            return self.take(self.number(4))
        if kind == b"A":
            inner, found = Fields(self.take(self.number(4))), []
            while not inner.ended:
                found.append(inner.value(depth + 1))
            return found
        if kind == b"V":
            return None
        if kind not in _FIXED:
            raise CodecError("a table has a value of an unknown type")
        layout = _FIXED[kind]
        return layout.unpack(self.take(layout.size))[-1]

    def rest(self) -> bytes:
        """What is left."""
        return self.take(len(self._data) - self._at)

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._data)
