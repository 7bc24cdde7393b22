"""Debezium's flattened rows: what the transform ExtractNewRecordState leaves of an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from routestudio.formats._connect_types import Columns, Schemas
from routestudio.formats._debezium_docs import FLAT, FLAT_SETUP, FLAT_UNKNOWABLE
from routestudio.formats._debezium_rows import (
    ACTIONS,
    PASSES_OVER,
    DebeziumFormat,
    check_signal,
    connector_title,
    header,
    key_change,
    passed_over,
    set_order,
    set_times,
    table_of_topic,
)
from routestudio.formats.base import Change, FormatError, Likeness, PassedOver, Raw
from routestudio.model.message import Action, text_of

_FIELDS: Final = frozenset({
    "op", "deleted", "table", "db", "schema", "connector", "name", "version", "snapshot",
    "sequence", "lsn", "txId", "xmin", "origin", "file", "pos", "row", "gtid", "server_id",
    "thread", "query", "change_lsn", "commit_lsn", "event_serial_no", "scn", "commit_scn", "rs_id",
    "ssn", "redo_thread", "user_name", "collection", "ord", "ts_ms", "ts_us", "ts_ns",
})  # fmt: skip
"""Names of the fields that the transform adds behind `__`, of all connectors."""
_GROUPS: Final = ("source_", "transaction_")
_TRUE: Final = frozenset({"true", True})
_FALSE: Final = frozenset({"false", False})

_ONLY_KEY: Final = (
    "A delete without value: only the key is known. `delete.tombstone.handling.mode=rewrite` sends "
    "the row as well."
)
_NO_OPERATION: Final = (
    "Inserts, updates and rows of a snapshot are not distinguished without `__op`: the row is "
    "`read`. "
    "Set `add.fields=op`."
)


class DebeziumFlat(DebeziumFormat):
    """The new row only, with fields `__op`, `__deleted` and others where they were asked for."""

    key = "debezium-flat"
    title = "Debezium, flattened"
    about = (
        "Rows without envelope, as Debezium's transform `ExtractNewRecordState` (also called "
        "unwrap or event flattening) leaves them. Recognised by fields that begin with `__`, by "
        "Debezium's headers, or by the name of the schema. The action is `__op`, or `__deleted`; a "
        "record with a key and without value is a delete, unless rows of its topic have "
        "`__deleted`. The table is `__table`, or is taken from the schema's name or the topic. The "
        "other fields that begin with `__` are in the metadata, under `source`."
    )
    facts = (
        "Recorded with Debezium 3.6.1.Final on PostgreSQL 15, with and without `add.fields` and "
        "`delete.tombstone.handling.mode=rewrite`; the other modes as in the documentation "
        "(https://debezium.io/documentation/reference/3.6/transformations/event-flattening.html)."
    )
    passes_over: ClassVar[Mapping[str, str]] = {
        **PASSES_OVER,
        "tombstone": "A record without value after a row with `__deleted`, or without a key.",
    }
    unknowable = FLAT_UNKNOWABLE
    setup = FLAT_SETUP
    examples = FLAT
    reads_null = True

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._schemas = Schemas()
        self._rewrites: set[str | None] = set()

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Certain with an operation or `__deleted`; likely with other signs of Debezium."""
        if type(value) is not dict:
            return Likeness.NO
        if _signed(value.get("__op"), ACTIONS) or _signed(value.get("__deleted"), _TRUE | _FALSE):
            return Likeness.CERTAIN
        if passed_over(value, raw) is not None:
            return Likeness.LIKELY
        if ("before" in value or "after" in value) and "op" in value:
            return Likeness.NO
        if any(_is_added(name) for name in value) or _named_row(raw.schema) is not None:
            return Likeness.LIKELY
        if any(name.startswith("__debezium.") for name in raw.headers):
            return Likeness.LIKELY
        known = raw.topic is not None and raw.topic in self._rewrites
        return Likeness.LIKELY if value and known else Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        if value is None:
            yield self._without_value(raw)
            return
        if type(value) is not dict:
            raise FormatError("a row is an object of columns")
        kind = passed_over(value, raw)
        if kind is not None:
            raise PassedOver(kind)
        added = {name[2:]: v for name, v in value.items() if _is_added(name)}
        row = {k: v for k, v in value.items() if not _is_added(k)} if added else value
        for name in raw.headers:
            if name[:2] == "__" and _is_added(name):
                added.setdefault(name[2:], header(raw, name))
        if "deleted" in added and len(self._rewrites) < 10_000:
            self._rewrites.add(raw.topic)
        source, transaction = _blocks(added)
        metadata = _table(added, source, raw)
        check_signal(row, metadata.get("table_name"))
        action, notes = _action(added)
        columns = self._schemas.of(raw.schema)
        if action == "delete":
            yield self._rewritten(row, metadata, source, raw, columns)
            return
        set_times(metadata, source, added)
        if transaction:
            set_order(metadata, transaction)
            metadata["transaction"] = transaction
        yield self._row(action, row, metadata, notes, raw, columns)

    def _row(
        self, action: Action, row: dict[str, Any], metadata: dict[str, Any],
        notes: tuple[str, ...], raw: Raw, columns: Columns | None,
    ) -> Change:  # fmt: skip
        table = metadata.get("table_schema"), metadata.get("table_name")
        record, more = self._rows.decoded(row, columns, raw.text, "")
        notes += more
        if columns is not None and columns.filled and table not in self._tables.noted:
            notes += self._may_be_null(row, columns, table)
        key, notes = self._keyed(record, metadata, notes, raw)
        types: Mapping[str, str] = columns.types if columns is not None else {}
        changes: dict[str, Any] | None = {} if action == "update" else None
        return Change(action, record, changes, metadata, key, types, notes=notes)

    def _rewritten(
        self, row: dict[str, Any], metadata: dict[str, Any], source: dict[str, Any], raw: Raw,
        columns: Columns | None,
    ) -> Change:  # fmt: skip
        """A delete with `__deleted`: the old row, or zeros and defaults outside of the key."""
        set_times(metadata, source, {})
        where = {"connector": source.get("connector", "postgresql")}
        table = metadata.get("table_schema"), metadata.get("table_name")
        key = raw.key if type(raw.key) is dict else None
        return self._deleted(row, key, table, where, raw, columns, metadata, "")

    def _without_value(self, raw: Raw) -> Change:
        """A record without value: a delete when it has a key, and no row of the topic shows
        otherwise."""
        if raw.key is None or raw.topic in self._rewrites:
            raise PassedOver("tombstone")
        metadata = _table({}, {}, raw)
        notes: tuple[str, ...] = (_ONLY_KEY,)
        changed = key_change(raw) if raw.headers else None
        if changed is not None:
            notes += (changed,)
        if type(raw.key) is not dict:
            metadata["record_pks"] = [text_of(raw.key)]
            return Change("delete", {}, None, metadata, notes=notes)
        record = self.decoded_key(raw.key, raw)
        columns = self._keys.of(raw.key_schema)
        types: Mapping[str, str] = columns.types if columns is not None else {}
        return Change("delete", record, None, metadata, dict(record), types, notes=notes)

    def _keyed(
        self, record: dict[str, Any], metadata: dict[str, Any], notes: tuple[str, ...], raw: Raw
    ) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        changed = key_change(raw) if raw.headers else None
        if changed is not None:
            notes = (*notes, changed)
        if raw.key is None:
            return None, notes
        key = self._key(raw.key if type(raw.key) is dict else None, record, raw)
        return (key or self._named_key(raw, record, metadata)), notes

    def title_of(self, value: Any, raw: Raw) -> str:
        """`Debezium, flattened`, and the database where a field or a header has it."""
        connector = value.get("__connector") if isinstance(value, dict) else None
        if connector is None and "__debezium.context.connectorName" in raw.headers:
            connector = header(raw, "__debezium.context.connectorName")
        return connector_title(self.title, connector)


def _signed(value: Any, known: Any) -> bool:
    return type(value) in (str, bool) and value in known


def _is_added(name: str) -> bool:
    """Whether the transform added a field of this name."""
    if name[:2] != "__":
        return False
    name = name[2:]
    return name in _FIELDS or name.startswith(_GROUPS)


def _named_row(schema: Any) -> list[str] | None:
    """The parts of a schema's name when it is that of a Debezium row: `prefix.schema.table.Value`.

    The table may have points itself.
    """
    name = schema.get("name") if isinstance(schema, dict) else None
    if not isinstance(name, str) or not name.endswith(".Value"):
        return None
    parts = name.removesuffix(".Value").split(".", 2)
    return parts if len(parts) == 3 else None


def _blocks(added: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The added fields as blocks of the envelope: of the source, and of the transaction."""
    source: dict[str, Any] = {}
    transaction: dict[str, Any] = {}
    for name, value in added.items():
        if value is None or name in ("op", "deleted"):
            continue
        if name.startswith("transaction_"):
            transaction[name.removeprefix("transaction_")] = value
        elif name not in ("ts_ms", "ts_us", "ts_ns"):
            source[name.removeprefix("source_")] = value
    return source, transaction


def _table(added: Mapping[str, Any], source: dict[str, Any], raw: Raw) -> dict[str, Any]:
    """Metadata of the table, from fields, the topic and the schema's name."""
    metadata: dict[str, Any] = {}
    schema, table = table_of_topic(raw)
    named = _named_row(raw.schema)
    if table is None and named is not None:
        schema, table = named[1], named[2]
    table = source.get("table") or source.get("collection") or table
    schema = source.get("schema") or schema or source.get("db")
    if isinstance(schema, str):
        metadata["table_schema"] = schema
    if isinstance(table, str):
        metadata["table_name"] = table
    elif raw.topic:
        metadata["table_name"] = raw.topic
    if isinstance(source.get("db"), str):
        metadata["database_name"] = source["db"]
    if type(source.get("lsn")) is int:
        metadata["commit_lsn"] = source["lsn"]
    if source:
        metadata["source"] = source
    return metadata


def _action(added: Mapping[str, Any]) -> tuple[Action, tuple[str, ...]]:
    """The action by `__deleted` and `__op`, and a note when neither is there."""
    operation, deleted = added.get("op"), added.get("deleted")
    if isinstance(deleted, (str, bool)) and deleted in _TRUE:
        return "delete", ()
    if operation is None:
        return "read", (_NO_OPERATION,)
    action = ACTIONS.get(operation) if isinstance(operation, str) else None
    if action is None:
        raise FormatError(f"`__op` is {str(operation)[:20]!r}, which is not an operation of "
                          "Debezium", "it is c, u, d or r")  # fmt: skip
    return action, ()
