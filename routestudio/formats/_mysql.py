"""MySQL's column types by the nearest type of PostgreSQL, and its text values for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from routestudio.formats._columns import scale_of, value_of

_TYPES: Final[Mapping[str, str]] = {
    "tinyint": "int2", "smallint": "int2", "mediumint": "int4", "int": "int4", "integer": "int4",
    "bigint": "int8", "year": "int4", "bit": "int8", "bool": "int2", "boolean": "int2",
    "float": "float4", "double": "float8", "real": "float8", "decimal": "numeric",
    "numeric": "numeric", "dec": "numeric", "fixed": "numeric",
    "char": "bpchar", "varchar": "varchar", "tinytext": "text", "text": "text",
    "mediumtext": "text", "longtext": "text", "enum": "text", "set": "text",
    "binary": "bytea", "varbinary": "bytea", "tinyblob": "bytea", "blob": "bytea",
    "mediumblob": "bytea", "longblob": "bytea", "json": "json",
    "date": "date", "time": "time", "datetime": "timestamp", "timestamp": "timestamp",
}  # fmt: skip
_LABEL: Final = re.compile(r"'((?:[^']|'')*)'")
_UNSIGNED: Final = {"int2": "int4", "int4": "int8", "int8": "numeric"}
"""What holds the numbers of an unsigned type."""


def type_name(written: str) -> str:
    """The type of PostgreSQL that is nearest to a type of MySQL, such as `int(11) unsigned`."""
    words = written.lower().replace("(", " (").split()
    if not words:
        return "text"
    found = _TYPES.get(words[0], words[0])
    if "unsigned" in words and words[0] not in ("tinyint", "mediumint", "bit", "year"):
        return _UNSIGNED.get(found, found)
    return found


def value(text: Any, type_: str, written: str) -> Any:
    """A value that was written as text, for a type of `type_name`, which MySQL calls `written`.

    Bytes are written as text of ISO 8859-1, so that each character is one byte. Labels of `enum`
    and `set` are written as numbers, and zeros at the end of a decimal may be left out.
    """
    if not isinstance(text, str):
        return text
    if (
        type_ == "text"
        and text.isascii()
        and text.isdigit()
        and written.startswith(("enum(", "set("))
    ):
        return _labels(int(text[:20]), written)
    if type_ == "numeric":
        scale = scale_of(written) if "(" in written else None
        whole, point, rest = text.partition(".")
        padded = scale and (rest.isdigit() or not point) and whole.lstrip("-").isdigit()
        return f"{whole}.{rest.ljust(scale, '0')}" if padded and scale else text
    if type_ == "bytea":
        try:
            return "\\x" + text.encode("latin-1").hex()
        except UnicodeEncodeError:
            return text
    return value_of(text, type_)


def _labels(number: int, written: str) -> str:
    """The label of an `enum`, or the labels of a `set`, by number; its text if there are none."""
    labels = [label.replace("''", "'") for label in _LABEL.findall(written)]
    if written.startswith("enum("):
        return labels[number - 1] if 0 < number <= len(labels) else str(number)
    if number >> len(labels):
        return str(number)
    return ",".join(label for place, label in enumerate(labels) if number >> place & 1)
