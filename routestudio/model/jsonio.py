"""JSON as sinks deliver it (docs/reference/sequin.md#messages).

Compact UTF-8, decimals as text, times as ISO 8601.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson


def _default(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        text = value.isoformat()
        return text[:-6] + "Z" if text.endswith("+00:00") else text
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_default
).encode

# The compiled writer is ten times as fast, and refuses what only `json` can write: integers over
# 64 bits, keys that are not text, halves of surrogate pairs. Times go to `_default` as everywhere.
_PASS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def dumps(value: object) -> str:
    """Compact JSON text. Raises `TypeError` or `ValueError` for values without a JSON form."""
    written = _written(value)
    return _encode(value) if written is None else written.decode()


def readable(value: Any) -> Any:
    """`value` with infinite numbers and NaN as text, for people: no JSON number is one."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(float(value))]
    if isinstance(value, Mapping):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [readable(item) for item in value]
    return value


def dump_bytes(value: object, *, finite: bool = False) -> bytes:
    """`dumps` as UTF-8. A lone surrogate is kept as its `\\udXXX` escape, never lost.

    `finite` means that no number in it is infinite or NaN, as in everything that was read from
    JSON; without it this is looked for, since those numbers have no JSON form.
    """
    written = _written(value, finite)
    if written is not None:
        return written
    text = _encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), default=_default, allow_nan=False).encode()


def _written(value: object, finite: bool = False) -> bytes | None:
    """`value` by the compiled writer, or `None` where only `json` can write it or explain why
    not."""
    try:
        written = orjson.dumps(value, _default, _PASS)
    except TypeError:
        return None
    # It writes NaN as null, so a text without null holds none.
    if finite or b"null" not in written or _finite(value):
        return written
    return None


def _finite(value: object) -> bool:
    kind = type(value)
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, (list, tuple, set, frozenset)):
        return not isinstance(value, float) or math.isfinite(value)
    return all(type(item) in _HARMLESS or _finite(item) for item in value)


_HARMLESS = frozenset({str, int, bool, type(None)})


def loads(text: str | bytes) -> Any:
    """Decoded JSON. Raises `ValueError`, with the position where there is one.

    Integers stay exact up to the interpreter's limit of digits; other numbers are doubles, as on a
    server (docs/reference/sequin.md#messages). What no double holds, such as 1e999, is refused: it
    would be lost.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text), "surrogatepass")
        return _decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decode_at(text: str) -> tuple[Any, int]:
    """The JSON value at the start of a text, and the place behind it. Raises as `loads` does."""
    try:
        value, end = _DECODER.raw_decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value, end


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is too large for a number")
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_double)
_decode = _DECODER.decode
