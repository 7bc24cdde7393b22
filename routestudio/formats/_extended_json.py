"""MongoDB's extended JSON (version 2, canonical and relaxed) as plain JSON values.

Object ids and decimals become text, numbers numbers, dates texts in ISO 8601, UUIDs text, other
binary data Base64; what has no plain form (regular expressions, keys that are the smallest or
largest) keeps its form. Source: MongoDB's manual, "MongoDB Extended JSON (v2)".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from routestudio.formats import _times as times
from routestudio.formats._connect_types import from_base64
from routestudio.formats._decode import loads


def decoded(text: str) -> Any:
    """The plain value of a text in extended JSON. Raises `ValueError`."""
    return plain(parsed(text))


def parsed(text: str) -> Any:
    """A text in extended JSON, decoded and not yet plain. Raises `ValueError`."""
    return loads(text.encode("utf-8", "surrogatepass"))


def plain(value: Any) -> Any:
    """The plain value of a decoded one. What only looks like extended JSON is kept.

    Raises `ValueError` for what is nested too deeply.
    """
    try:
        return _plain(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if 0 < len(value) <= 2:
        name = next(iter(value))
        convert = _KINDS.get(name)
        if convert is not None:
            try:
                return convert(value)
            except (TypeError, ValueError, KeyError, OverflowError, AttributeError):
                return value
    return {name: _plain(item) for name, item in value.items()}


def types_of(document: Any) -> dict[str, str]:
    """The types of a document's fields, as far as extended JSON names them: all in its canonical
    form; decimals, dates and UUIDs also in the relaxed one."""
    fields = document.items() if isinstance(document, dict) else ()
    return {
        name: _TYPES[kind]
        for name, item in fields
        if isinstance(item, dict) and len(item) == 1 and (kind := next(iter(item))) in _TYPES
    }


_TYPES: Final = {
    "$numberDecimal": "numeric", "$numberInt": "int4", "$numberLong": "int8",
    "$numberDouble": "float8", "$date": "timestamptz", "$uuid": "uuid",
}  # fmt: skip


def _one(name: str, convert: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], Any]:
    def only(value: Mapping[str, Any]) -> Any:
        if len(value) != 1:
            raise ValueError("more than one name")
        return convert(value[name])

    return only


def _double(value: Any) -> Any:
    return value if value in ("NaN", "Infinity", "-Infinity") else float(value)


def _date(value: Any) -> str:
    if isinstance(value, str):
        return times.zoned(value)
    number = int(value["$numberLong"]) if isinstance(value, dict) else int(value)
    text = times.timestamp(number * 1_000)
    return text + "Z" if text[10:11] == "T" else text


def _timestamp(value: Mapping[str, Any]) -> str:
    return times.moment(int(value["t"]) * 1_000_000)


def _binary(value: Mapping[str, Any]) -> str:
    inner = value["$binary"]
    data, kind = (inner, value.get("$type")) if isinstance(inner, str) else (
        inner["base64"], inner["subType"])  # fmt: skip
    if kind in ("04", "4") and len(from_base64(data)) == 16:
        return str(uuid.UUID(bytes=from_base64(data)))
    if not isinstance(data, str):
        raise TypeError("not Base64")
    return data


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "$oid": _one("$oid", _text),
    "$numberInt": _one("$numberInt", int),
    "$numberLong": _one("$numberLong", int),
    "$numberDouble": _one("$numberDouble", _double),
    "$numberDecimal": _one("$numberDecimal", _text),
    "$date": _one("$date", _date),
    "$uuid": _one("$uuid", _text),
    "$symbol": _one("$symbol", _text),
    "$timestamp": _one("$timestamp", _timestamp),
    "$code": _one("$code", _text),
    "$binary": _binary,
    "$undefined": _one("$undefined", lambda _: None),
}
