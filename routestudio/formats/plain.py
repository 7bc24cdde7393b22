"""Plain rows: a map of columns, from CSV, Parquet, JSON arrays and JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Final

from routestudio.formats._columns import value_of
from routestudio.formats.base import Change, Example, Format, FormatError, Likeness, Raw

_CELLS: Final = (
    "Every cell of CSV is text here, a number too, unless the project names the type of its "
    "column: `columns` of the table under `tables`.",
)


class PlainRows(Format):
    """Rows without anything about a change: each is read as a backfill would send it."""

    key = "plain"
    title = "Plain rows"
    one_to_one = True
    about = (
        "Rows of a table and nothing else: CSV and Parquet files, JSON arrays, JSON lines, a paste "
        "from a database client. Each row becomes a `read` message, as in a backfill. The table is "
        "named like the file or the topic. Columns of Parquet have the file's types. Cells of CSV "
        "are text until the project names a column's type; an empty cell is null, and one written "
        'as `""` is an empty text, as PostgreSQL writes CSV, unless the file has all cells in '
        "quotes."
    )
    facts = "RouteStudio's own reading; CSV as in RFC 4180."
    unknowable = (
        "Inserts, updates and deletes cannot be distinguished: every row is `read`.",
        "The table's key: name it with `--key`, or under `tables` in the project.",
        "The types of CSV columns, and whether an empty cell is null where all cells are in "
        "quotes: name them with `columns` under `tables`.",
    )
    examples = (
        Example("a row", {"code": "c-1", "qty": 2},
                [{"action": "read", "record": {"code": "c-1", "qty": 2}, "changes": None}]),
        Example("a record with a key in a topic", {"code": "c-1", "qty": 2},
                [{"action": "read", "record": {"code": "c-1", "qty": 2}, "key": {"code": "c-1"}}],
                key={"code": "c-1"}, topic="stock"),
    )  # fmt: skip

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Any map of columns may be a plain row; a row of a table file is nothing else."""
        if not isinstance(value, dict) or not value:
            return Likeness.NO
        return Likeness.LIKELY if raw.table else Likeness.POSSIBLE

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One `read`."""
        if not isinstance(value, dict):
            raise FormatError("a row is an object of columns")
        metadata = {"table_name": PurePath(raw.topic).stem or raw.topic} if raw.topic else {}
        key = raw.key if isinstance(raw.key, dict) and raw.key.keys() <= value.keys() else None
        if raw.types is not None:
            typed = {name: value_of(item, raw.types.get(name, "")) for name, item in value.items()}
            yield Change("read", typed, metadata=metadata, key=key, types=raw.types)
            return
        yield Change("read", value, metadata=metadata, key=key, notes=_CELLS if raw.table else ())
