"""What a Python function may use besides its own code: one table, with documentation.

The checker takes the allowed names from here, the worker the objects, the editor the help. No
module object is ever handed out: each namespace holds single functions and constants.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import hashlib
import json
import math
import re
import sys
import time
import types
import unicodedata
import urllib.parse
import uuid
from dataclasses import dataclass
from typing import Any, Final

from routestudio.functions import clock, plain_json
from routestudio.functions.metadata import METADATA_FIELDS


@dataclass(frozen=True, slots=True)
class Entry:
    """A name that functions may use: `name` as written, its signature and one sentence."""

    name: str
    signature: str
    doc: str


_BUILTINS: Final[tuple[tuple[Any, str, str], ...]] = (
    (len, "len(value)", "Number of items, or of characters."),
    (str, "str(value)", "The value as text."),
    (int, "int(value, base=10)", "The value as a whole number."),
    (float, "float(value)", "The value as a floating-point number."),
    (bool, "bool(value)", "Whether the value is true."),
    (dict, "dict(**entries)", "A new map."),
    (list, "list(items)", "A new list."),
    (tuple, "tuple(items)", "A new tuple."),
    (set, "set(items)", "A new set."),
    (frozenset, "frozenset(items)", "A set that cannot change."),
    (bytes, "bytes(items)", "Bytes, e.g. of `text.encode()`."),
    (min, "min(items)", "The smallest item."),
    (max, "max(items)", "The largest item."),
    (sum, "sum(items)", "The sum of numbers."),
    (sorted, "sorted(items, key=None, reverse=False)", "A sorted list."),
    (reversed, "reversed(items)", "The items from last to first."),
    (any, "any(items)", "Whether at least one item is true."),
    (all, "all(items)", "Whether every item is true."),
    (abs, "abs(number)", "The number without its sign."),
    (round, "round(number, digits=0)", "The number rounded."),
    (divmod, "divmod(a, b)", "Quotient and remainder."),
    (pow, "pow(a, b)", "`a` to the power of `b`."),
    (enumerate, "enumerate(items, start=0)", "Pairs of position and item."),
    (zip, "zip(*lists)", "Items of several lists side by side."),
    (range, "range(start, stop, step)", "Whole numbers in a range."),
    (map, "map(function, items)", "The function applied to each item."),
    (filter, "filter(function, items)", "The items for which the function is true."),
    (isinstance, "isinstance(value, type)", "Whether the value is of a type."),
    (repr, "repr(value)", "The value as Python would write it."),
    (ord, "ord(character)", "The character's code point."),
    (chr, "chr(number)", "The character of a code point."),
    (hex, "hex(number)", "The number in hexadecimal."),
    (ValueError, "ValueError(text)", "A value is not acceptable."),
    (KeyError, "KeyError(name)", "A key is missing."),
    (IndexError, "IndexError(text)", "A position is out of range."),
    (TypeError, "TypeError(text)", "A value has the wrong type."),
    (LookupError, "LookupError(text)", "A key or position is missing."),
    (ArithmeticError, "ArithmeticError(text)", "A calculation failed."),
    (ZeroDivisionError, "ZeroDivisionError(text)", "A division by zero."),
    (AttributeError, "AttributeError(text)", "An attribute is missing."),
    (Exception, "Exception(text)", "Any of the errors above."),
)

_RE_FLAGS: Final = {"IGNORECASE": re.IGNORECASE, "MULTILINE": re.MULTILINE, "DOTALL": re.DOTALL}

_NAMESPACES: Final[dict[str, dict[str, tuple[Any, str, str]]]] = {
    "re": {
        "search": (re.search, "(pattern, text, flags=0)", "First match anywhere, or None."),
        "match": (re.match, "(pattern, text, flags=0)", "Match at the start, or None."),
        "fullmatch": (re.fullmatch, "(pattern, text, flags=0)", "Match of the whole, or None."),
        "findall": (re.findall, "(pattern, text, flags=0)", "All matches."),
        "sub": (re.sub, "(pattern, replacement, text, count=0)", "Text with matches replaced."),
        "split": (re.split, "(pattern, text, maxsplit=0)", "Text cut at the matches."),
        "escape": (re.escape, "(text)", "Text with special characters escaped."),
        **{name: (flag, "", "A flag for the functions of `re`.")
           for name, flag in _RE_FLAGS.items()},
    },
    "json": {
        "dumps": (plain_json.dumps, "(value)", "The value as JSON text."),
        "loads": (json.loads, "(text)", "The value of JSON text."),
    },
    "datetime": {
        "datetime": (clock.Datetime, "(year, month, day, ...)", "A date with a time."),
        "date": (clock.Date, "(year, month, day)", "A date."),
        "time": (datetime.time, "(hour, minute, second)", "A time of day."),
        "timedelta": (datetime.timedelta, "(days=0, seconds=0, ...)", "A length of time."),
        "timezone": (datetime.timezone, "(offset)", "A time zone; `timezone.utc`."),
    },
    "decimal": {
        "Decimal": (decimal.Decimal, "(text)", "An exact decimal number."),
    },
    "math": {
        name: (getattr(math, name), "(number)", doc)
        for name, doc in {
            "floor": "Rounded down.", "ceil": "Rounded up.", "sqrt": "Square root.",
            "log": "Logarithm.", "log10": "Logarithm to base 10.", "isnan": "Not a number?",
            "isfinite": "A finite number?", "trunc": "Without its fraction.",
        }.items()
    },
    "hashlib": {
        name: (getattr(hashlib, name), "(bytes)", f"The {name.upper()} hash; `.hexdigest()`.")
        for name in ("md5", "sha1", "sha256", "sha512")
    },
    "base64": {
        name: (getattr(base64, name), "(bytes)", doc)
        for name, doc in {
            "b64encode": "Base64 of bytes.", "b64decode": "Bytes of Base64.",
            "urlsafe_b64encode": "Base64 for URLs.", "urlsafe_b64decode": "Bytes of Base64.",
        }.items()
    },
    "uuid": {
        "uuid5": (uuid.uuid5, "(namespace, name)", "A UUID made from a name."),
        "UUID": (uuid.UUID, "(text)", "A UUID."),
        "NAMESPACE_URL": (uuid.NAMESPACE_URL, "", "Name space for `uuid5`."),
        "NAMESPACE_DNS": (uuid.NAMESPACE_DNS, "", "Name space for `uuid5`."),
    },
    "url": {
        "quote": (urllib.parse.quote, "(text, safe='/')", "Text escaped for a URL path."),
        "unquote": (urllib.parse.unquote, "(text)", "Text of an escaped path."),
        "urlencode": (urllib.parse.urlencode, "(map)", "A map as a query string."),
    },
}  # fmt: skip

_ATTRIBUTES: Final = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "expandtabs",
    "find",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
    "encode",
    "decode",
    "hex",
    "maketrans",
    "translate",
    "get",
    "items",
    "keys",
    "values",
    "pop",
    "setdefault",
    "update",
    "copy",
    "append",
    "extend",
    "insert",
    "remove",
    "sort",
    "reverse",
    "clear",
    "add",
    "discard",
    "union",
    "intersection",
    "difference",
    "symmetric_difference",
    "issubset",
    "issuperset",
    "isdisjoint",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "microsecond",
    "date",
    "time",
    "timestamp",
    "isoformat",
    "strftime",
    "weekday",
    "isoweekday",
    "isocalendar",
    "astimezone",
    "total_seconds",
    "days",
    "seconds",
    "tzinfo",
    "utcoffset",
    "fromisoformat",
    "strptime",
    "fromtimestamp",
    "now",
    "today",
    "utc",
    "combine",
    "week",
    "quantize",
    "to_integral_value",
    "as_tuple",
    "normalize",
    "is_nan",
    "is_finite",
    "is_zero",
    "is_signed",
    "compare",
    "sign",
    "digits",
    "exponent",
    "adjusted",
    "scaleb",
    "copy_abs",
    "real",
    "imag",
    "numerator",
    "denominator",
    "bit_length",
    "is_integer",
    "group",
    "groups",
    "groupdict",
    "start",
    "end",
    "span",
    "lastindex",
    "string",
    "hexdigest",
    "digest",
    "bytes",
    "int",
    "args",
    "fromkeys",
]

ALLOWED_ATTRIBUTES: Final = (
    frozenset(_ATTRIBUTES)
    | METADATA_FIELDS
    | frozenset(name for entries in _NAMESPACES.values() for name in entries)
)
"""Every attribute name that a function may write; none of them leads out of plain data."""

MODULES: Final = frozenset(_NAMESPACES)
"""Names of the namespaces, which need no import."""

DICT_METHODS: Final = frozenset(
    ["get", "items", "keys", "values", "pop", "setdefault", "update", "copy", "clear"]
)


class Namespace(types.SimpleNamespace):
    """One namespace; its text holds no addresses, so that it is the same in every run."""

    __slots__ = ("_text",)

    def __init__(self, name: str, entries: dict[str, Any]) -> None:
        super().__init__(**entries)
        self._text = f"<library {name}>"

    def __repr__(self) -> str:
        return self._text


datetime.datetime.strptime("1970", "%Y")  # loads `_strptime`
_LOADED: Final = {
    name: sys.modules[name] for name in (time.__name__, "_strptime", unicodedata.__name__)
}


def _module(name: str, *_: object) -> types.ModuleType:
    """Modules that C code of the standard library imports for a function, through its built-ins.

    `strftime` needs `time`. A function cannot name this: the checker refuses `__import__`.
    """
    if name not in _LOADED:
        raise ImportError(f"{name} cannot be imported")
    return _LOADED[name]


def environment() -> dict[str, Any]:
    """Fresh globals for a user function: the table's objects and no built-ins besides them."""
    names: dict[str, Any] = {item.__name__: item for item, _, _ in _BUILTINS}
    for name, entries in _NAMESPACES.items():
        names[name] = Namespace(name, {key: item for key, (item, _, _) in entries.items()})
    names["Decimal"] = decimal.Decimal
    names["__import__"] = _module
    return {"__builtins__": names, "__name__": "function"}


def builtin_names() -> frozenset[str]:
    """Names that need no definition in a function."""
    return frozenset(item.__name__ for item, _, _ in _BUILTINS) | MODULES | {"Decimal"}


def entries() -> tuple[Entry, ...]:
    """The whole table for completion and help, names as they are written."""
    found = [Entry(item.__name__, signature, doc) for item, signature, doc in _BUILTINS]
    for space, names in _NAMESPACES.items():
        found += [
            Entry(f"{space}.{name}", f"{space}.{name}{signature}", doc)
            for name, (_, signature, doc) in names.items()
        ]
    return tuple(found)
