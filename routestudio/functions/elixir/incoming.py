"""The values of rows as a server hands them to a function, from JSON and the types of columns.

JSON has no decimals and no times, but a server has them where a column is one. Where nobody says a
column's type, the form of a text is taken as a guess: ISO 8601 for a date or time, digits with a
point for a decimal (docs/decisions/0016, docs/reference/elixir.md#values-from-postgresql).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from routestudio.functions.elixir.convert import inward
from routestudio.functions.elixir.structs import Decimal, Time
from routestudio.model.column_types import NUMERIC, guess_of, value_of

_SIMPLE: Final = frozenset((str, int, bool, type(None), float))
_NUMBER: Final = re.compile(r"(-?)(\d{1,200000})(?:\.(\d{1,200000}))?\Z", re.ASCII)
_SURE: Final = frozenset({"date", "timestamp", "timestamptz"})


def values_of(columns: Any, types: Mapping[str, str] | None = None) -> Any:
    """A record, or changes, as a function gets them. Most hold little that has to be converted."""
    if type(columns) is not dict:
        return inward(columns)
    changed: dict[Any, Any] | None = None
    for key, item in columns.items():
        if type(item) is str:
            if types is not None and key in types:
                new = typed(item, types[key])
            elif not item or item[0] > "9":
                continue
            else:
                new = guessed(item)
        elif type(item) in _SIMPLE:
            continue
        elif types is not None and types.get(key):
            new = typed(item, types[key])
        else:
            new = inward(item)
        if new is not item:
            changed = dict(columns) if changed is None else changed
            changed[key] = new
    return columns if changed is None else changed


def sure(columns: Any, types: Mapping[str, str] | None = None) -> Any:
    """The columns with what may be guessed wrongly left as text; `None` if nothing is."""
    if type(columns) is not dict:
        return None
    texts = {
        key: item
        for key, item in columns.items()
        if type(item) is str and (types is None or key not in types) and _unsure(item)
    }
    return {**values_of(columns, types), **texts} if texts else None


def typed(value: Any, type_: str) -> Any:
    """A value of JSON for a known type; an empty one is a type of which JSON has the values."""
    if type(value) is str:
        if type_ == NUMERIC:
            return _decimal(value)
        return inward(value_of(value, type_)) if type_ else value
    if type(value) is list and type_.endswith("[]"):
        return [typed(item, type_ if type(item) is list else type_[:-2]) for item in value]
    return inward(value)


def guessed(text: str) -> Any:
    """What a text is taken for by its form; any other text as it is."""
    if len(text) >= 10 and text[4] == "-" == text[7]:
        return timed(text)
    if "." in text:
        return _decimal(text) if guess_of(text) == NUMERIC else text
    if len(text) == 8 and text[2] == ":" and guess_of(text) is not None:
        return Time(int(text[:2]), int(text[3:5]), int(text[6:]), 0, 0)
    return text


def timed(text: str) -> Any:
    """The date or time that a text in ISO 8601 is on a server; any other text as it is.

    PostgreSQL's moments have six digits of a second.
    """
    guess = guess_of(text)
    return inward(value_of(text, guess)) if guess in _SURE else text


def _unsure(text: str) -> bool:
    return type(guessed(text)) in (Decimal, Time)


def _decimal(text: str) -> Any:
    found = _NUMBER.match(text)
    if found is None:
        return text  # a server leaves `NaN` as text
    sign, whole, rest = found.groups()
    return Decimal(-1 if sign else 1, int(whole + (rest or "")), -len(rest or ""))
