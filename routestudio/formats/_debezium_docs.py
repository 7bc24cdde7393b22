"""What Debezium's pages show: what to set, what cannot be known, and examples of every event."""

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
    "default arrives as the default, and nothing shows it.",
    "Set `REPLICA IDENTITY FULL` on tables whose old values a route needs: without it updates have "
    "no old row, and deletes have only their key.",
    "Avoid `REPLICA IDENTITY USING INDEX`: Debezium then gives every delete the key 0.",
    "For partitioned tables create the publication with `publish_via_partition_root=true`, or "
    "leave the partitions or the parent out: otherwise a snapshot sends each row twice, once under "
    "each name.",
    "Rows of the signalling table are passed over when it is called `debezium_signal` or "
    "`dbz_signal`; leave one with another name out of the route.",
    "MySQL and MariaDB: set `bigint.unsigned.handling.mode=precise` where a `bigint unsigned` may "
    "be over 9223372036854775807. Such a value otherwise arrives as a negative number, also in a "
    "key (18446744073709551615 as -1).",
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
    "was seen; it is then judged by its values, and a note explains how.",
    "The months and days of an interval, which by default arrives as one sum of microseconds.",
    "Elements of arrays with several dimensions: they arrive as null. Columns of composite types, "
    "multiranges, `box`, `circle`, `pg_lsn` and `jsonpath` are left out by the connector.",
    "Generated columns: the rows of a snapshot have them, those of the stream have not. Columns of "
    "type `name` are null in the stream.",
    "`NaN` and the infinities of `numeric` arrive as null, but with "
    "`decimal.handling.mode=string` as `NAN` and `POSITIVE_INFINITY`.",
    "In rows of a snapshot a `date` before Christ is one after Christ, and the dates `infinity` "
    "and `-infinity` are arbitrary days; the stream has the first right and other days for those.",
    "Inside arrays 24:00:00 of `time` is 00:00:00, a `timetz` has no fraction, and a `timestamptz` "
    "before Christ is after it.",
    "After the transform TimezoneConverter: times with and without a zone were moved in opposite "
    "directions. After EventRouter with `table.expand.json.payload`: whether a number was an exact "
    "decimal.",
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

FLAT_SETUP: Final = (
    "Set `add.fields=op,table,lsn,source.ts_us,db,schema` in the transform: without `__op` every "
    "row that is not a delete is `read`.",
    "Set `delete.tombstone.handling.mode=rewrite` to get the old row of deletes; by default a "
    "delete is a record without value, and only its key is known.",
    *SETUP[:-1],
)

FLAT_UNKNOWABLE: Final = (
    "Rows without any field that begins with `__`, without Debezium's headers and without schema "
    "look like plain rows: name the format. A record without value is then a delete.",
    "The old values of an update: the transform drops them.",
    "Deletes with `delete.tombstone.handling.mode=drop`: they are not sent.",
    *UNKNOWABLE,
)

_ADDED: Final[dict[str, Any]] = {
    "__deleted": "false", "__op": "c", "__table": "orders", "__lsn": 27966120,
    "__source_ts_ms": 1714979289123, "__db": "shop", "__schema": "public",
}  # fmt: skip

_FLAT_METADATA: Final = {**_METADATA, "commit_timestamp": "2024-05-06T07:08:09.123000Z"}


def _flat(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**row, **_ADDED, **{f"__{name}": value for name, value in more.items()}}


FLAT: Final = (
    Example(
        "insert", _flat({"id": 1, "name": "ann"}),
        [{"action": "insert", "record": {"id": 1, "name": "ann"}, "changes": None,
          "metadata": _FLAT_METADATA, "key": {"id": 1}}],
        key={"id": 1}, topic="pre.public.orders",
    ),
    Example(
        "update", _flat({"id": 1, "name": "bob"}, op="u"),
        [{"action": "update", "record": {"id": 1, "name": "bob"}, "changes": {},
          "metadata": _FLAT_METADATA, "key": {"id": 1}}],
        key={"id": 1}, topic="pre.public.orders",
    ),
    Example(
        "delete that was rewritten: what the database did not send is null",
        _flat({"id": 1, "name": None, "qty": 0}, op="d", deleted="true"),
        [{"action": "delete", "record": {"id": 1, "name": None, "qty": None}, "changes": None,
          "metadata": _FLAT_METADATA, "key": {"id": 1}}],
        key={"id": 1}, topic="pre.public.orders",
    ),
    Example(
        "read (snapshot)", _flat({"id": 1, "name": "ann"}, op="r"),
        [{"action": "read", "record": {"id": 1, "name": "ann"}, "changes": None,
          "key": {"id": 1}}],
        key={"id": 1}, topic="pre.public.orders",
    ),
    Example(
        "a row without added fields, recognised by Debezium's headers",
        {"id": 1, "name": "ann"},
        [{"action": "read", "record": {"id": 1, "name": "ann"}, "changes": None,
          "metadata": {"table_schema": "public", "table_name": "orders"}, "key": {"id": 1}}],
        key={"id": 1}, topic="pre.public.orders",
        headers={"__debezium.context.connectorLogicalName": '"pre"',
                 "__debezium.context.connectorName": '"postgresql"'},
    ),
    Example(
        "delete without value", None,
        [{"action": "delete", "record": {"id": 1}, "changes": None,
          "metadata": {"table_schema": "public", "table_name": "orders"}, "key": {"id": 1}}],
        key={"id": 1}, topic="pre.public.orders", named=True,
    ),
    Example("tombstone", None, "tombstone", topic="pre.public.orders"),
    *(Example(example.title, {"id": "s1", "type": "execute-snapshot", "data": "{}", "__op": "c"},
              "signal", key=example.key, topic=example.topic) if example.gives == "signal"
      else Example(example.title, example.value, example.gives, example.key, example.topic,
                   example.headers, named=True)
      for example in ENVELOPE if isinstance(example.gives, str) and example.value is not None),
)  # fmt: skip

_OTHERS: Final = tuple(
    Example(example.title, example.value, example.gives, example.key, example.topic,
            example.headers, named=True)
    for example in ENVELOPE
    if isinstance(example.gives, str) and example.value is not None and example.gives != "signal"
)  # fmt: skip
"""Values that are passed over by all of Debezium's formats."""

CLOUDEVENTS_UNKNOWABLE: Final = (
    "Data in Avro (`datacontenttype` is `application/avro`) is not read.",
    "Messages of `pg_logical_emit_message` and the markers of transactions: the converter writes "
    "records without value for them, which are counted as tombstones.",
    "The `id` of an event does not identify it: the delete and the insert of a changed primary key "
    "have the same one, and so have the rows of a snapshot. It is not used.",
    *UNKNOWABLE,
)

CLOUDEVENTS_SETUP: Final = (
    "Use JSON for envelope and data: `value.converter.serializer.type=json` and "
    "`value.converter.data.serializer.type=json`.",
    *SETUP,
)


def _cloud(op: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "name:pre;lsn:27966120;txId:779", "source": "/debezium/postgresql/pre",
        "specversion": "1.0", "type": "io.debezium.connector.postgresql.DataChangeEvent",
        "time": "2024-05-06T07:08:09.123Z", "datacontenttype": "application/json",
        "iodebeziumop": op, "iodebeziumversion": "3.6.1.Final",
        "iodebeziumconnector": "postgresql", "iodebeziumname": "pre",
        "iodebeziumtsms": "1714979289123", "iodebeziumsnapshot": "false", "iodebeziumdb": "shop",
        "iodebeziumschema": "public", "iodebeziumtable": "orders", "iodebeziumlsn": "27966120",
        "iodebeziumxmin": None, "iodebeziumtxId": "779", "iodebeziumtxid": "779:27966120",
        "iodebeziumtxtotalorder": "1", "iodebeziumtxdatacollectionorder": "1", **more,
        "data": {"before": before, "after": after},
    }  # fmt: skip


CLOUDEVENTS: Final = (
    Example(
        "insert", _cloud("c", None, {"id": 1, "name": "ann"}),
        [{"action": "insert", "record": {"id": 1, "name": "ann"}, "changes": None,
          "metadata": {**_FLAT_METADATA, "commit_idx": 0}, "key": {"id": 1}}],
        key={"id": 1},
    ),
    Example(
        "update", _cloud("u", {"id": 1, "name": "ann"}, {"id": 1, "name": "bob"}),
        [{"action": "update", "record": {"id": 1, "name": "bob"}, "changes": {"name": "ann"},
          "key": {"id": 1}}],
        key={"id": 1},
    ),
    Example(
        "delete", _cloud("d", {"id": 1, "name": None}, None),
        [{"action": "delete", "record": {"id": 1, "name": None}, "changes": None,
          "key": {"id": 1}}],
        key={"id": 1},
    ),
    Example(
        "read (snapshot)", _cloud("r", None, {"id": 1, "name": "ann"}),
        [{"action": "read", "record": {"id": 1, "name": "ann"}, "changes": None,
          "key": {"id": 1}}],
        key={"id": 1},
    ),
    Example("signal", _cloud("c", None, {"id": "s1", "type": "execute-snapshot", "data": "{}"}),
            "signal", key={"id": "s1"}),
    *_OTHERS,
)  # fmt: skip

MONGODB_SETUP: Final = (
    "Set `capture.mode=change_streams_update_full`: otherwise an update has only the fields that "
    "it set. With `change_streams_update_full_with_pre_image` (and pre-images in the database) "
    "updates and deletes have the old document, too.",
    "Keep the record's key: it has the `_id` of deleted documents.",
)

MONGODB_UNKNOWABLE: Final = (
    "The old values of an update, and the document that was deleted, without pre-images.",
    "Types of BSON other than numbers, decimals, dates and UUIDs: an object id is text.",
    "The index of a change in its transaction, without the connector's transaction metadata.",
)


def _document(op: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {
        "before": before, "after": after, "op": op, "ts_ms": 1714979289200, "transaction": None,
        "source": {"version": "3.6.1.Final", "connector": "mongodb", "name": "pre",
                   "ts_ms": 1714979289000, "snapshot": "false", "db": "shop",
                   "collection": "customers", "ord": 1, "lsid": None}, **more,
    }  # fmt: skip


_ANN: Final = '{"_id": {"$numberLong": "1004"}, "name": "ann", "spent": {"$numberDecimal": "1.50"}}'
_BOB: Final = '{"_id": {"$numberLong": "1004"}, "name": "bob", "spent": {"$numberDecimal": "1.50"}}'
_MONGODB_KEY: Final = {"id": "1004"}
_MONGODB_METADATA: Final = {
    "table_schema": "shop", "table_name": "customers", "database_name": "shop",
    "commit_timestamp": "2024-05-06T07:08:09.000000Z",
}  # fmt: skip

MONGODB: Final = (
    Example(
        "insert", _document("c", None, _ANN),
        [{"action": "insert", "record": {"_id": 1004, "name": "ann", "spent": "1.50"},
          "changes": None, "metadata": _MONGODB_METADATA, "key": {"_id": 1004}}],
        key=_MONGODB_KEY, topic="pre.shop.customers",
    ),
    Example(
        "update with pre-image", _document("u", _ANN, _BOB),
        [{"action": "update", "record": {"_id": 1004, "name": "bob", "spent": "1.50"},
          "changes": {"name": "ann"}, "key": {"_id": 1004}}],
        key=_MONGODB_KEY,
    ),
    Example(
        "update without the document",
        _document("u", None, None, updateDescription={
            "removedFields": ["spent"], "truncatedArrays": None,
            "updatedFields": '{"name": "bob"}'}),
        [{"action": "update", "record": {"_id": 1004, "name": "bob"}, "changes": {},
          "key": {"_id": 1004}}],
        key=_MONGODB_KEY,
    ),
    Example(
        "delete with pre-image (without one, the record has the key only)",
        _document("d", _ANN, None),
        [{"action": "delete", "record": {"_id": 1004, "name": "ann", "spent": "1.50"},
          "changes": None, "key": {"_id": 1004}}],
        key=_MONGODB_KEY,
    ),
    Example(
        "read (snapshot)", _document("r", None, _ANN),
        [{"action": "read", "record": {"_id": 1004, "name": "ann", "spent": "1.50"},
          "changes": None, "key": {"_id": 1004}}],
        key=_MONGODB_KEY,
    ),
    Example("signal", _document("c", None, '{"_id": "s1", "type": "execute-snapshot", '
                                           '"data": "{}"}'), "signal", key={"id": '"s1"'}),
    *_OTHERS,
)  # fmt: skip
