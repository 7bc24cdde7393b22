"""Types of columns on the way to functions: which are sent, and the values that Python gets.

Messages hold values as JSON has them. Their types go to the worker beside them, once for all rows
that have the same, and the worker makes the values: a decimal, a date, a time. Rows without types
cost nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from routestudio.model.analysis import Reads
from routestudio.model.column_types import READ, value_of
from routestudio.model.message import Message

Types = Mapping[str, str]
"""Columns whose type is known; the type is empty where values are what they are in JSON."""

_types_of: Final = attrgetter("types")

Sent = tuple[list[Types], list[int]]
"""The different types of the rows, and which of them each row has."""


def sent(messages: Sequence[Message], wanted: Reads) -> Sent | None:
    """The types of the columns that are read; `None` when no row has any."""
    if not any(map(_types_of, messages)):
        return None
    columns = _wanted(wanted)
    if columns is not None and not columns:
        return None
    tables: list[Types] = []
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    known: dict[int, int] = {}
    rows: list[int] = []
    for message in messages:
        types = message.types
        number = known.get(id(types))
        if number is None:
            found = {
                column: type_ if type_.removesuffix("[]") in READ else ""
                for column, type_ in types.items() if columns is None or column in columns
            }  # fmt: skip
            number = numbers.setdefault(tuple(found.items()), len(tables))
            if number == len(tables):
                tables.append(found)
            known[id(types)] = number
        rows.append(number)
    return tables, rows


def _wanted(wanted: Reads) -> frozenset[str] | None:
    """The columns of record or changes that are read; `None` for all of them."""
    found: set[str] = set()
    for part in ("record", "changes"):
        if part in wanted.unread:
            continue
        keys = wanted.of(part)
        if keys is None:
            return None
        found.update(keys)
    return frozenset(found)


def of_rows(given: Sent | None) -> list[Types] | None:
    """The types of each row, as `sent` took them apart."""
    if given is None:
        return None
    tables, rows = given
    return [tables[number] for number in rows]


def python_values(columns: Any, types: Types) -> Any:
    """A record, or changes, with the values that Python functions get for the types."""
    if type(columns) is not dict:
        return columns
    done = columns
    for column, type_ in types.items():
        value = columns.get(column)
        if value is None or not type_:
            continue
        new = value_of(value, type_)
        if new is not value:
            done = dict(columns) if done is columns else done
            done[column] = new
    return done
