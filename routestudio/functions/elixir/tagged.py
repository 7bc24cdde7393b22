"""Elixir's values in JSON, nothing lost: the tagged encoding of `eval --batch`.

docs/guides/command-line.md
"""

from __future__ import annotations

import base64
from types import FunctionType
from typing import Any

from routestudio.functions.elixir.calendar import parse_date, parse_datetime, parse_time
from routestudio.functions.elixir.convert import MAX_BITS
from routestudio.functions.elixir.errors import ElixirError, NotEvaluated
from routestudio.functions.elixir.lib.decimal import new as new_decimal
from routestudio.functions.elixir.ops import sorted_items
from routestudio.functions.elixir.regexes import Regex
from routestudio.functions.elixir.structs import (
    Date,
    DateRange,
    DateTime,
    Decimal,
    NaiveDateTime,
    Time,
    Uri,
)
from routestudio.functions.elixir.values import (
    Atom,
    Cons,
    Reference,
    Struct,
    atom,
    atom_name,
    bytes_of,
    is_utf8,
    key_in,
    text_of,
)


def decode(value: Any) -> Any:
    """A value of the encoding. Raises `ValueError` for a tag that is unknown or wrong."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, content),) = value.items()
        if tag.startswith("$"):
            return _untagged(tag, content)
    return {
        atom(key[1:]) if key.startswith(":") else key: decode(item) for key, item in value.items()
    }


def _untagged(tag: str, content: Any) -> Any:
    match tag:
        case "$datetime" | "$naive":
            found = parse_datetime(content)
            if type(found[0]) is not NaiveDateTime:
                raise ValueError(f"not a time: {content}")
            naive = found[0]
            if tag == "$naive":
                return naive
            return DateTime(
                naive.year,
                naive.month,
                naive.day,
                naive.hour,
                naive.minute,
                naive.second,
                naive.microsecond,
                naive.precision,
            )
        case "$date" | "$time":
            found = (parse_date if tag == "$date" else parse_time)(content)
            if type(found[1]) is Atom:
                raise ValueError(f"not a date or time: {content}")
            return found[1]
        case "$decimal":
            try:
                return new_decimal(content)
            except ElixirError as error:
                raise ValueError(error.message) from None
        case "$atom":
            return atom(content)
        case "$tuple":
            return tuple(decode(item) for item in content)
        case "$map":
            return {key_in(decode(key)): decode(item) for key, item in content}
        case "$bytes":
            return text_of(base64.b64decode(content))
    raise ValueError(f"an unknown tag: {tag}")


def encode(value: Any) -> Any:
    """Any value in the encoding."""
    kind = type(value)
    if kind is str:
        if is_utf8(value):
            return value
        return {"$bytes": base64.b64encode(bytes_of(value)).decode()}
    if kind is int:
        if value.bit_length() > MAX_BITS:
            raise NotEvaluated("an integer of more than 4,300 digits as a result")
        return value
    if value is None or kind is bool or kind is float:
        return value
    if kind is Atom:
        return {"$atom": value.name}
    if kind is list:
        return [encode(item) for item in value]
    if kind is tuple:
        return {"$tuple": [encode(item) for item in value]}
    if kind is dict:
        return _map(value)
    if kind is Cons:
        return {"$improper": [*map(encode, value.items), encode(value.tail)]}
    if kind is FunctionType:
        return {"$fun": value.__code__.co_argcount}
    return _struct(value)


def _map(value: dict[Any, Any]) -> Any:
    items = sorted_items(value)
    if all(
        (type(key) is str and not key.startswith((":", "$")) and is_utf8(key)) or type(key) is Atom
        for key, _ in items
    ):
        return {f":{key.name}" if type(key) is Atom else key: encode(item) for key, item in items}
    if all(atom_name(key) is not None for key, _ in items):
        return {f":{atom_name(key)}": encode(item) for key, item in items}
    return {"$map": [[encode(key), encode(item)] for key, item in items]}


def _struct(value: Any) -> Any:
    if isinstance(value, DateTime):
        return {"$datetime": value.text("T")}
    if isinstance(value, NaiveDateTime):
        return {"$naive": value.text("T")}
    if isinstance(value, Date):
        return {"$date": value.text()}
    if isinstance(value, Time):
        return {"$time": value.text()}
    if isinstance(value, Decimal):
        return {"$decimal": value.text()}
    if isinstance(value, Regex):
        return {"$regex": [value.source, value.letters()]}
    if isinstance(value, Uri):
        parts = {
            key.name: encode(item)
            for key, item in value.fields().items()
            if key.name != "authority"
        }
        return {"$uri": parts}
    if isinstance(value, DateRange):
        return {"$daterange": [encode(value.first), encode(value.last), value.step]}
    if isinstance(value, Struct):
        return {"$struct": [value.module, encode(value.fields())]}
    return {"$opaque": value.text if isinstance(value, Reference) else type(value).__name__}
