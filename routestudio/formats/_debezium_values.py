"""Values of Debezium: what stands for unchanged ones, what stands for none, rows of both."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from routestudio.formats._connect_types import (
    Columns,
    InexactError,
    from_base64,
    geometry,
    is_scaled,
    number_text,
    point,
    scaled,
)
from routestudio.formats._decode import Number, exact, has_long_number
from routestudio.formats.base import UNCHANGED_TOAST

PLACEHOLDER: Final = "__debezium_unavailable_value"

_BASE64_ENDING: Final = re.compile(r"[A-Za-z0-9+/]{2,}={1,2}", re.ASCII)
_ZERO_TEXT: Final = re.compile(
    r"(?:0(?:\.0+)?|1970-01-01(?:T00:00:00(?:\.0+)?)?Z?|00:00:00(?:\.0+)?Z?|AA==|\{\}|"
    r"P0Y0M0DT0H0M0(?:\.0+)?S|00000000-0000-0000-0000-000000000000)?",
    re.ASCII,
)
_ROUNDED: Final = 16
"""Length of the text of a double from which on it may have been a longer decimal."""
_DOUBLE_DIGITS: Final = 17
_LARGEST: Final = 2**63


class Unavailable:
    """The forms of the placeholder that stands for a large value which an update did not change."""

    def __init__(self, placeholder: str = PLACEHOLDER) -> None:
        """`placeholder` is the connector's `unavailable.value.placeholder`; it may be in `hex:`."""
        if not placeholder:
            raise ValueError("`unavailable` is empty")
        data = placeholder.encode()
        if placeholder.startswith("hex:"):
            data = bytes.fromhex(placeholder[4:])
        text = data.decode(errors="replace")
        coded = base64.b64encode(data).decode()
        self.text = text
        self.texts = frozenset({text, coded, base64.urlsafe_b64encode(data).decode(), data.hex()})
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        self._items = self.texts | {str(uuid.UUID(bytes=digest, version=3))}
        self._codes = (list(data), [code - 256 if code > 127 else code for code in data])
        self._map = {text: text}
        self._json = frozenset({f'{{"{text}":"{text}"}}', f'{{"{text}": "{text}"}}'})

    def __contains__(self, value: object) -> bool:
        """Whether a value that is not decoded yet is one of the forms."""
        kind = type(value)
        if kind is str:
            return value in self.texts or value in self._json
        if kind is list:
            if len(value) == 1 and type(value[0]) is str:  # type: ignore[arg-type,index]
                return value[0] in self._items  # type: ignore[index]
            return value in self._codes
        return kind is dict and value == self._map


def is_zero(value: Any) -> bool:
    """Whether a value (not decoded) is null, empty or zero: what Debezium fills in for unknown."""
    if not value:
        return True
    if type(value) is str:
        return _ZERO_TEXT.fullmatch(value) is not None
    if type(value) is dict:
        return all(is_zero(v) for k, v in value.items() if k not in ("wkb", "srid"))
    return False


class Rows:
    """Decodes rows with their schema, or without one what shows by itself what it is."""

    def __init__(self, unavailable: Unavailable) -> None:
        self._unavailable = unavailable

    def decoded(
        self, row: Mapping[str, Any], columns: Columns | None, text: bytes | None, part: str
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The row as a server gives it, and notes. `text` is all of the value, `part` the row's
        name in it: where a double lost digits, the number is read again."""
        if columns is None:
            return self._bare(row, text, part)
        found = dict(row)
        notes: tuple[str, ...] = ()
        texts = self._unavailable.texts
        for name in columns.texts:
            value = found.get(name)
            if type(value) is str and value in texts:
                found[name] = UNCHANGED_TOAST
        for name in columns.lists:
            if found.get(name) in self._unavailable:
                found[name] = UNCHANGED_TOAST
        for name, convert in columns.decoded:
            value = found.get(name)
            if value is None:
                continue
            try:
                if name in columns.large and value in self._unavailable:
                    found[name] = UNCHANGED_TOAST
                else:
                    found[name] = convert(value)
            except InexactError:
                found[name] = _again(convert, value, name, text, part)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError):
                notes += (f"`{name}` does not fit its schema, and is given as it came.",)
        for name in columns.sums:
            if found.get(name) not in (None, UNCHANGED_TOAST):
                notes += (_SUM.format(name),)
        return found, notes

    def _bare(
        self, row: Mapping[str, Any], text: bytes | None, part: str
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """A row without schema: only what cannot be anything else is decoded, the rest is noted."""
        found = dict(row)
        unavailable = self._unavailable
        coded, json = [], []
        for name, value in row.items():
            kind = type(value)
            if kind is str:
                if value in unavailable:
                    found[name] = UNCHANGED_TOAST
                elif value[-1:] == "=" and _is_coded(value):
                    coded.append(name)
                elif value[:1] == "{" and _is_json(value):
                    json.append(name)
            elif kind is int:
                if not -_LARGEST <= value < _LARGEST:
                    found[name] = number_text(value)
            elif kind is float:
                found[name] = _double(value, name, text, part)
            elif kind is dict or kind is list:
                found[name] = self._nested(value)
        notes: tuple[str, ...] = ()
        if coded:
            notes += (_CODED.format(_named(coded)),)
        if json:
            notes += (_JSON.format(_named(json)),)
        return found, notes

    def _nested(self, value: Any) -> Any:
        if value in self._unavailable:
            return UNCHANGED_TOAST
        if is_scaled(value):
            try:
                return scaled(value)
            except (TypeError, ValueError):
                return value
        if type(value) is dict and "wkb" in value and "srid" in value:
            return _shape(value)
        if type(value) is list and any(is_scaled(item) for item in value):
            return [self._nested(item) if is_scaled(item) else item for item in value]
        return value


_SUM: Final = (
    "`{}` came as a sum of microseconds: its months and days are recomputed with 30.4375 days to "
    "a month. `interval.handling.mode=string` keeps them."
)
_CODED: Final = (
    "{} may be a decimal or bytes in Base64, which only the schema shows: set "
    "`decimal.handling.mode=string`, or send the schema."
)
_JSON: Final = (
    "{} may be JSON, which only the schema shows: it is text here, and decoded on a Sequin server. "
    "Send the schema."
)


def _shape(value: dict[str, Any]) -> Any:
    """A point or a geometry, which no other value looks like."""
    try:
        if value.keys() == {"x", "y", "wkb", "srid"}:
            return point(value)
        return geometry(value) if len(value) == 2 else value
    except (TypeError, ValueError, AttributeError):
        return value


def _named(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _is_coded(value: str) -> bool:
    if len(value) % 4 or len(value) > 4_096 or not _BASE64_ENDING.fullmatch(value):
        return False
    try:
        from_base64(value)
    except ValueError:
        return False
    return True


def _is_json(value: str) -> bool:
    """Whether a text in braces may be JSON; brackets are not looked at: `[1,5]` is a range."""
    return value[0] == "{" and value[-1] == "}" and value[1:].lstrip()[:1] in ('"', "}")


def _again(convert: Any, value: Any, name: str, text: bytes | None, part: str) -> Any:
    """A decimal with more digits than a double holds, from the text of the value."""
    row = _exactly(text, part)
    number = value if row is None else row.get(name, value)
    try:
        return convert(number)
    except ValueError:
        # Without the text there is only the double; its digits are what is left of the value.
        return convert(Decimal(repr(value))) if isinstance(value, float) else value


def _double(value: float, name: str, text: bytes | None, part: str) -> Any:
    """A number with a point: text, when it has more digits than any double is written with."""
    if text is None or (len(repr(value)) < _ROUNDED and not has_long_number(text)):
        return value
    row = _exactly(text, part)
    number = None if row is None else row.get(name)
    if not isinstance(number, Number):
        return value
    decimal = Decimal(number.text)
    return format(decimal, "f") if len(decimal.as_tuple().digits) > _DOUBLE_DIGITS else value


def _exactly(text: bytes | None, part: str) -> Mapping[str, Any] | None:
    """A row with exact decimals, out of the text of its value."""
    if text is None:
        return None
    try:
        value = exact(text)
    except ValueError:
        return None
    for name in filter(None, part.split(".")):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None
