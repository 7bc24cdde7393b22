"""Debezium's events as CloudEvents: the attributes around, old and new row in `data`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from routestudio.formats._connect_types import Schemas
from routestudio.formats._debezium_docs import (
    CLOUDEVENTS,
    CLOUDEVENTS_SETUP,
    CLOUDEVENTS_UNKNOWABLE,
)
from routestudio.formats._debezium_rows import (
    ACTIONS,
    DebeziumFormat,
    connector_title,
    passed_over,
    set_order,
    set_times,
    table_of_topic,
)
from routestudio.formats._decode import is_connect
from routestudio.formats.base import Change, FormatError, Likeness, PassedOver, Raw
from routestudio.formats.debezium import Debezium

_PREFIX: Final = "iodebezium"
_NUMBERS: Final = frozenset({"lsn", "txId", "xmin", "tsms", "tsus", "tsns", "pos", "row",
                             "serverid", "txtotalorder", "txdatacollectionorder"})  # fmt: skip
_NAMES: Final = {"tsms": "ts_ms", "tsus": "ts_us", "tsns": "ts_ns", "serverid": "server_id",
                 "changelsn": "change_lsn", "commitlsn": "commit_lsn",
                 "commitscn": "commit_scn"}  # fmt: skip
_TRANSACTION: Final = {"txid": "id", "txtotalorder": "total_order",
                       "txdatacollectionorder": "data_collection_order"}  # fmt: skip


class DebeziumCloudEvents(DebeziumFormat):
    """`iodebezium…` attributes, and `data` with `before` and `after`."""

    key = "debezium-cloudevents"
    title = "Debezium, CloudEvents"
    about = (
        "Change events of Debezium in the form of CloudEvents 1.0, as "
        "`io.debezium.converters.CloudEventsConverter` writes them with JSON for both the envelope "
        "and the data: operation and source are attributes that begin with `iodebezium`, and "
        "`data` holds `before` and `after`, with the schema or without. What the attributes "
        "state about "
        "the source is in the metadata under `source`."
    )
    facts = (
        "Recorded with Debezium 3.6.1.Final (embedded engine, its CloudEvents converter, JSON for "
        "both parts) on PostgreSQL 15, with the schema and without; other settings as in the "
        "documentation "
        "(https://debezium.io/documentation/reference/3.6/integrations/cloudevents.html)."
    )
    unknowable = CLOUDEVENTS_UNKNOWABLE
    setup = CLOUDEVENTS_SETUP
    examples = CLOUDEVENTS

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self._schemas = Schemas("after", "before")
        self._events = Debezium(**options)

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Certain as a CloudEvent with Debezium's operation."""
        if type(value) is not dict:
            return Likeness.NO
        attributes = sum(1 for name in value if name.startswith(_PREFIX))
        if "specversion" in value:
            if "iodebeziumop" in value:
                return Likeness.CERTAIN
            origin = (value.get("source"), value.get("type"))
            ours = any(isinstance(part, str) and "debezium" in part for part in origin)
            return Likeness.LIKELY if ours or attributes else Likeness.NO
        if attributes > 2:
            return Likeness.LIKELY
        return Likeness.LIKELY if passed_over(value, raw) is not None else Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        if type(value) is not dict:
            raise FormatError("a CloudEvent is an object")
        data, schema = value.get("data"), None
        if isinstance(data, dict) and is_connect(data):
            data, schema = data["payload"], data["schema"]
        operation = value.get("iodebeziumop")
        event = _event(data)
        if operation is None and event is not None:
            # Another writer of CloudEvents around Debezium's whole event.
            yield from self._events.read(event, replace(raw, schema=schema))
            return
        kind = passed_over(value, raw) or passed_over(data, raw) or _named_kind(value, operation)
        if kind is not None:
            raise PassedOver(kind)
        if not isinstance(operation, str) or operation not in ACTIONS:
            raise FormatError(f"`iodebeziumop` is {str(operation)[:20]!r}, which is not an "
                              "operation of Debezium", "it is c, u, d or r")  # fmt: skip
        if not isinstance(data, dict):
            raise FormatError("`data` is not an object with `before` and `after`", _not_json(value))
        source, transaction = _source(value), _transaction(value)
        metadata = _metadata(value, source, raw)
        if transaction:
            set_order(metadata, transaction)
            metadata["transaction"] = transaction
        before, after = data.get("before"), data.get("after")
        parts = ("data.before", "data.after")
        if "before" not in data and "after" not in data:
            # `extension.attributes` and flattening leave only the row.
            before, after, parts = (data, None, ("data", "")) if operation == "d" else (
                None, data, ("", "data"))  # fmt: skip
        columns = self._schemas.of(schema)
        yield self.change(operation, before, after, source, raw, columns, metadata, parts)

    def title_of(self, value: Any, raw: Raw) -> str:
        """`Debezium, CloudEvents, PostgreSQL`."""
        connector = value.get("iodebeziumconnector") if isinstance(value, dict) else None
        return connector_title(self.title, connector)


def _event(data: Any) -> dict[str, Any] | None:
    """The whole event of Debezium that the data are, if they are one."""
    if isinstance(data, dict) and data.keys() == {"payload"}:
        data = data["payload"]
    whole = isinstance(data, dict) and "op" in data and isinstance(data.get("source"), dict)
    return data if whole else None


def _named_kind(value: Mapping[str, Any], operation: Any) -> str | None:
    """What an event that is not about a row is passed over as, by its operation or its type."""
    kinds = {"t": "truncate", "m": "message"}
    if isinstance(operation, str) and operation in kinds:
        return kinds[operation]
    kind = value.get("type")
    if isinstance(kind, str) and operation is None:
        for word, name in (("heartbeat", "heartbeat"), ("transaction", "transaction"),
                           ("schemachange", "schema change")):  # fmt: skip
            if word in kind.lower():
                return name
    return None


def _not_json(value: Mapping[str, Any]) -> str | None:
    if "avro" in str(value.get("datacontenttype", "")) or "dataschema" in value:
        return "the data is Avro: set `value.converter.data.serializer.type=json`"
    return None


def _source(value: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes as the envelope's `source`: they are all texts here."""
    source: dict[str, Any] = {}
    for name, given in value.items():
        part = name.removeprefix(_PREFIX)
        if part != name and part != "op" and part not in _TRANSACTION:
            source[_NAMES.get(part, part)] = _number(given) if part in _NUMBERS else given
    return source


def _transaction(value: Mapping[str, Any]) -> dict[str, Any]:
    """What the attributes say of the transaction's topic.

    `txid` is its id there, `txId` the database's own number, which belongs to the source.
    """
    if value.get(_PREFIX + "txtotalorder") is None:
        return {}
    found = {inner: value.get(_PREFIX + name) for name, inner in _TRANSACTION.items()}
    return {"id": found.pop("id"), **{name: _number(given) for name, given in found.items()}}


def _number(value: Any) -> Any:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 25:
        return int(value)
    return value


def _metadata(value: Mapping[str, Any], source: dict[str, Any], raw: Raw) -> dict[str, Any]:
    schema, table = source.get("schema") or source.get("db"), source.get("table")
    if not table:
        schema, table = table_of_topic(raw)
    metadata: dict[str, Any] = {"source": source}
    for key, given in (("table_schema", schema), ("table_name", table),
                       ("database_name", source.get("db"))):  # fmt: skip
        if isinstance(given, str) and given:
            metadata[key] = given
    if type(source.get("lsn")) is int:
        metadata["commit_lsn"] = source["lsn"]
    set_times(metadata, source, value)
    return metadata
