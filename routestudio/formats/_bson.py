"""MongoDB's extended JSON, in both of its forms, as plain JSON."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from routestudio.formats import _times
from routestudio.formats._envelope import columns
from routestudio.formats.base import FormatError

_DEPTH: Final = 100
"""How deep a document may be; MongoDB itself allows that many."""


def plain(value: Any, depth: int = 0) -> Any:
    """A value without `$oid`, `$date` and the like. Raises `FormatError` if it is too deep."""
    if depth > _DEPTH:
        raise FormatError("nested too deeply")
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    name = next(iter(value), "")
    if name.startswith("$") and len(value) <= 2:
        cast = _CASTS.get(name)
        done = cast(value) if cast is not None else None
        if done is not None:
            return done
    return {key: plain(item, depth + 1) for key, item in value.items()}


def document(value: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The document in the part `name`, plain; `None` where it is null or left out."""
    if value.get(name) is None:
        return None
    columns(value, name)
    return {key: plain(item, 1) for key, item in value[name].items()}


def types_of(value: Any) -> dict[str, str]:
    """The types of a document's fields that extended JSON has: canonical, or where it must."""
    fields = value.items() if isinstance(value, dict) else ()
    return {
        name: _TYPES[kind]
        for name, item in fields
        if isinstance(item, dict) and len(item) == 1 and (kind := next(iter(item))) in _TYPES
    }


def moment(value: Any) -> str | None:
    """A time of the server (`$date`, `$timestamp`) as ISO 8601 in UTC."""
    done = plain(value) if isinstance(value, dict) and len(value) == 1 else value
    return _times.utc(done) if isinstance(done, str) else None


def path_of(record: dict[str, Any], path: str, item: Any) -> None:
    """Put an item where a path such as `address.city` or `lines.0` leads."""
    *steps, last = path.split(".")[:_DEPTH]
    place: Any = record
    for number, step in enumerate(steps):
        inner = _step(place, step)
        if not isinstance(inner, (dict, list)):
            if not isinstance(place, dict):
                return
            rest = ".".join([*steps[number + 1 :], last])
            if rest[:1].isdigit():  # an item of a list that is not known
                place[".".join([step, rest])] = item
                return
            inner = place[step] = {}
        place = inner
    if isinstance(place, dict):
        place[last] = item
    elif last.isdigit() and len(last) < 6 and int(last) < len(place):
        place[int(last)] = item


def _step(place: Any, step: str) -> Any:
    if isinstance(place, dict):
        return place.get(step)
    small = step.isdigit() and len(step) < 6 and int(step) < len(place)
    return place[int(step)] if small else None


def _text(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda value: value[name] if isinstance(value[name], str) else None


def _number(name: str, cast: Callable[[str], Any]) -> Callable[[Mapping[str, Any]], Any]:
    def read(value: Mapping[str, Any]) -> Any:
        written = value[name]
        if not isinstance(written, str) or len(written) > 40:
            return written if isinstance(written, int) else None
        try:
            return cast(written)
        except ValueError:
            return None

    return read


def _double(written: str) -> Any:
    """A double; the numbers that JSON does not have stay text."""
    return written if written in ("NaN", "Infinity", "-Infinity") else float(written)


def _date(value: Mapping[str, Any]) -> Any:
    written = value["$date"]
    if isinstance(written, dict):
        written = plain(written, _DEPTH)
    if isinstance(written, int):
        return _times.epoch(written, 1_000)
    return _times.utc(written) or (written if isinstance(written, str) else None)


def _timestamp(value: Mapping[str, Any]) -> Any:
    written = value["$timestamp"]
    return _times.epoch(written.get("t"), 1) if isinstance(written, dict) else None


def _binary(value: Mapping[str, Any]) -> Any:
    inner = value["$binary"]
    written, kind = inner, value.get("$type")
    if isinstance(inner, dict):
        written, kind = inner.get("base64"), inner.get("subType")
    if not isinstance(written, str):
        return None
    try:
        data = base64.b64decode(written, validate=True)
    except binascii.Error:
        return None
    return str(uuid.UUID(bytes=data)) if kind in ("04", "4") and len(data) == 16 else written


_CASTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "$oid": _text("$oid"), "$uuid": _text("$uuid"), "$symbol": _text("$symbol"),
    "$numberInt": _number("$numberInt", int), "$numberLong": _number("$numberLong", int),
    "$numberDouble": _number("$numberDouble", _double),
    "$numberDecimal": _text("$numberDecimal"), "$date": _date, "$timestamp": _timestamp,
    "$binary": _binary, "$code": _text("$code"),
}  # fmt: skip
_TYPES: Final = {
    "$numberDecimal": "numeric", "$numberInt": "int4", "$numberLong": "int8",
    "$numberDouble": "float8", "$date": "timestamptz", "$uuid": "uuid",
}  # fmt: skip
