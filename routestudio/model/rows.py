"""Raw rows, as a source yields them and before a format makes messages of them; and bad rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routestudio.model.records import light


@light
class Raw:
    """One row as a source yields it.

    `value` and `key` hold `bytes` that are not decoded yet, or decoded values of any other type;
    `None` is a missing one (a record without value is a tombstone). `schema` is the schema of
    `value` and `key_schema` that of `key` where they came in Kafka Connect's
    `{"schema": ..., "payload": ...}`. `position` differs for every row of every place and is equal
    when the same row is read again; `place` is for people (`orders.csv:3`, `orders[0]@17`).
    `topic` is a topic, stream or table file that names the rows' origin, without which a format
    may not know the table. `line` counts from 1 where the place has lines. `table` means that it is
    a row of a table file (CSV, Parquet), which has no other structure. `text` is what `value` (and
    `schema`) were decoded from, where that was bytes: a format whose numbers have more digits than
    a double holds reads them again. `types` are the types of a table file's columns by PostgreSQL's
    names, where the file has types (Parquet).
    """

    value: Any
    key: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    topic: str | None = None
    position: str = ""
    place: str = ""
    line: int | None = None
    schema: Any = None
    key_schema: Any = None
    table: bool = False
    text: bytes | None = None
    types: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be read: what is wrong with it, and the start of its text.

    `line` and `column` count from 1 (`line` is 0 where the place has none), `index` from 0.
    """

    line: int
    message: str
    hint: str | None = None
    column: int | None = None
    text: str | None = None
    index: int = 0
    place: str = ""


RawRow = Raw | Fault
"""What a source yields: a row, or why there is none (a line that is too long, a broken table)."""
