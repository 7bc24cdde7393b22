"""Maxwell's daemon: changes of MySQL and MariaDB as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from routestudio.formats import _times
from routestudio.formats._envelope import (
    Envelope,
    choice,
    columns,
    is_map,
    is_text,
    is_whole,
    key_of,
    named,
    one_of,
    some_columns,
)
from routestudio.formats.base import Change, Example, Likeness, PassedOver, Raw, old_values
from routestudio.model.message import Action

_ACTIONS: Final[dict[str, Action]] = {
    "insert": "insert", "update": "update", "delete": "delete", "bootstrap-insert": "read",
}  # fmt: skip
_BOOTSTRAP: Final = ("bootstrap-start", "bootstrap-complete")
_DDL: Final = tuple(
    f"{what}-{done}" for what in ("database", "table") for done in ("create", "alter", "drop")
)
_KINDS: Final = {**dict.fromkeys(_DDL, "schema change"), **dict.fromkeys(_BOOTSTRAP, "bootstrap")}


class Maxwell(Envelope):
    """One row change of MySQL a value."""

    key = "maxwell"
    title = "Maxwell"
    about = (
        "Rows of [Maxwell's daemon](https://maxwells-daemon.io), which reads the binary log of "
        "MySQL or MariaDB and writes JSON to Kafka, Kinesis, Redis and others. An `update` has "
        "the old values of the columns that changed."
    )
    facts = (
        "Read in Maxwell's documentation, docs/docs/dataformat and config, and in "
        "row/FieldNames.java of github.com/zendesk/maxwell at commit b600e5190 (version 1.45.0); "
        "the examples follow that page. Run: version 1.22.6, the newest of Maven Central, with "
        "MariaDB 10.11, whose rows are a test; a bootstrap was not run."
    )
    passes_over: ClassVar = {
        "schema change": "A change of a table or database (`table-create`, `table-drop` …), with "
        "`output_ddl`.",
        "bootstrap": "`bootstrap-start` and `bootstrap-complete`, around the rows of a bootstrap.",
    }
    unknowable = (
        "Types of columns: a decimal is a JSON number, and binary columns are Base64 text.",
        "A `time` below 0 or of more than a day: version 1.22.6 writes another time in its place "
        "(-10:00:00 becomes 06:00:00).",
        "The primary key, unless `output_primary_key_columns` or the record's key gives it.",
    )
    setup = (
        "Set `output_primary_key_columns=true`, so that each row names its key.",
        "Set `output_commit_info=true` (the default) and keep `output_nulls=true`.",
    )
    examples = (
        Example(
            "insert",
            {"database": "shop", "table": "orders", "type": "insert", "ts": 1477053217,
             "xid": 23396, "commit": True, "position": "master.000006:800911", "server_id": 23042,
             "thread_id": 108, "primary_key": [1], "primary_key_columns": ["id"],
             "data": {"id": 1, "note": "light"}},
            [{"action": "insert", "record": {"id": 1, "note": "light"}, "changes": None,
              "metadata": {"table_schema": "shop", "table_name": "orders", "database_name": "shop",
                           "commit_timestamp": "2016-10-21T12:33:37.000000Z"},
              "key": {"id": 1}}],
        ),
        Example(
            "update",
            {"database": "shop", "table": "orders", "type": "update", "ts": 1477053234,
             "xid": 23401, "commit": True, "data": {"id": 1, "note": "dark"},
             "old": {"note": "light"}},
            [{"action": "update", "record": {"id": 1, "note": "dark"},
              "changes": {"note": "light"},
              "metadata": {"commit_timestamp": "2016-10-21T12:33:54.000000Z"}}],
        ),
        Example(
            "delete, with the record's key",
            {"database": "shop", "table": "orders", "type": "delete", "ts": 1477053240,
             "xid": 23402, "commit": True, "data": {"id": 1, "note": "dark"}},
            [{"action": "delete", "record": {"id": 1, "note": "dark"}, "changes": None,
              "key": {"id": 1}}],
            key={"database": "shop", "table": "orders", "pk.id": 1},
        ),
        Example(
            "bootstrap (snapshot)",
            {"database": "shop", "table": "orders", "type": "bootstrap-insert", "ts": 1477053250,
             "data": {"id": 2, "note": None}},
            [{"action": "read", "record": {"id": 2, "note": None}, "changes": None}],
        ),
        Example("start of a bootstrap",
                {"database": "shop", "table": "orders", "type": "bootstrap-start",
                 "ts": 1477053250, "data": {}}, "bootstrap"),
        Example("change of a table",
                {"type": "table-drop", "database": "shop", "table": "orders",
                 "ts": 1477053308000, "sql": "drop table shop.orders",
                 "position": "master.000006:804398"}, "schema change"),
    )  # fmt: skip

    parts: ClassVar = {
        "database": is_text, "table": is_text, "type": one_of(*_ACTIONS, *_BOOTSTRAP),
        "ts": is_whole, "data": is_map,
    }  # fmt: skip
    others = frozenset(
        [
            "xid",
            "xoffset",
            "commit",
            "old",
            "position",
            "gtid",
            "server_id",
            "thread_id",
            "schema_id",
            "primary_key",
            "primary_key_columns",
            "push_ts",
            "query",
            "_uuid",
            "reason",
            "comment",
        ]
    )
    peculiar = frozenset({"xid", "xoffset", "commit", "primary_key_columns"})

    def special(self, value: dict[str, Any]) -> Likeness | None:
        """A change of a table has no data."""
        if value.get("type") in _DDL and is_text(value.get("database")):
            certain = is_whole(value.get("ts")) and ("sql" in value or "def" in value)
            return Likeness.CERTAIN if certain else Likeness.LIKELY
        return None

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        kind = choice(value, "type", {**dict.fromkeys(_ACTIONS, ""), **_KINDS})
        if kind:
            raise PassedOver(kind)
        action = _ACTIONS[value["type"]]
        record, old = columns(value, "data"), some_columns(value, "old") or {}
        changes = old_values(old, record) if action == "update" else None
        metadata = named(
            table_schema=value.get("database"), database_name=value.get("database"),
            table_name=value.get("table"), commit_timestamp=_times.epoch(value.get("ts"), 1),
        )  # fmt: skip
        key = key_of(value.get("primary_key_columns"), record) or _record_key(raw, record)
        yield Change(action, record, changes, metadata, key, notes=_missing(value))


def _record_key(raw: Raw, record: dict[str, Any]) -> dict[str, Any] | None:
    """The key of the record that Maxwell writes: `{"database", "table", "pk.COLUMN": value}`."""
    if not isinstance(raw.key, dict):
        return None
    names = [name[3:] for name in raw.key if name.startswith("pk.")]
    folded = {name.lower(): name for name in record}
    return key_of([folded.get(name.lower(), name) for name in names], record)


def _missing(value: dict[str, Any]) -> tuple[str, ...]:
    absent = [name for name in ("database", "table") if not is_text(value.get(name))]
    return (f"The row does not name its {' and '.join(absent)}.",) if absent else ()
