"""Types of columns: who says them, what a value without one is taken for, how values read.

A message holds its values as JSON has them: a decimal and a time are text, written as a Sequin
server writes them. Beside them stand the types of columns, by PostgreSQL's names, as far as
somebody says them. Functions get the values that these types give (docs/decisions/0016).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

NUMERIC: Final = "numeric"
DATE: Final = "date"
TIME: Final = "time"
TIMESTAMP: Final = "timestamp"
TIMESTAMPTZ: Final = "timestamptz"
TEXT: Final = "text"

READ: Final = frozenset({NUMERIC, DATE, TIME, "timetz", TIMESTAMP, TIMESTAMPTZ})
"""Types whose values are text in JSON and another thing in functions."""

MOMENTS: Final = frozenset({TIMESTAMP, TIMESTAMPTZ})

_NUMBER: Final = re.compile(r"-?\d{1,200000}(?:\.\d{1,200000})?\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9]\d{0,39})\.\d{1,40}\Z", re.ASCII)
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\Z", re.ASCII)
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,6})?(Z|[+-]\d\d:\d\d)?)?\Z", re.ASCII
)
_TAGS: Final = {
    "$decimal": NUMERIC, "$date": DATE, "$time": TIME, "$naive": TIMESTAMP,
    "$datetime": TIMESTAMPTZ,
}  # fmt: skip


class Moment(dt.datetime):
    """A time of a row in Python functions: its text is the one that a server writes.

    In ISO 8601 with six digits of a second, and `Z` where it has a zone, which is UTC.
    """

    __slots__ = ()

    def isoformat(self, sep: str = "T", timespec: str = "microseconds") -> str:
        text = super().isoformat(sep, timespec)
        return text[:-6] + "Z" if text.endswith("+00:00") else text

    def __str__(self) -> str:
        return self.isoformat()


# What an error of a function calls it.
Moment.__name__ = Moment.__qualname__ = "datetime"


def value_of(value: Any, type_: str) -> Any:
    """A value of JSON as Python functions get it for a type; as it is where it has no other form.

    What a server leaves as text stays text: `NaN`, `infinity`, dates before Christ.
    """
    if type(value) is str:
        return _read(value, type_)
    if type(value) is list and type_.endswith("[]"):
        return [value_of(item, type_ if type(item) is list else type_[:-2]) for item in value]
    return value


def _read(text: str, type_: str) -> Any:
    try:
        if type_ == NUMERIC:
            return Decimal(text) if _NUMBER.match(text) else text
        if type_ in MOMENTS:
            if len(text) < 19 or text[4] != "-":
                return text
            found = Moment.fromisoformat(text)
            if type_ == TIMESTAMP:
                return found.replace(tzinfo=None)
            return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
        if type_ == DATE:
            return dt.date.fromisoformat(text) if len(text) == 10 else text
        if type_ in (TIME, "timetz"):
            # A server cuts the fraction off.
            return dt.time.fromisoformat(text[:8]) if text[2:3] == ":" else text
    except (ValueError, OverflowError, InvalidOperation):
        return text
    return text


def guess_of(value: Any) -> str | None:
    """The type that a value is taken for by its form, where nobody says it.

    Digits with a point are a decimal, ISO 8601 is a date or time: so a server writes them.
    """
    if type(value) is not str or not value or value[0] > "9":
        return None
    if _DECIMAL.match(value):
        return NUMERIC
    if _CLOCK.match(value):
        return TIME
    found = _MOMENT.match(value)
    if found is None:
        return None
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) == 10:
        return DATE
    return TIMESTAMPTZ if found[1] else TIMESTAMP


def key_text(value: object, text: str, type_: str | None) -> str:
    """The text of a key's value: a server joins times with a blank between date and time."""
    if type_ in MOMENTS and type(value) is str and text[10:11] == "T":
        return f"{text[:10]} {text[11:]}"
    return text


# --- the form of messages ------------------------------------------------------------------------


def untagged(columns: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Columns without tags such as `{"$decimal": "2.50"}`, and the types that the tags say.

    A list of them is an array. A map that only looks like a tag stays one.
    """
    types: dict[str, str] = {}
    plain = columns
    for column, value in columns.items():
        kind = type(value)
        if kind is not dict and kind is not list:
            continue
        found = _tag(value) if kind is dict else _array(value)
        if found is None:
            continue
        if plain is columns:
            plain = dict(columns)
        plain[column], types[column] = found
    return plain, types


def _tag(value: Any) -> tuple[Any, str] | None:
    if type(value) is not dict or len(value) != 1:
        return None
    ((tag, text),) = value.items()
    type_ = _TAGS.get(tag)
    if type_ is None or type(text) is not str:
        return None
    return None if type(_read(text, type_)) is str else (text, type_)


def _array(items: list[Any]) -> tuple[Any, str] | None:
    found = [(None, "") if item is None else _tag(item) for item in items]
    types = {pair[1] for pair in found if pair is not None} - {""}
    if len(types) != 1 or None in found:
        return None
    return [pair[0] for pair in found if pair is not None], f"{types.pop()}[]"


def named(value: Any) -> Mapping[str, str] | None:
    """The part `types` of a row in the form of messages; `None` where it is not well-formed."""
    if not isinstance(value, dict):
        return None
    good = all(type(name) is str and type(type_) is str for name, type_ in value.items())
    return value if good else None
