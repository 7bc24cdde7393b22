"""Debezium's change events: `before`, `after`, `source` and `op`, with schema or without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from routestudio.formats._connect_types import Schemas
from routestudio.formats._debezium_docs import ENVELOPE, SETUP, UNKNOWABLE
from routestudio.formats._debezium_rows import (
    ACTIONS,
    DebeziumFormat,
    connector_title,
    outline,
    passed_over,
    set_order,
    set_times,
    table_of_topic,
)
from routestudio.formats.base import Change, FormatError, Likeness, PassedOver, Raw


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
        "PostgreSQL 15; the other connectors as in Debezium's documentation "
        "(https://debezium.io/documentation/reference/3.6/connectors/)."
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
        source, operation = value.get("source"), value.get("op")
        if type(operation) is str and operation in ACTIONS:
            if type(source) is dict:
                if "table" in source:
                    return Likeness.CERTAIN
                if "collection" in source or "table_name" in source or "mvcc_timestamp" in source:
                    return Likeness.NO
                return Likeness.CERTAIN if "connector" in source else Likeness.LIKELY
            return outline(value)
        if passed_over(value, raw) is not None:
            return Likeness.CERTAIN
        return outline(value)

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        if type(value) is not dict:
            raise FormatError("an event of Debezium is an object with `op` and `source`")
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
        metadata: dict[str, Any] = {}
        schema, table = source.get("schema") or source.get("db"), source.get("table")
        if not table:
            schema, table = table_of_topic(raw)
        if type(schema) is str and schema:
            metadata["table_schema"] = schema
        if type(table) is str and table:
            metadata["table_name"] = table
        database = source.get("db")
        if type(database) is str and database:
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
