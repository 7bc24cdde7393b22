"""Column types by PostgreSQL's names, and values as a Sequin server gives them for a type.

A server casts the text of a column by its type: numbers stay numbers, `numeric` becomes a decimal
(text in JSON), times ISO 8601, `json` is decoded, an `interval` is a map. What cannot be cast stays
as it is, as on the server: `infinity`, dates before Christ, `NaN`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from routestudio.formats import _decode
from routestudio.formats._times import interval_of, time_of, timestamp_of, timestamptz_of

NAMES: Final[Mapping[str, str]] = {
    "smallint": "int2", "int2": "int2", "smallserial": "int2",
    "integer": "int4", "int": "int4", "int4": "int4", "serial": "int4",
    "bigint": "int8", "int8": "int8", "bigserial": "int8", "oid": "oid",
    "real": "float4", "float4": "float4", "double precision": "float8", "float8": "float8",
    "numeric": "numeric", "decimal": "numeric", "money": "money",
    "boolean": "bool", "bool": "bool",
    "character varying": "varchar", "varchar": "varchar", "character": "bpchar",
    "char": "bpchar", "bpchar": "bpchar", "text": "text", "name": "name", "citext": "citext",
    "bytea": "bytea", "uuid": "uuid", "json": "json", "jsonb": "jsonb", "xml": "xml",
    "date": "date", "interval": "interval",
    "time": "time", "time without time zone": "time",
    "timetz": "timetz", "time with time zone": "timetz",
    "timestamp": "timestamp", "timestamp without time zone": "timestamp",
    "timestamptz": "timestamptz", "timestamp with time zone": "timestamptz",
}  # fmt: skip
"""The short name of each built-in type by all of its names."""

_SIZE: Final = re.compile(r"\(\s*(\d{1,18})\s*(?:,\s*(-?\d{1,18})\s*)?\)")
_MOST_DIMENSIONS: Final = 6
"""The dimensions that an array of PostgreSQL may have."""
_MOST_DIGITS: Final = 1_000
"""The largest scale that a type may have."""
_WHOLE: Final = re.compile(r"-?\d{1,40}\Z")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,4})?\Z")


def type_name(written: str) -> str:
    """The short name that PostgreSQL has for a type, e.g. `timestamptz`; `int4[]` for an array.

    Sizes are left out. A type that is not built in keeps its name.
    """
    name = _SIZE.sub("", written).strip()
    depth = ""
    while name.endswith("[]"):
        name, depth = name[:-2].strip(), "[]"
    return NAMES.get(" ".join(name.lower().split()), name) + depth


def scale_of(written: str) -> int | None:
    """The digits after the point that a type such as `numeric(10,2)` has, where it has them."""
    found = _SIZE.search(written)
    scale = int(found[2] or 0) if found else None
    return None if scale is None or scale > _MOST_DIGITS else scale


def value_of(value: Any, type_: str, *, scale: int | None = None) -> Any:
    """A value as a server gives it for a type of `type_name`; as it is where it cannot be."""
    if value is None:
        return None
    if type_.endswith("[]"):
        items = array_of(value) if isinstance(value, str) else value
        return _each(items, type_[:-2], scale) if isinstance(items, list) else value
    cast = _CASTS.get(type_)
    if type_ == "numeric":
        return decimal_text(value, scale)
    return value if cast is None else cast(value)


def decimal_text(value: Any, scale: int | None = None) -> Any:
    """A decimal as text. `scale` gives a double the digits back that it has lost."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    text = plain_digits(value.text if isinstance(value, _decode.Number) else repr(value))
    if scale is not None and scale > 0 and "e" not in text:
        whole, _, rest = text.partition(".")
        text = f"{whole}.{rest.ljust(scale, '0')}" if len(rest) <= scale else text
    elif scale is not None and text.endswith(".0"):
        text = text[:-2]
    return text


def plain_digits(text: str) -> str:
    """A number without an exponent, if that is not absurdly long."""
    found = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)", text)
    if found is None or abs(int(found[4])) > 400:
        return text
    sign, whole, rest, power = found[1], found[2], found[3] or "", int(found[4])
    if power >= 0:
        digits = whole + rest.ljust(power, "0")
        at = len(whole) + power
    else:
        digits = whole.rjust(1 - power, "0") + rest
        at = len(digits) - len(rest) + power
    head, tail = digits[:at].lstrip("0") or "0", digits[at:]
    return f"{sign}{head}.{tail}" if tail else f"{sign}{head}"


def array_of(text: str) -> list[Any] | None:
    """The items of an array as PostgreSQL writes it, `{a,NULL,"b c"}`; `None` for another text."""
    text = text.split("=", 1)[1] if text[:1] == "[" and "]={" in text else text
    if not text.startswith("{") or not text.endswith("}"):
        return None
    stack: list[list[Any]] = []
    at, last = 0, len(text) - 1
    while at <= last:
        char = text[at]
        if char == "{":
            if len(stack) == _MOST_DIMENSIONS:
                return None
            stack.append([])
            at += 1
        elif char == "}":
            done = stack.pop()
            if not stack:
                return done if at == last else None
            stack[-1].append(done)
            at += 1
        elif char == ",":
            at += 1
        else:
            item, at = _item(text, at)
            stack[-1].append(item)
    return None


def _item(text: str, at: int) -> tuple[str | None, int]:
    if text[at] != '"':
        end = at
        while end < len(text) and text[end] not in ",}":
            end += 2 if text[end] == "\\" else 1
        plain = text[at:end]
        return (None if plain == "NULL" else re.sub(r"\\(.)", r"\1", plain)), end
    end = at + 1
    while end < len(text) and text[end] != '"':
        end += 2 if text[end] == "\\" else 1
    return re.sub(r"\\(.)", r"\1", text[at + 1 : end], flags=re.DOTALL), end + 1


def _each(items: list[Any], type_: str, scale: int | None) -> list[Any]:
    """The items cast, in as many dimensions as there are."""
    done: list[Any] = []
    todo = [(items, done)]
    while todo:
        source, target = todo.pop()
        for item in source:
            if isinstance(item, list):
                inner: list[Any] = []
                target.append(inner)
                todo.append((item, inner))
            else:
                target.append(value_of(item, type_, scale=scale))
    return done


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) and _WHOLE.match(value) else value


def _real(value: Any) -> Any:
    return float(value) if isinstance(value, str) and _NUMBER.match(value) else value


def _truth(value: Any) -> Any:
    if isinstance(value, str):
        return {"t": True, "true": True, "f": False, "false": False}.get(value, value)
    return value


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return _decode.loads(value.encode())
    except ValueError:
        return value


def _vector(value: Any) -> Any:
    """The numbers of a pgvector, `[1,2.5]`."""
    found = _json(value)
    numbers = isinstance(found, list) and all(type(item) in (int, float) for item in found)
    return [float(item) for item in found] if numbers else value


def _hex(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith("\\x") and re.fullmatch(r"[0-9a-f]*", value):
        return "\\x" + value
    return value


_CASTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int2": _whole, "int4": _whole, "int8": _whole, "oid": _whole,
    "float4": _real, "float8": _real, "bool": _truth,
    "json": _json, "jsonb": _json, "bytea": _hex,
    "time": time_of, "timetz": time_of, "timestamp": timestamp_of,
    "timestamptz": timestamptz_of, "interval": interval_of,
    "vector": _vector,
}  # fmt: skip

NO_TEXT: Final = frozenset(_CASTS.keys() - {"bytea"}) | {"numeric", "money", "date", "uuid", "xml"}
"""Types that an empty text cannot be a value of."""
