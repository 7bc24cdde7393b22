"""Values of Kafka Connect as a Sequin server gives them, by the names that a schema has.

`Columns` is what is derived of the schema of a row; `Schemas` keeps it by the schema's identity.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from routestudio.formats import _times as times
from routestudio.formats._decode import Number, loads

Converter = Callable[[Any], Any]

DECIMAL: Final = "org.apache.kafka.connect.data.Decimal"
_MOST_SCALE: Final = 200_000
"""Digits after (or noughts before) the point; PostgreSQL has 16,383 and 131,072."""
_PLAIN_DIGITS: Final = 4_000
_EXACT_DIGITS: Final = 15
"""Significant digits of a decimal that a double keeps."""
_VARYING: Final = 2_147_483_647
_MOST_BITS: Final = 65_536


class InexactError(ValueError):
    """A decimal arrived as a number with more digits than a double holds: read its text again."""


# --- single values -------------------------------------------------------------------------------


def from_base64(text: str) -> bytes:
    """Bytes of Base64, of either alphabet. Raises `ValueError`."""
    if not text:
        return b""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        standard = text.replace("-", "+").replace("_", "/")
        return binascii.a2b_base64(standard, strict_mode=True)


def decimal_text(unscaled: int, scale: int) -> str:
    """`unscaled` times ten to the power of `-scale`, with all its digits: `12.50`."""
    if not -_MOST_SCALE <= scale <= _MOST_SCALE:
        raise ValueError(f"a decimal with the scale {scale}")
    sign, unscaled = ("-", -unscaled) if unscaled < 0 else ("", unscaled)
    # Numbers of thousands of digits are refused by `str`.
    short = unscaled.bit_length() < _PLAIN_DIGITS
    digits = str(unscaled) if short else format(Decimal(unscaled), "f")
    if scale <= 0:
        return sign + (digits + "0" * -scale if unscaled else "0")
    digits = digits.rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def decimal_of(scale: int) -> Converter:
    """Decoder of decimals: Base64 of their bytes, a number or a text (as `decimal.format` sets
    it)."""

    def convert(value: Any) -> str:
        if type(value) is str:
            return decimal_text(int.from_bytes(from_base64(value), "big", signed=True), scale)
        return number_text(value, scale)

    return convert


def number_text(value: Any, scale: int | None = None) -> str:
    """A JSON number as the text of a decimal with `scale`. Raises `InexactError` for doubles."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise TypeError("not a number")
    if isinstance(value, Number):
        exact = Decimal(value.text)
    else:
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    _, digits, exponent = exact.as_tuple()
    if not isinstance(exponent, int) or abs(exponent) > _MOST_SCALE:
        raise ValueError("not a number")
    if type(value) is float:
        # Digits that a double dropped do not show in it: what counts is how many there may be.
        places = max(-exponent, scale or 0)
        if max(len(digits) + exponent, 0) + places > _EXACT_DIGITS:
            raise InexactError
    text = format(exact, "f")
    if scale is None or scale <= 0 or -exponent > scale:
        return text.split(".")[0] if scale == 0 and exponent == -1 and digits[-1] == 0 else text
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(scale, '0')}"


def scaled(value: Any) -> str:
    """`{"scale": 1, "value": "fQ=="}`, which has all that is needed: `12.5`."""
    number, scale = value["value"], value["scale"]
    if type(scale) is not int:
        raise TypeError("not a scale")
    if type(number) is str:
        return decimal_text(int.from_bytes(from_base64(number), "big", signed=True), scale)
    return number_text(number, scale)


def is_scaled(value: Any) -> bool:
    """Whether a value is a decimal that brings its scale along."""
    return type(value) is dict and len(value) == 2 and "scale" in value and "value" in value


def json_of(value: Any) -> Any:
    """A decoded `json` value; what is not JSON stays text."""
    if type(value) is not str:
        return value
    try:
        return loads(value.encode())
    except ValueError:
        return value


def _bytea(value: str) -> str:
    return "\\x" + from_base64(value).hex()


def _bits_of(length: int) -> Converter:
    """Bits in little-endian bytes; those of `bit varying` lose their leading zeros."""

    def convert(value: str) -> str:
        data = from_base64(value)
        text = format(int.from_bytes(data, "little"), "b") if any(data) else ""
        wanted = length if length <= max(_MOST_BITS, 8 * len(data)) else 0
        return text.rjust(wanted, "0") or "0"

    return convert


def point(value: Mapping[str, Any]) -> str:
    """A point as PostgreSQL prints it: `(1.5,2)`."""
    return f"({_coordinate(value['x'])},{_coordinate(value['y'])})"


def _coordinate(value: float) -> str:
    return str(value).removesuffix(".0")


def geometry(value: Mapping[str, Any]) -> str:
    """A geometry as PostGIS prints it: its bytes in hexadecimal."""
    return from_base64(value["wkb"]).hex().upper()


def _milliseconds(of: Callable[[int], Any]) -> Converter:
    return lambda value: of(value * 1_000)


def _nanoseconds(of: Callable[[int], Any]) -> Converter:
    return lambda value: of(value // 1_000)


def _iso_day(value: str) -> str:
    return value.removesuffix("Z")


_D: Final = "io.debezium.data."
_T: Final = "io.debezium.time."
_C: Final = "org.apache.kafka.connect.data."

NAMED: Final[Mapping[str, tuple[Converter | None, str]]] = {
    _D + "VariableScaleDecimal": (scaled, "numeric"),
    _D + "Json": (json_of, "jsonb"),
    _D + "Uuid": (None, "uuid"),
    _D + "Xml": (None, "xml"),
    _D + "Tsvector": (None, "tsvector"),
    _D + "Ltree": (None, "ltree"),
    _D + "Enum": (None, "text"),
    _D + "EnumSet": (None, "text"),
    _D + "geometry.Point": (point, "point"),
    _D + "geometry.Geometry": (geometry, "geometry"),
    _D + "geometry.Geography": (geometry, "geography"),
    _T + "Timestamp": (_milliseconds(times.timestamp), "timestamp"),
    _T + "MicroTimestamp": (times.timestamp, "timestamp"),
    _T + "NanoTimestamp": (_nanoseconds(times.timestamp), "timestamp"),
    _T + "IsoTimestamp": (times.unzoned, "timestamp"),
    _T + "ZonedTimestamp": (times.zoned, "timestamptz"),
    _T + "Date": (times.day, "date"),
    _T + "IsoDate": (_iso_day, "date"),
    _T + "Time": (_milliseconds(times.time_of_day), "time"),
    _T + "MicroTime": (times.time_of_day, "time"),
    _T + "NanoTime": (_nanoseconds(times.time_of_day), "time"),
    _T + "IsoTime": (times.zoned_time, "time"),
    _T + "ZonedTime": (times.zoned_time, "timetz"),
    _T + "MicroDuration": (times.interval_sum, "interval"),
    _T + "NanoDuration": (_nanoseconds(times.interval_sum), "interval"),
    _T + "Interval": (times.interval, "interval"),
    _T + "Year": (None, "int4"),
    _C + "Timestamp": (_milliseconds(times.timestamp), "timestamp"),
    _C + "Date": (times.day, "date"),
    _C + "Time": (_milliseconds(times.time_of_day), "time"),
}
"""Decoders (none: the value is right as it is) and PostgreSQL's types, by names of schemas."""

_LARGE: Final = frozenset({"jsonb", "bytea", "bit", "varbit"})
_SUMS: Final = frozenset({_T + "MicroDuration", _T + "NanoDuration"})

_PRIMITIVE: Final[Mapping[str, tuple[Converter | None, str]]] = {
    "int8": (None, "int2"), "int16": (None, "int2"), "int32": (None, "int4"),
    "int64": (None, "int8"), "float": (None, "float4"), "float32": (None, "float4"),
    "double": (None, "float8"), "float64": (None, "float8"), "boolean": (None, "bool"),
    "string": (None, "text"), "bytes": (_bytea, "bytea"), "map": (None, "jsonb"),
}  # fmt: skip


# --- whole schemas -------------------------------------------------------------------------------


def converter(schema: Any) -> tuple[Converter | None, str]:
    """Decoder and PostgreSQL's type of one schema; `("")` for the type when it is not known."""
    if not isinstance(schema, dict):
        return None, ""
    name, kind = schema.get("name"), schema.get("type")
    parameters = schema.get("parameters")
    if name == DECIMAL:
        return decimal_of(_whole(parameters, "scale", 0)), "numeric"
    if name == _D + "Bits":
        length = _whole(parameters, "length", _VARYING)
        return _bits_of(length), "varbit" if length == _VARYING else "bit"
    if isinstance(name, str) and name in NAMED:
        return NAMED[name]
    if kind == "array":
        of, item = converter(schema.get("items"))
        return of and _listed(of), item and item + "[]"
    if kind == "struct":
        return _structured(Columns(schema)), ""
    return _PRIMITIVE.get(kind, (None, "")) if isinstance(kind, str) else (None, "")


def _whole(parameters: Any, name: str, default: int) -> int:
    try:
        return int(parameters[name])
    except (TypeError, KeyError, ValueError):
        return default


def _listed(of: Converter) -> Converter:
    def convert(value: list[Any]) -> list[Any]:
        return [None if item is None else of(item) for item in value]

    return convert


def _structured(columns: Columns) -> Converter:
    def convert(value: dict[str, Any]) -> dict[str, Any]:
        found = dict(value)
        for name, of in columns.decoded:
            if found.get(name) is not None:
                found[name] = of(found[name])
        return found

    return convert


class Columns:
    """What is derived of the schema of a row.

    `decoded` are the columns whose values change, `large` those of them that may hold what stands
    for an unchanged large value, `texts` and `lists` the columns that only may hold that, `types`
    the columns' types, `defaults` their defaults as the schema writes them, `filled` the columns in
    which a NULL looks like the default, `sums` the intervals that come without their parts.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.decoded: list[tuple[str, Converter]] = []
        self.large: frozenset[str] = frozenset()
        self.texts: list[str] = []
        self.lists: list[str] = []
        self.types: dict[str, str] = {}
        self.defaults: dict[str, Any] = {}
        self.filled: list[str] = []
        self.sums: list[str] = []
        fields = schema.get("fields")
        for field in fields if isinstance(fields, list) else ():
            if isinstance(field, dict) and isinstance(field.get("field"), str):
                self._add(field["field"], field)

    def _add(self, column: str, field: Mapping[str, Any]) -> None:
        of, kind = converter(field)
        if kind:
            self.types[column] = kind
        form = field.get("type")
        if of is not None:
            self.decoded.append((column, of))
            if form in ("array", "map", "struct") or kind in _LARGE:
                self.large |= {column}
        elif form == "string":
            self.texts.append(column)
        elif form in ("array", "map"):
            self.lists.append(column)
        if field.get("default") is not None:
            self.defaults[column] = field["default"]
            if field.get("optional"):
                self.filled.append(column)
        if str(field.get("name")) in _SUMS:
            self.sums.append(column)


class Schemas:
    """Columns by the identity of schemas: a reader gives equal schemas as the same object."""

    _MOST: Final = 256

    def __init__(self, *path: str) -> None:
        """`path` are names of fields of which one is the row; none: the schema is the row's."""
        self._path = path
        self._known: dict[int, tuple[Any, Columns | None]] = {}

    def of(self, schema: Any) -> Columns | None:
        """The columns of a schema, or `None` when there is none, or it has no rows."""
        if schema is None:
            return None
        known = self._known.get(id(schema))
        if known is None or known[0] is not schema:
            known = schema, self._columns(schema)
            if len(self._known) >= self._MOST:
                self._known.pop(next(iter(self._known)))
            self._known[id(schema)] = known
        return known[1]

    def _columns(self, schema: Any) -> Columns | None:
        if not isinstance(schema, dict) or not isinstance(schema.get("fields"), list):
            return None
        try:
            if not self._path:
                return Columns(schema)
            for field in schema["fields"]:
                if isinstance(field, dict) and field.get("field") in self._path:
                    return Columns(field) if isinstance(field.get("fields"), list) else None
        except RecursionError:
            pass  # nested deeper than rows are
        return None
