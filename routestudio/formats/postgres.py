"""Rows and changes as RouteStudio's own source of PostgreSQL hands them over: texts by column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from routestudio.formats._envelope import among, choice, kind
from routestudio.formats._text_casts import Cast
from routestudio.formats._text_casts import cast_of as cast_of
from routestudio.formats.base import (
    UNCHANGED_TOAST,
    Change,
    Example,
    Format,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    old_values,
)

_PART: Final = "postgres"
"""The one part of a value."""
_ACTIONS: Final[Mapping[str, Any]] = {
    name: name for name in ("insert", "update", "delete", "read", "truncate")
}
_ORDERS: Final = {"schema": "public", "name": "orders", "columns": ["id", "price", "at"],
                  "types": ["int8", "numeric", "timestamptz"], "key": ["id"]}  # fmt: skip
_TABLES: Final = 1_000
"""Tables whose shapes are remembered at a time."""
_META: Final = ("commit_lsn", "commit_idx", "commit_timestamp", "transaction_annotations")

_ONLY_KEY: Final = ("Only the key of the deleted row is known.",)

_Read = tuple[dict[str, Any], dict[str, Any] | None, tuple[str, ...]]
"""Record, changes and notes."""


class _Shape:
    """A table as its rows are read: names, casts, key."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        names: Any = table.get("columns")
        types: Any = table.get("types")
        if not (_texts(names) and _texts(types) and len(names) == len(types)):
            raise FormatError("`table` must have `columns` and `types`, as many of each")
        if not (isinstance(table.get("schema"), str) and isinstance(table.get("name"), str)):
            raise FormatError("`table` must have the texts `schema` and `name`")
        self.table = table
        self.names: Sequence[str] = list(names)
        self.types = dict(zip(names, types, strict=True))
        self.casts: Sequence[Cast | None] = [cast_of(type_) for type_ in types]
        key: Any = table.get("key") or ()
        self.key: Sequence[str] = list(key) if _texts(key) else ()
        self.metadata: dict[str, Any] = {
            "table_schema": table["schema"], "table_name": table["name"],
        }  # fmt: skip
        origin = table.get("origin")
        if isinstance(origin, dict) and isinstance(origin.get("database"), str):
            self.metadata |= {"database_name": origin["database"], "database": origin}
        left_out: Any = table.get("generated") or ()
        self.notes: tuple[str, ...] = ()
        if left_out and _texts(left_out):
            listed = ", ".join(f"`{name}`" for name in left_out)
            self.notes = (
                f"Generated columns are left out, as changes do not have them: {listed}.",
            )

    def row(self, values: Any) -> dict[str, Any]:
        """The record of a row's texts."""
        if not isinstance(values, list) or len(values) != len(self.names):
            raise FormatError(f"a row of this table has {len(self.names)} values")
        return {
            name: value if cast is None or value is None else cast(value)
            for name, cast, value in zip(self.names, self.casts, values, strict=True)
        }


class PostgresRows(Format):
    """What `postgres://` yields."""

    key = "postgres"
    value_only = True
    title = "PostgreSQL"
    about = (
        "A row or a change that RouteStudio's own source of PostgreSQL has read: the texts that "
        "PostgreSQL writes, by column, with the table's types and primary key. The source makes "
        "it; nobody else writes it."
    )
    facts = (
        "Run: PostgreSQL 15.18 and 18, the logical replication protocol version 1 "
        "(https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html)."
    )
    passes_over: ClassVar = {"truncate": "A `TRUNCATE`, which names no rows."}
    unknowable = (
        "The old row of an update or delete, without `REPLICA IDENTITY FULL`: a deleted row has "
        "its key only, and `changes` is empty.",
        "Large values that an update did not change, without `REPLICA IDENTITY FULL`: they are "
        "`unchanged_toast`, as on a server.",
    )
    setup = ("Set `REPLICA IDENTITY FULL` on tables whose old values you need.",)
    examples = (
        Example(
            "insert",
            {_PART: {"action": "insert", "table": _ORDERS,
             "new": ["1", "12.50", "2024-05-06 05:08:09.5+00"],
             "commit_lsn": 26646792, "commit_idx": 0,
             "commit_timestamp": "2024-05-06T05:08:09.600000Z"}},
            [{"action": "insert",
              "record": {"id": 1, "price": "12.50", "at": "2024-05-06T05:08:09.500000Z"},
              "metadata": {"table_schema": "public", "table_name": "orders",
                           "commit_lsn": 26646792, "commit_idx": 0},
              "key": {"id": 1}}],
        ),
        Example(
            "update with the full old row",
            {_PART: {"action": "update", "table": _ORDERS, "new": ["1", "13", None], "full": True,
             "old": ["1", "12.50", None], "commit_lsn": 26646800, "commit_idx": 1}},
            [{"action": "update", "record": {"id": 1, "price": "13", "at": None},
              "changes": {"price": "12.50"}}],
        ),
        Example(
            "delete, of which only the key is known",
            {_PART: {"action": "delete", "table": _ORDERS, "old": ["1", None, None]}},
            [{"action": "delete", "record": {"id": 1, "price": None, "at": None},
              "changes": None, "key": {"id": 1}}],
        ),
        Example("a row of the table",
                {_PART: {"action": "read", "table": _ORDERS, "new": ["7", "1", None]}},
                [{"action": "read", "record": {"id": 7, "price": "1", "at": None}}]),
        Example("truncate", {_PART: {"action": "truncate", "table": _ORDERS}}, "truncate"),
    )  # fmt: skip

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._shapes: dict[int, _Shape] = {}

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """By its one part, which has an action and a table with columns and types."""
        if raw.table or not isinstance(value, dict) or len(value) != 1:
            return Likeness.NO
        row: Any = value.get(_PART)
        table = row.get("table") if isinstance(row, dict) else None
        if not isinstance(table, dict) or not {"columns", "types"} <= table.keys():
            return Likeness.NO
        return Likeness.CERTAIN if among(row.get("action"), _ACTIONS) else Likeness.LIKELY

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        row: Any = value.get(_PART) if isinstance(value, dict) else value
        if not isinstance(row, dict):
            raise FormatError(f"`{_PART}` must be an object, not {kind(row)}")
        action = choice(row, "action", _ACTIONS)
        if action == "truncate":
            raise PassedOver("truncate")
        shape = self._shape(row.get("table"))
        record, changes, notes = _PARTS[action](shape, row)
        metadata = dict(shape.metadata)
        for name in _META:
            if row.get(name) is not None:
                metadata[name] = row[name]
        known = "commit_lsn" in metadata and "commit_idx" in metadata
        key = {name: record.get(name) for name in shape.key} or None
        return (Change(action, record, changes, metadata, key, shape.types,
                       known and action != "read", notes),)  # fmt: skip

    def _shape(self, table: Any) -> _Shape:
        found = self._shapes.get(id(table))
        if found is None or found.table is not table:
            if not isinstance(table, dict):
                raise FormatError(f"`table` must be an object, not {kind(table)}")
            found = _Shape(table)
            if len(self._shapes) >= _TABLES:
                self._shapes.clear()
            self._shapes[id(table)] = found
        return found


def _written(shape: _Shape, value: Mapping[str, Any]) -> _Read:
    return shape.row(value.get("new")), None, shape.notes


def _deleted(shape: _Shape, value: Mapping[str, Any]) -> _Read:
    record = shape.row(value.get("old"))
    return record, None, () if value.get("full") else _ONLY_KEY


def _updated(shape: _Shape, value: Mapping[str, Any]) -> _Read:
    """An update; `old` is the full old row, or the old key where that has changed."""
    record = shape.row(value.get("new"))
    old = shape.row(value["old"]) if value.get("old") is not None else None
    unchanged = value.get("unchanged") or ()
    if not _texts(unchanged):
        raise FormatError("`unchanged` must be a list of columns")
    if old is not None and value.get("full"):
        for name in unchanged:
            record[name] = old.get(name)
        return record, old_values(old, record), ()
    notes: tuple[str, ...] = ()
    if unchanged:
        record.update(dict.fromkeys(unchanged, UNCHANGED_TOAST))
        listed = ", ".join(f"`{name}`" for name in unchanged)
        notes = (f"PostgreSQL does not send large values that did not change: {listed}.",)
    if old is not None:
        was = ", ".join(f"`{name}` {text}" for name, text in old.items() if text is not None)
        notes = (*notes, f"The key has changed; it was {was}. A server does not show that.")
    return record, {}, notes


_PARTS: Final[Mapping[str, Callable[[_Shape, Mapping[str, Any]], _Read]]] = {
    "insert": _written, "read": _written, "update": _updated, "delete": _deleted,
}  # fmt: skip


def _texts(items: Any) -> bool:
    return isinstance(items, (list, tuple)) and all(isinstance(item, str) for item in items)
