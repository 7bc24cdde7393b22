"""What all of Debezium's formats share: changes, keys, deletes, metadata, what is passed over."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from routestudio.formats import _times as times
from routestudio.formats._connect_types import Columns, Schemas
from routestudio.formats._debezium_values import Rows, Unavailable, is_zero
from routestudio.formats._decode import is_connect
from routestudio.formats.base import (
    UNCHANGED_TOAST,
    Change,
    Format,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    old_values,
)
from routestudio.model.message import Action, text_of

ACTIONS: Final[Mapping[str, Action]] = {"c": "insert", "u": "update", "d": "delete", "r": "read"}

CONNECTORS: Final[Mapping[str, str]] = {
    "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlserver": "SQL Server",
    "oracle": "Oracle", "db2": "Db2", "mongodb": "MongoDB", "vitess": "Vitess",
    "spanner": "Spanner", "informix": "Informix", "cassandra": "Cassandra",
}  # fmt: skip

PASSES_OVER: Final[Mapping[str, str]] = {
    "tombstone": "A record without value, which Debezium sends after a delete for Kafka's "
    "compaction.",
    "heartbeat": "`{ts_ms}`: the connector is alive.",
    "truncate": "`op` is `t`: a table was emptied.",
    "message": "`op` is `m`: a logical decoding message (`pg_logical_emit_message`), also those "
    "that set a Sequin server's transaction annotations.",
    "transaction": "`BEGIN` and `END` of the topic of transactions "
    "(`provide.transaction.metadata`).",
    "signal": "A row of the signalling table: columns `id`, `type` and `data`, and either a table "
    "called like `debezium_signal` or `dbz_signal`, or a type that Debezium knows.",
    "schema change": "A statement of DDL, in the connector's topic of schema changes.",
    "notification": "Debezium's notification about a snapshot or the connector.",
}

_SIGNAL_TABLE: Final = re.compile(r"(?:debezium|dbz)[_-]?signals?(?:ing)?", re.IGNORECASE)
_SIGNALS: Final = frozenset({
    "execute-snapshot", "stop-snapshot", "pause-snapshot", "resume-snapshot",
    "snapshot-window-open", "snapshot-window-close",
})  # fmt: skip
"""Types of signals that nothing else is likely to have (`log` is one, too)."""
_SIGNAL_COLUMNS: Final = frozenset({"id", "type", "data"})
_HEARTBEAT: Final = frozenset({"ts_ms", "ts_us", "ts_ns"})
_RECORDS: Final = (
    ("transaction", frozenset({"status", "id", "event_count", "data_collections"}),
     frozenset({"event_count", "data_collections"}), _HEARTBEAT),
    ("schema change", frozenset({"source", "databaseName", "ddl", "tableChanges"}),
     frozenset({"databaseName", "ddl", "tableChanges"}),
     _HEARTBEAT | {"schemaName", "position", "status"}),
    ("notification", frozenset({"id", "aggregate_type", "type", "additional_data"}),
     frozenset({"aggregate_type", "additional_data"}), frozenset({"timestamp"})),
)  # fmt: skip
"""Records that are not about a row: their kind, their parts, those of them that nothing else is
likely to have, and what may come with them."""

_ONLY_KEY: Final = (
    "The columns outside of the key are null: this table's updates come without the old row, so "
    "what a delete has in them are zeros and defaults of Debezium."
)
_ASSUMED_KEY: Final = (
    "The columns outside of the key are null: most of what this delete has in them is empty, zero "
    "or a default, which is how Debezium fills columns that the database did not send."
)
_FULL: Final = "The old row is complete: this table's updates come with the old row."
_ASSUMED_FULL: Final = (
    "The old row is taken to be complete, since it has values outside of the key."
)
_ZERO_KEY: Final = (
    "The key is zero or empty: with REPLICA IDENTITY USING INDEX Debezium does not send the "
    "primary key of deletes, and a row whose key really is that may be meant wrongly."
)
_MAYBE_UNCHANGED: Final = (
    "Some columns of this row are large values that did not change; arrays of other types and "
    "large numbers that did not change are null, which cannot be distinguished from NULL."
)
_FILLED: Final = (
    "{} may be NULL: the JSON converter writes the default of the column for NULL, unless "
    "`value.converter.replace.null.with.default=false` is set. (Noted once for a table.)"
)
_KEY_CHANGES: Final = (
    ("__debezium.newkey", "This delete and the insert of {} are one update that changed the "
     "primary key; they are in two groups, so a target may see them in any order."),
    ("__debezium.oldkey", "This insert and the delete of {} are one update that changed the "
     "primary key; they are in two groups, so a target may see them in any order."),
)  # fmt: skip
_MOST_TABLES: Final = 10_000


def passed_over(value: Any, raw: Raw) -> str | None:
    """The kind as which a value (not a change of a row) is passed over, if it is one."""
    if not isinstance(value, dict):
        return None
    operation = value.get("op")
    if operation == "t" and isinstance(value.get("source"), dict):
        return "truncate"
    if operation == "m" and isinstance(value.get("source"), dict):
        return "message"
    names = value.keys()
    if "ts_ms" in names and names <= _HEARTBEAT:
        return "heartbeat"
    if names == _SIGNAL_COLUMNS and isinstance(value["type"], str) and value["type"] in _SIGNALS:
        return "signal"
    for kind, parts, _, others in _RECORDS:
        if names >= parts and names <= parts | others:
            return kind
    return None


def may_be_passed_over(value: Mapping[str, Any]) -> bool:
    """Whether an object looks like a record that is not about a row, with parts missing."""
    names = value.keys()
    return any(
        len(names & parts) > 1 and names & own and names <= parts | others
        for _, parts, own, others in _RECORDS
    )


def check_signal(row: Mapping[str, Any] | None, table: Any) -> None:
    """Raises `PassedOver` for a row of the signalling table."""
    if row is None or len(row) != 3 or row.keys() != _SIGNAL_COLUMNS:
        return
    named = isinstance(table, str) and _SIGNAL_TABLE.fullmatch(table) is not None
    kind = row["type"]
    if named or (isinstance(kind, str) and kind in _SIGNALS):
        raise PassedOver("signal")


def connector_title(title: str, connector: Any) -> str:
    """The title with the database's name: `Debezium, PostgreSQL`."""
    if not isinstance(connector, str) or not connector:
        return title
    return _titled(title, connector)


@lru_cache(maxsize=100)
def _titled(title: str, connector: str) -> str:
    return f"{title}, {CONNECTORS.get(connector, connector[:40])}"


def table_of_topic(raw: Raw) -> tuple[str | None, str | None]:
    """Schema (or database) and table out of a topic `prefix.schema.table`."""
    topic = raw.topic
    if not topic:
        return None, None
    prefix = header(raw, "__debezium.context.connectorLogicalName")
    if isinstance(prefix, str) and topic.startswith(prefix + "."):
        rest = topic[len(prefix) + 1 :]
    else:
        rest = topic.partition(".")[2]
    schema, dot, table = rest.partition(".")
    return (schema, table) if dot and schema and table else (None, None)


def header(raw: Raw, name: str) -> Any:
    """A header's value, decoded when it is JSON (as Kafka Connect writes it), without schema."""
    text = raw.headers.get(name)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return text
    return value["payload"] if is_connect(value) else value


def key_change(raw: Raw) -> str | None:
    """A note when the record is one half of a change of the primary key."""
    for name, text in _KEY_CHANGES:
        other = header(raw, name) if name in raw.headers else None
        if other is not None:
            return text.format(json.dumps(other, ensure_ascii=False, default=str)[:200])
    return None


PARTS: Final = frozenset({
    "before", "after", "source", "op", "ts_ms", "ts_us", "ts_ns", "transaction",
})  # fmt: skip


def points(value: Mapping[str, Any], parts: frozenset[str], text: bool = False) -> int:
    """How many parts of an event there are, in an object that has no others.

    Old and new row are maps, or texts of JSON objects where `text` is set.
    """
    if not value.keys() <= parts:
        return 0
    source, operation, message = value.get("source"), value.get("op"), value.get("message")

    def is_row(part: Any) -> bool:
        if text and type(part) is str:
            return part.startswith("{")
        return part is None or (type(part) is dict and not text)

    return sum((
        isinstance(operation, str) and (operation in ACTIONS or operation in ("t", "m")),
        2 * (isinstance(source, dict) and not source.keys().isdisjoint(("connector", "table"))),
        "before" in value and is_row(value["before"]),
        "after" in value and is_row(value["after"]),
        "transaction" in value,
        isinstance(value.get("ts_ms"), int),
        isinstance(message, dict) and "prefix" in message,
    ))  # fmt: skip


def by_points(count: int, value: Mapping[str, Any]) -> Likeness:
    """Likely with most of the parts of an event; possible (as a plain row) with some."""
    if count > 2:
        return Likeness.LIKELY
    return Likeness.POSSIBLE if count == 2 or may_be_passed_over(value) else Likeness.NO


class Tables:
    """What earlier rows of this reading showed about tables: whether old rows come in full.

    `noted` are the tables whose columns that may be NULL were noted.
    """

    def __init__(self) -> None:
        self._full: dict[tuple[Any, Any], bool] = {}
        self.noted: set[tuple[Any, Any]] = set()

    def updated(self, table: tuple[Any, Any], full: bool) -> None:
        """An update of a table came with its old row, or without."""
        if self._full.get(table) is not full and len(self._full) < _MOST_TABLES:
            self._full[table] = full

    def filled(self, table: tuple[Any, Any], names: list[str]) -> tuple[str, ...]:
        """A note, at the first row of a table whose columns may have defaults for NULL."""
        if table in self.noted or len(self.noted) >= _MOST_TABLES:
            return ()
        self.noted.add(table)
        return (_FILLED.format(", ".join(f"`{name}`" for name in names)),)

    def old_row(
        self,
        table: tuple[Any, Any],
        row: Mapping[str, Any],
        key: Mapping[str, Any] | None,
        columns: Columns | None,
    ) -> tuple[frozenset[str], tuple[str, ...]]:
        """The columns of a delete of PostgreSQL whose values are Debezium's own, and notes.

        `row` is not decoded yet. Without a key only a full identity sends deletes.
        """
        if not key or not key.keys() <= row.keys():
            return frozenset(), ()
        others = [name for name in row if name not in key]
        if not others:
            return frozenset(), ()
        defaults = columns.defaults if columns is not None else {}
        own = [name for name in others if _is_own(row[name], defaults.get(name))]
        full = self._full.get(table)
        if full:
            return frozenset(), (_FULL,)
        if all(is_zero(row[name]) for name in key):
            # What is not zero is the index that is the table's identity.
            return frozenset(others).difference(own), (_ZERO_KEY,)
        if full is None and (own if columns is not None else 2 * len(own) > len(others)):
            return frozenset(), (_ASSUMED_FULL,)
        return frozenset(others), (_ASSUMED_KEY if full is None else _ONLY_KEY,)


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _is_own(value: Any, default: Any) -> bool:
    """Whether a value is neither empty nor zero nor the column's default."""
    return not is_zero(value) and (default is None or value != default)


class DebeziumFormat(Format):
    """Base of Debezium's formats: one way from operation, old and new row to a change."""

    passes_over = PASSES_OVER
    options: ClassVar[Mapping[str, str]] = {
        "unavailable": "The connector's `unavailable.value.placeholder`, when it is not "
        "`__debezium_unavailable_value`."
    }

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        unavailable = options.get("unavailable")
        self._unavailable = Unavailable() if unavailable is None else Unavailable(unavailable)
        self._rows = Rows(self._unavailable)
        self._tables = Tables()
        self._keys = Schemas()

    def change(
        self,
        operation: Any,
        before: Any,
        after: Any,
        source: Mapping[str, Any],
        raw: Raw,
        columns: Columns | None,
        metadata: dict[str, Any],
        parts: tuple[str, str] = ("before", "after"),
    ) -> Change:
        """A change of a row. `parts` are the paths of old and new row in the value."""
        action = ACTIONS.get(operation) if isinstance(operation, str) else None
        if action is None:
            raise FormatError(f"the operation {str(operation)[:20]!r} of Debezium is not known")
        row = before if action == "delete" else after
        if not row or not isinstance(row, dict):
            part = "before" if action == "delete" else "after"
            raise FormatError(
                f"`{part}` is {'missing' if not row else 'not a map of columns'}, so there is "
                "no row", "the connector or a transform may leave it out")  # fmt: skip
        table = _text(source.get("schema") or source.get("db")), _text(source.get("table"))
        check_signal(row, table[1])
        key = raw.key if type(raw.key) is dict else None
        if action == "delete":
            return self._deleted(row, key, table, source, raw, columns, metadata, parts[0])
        record, notes = self._rows.decoded(row, columns, raw.text, parts[1])
        changes: dict[str, Any] | None = None
        if action == "update":
            changes = {}
            if isinstance(before, dict):
                changes, record = self._old(before, record, columns, raw, parts[0])
                self._tables.updated(table, full=True)
            else:
                self._tables.updated(table, full=False)
                if UNCHANGED_TOAST in record.values() and None in record.values():
                    notes += (_MAYBE_UNCHANGED,)
        if columns is not None and columns.filled and table not in self._tables.noted:
            notes += self._may_be_null(row, columns, table)
        if raw.headers:
            changed = key_change(raw)
            notes = notes if changed is None else (*notes, changed)
        keyed = self._key(key, record, raw) if raw.key is not None else None
        if keyed is None and raw.key is not None:
            keyed = self._named_key(raw, record, metadata)
        types: Mapping[str, str] = columns.types if columns is not None else {}
        return Change(action, record, changes, metadata, keyed, types, notes=notes)

    def _old(
        self, before: dict[str, Any], record: dict[str, Any], columns: Columns | None, raw: Raw,
        part: str,
    ) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
        """Changes, and the record with what did not change taken from the old row."""
        old, _ = self._rows.decoded(before, columns, raw.text, part)
        for name, value in record.items():
            if value == UNCHANGED_TOAST and old.get(name) is not None:
                record[name] = old[name]
        return old_values(old, record), record

    def _deleted(
        self, row: dict[str, Any], key: dict[str, Any] | None, table: tuple[Any, Any],
        source: Mapping[str, Any], raw: Raw, columns: Columns | None, metadata: dict[str, Any],
        part: str,
    ) -> Change:  # fmt: skip
        """A delete: what the database did not send is null."""
        invented: frozenset[str] = frozenset()
        notes: tuple[str, ...] = ()
        if source.get("connector", "postgresql") == "postgresql":
            invented, notes = self._tables.old_row(table, row, key, columns)
        record, more = self._rows.decoded(
            {k: None if k in invented else v for k, v in row.items()} if invented else row,
            columns, raw.text, part,
        )  # fmt: skip
        notes += more
        changed = key_change(raw) if raw.headers else None
        if changed is not None:
            notes = (*notes, changed)
        keyed = self._key(key, record, raw) if raw.key is not None else None
        if keyed is None and raw.key is not None:
            keyed = self._named_key(raw, record, metadata)
        types: Mapping[str, str] = columns.types if columns is not None else {}
        return Change("delete", record, None, metadata, keyed, types, notes=notes)

    def _may_be_null(
        self, row: Mapping[str, Any], columns: Columns, table: tuple[Any, Any]
    ) -> tuple[str, ...]:
        defaults = columns.defaults
        names = [name for name in columns.filled if row.get(name) == defaults[name]]
        return self._tables.filled(table, names) if names else ()

    def _key(
        self, key: dict[str, Any] | None, record: Mapping[str, Any], raw: Raw
    ) -> dict[str, Any] | None:
        """Key columns and values, in the key's order, as they are in the record."""
        if not key:
            return None
        for name in key:
            if name not in record:
                return self.decoded_key(key, raw)
        return {name: record[name] for name in key}

    def decoded_key(self, key: dict[str, Any], raw: Raw) -> dict[str, Any]:
        """The record's key, decoded by its schema."""
        return self._rows.decoded(key, self._keys.of(raw.key_schema), None, "")[0]

    def _named_key(
        self, raw: Raw, record: Mapping[str, Any], metadata: dict[str, Any]
    ) -> dict[str, Any] | None:
        """A key that is not a map: text of a struct (`Struct{id=1}`), or a single value."""
        key = raw.key
        if isinstance(key, str) and key.startswith("Struct{"):
            names = [name for name in re.findall(r"(?:^Struct\{|,)([^=,{}]+)=", key)
                     if name in record]  # fmt: skip
            if key == "Struct{" + ",".join(f"{n}={text_of(record[n])}" for n in names) + "}":
                return {name: record[name] for name in names}
        if isinstance(key, (str, int)) and key != "":
            metadata["record_pks"] = [text_of(key)]
        return None


def set_times(
    metadata: dict[str, Any], source: Mapping[str, Any], value: Mapping[str, Any]
) -> None:
    """`commit_timestamp`, with microseconds where the source block or the event has them."""
    micros = times.moment_of(source)
    if micros is None:
        micros = times.moment_of(value)
    if micros is not None:
        try:
            metadata["commit_timestamp"] = times.moment(micros)
        except OverflowError:
            raise FormatError("`ts_ms` is not a time") from None


def set_order(metadata: dict[str, Any], transaction: Any) -> None:
    """`commit_idx` from the place of the change in its transaction."""
    if isinstance(transaction, dict):
        order = transaction.get("total_order")
        if type(order) is int and order > 0:
            metadata["commit_idx"] = order - 1
