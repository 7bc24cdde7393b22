"""What Debezium's pages show: what to set, what cannot be told, and examples of every event."""

from __future__ import annotations

from typing import Any, Final

from routestudio.formats.base import Example

SETUP: Final = (
    "Let the record's key be the primary key, as Debezium does by itself: it becomes the message's "
    "key. For tables without one set `message.key.columns`.",
    "Send the schema with the values (`value.converter.schemas.enable=true`, and the same for the "
    "key), and every value is decoded. Without it set `decimal.handling.mode=string`, "
    "`time.precision.mode=isostring` (Debezium 3; `connect` does not help: times stay numbers and "
    "lose their microseconds) and `interval.handling.mode=string`.",
    "Set `value.converter.replace.null.with.default=false`: otherwise a NULL in a column with a "
    "default arrives as the default, and nothing tells.",
    "Set `REPLICA IDENTITY FULL` on tables whose old values a route needs: without it updates have "
    "no old row, and deletes have only their key.",
    "Avoid `REPLICA IDENTITY USING INDEX`: Debezium then gives every delete the key 0.",
    "For partitioned tables create the publication with `publish_via_partition_root=true`, or "
    "leave the partitions or the parent out: otherwise a snapshot sends each row twice, once under "
    "each name.",
    "Rows of the signalling table are passed over when it is called `debezium_signal` or "
    "`dbz_signal`; leave one with another name out of the route.",
    "Use `provide.transaction.metadata=true` to get the place of a change in its transaction "
    "(`commit_idx`).",
)

UNKNOWABLE: Final = (
    "With `time.precision.mode=isostring` and no schema, a `timestamp` has a `Z` like a "
    "`timestamptz`, a date has one too (`2024-05-06Z`), and 24:00:00 is `00:00:00Z`.",
    "A NULL in a column with a default, unless `replace.null.with.default=false` is set.",
    "A large value that did not change, when its type is an array of numbers with a point, "
    "booleans, times or enums, `bit varying` or `numeric`: it arrives as null.",
    "Whether a delete has the old row or only zeros and defaults, before an update of its table "
    "was seen; it is then judged by its values, and a note says how.",
    "The months and days of an interval, which by default arrives as one sum of microseconds.",
    "Elements of arrays with several dimensions: they arrive as null. Columns of composite types, "
    "multiranges, `box`, `circle`, `pg_lsn` and `jsonpath` are left out by the connector.",
    "Generated columns: the rows of a snapshot have them, those of the stream have not. Columns of "
    "type `name` are null in the stream.",
    "The zone of a `timetz` (it arrives in UTC), leading zeros of a `bit varying`, and whether a "
    "column is `bit(1)` or `boolean`, `hstore` or `json`.",
    "`money` is written as a plain number; a Sequin server has it as PostgreSQL prints it.",
    "The fraction of a `time`: a Sequin server cuts it in live changes; it is kept here.",
    "The index of a change in its transaction, without the connector's transaction metadata; "
    "Debezium's LSN is that of the row, not of the commit, and rows of a snapshot share one.",
    "Transaction annotations: their messages (`op` is `m`) are passed over.",
    "One update that changes the primary key: it arrives as a delete and an insert.",
)

_SOURCE: Final[dict[str, Any]] = {
    "version": "3.6.1.Final", "connector": "postgresql", "name": "pre", "ts_ms": 1714979289123,
    "snapshot": "false", "db": "shop", "sequence": "[\"27965888\",\"27966120\"]",
    "ts_us": 1714979289123456, "ts_ns": 1714979289123456000, "schema": "public",
    "table": "orders", "txId": 779, "lsn": 27966120, "xmin": None,
}  # fmt: skip

_METADATA: Final = {
    "table_schema": "public", "table_name": "orders", "database_name": "shop",
    "commit_lsn": 27966120, "commit_timestamp": "2024-05-06T07:08:09.123456Z",
}  # fmt: skip


def _event(op: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {"before": before, "after": after, "source": {**_SOURCE, **more.pop("source", {})},
            "transaction": None, "op": op, "ts_ms": 1714979289200, **more}  # fmt: skip


def _field(name: str, kind: str, logical: str | None = None, **more: Any) -> dict[str, Any]:
    named = {} if logical is None else {"name": logical, "version": 1}
    return {"type": kind, "optional": name != "id", **named, **more, "field": name}


_COLUMNS: Final = [
    _field("id", "int32"),
    _field("price", "bytes", "org.apache.kafka.connect.data.Decimal", parameters={"scale": "2"}),
    _field("paid_at", "int64", "io.debezium.time.MicroTimestamp"),
    _field("due", "int32", "io.debezium.time.Date"),
    _field("tags", "string", "io.debezium.data.Json"),
    _field("status", "string", default="new"),
]


def _with_schema(payload: dict[str, Any]) -> dict[str, Any]:
    row = {"type": "struct", "fields": _COLUMNS, "optional": True,
           "name": "pre.public.orders.Value"}  # fmt: skip
    rows = [{**row, "field": part} for part in ("before", "after")]
    fields = [*rows, {"type": "string", "optional": False, "field": "op"}]
    return {"schema": {"type": "struct", "fields": fields, "optional": False,
                       "name": "pre.public.orders.Envelope"}, "payload": payload}  # fmt: skip


ENVELOPE: Final = (
    Example(
        "insert",
        _event("c", None, {"id": 1, "name": "ann"}, transaction={
            "id": "779:27966120", "total_order": 2, "data_collection_order": 1}),
        [{"action": "insert", "record": {"id": 1, "name": "ann"}, "changes": None,
          "metadata": {**_METADATA, "commit_idx": 1}, "key": {"id": 1}}],
        key={"id": 1}, topic="pre.public.orders",
    ),
    Example(
        "update with the old row (REPLICA IDENTITY FULL)",
        _event("u", {"id": 1, "name": "ann", "qty": 3}, {"id": 1, "name": "bob", "qty": 3}),
        [{"action": "update", "record": {"id": 1, "name": "bob", "qty": 3},
          "changes": {"name": "ann"}, "metadata": _METADATA, "key": {"id": 1}}],
        key={"id": 1},
    ),
    Example(
        "update without the old row, with a large value that did not change",
        _event("u", None, {"id": 1, "name": "bob", "note": "__debezium_unavailable_value"}),
        [{"action": "update", "record": {"id": 1, "name": "bob", "note": "unchanged_toast"},
          "changes": {}, "key": {"id": 1}}],
        key={"id": 1},
    ),
    Example(
        "delete: what the database did not send is null",
        _event("d", {"tenant": 1, "code": "c", "qty": 0, "note": None}, None),
        [{"action": "delete", "record": {"tenant": 1, "code": "c", "qty": None, "note": None},
          "changes": None, "key": {"code": "c", "tenant": 1}}],
        key={"code": "c", "tenant": 1},
    ),
    Example(
        "read (snapshot) with the schema: decimals, times and JSON are decoded",
        _with_schema(_event("r", None, {
            "id": 1, "price": "BOI=", "paid_at": 1714979289123456, "due": 19849,
            "tags": "{\"a\": 1}", "status": "new"}, source={"snapshot": "last"})),
        [{"action": "read", "record": {
            "id": 1, "price": "12.50", "paid_at": "2024-05-06T07:08:09.123456", "due": "2024-05-06",
            "tags": {"a": 1}, "status": "new"}, "changes": None, "metadata": _METADATA,
          "key": {"id": 1}}],
        key={"id": 1},
    ),
    Example(
        "MySQL",
        {"before": None, "after": {"id": 1, "name": "ann"}, "op": "c", "ts_ms": 1714979289200,
         "source": {"version": "3.6.1.Final", "connector": "mysql", "name": "pre",
                    "ts_ms": 1714979289000, "snapshot": "false", "db": "shop", "table": "orders",
                    "server_id": 1, "gtid": None, "file": "binlog.000002", "pos": 420, "row": 0}},
        [{"action": "insert", "record": {"id": 1, "name": "ann"}, "changes": None,
          "metadata": {"table_schema": "shop", "table_name": "orders", "database_name": "shop",
                       "commit_timestamp": "2024-05-06T07:08:09.000000Z"}, "key": {"id": 1}}],
        key={"id": 1}, topic="pre.shop.orders",
    ),
    Example("tombstone", None, "tombstone", key={"id": 1}, topic="pre.public.orders"),
    Example("heartbeat", {"ts_ms": 1714979289200}, "heartbeat", key={"serverName": "pre"},
            topic="__debezium-heartbeat.pre"),
    Example("truncate", _event("t", None, None), "truncate", topic="pre.public.orders"),
    Example(
        "message",
        {"op": "m", "ts_ms": 1714979289200, "source": {**_SOURCE, "schema": "", "table": ""},
         "message": {"prefix": "audit", "content": "eA=="}},
        "message", key={"prefix": "audit"}, topic="pre.message",
    ),
    Example(
        "begin of a transaction",
        {"status": "BEGIN", "id": "779:27966120", "event_count": None, "data_collections": None,
         "ts_ms": 1714979289123},
        "transaction", key={"id": "779:27966120"}, topic="pre.transaction",
    ),
    Example(
        "signal",
        _event("c", None, {"id": "s1", "type": "execute-snapshot", "data": "{}"},
               source={"table": "debezium_signal"}),
        "signal", key={"id": "s1"}, topic="pre.public.debezium_signal",
    ),
    Example(
        "schema change (MySQL)",
        {"source": {"connector": "mysql", "name": "pre", "db": "shop", "table": "orders"},
         "ts_ms": 1714979289123, "databaseName": "shop", "schemaName": None,
         "ddl": "ALTER TABLE orders ADD qty int", "tableChanges": []},
        "schema change", key={"databaseName": "shop"}, topic="pre",
    ),
    Example(
        "notification",
        {"id": "c485ccc3-16ff-47cc-b4e8-b56a57c3bad2", "aggregate_type": "Initial Snapshot",
         "type": "COMPLETED", "additional_data": {}, "timestamp": 1714979289123},
        "notification", topic="notifications",
    ),
)  # fmt: skip
