"""Between a message's plain data and Elixir's values, in both directions."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any, Final

from routestudio.functions.elixir.errors import ElixirError, NotEvaluated
from routestudio.functions.elixir.inspecting import inspect
from routestudio.functions.elixir.ops import sorted_items
from routestudio.functions.elixir.runtime import to_text
from routestudio.functions.elixir.structs import (
    Date,
    DateTime,
    Decimal,
    NaiveDateTime,
    Time,
)
from routestudio.functions.elixir.value_errors import protocol
from routestudio.functions.elixir.values import Atom, Struct, bytes_of, is_utf8, key_in
from routestudio.model.function import Identifier

_SIMPLE: Final = frozenset((str, int, bool, type(None), float))
MAX_DEPTH: Final = 200
MAX_BITS: Final = 14_000
"""Largest integer of a result: JSON readers refuse more than 4,300 digits."""


def inward(value: Any) -> Any:
    """Plain data as a server would hand it to a function.

    docs/reference/elixir.md#values-from-postgresql
    """
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if kind is dict:
        if _SIMPLE.issuperset(map(type, value.values())) and all(type(k) is str for k in value):
            return value
        return {k if type(k) in (str, Atom) else key_in(k): inward(v) for k, v in value.items()}
    if kind is list:
        return value if _SIMPLE.issuperset(map(type, value)) else [inward(item) for item in value]
    if isinstance(value, dt.datetime):
        return _moment(value)
    if kind is dt.date:
        return Date(value.year, value.month, value.day)
    if kind is dt.time:
        # PostgreSQL's `time` is handed over without its fraction.
        return Time(value.hour, value.minute, value.second, 0, 0)
    if kind is decimal.Decimal:
        return _decimal(value)
    if kind is tuple:
        return tuple(inward(item) for item in value)
    return value


def record_in(value: Any) -> Any:
    """A record or changes: most hold little or nothing that needs to be converted."""
    if type(value) is not dict:
        return inward(value)
    changed: dict[Any, Any] | None = None
    for key, item in value.items():
        if type(item) not in _SIMPLE:
            new = inward(item)
            if new is not item:
                changed = dict(value) if changed is None else changed
                changed[key] = new
    return value if changed is None else changed


def _moment(value: dt.datetime) -> NaiveDateTime:
    kind: type[NaiveDateTime] = NaiveDateTime
    if value.tzinfo is not None:
        value, kind = value.astimezone(dt.UTC), DateTime
    # A server's values from PostgreSQL always have six digits.
    return kind(value.year, value.month, value.day, value.hour, value.minute, value.second,
                value.microsecond, 6)  # fmt: skip


def _decimal(value: decimal.Decimal) -> Any:
    sign, digits, exponent = value.as_tuple()
    if type(exponent) is not int:
        return str(value)  # a server leaves `NaN` as text
    coef = int("".join(map(str, digits)) or "0")
    return Decimal(-1 if sign else 1, coef, exponent)


_JSON_TYPES: Final = frozenset((str, int, bool, type(None)))


def outward(value: Any, *, as_json: bool, depth: int = 0) -> Any:
    """A result as plain data.

    `as_json` gives what Jason makes of it on a server: times and decimals are text. Otherwise they
    stay times and decimals. Raises `ElixirError` for a value without a JSON form.
    """
    kind = type(value)
    if kind is str:
        if not value.isascii() and not is_utf8(value):
            raise _broken(value)
        return value
    if value is None or kind is bool:
        return value
    if kind is int:
        if value.bit_length() > MAX_BITS:
            raise NotEvaluated("an integer of more than 4,300 digits as a result")
        return value
    if kind is float:
        return value
    if kind is Atom:
        return value.name
    if depth > MAX_DEPTH:
        raise NotEvaluated("a result that is nested this deeply")
    if kind is dict:
        return _map(value, as_json, depth)
    if kind is list:
        return [outward(item, as_json=as_json, depth=depth + 1) for item in value]
    if isinstance(value, Struct):
        found = _struct(value, as_json)
        if found is not None:
            return found
    raise protocol("Jason.Encoder", value)


def _map(value: dict[Any, Any], as_json: bool, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    plain = all(type(key) is Atom or type(key) is str for key in value)
    entries = value.items() if plain else sorted_items(value)
    for key, item in entries:
        if type(key) is Atom:
            name = key.name
        elif type(key) is str:
            name = outward(key, as_json=True)
        else:
            name = "nil" if key is None else to_text(key)
        found[name] = outward(item, as_json=as_json, depth=depth + 1)
    if len(found) < len(value):
        raise NotEvaluated("a map with two keys that are the same as text")
    return found


def _struct(value: Struct, as_json: bool) -> Any:
    if isinstance(value, NaiveDateTime):
        if as_json:
            return value.text("T")
        zone = dt.UTC if isinstance(value, DateTime) else None
        return dt.datetime(value.year, value.month, value.day, value.hour, value.minute,
                           value.second, value.microsecond, zone)  # fmt: skip
    if isinstance(value, Date):
        return value.text() if as_json else dt.date(value.year, value.month, value.day)
    if isinstance(value, Time):
        return (
            value.text()
            if as_json
            else dt.time(value.hour, value.minute, value.second, value.microsecond)
        )
    if isinstance(value, Decimal):
        if abs(value.exp) > MAX_BITS:
            raise NotEvaluated("a decimal of this size as a result")
        return value.normal() if as_json else decimal.Decimal(value.text())
    return None


def _broken(text: str) -> ElixirError:
    data = bytes_of(text)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        message = f"invalid byte 0x{data[error.start]:02X} in {inspect(text)}"
        return ElixirError("Jason.EncodeError", message)
    raise AssertionError(text)


def filter_verdict(value: Any) -> bool:
    """A filter's value, which must be true or false."""
    if value is True or value is False:
        return value
    text = f"Filter function must return true or false, got: {inspect(value)}"
    raise ElixirError("Sequin.Error.InvariantError", text)


def route_values(value: Any) -> dict[str, Any]:
    """A routing function's value: a map whose keys are all atoms or all strings."""
    if type(value) is dict and value:
        kinds = set(map(type, value))
        if kinds == {Atom} and _JSON_TYPES.issuperset(map(type, value.values())):
            return {key.name: outward(item, as_json=False) for key, item in value.items()}
        if len(kinds) > 1 or not kinds <= {Atom, str}:
            raise ElixirError(
                "Ecto.CastError",
                "expected params to be a map with atoms or string keys, got a map with mixed "
                f"keys: {inspect(value)}",
            )
    if type(value) is not dict:
        raise ElixirError(
            "FunctionClauseError",
            f"a routing function must return a map, got: {inspect(value)}",
        )
    found: dict[str, Any] = outward(value, as_json=False)
    for key, item in value.items():
        if type(item) is Atom:
            found[key.name if type(key) is Atom else key] = Identifier(item.name)
    return found
