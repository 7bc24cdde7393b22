"""Bytes of rows to JSON values, quickly: schemas that repeat are decoded once."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from routestudio.model import jsonio

_DIGITS: Final = bytes.maketrans(b"0123456789.-", b"0" * 11 + b"-")
_LONG: Final = (b"0" * 20, b"-" + b"0" * 19)
"""Runs of digits (and points) that the fast parser may not keep: it has 64 bits and doubles."""

_SHORTEST: Final = b"0" * 19

_PAYLOAD: Final = b'"payload":'
_KEPT: Final = 32
"""Schemas that are remembered at a time."""


_STARTS: Final = frozenset(b'{["-0123456789tfnNI \t\r\n')
"""Bytes with which JSON may begin."""


def loads(data: bytes) -> Any:
    """Decoded JSON, as `model.jsonio.loads` decodes it. Raises `ValueError`."""
    if data and data[0] not in _STARTS and data[0] < 128:
        # Such rows come by the hundred thousand, and two parsers would make an error of each.
        raise json.JSONDecodeError("Expecting value", data.decode(), 0)
    if not has_long_number(data):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # the other parser knows more, or shows what is wrong and where
    return jsonio.loads(data.decode())


def has_long_number(data: bytes) -> bool:
    """Whether there may be a number that 64 bits or a double do not hold."""
    digits = data.translate(_DIGITS)
    return _SHORTEST in digits and (_LONG[0] in digits or _LONG[1] in digits)


class Number(float):
    """A number with a point or an exponent, with its `text`, which a double may not hold."""

    text: str

    def __new__(cls, text: str) -> Number:
        """Of the number as it is written."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def exact(data: bytes) -> Any:
    """Decoded JSON, whose numbers that are not integers are `Number`. Raises `ValueError`.

    The payload of Kafka Connect's pair of schema and payload is taken out, as `Decoder` does.
    """
    try:
        value = json.loads(data, parse_float=Number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value["payload"] if is_connect(value) else value


class Decoder:
    """Decodes values; remembers the schemas of Kafka Connect's `{"schema", "payload"}`.

    Kafka's JSON converter writes the same schema before every record, often ten times as long as
    the record: bytes that are equal to earlier ones are not decoded again, and the same schema is
    the same object, so that what is derived of it can be kept by its identity.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}
        self._last = b""

    def decode(self, data: bytes) -> tuple[Any, Any]:
        """Value and schema (`None` without one). Raises `ValueError`, `UnicodeDecodeError`."""
        prefix = self._last if self._last and data.startswith(self._last) else self._prefix(data)
        if prefix and data.endswith(b"}"):
            try:
                value = loads(data[len(prefix) : -1])
            except ValueError:
                pass
            else:
                self._last = prefix
                return value, self._known[prefix]
        value = loads(data)
        if type(value) is dict and len(value) == 2 and is_connect(value):
            schema, payload = value["schema"], value["payload"]
            self._remember(data, schema, payload)
            return payload, schema
        return value, None

    def _prefix(self, data: bytes) -> bytes:
        if not data.startswith(b'{"schema"'):
            return b""
        return next((prefix for prefix in self._known if data.startswith(prefix)), b"")

    def _remember(self, data: bytes, schema: Any, payload: Any) -> None:
        """Keep the bytes up to the payload, when the schema comes first."""
        at = data.find(_PAYLOAD)
        while at >= 0 and data.startswith(b'{"schema"'):
            end = at + len(_PAYLOAD)
            try:
                whole = loads(data[:at].rstrip(b", ") + b"}") == {"schema": schema}
                whole = whole and loads(data[end:-1]) == payload
            except ValueError:
                whole = False
            if whole:
                if len(self._known) >= _KEPT:
                    self._known.pop(next(iter(self._known)))
                self._last = data[:end]
                self._known[self._last] = schema
                return
            at = data.find(_PAYLOAD, end)


def is_connect(value: Any) -> bool:
    """Whether a value is Kafka Connect's pair of schema and payload."""
    if not _is_pair(value):
        return False
    schema = value["schema"]
    return schema is None or (isinstance(schema, dict) and ("type" in schema or not schema))


def is_broken_connect(value: Any) -> bool:
    """Whether it is such a pair, but for a schema that is not one. Text is a column's value."""
    return (
        _is_pair(value)
        and isinstance(value["payload"], dict)
        and not isinstance(value["schema"], str)
        and not is_connect(value)
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 2 and "schema" in value and "payload" in value
