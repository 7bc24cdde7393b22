"""Debezium's change events: `before`, `after`, `source` and `op`, with schema or without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from routestudio.formats._connect_types import Schemas
from routestudio.formats._debezium_docs import ENVELOPE, SETUP, UNKNOWABLE
from routestudio.formats._debezium_rows import (
    ACTIONS,
    PARTS,
    DebeziumFormat,
    by_points,
    connector_title,
    passed_over,
    points,
    set_order,
    set_times,
    table_of_topic,
)
from routestudio.formats.base import Change, Format, FormatError, Likeness, PassedOver, Raw

_PARTS: Final = PARTS | {"message"}
_OTHERS: Final = frozenset({"collection", "table_name", "mvcc_timestamp"})
"""Of the sources of MongoDB, and of CockroachDB."""


def _likeness_in_pieces(format_: Format, value: dict[str, Any], raw: Raw) -> Likeness:
    """Of a value whose schema is not one, so that it was not taken out."""
    schema = value.get("schema")
    name = schema.get("name") if isinstance(schema, dict) else None
    if isinstance(name, str) and name.endswith(".Envelope") and len(value) < 3:
        return Likeness.LIKELY
    return min(format_.likeness(_payload(value), raw), Likeness.LIKELY)


def _payload(value: dict[str, Any]) -> Any:
    """The payload of an event whose schema is not one."""
    payload = value.get("payload")
    if not isinstance(payload, dict) or "payload" in payload:
        return None
    return payload if value.keys() <= {"schema", "payload"} else None


class Debezium(DebeziumFormat):
    """The envelope as the connectors for relational databases write it."""

    key = "debezium"
    title = "Debezium"
    about = (
        "Change events of Debezium for PostgreSQL, MySQL, MariaDB, SQL Server, Oracle and other "
        "relational databases: `before`, `after`, `source` and `op`, as JSON with the schema "
        '(`{"schema", "payload"}`) or without. Values are given as a Sequin server would: with '
        "the schema, decimals are exact text, times are ISO 8601, `json` columns are decoded, and "
        "the columns have types. The key is the record's key. Large values that an update did not "
        "change become `unchanged_toast`. `source` and `transaction` are in the metadata."
    )
    facts = (
        "Recorded with Debezium 3.6.1.Final (embedded engine, Kafka's JSON converter 4.3.0) on "
        "PostgreSQL 15, and with 3.5.0.Final on MariaDB 10.11; the other connectors as in the "
        "documentation (https://debezium.io/documentation/reference/3.6/connectors/)."
    )
    unknowable = UNKNOWABLE
    setup = SETUP
    examples = ENVELOPE

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._schemas = Schemas("after", "before")

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Certain with an operation and the source of a table."""
        if type(value) is not dict:
            return Likeness.NO
        if "payload" in value or "schema" in value:
            return _likeness_in_pieces(self, value, raw)
        source, operation = value.get("source"), value.get("op")
        if type(source) is dict:
            if type(operation) is str and operation in ACTIONS and "table" in source:
                return Likeness.CERTAIN
            if not source.keys().isdisjoint(_OTHERS):
                return Likeness.NO
        if passed_over(value, raw) is not None:
            return Likeness.CERTAIN
        return by_points(points(value, _PARTS), value)

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        if type(value) is not dict:
            raise FormatError("an event of Debezium is an object with `op` and `source`")
        if "payload" in value:
            # Its schema is missing, or has another form than Kafka Connect's.
            value = _payload(value) or value
        operation = value.get("op")
        if type(operation) is not str or operation not in ACTIONS:
            kind = passed_over(value, raw)
            if kind is not None:
                raise PassedOver(kind)
            shown = "missing" if operation is None else f"{str(operation)[:20]!r}"
            raise FormatError(f"`op` is {shown}, which is not an operation of Debezium",
                              "it is c, u, d or r, and t or m are passed over")  # fmt: skip
        source = value.get("source")
        if source is None:
            source = {}
        elif not isinstance(source, dict):
            raise FormatError("`source` is not a map")
        schema, table = source.get("schema") or source.get("db"), source.get("table")
        if not table:
            schema, table = table_of_topic(raw)
        metadata: dict[str, Any] = {}
        if schema and type(schema) is str:
            metadata["table_schema"] = schema
        if table and type(table) is str:
            metadata["table_name"] = table
        database = source.get("db")
        if database and type(database) is str:
            metadata["database_name"] = database
        lsn = source.get("lsn")
        if type(lsn) is int:
            metadata["commit_lsn"] = lsn
        set_times(metadata, source, value)
        if source:
            metadata["source"] = source
        transaction = value.get("transaction")
        if transaction is not None:
            set_order(metadata, transaction)
            metadata["transaction"] = transaction
        columns = self._schemas.of(raw.schema)
        return (self.change(operation, value.get("before"), value.get("after"), source, raw,
                            columns, metadata),)  # fmt: skip

    def title_of(self, value: Any, raw: Raw) -> str:
        """`Debezium, PostgreSQL`."""
        source = value.get("source") if isinstance(value, dict) else None
        return connector_title(self.title, source.get("connector") if source else None)
