"""What Debezium gives and what must become of it, one fact after the other.

The facts were observed with Debezium 3.6.1 on PostgreSQL 15; the records of most of them are in
`tests/data/debezium`, and those here have the same shapes.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from routestudio.errors import UsageError
from routestudio.formats.base import Fault, Raw
from routestudio.formats.debezium import Debezium
from routestudio.formats.debezium_flat import DebeziumFlat
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message

UNKNOWN_KEY = "The key is unknown: the row does not name it."
PLACEHOLDER = "__debezium_unavailable_value"
CODES = [95, 95, 100, 101, 98, 101, 122, 105, 117, 109, 95, 117, 110, 97, 118, 97, 105, 108, 97, 98,
         108, 101, 95, 118, 97, 108, 117, 101]  # fmt: skip
SOURCE: dict[str, Any] = {
    "version": "3.6.1.Final", "connector": "postgresql", "name": "pre", "ts_ms": 1714979289123,
    "snapshot": "false", "db": "shop", "schema": "public", "table": "orders", "txId": 7, "lsn": 77,
}  # fmt: skip


def event(op: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {"before": before, "after": after, "source": {**SOURCE, **more.pop("source", {})},
            "op": op, "ts_ms": 1714979289200, "transaction": None, **more}  # fmt: skip


def column(name: str, kind: str, logical: str | None = None, **more: Any) -> dict[str, Any]:
    named = {} if logical is None else {"name": logical, "version": 1}
    return {"type": kind, "optional": True, **named, **more, "field": name}


def schema(*columns: dict[str, Any]) -> dict[str, Any]:
    row = {"type": "struct", "fields": list(columns), "optional": True, "name": "p.public.t.Value"}
    return {"type": "struct", "fields": [{**row, "field": "before"}, {**row, "field": "after"}],
            "optional": False, "name": "p.public.t.Envelope"}  # fmt: skip


def decimal(name: str, scale: int = 2) -> dict[str, Any]:
    return column(name, "bytes", "org.apache.kafka.connect.data.Decimal",
                  parameters={"scale": str(scale)})  # fmt: skip


def raw(value: Any, key: Any = None, *, shape: Any = None, position: str = "p", **more: Any) -> Raw:
    if shape is not None:
        value = {"schema": shape, "payload": value}
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    key = None if key is None else json.dumps(key).encode()
    return Raw(None if value is None else data, key, position=position, **more)


def message(*rows: Raw, envelope: str = "auto", **options: str) -> Message:
    """The message of the last row."""
    reader = RowReader(envelope=envelope, options=options)
    found = list(reader.read_all(rows))
    assert isinstance(found[-1], Message), found[-1]
    return found[-1]


def with_columns(value: dict[str, Any], *columns: dict[str, Any]) -> Message:
    return message(raw(event("c", None, value), shape=schema(*columns)))


def passed(*rows: Raw, envelope: str = "auto") -> dict[str, int]:
    reader = RowReader(envelope=envelope)
    assert list(reader.read_all(rows)) == []
    return dict(reader.passed_over)


# --- 1: keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "row", "pks"),
    [
        ({"id": 1}, {"id": 1, "at": 2}, ["1"]),
        ({"code": "c", "tenant": 1}, {"tenant": 1, "code": "c", "id": 9}, ["c", "1"]),
        ({"Id": 1}, {"Id": 1, "id": 2}, ["1"]),
        ({"parcel_no": "P1"}, {"parcel_no": "P1", "id": 2}, ["P1"]),
        ({"ok": True, "n": 0}, {"n": 0, "ok": True}, ["true", "0"]),
    ],
)
@pytest.mark.parametrize("op", ["c", "u", "r", "d"])
def test_1_the_key_is_that_of_the_record_in_its_order(
    op: str, key: dict[str, Any], row: dict[str, Any], pks: list[str]
) -> None:
    found = message(raw(event(op, row if op == "d" else None, None if op == "d" else row), key))
    assert found.record_pks == pks
    assert found.key_columns == tuple(key)
    assert found.key_origin == "row"


def test_1_a_key_with_its_schema_is_decoded() -> None:
    key = {"schema": {"type": "struct", "optional": False, "fields": [
        column("id", "int32"), column("at", "int32", "io.debezium.time.Date")]},
        "payload": {"id": 2, "at": 19880}}  # fmt: skip
    found = message(raw(event("d", {"other": None}, None), key))
    assert found.record_pks == ["2", "2024-06-06"]


def test_1_keys_of_other_converters() -> None:
    row = {"id": 1, "name": "a,b=c"}
    text = Raw(json.dumps(event("c", None, row)).encode(), b"Struct{id=1,name=a,b=c}", position="p")
    found = message(text)
    assert (found.key_columns, found.record_pks) == (("id", "name"), ["1", "a,b=c"])
    assert message(raw(event("c", None, {"code": 5, "id": 1}), 5)).record_pks == ["5"]


# --- 2: deletes ----------------------------------------------------------------------------------

INVENTED = {"id": 1, "name": None, "qty": 0, "note": "none", "ok": False,
            "at": "1970-01-01T00:00:00Z", "price": "AA==", "u": "", "d": 0, "opt": 5}  # fmt: skip
NOTHING = {**dict.fromkeys(INVENTED), "id": 1}


def test_2_a_delete_of_the_default_identity_has_its_key_and_nothing_else() -> None:
    found = message(raw(event("d", INVENTED, None), {"id": 1}))
    assert found.record == NOTHING
    assert any(note.startswith("The columns outside of the key are null") for note in found.notes)


def test_2_updates_without_the_old_row_say_it_also_of_a_row_with_many_values() -> None:
    row = {"id": 1, "a": "x", "b": "y"}
    update = raw(event("u", None, row), {"id": 1})
    found = message(update, raw(event("d", row, None), {"id": 1}))
    assert found.record == {"id": 1, "a": None, "b": None}
    assert "this table's updates come without the old row" in found.notes[0]


def test_2_updates_with_the_old_row_say_that_zeros_are_values() -> None:
    row = {"id": 1, "qty": 0, "note": ""}
    update = raw(event("u", row, {**row, "qty": 1}), {"id": 1})
    found = message(update, raw(event("d", row, None), {"id": 1}))
    assert found.record == row
    assert found.notes == ("The old row is complete: this table's updates come with the old row.",)
    other = raw(event("d", row, None, source={"table": "others"}), {"id": 1})
    assert message(update, other).record == {"id": 1, "qty": None, "note": None}


def test_2_with_the_schema_one_value_that_is_no_default_shows_a_full_row() -> None:
    shape = schema(column("id", "int32"), column("qty", "int32", default=7),
                   column("note", "string"), column("name", "string", default="none"))  # fmt: skip
    row = {"id": 1, "qty": 7, "note": None, "name": "none"}
    key = {"id": 1}
    assert message(raw(event("d", row, None), key, shape=shape)).record == {
        "id": 1, "qty": None, "note": None, "name": None}  # fmt: skip
    full = {**row, "name": "ann"}
    found = message(raw(event("d", full, None), key, shape=shape))
    assert found.record == full
    assert found.notes[0].startswith("The old row is taken to be complete")


def test_2_without_a_key_and_from_other_databases_the_old_row_is_what_it_is() -> None:
    assert message(raw(event("d", {"a": 0, "b": ""}, None))).record == {"a": 0, "b": ""}
    mysql = event("d", {"id": 1, "qty": 0}, None, source={"connector": "mysql", "schema": None})
    assert message(raw(mysql, {"id": 1})).record == {"id": 1, "qty": 0}


# --- 3: NULL and defaults ------------------------------------------------------------------------


def test_3_a_default_that_may_be_null_is_noted_once_for_a_table() -> None:
    shape = schema(column("id", "int32"), column("qty", "int32", default=5))
    rows = [raw(event("c", None, {"id": n, "qty": 5}), {"id": n}, shape=shape) for n in (1, 2)]
    first, second = (row for row in RowReader().read_all(rows) if isinstance(row, Message))
    assert "`qty` may be NULL" in first.notes[0]
    assert "replace.null.with.default=false" in first.notes[0]
    assert second.notes == ()
    assert any("replace.null.with.default=false" in line for line in Debezium.setup)


# --- 4, 5: decimals and times --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coded", "scale", "text"),
    [("BOI=", 2, "12.50"), ("AA==", 2, "0.00"), ("/w==", 2, "-0.01"), ("Fcg=", 2, "55.76"),
     ("Kg==", 0, "42"), ("1234", 2, "-26588.24"), ("AeI6", 2, "1234.50"), ("Kg==", -2, "4200"),
     ("AA==", -2, "0"), ("AQ==", 20, "0.00000000000000000001")],
)  # fmt: skip
def test_4_decimals_are_exact_text_with_the_schema(coded: str, scale: int, text: str) -> None:
    found = with_columns({"n": coded}, decimal("n", scale))
    assert (found.record, dict(found.types)) == ({"n": text}, {"n": "numeric"})


def test_4_a_decimal_that_brings_its_scale_is_always_decoded() -> None:
    row = {"a": {"scale": 1, "value": "fQ=="}, "b": [{"scale": 0, "value": "AQ=="}, None],
           "c": {"scale": "x", "value": "fQ=="}}  # fmt: skip
    found = message(raw(event("c", None, row)))
    assert found.record == {"a": "12.5", "b": ["1", None], "c": row["c"]}
    shape = column("a", "struct", "io.debezium.data.VariableScaleDecimal", fields=[])
    assert with_columns({"a": row["a"]}, shape).record == {"a": "12.5"}


def test_4_base64_without_schema_is_noted_and_kept() -> None:
    found = message(raw(event("c", None, {"price": "BOI=", "code": "snap"})))
    assert found.record == {"price": "BOI=", "code": "snap"}
    assert [note.split(" ")[0] for note in found.notes[:1]] == ["`price`"]
    assert "decimal.handling.mode=string" in found.notes[0]


def test_4_a_scale_out_of_all_bounds_costs_no_memory() -> None:
    for scale in (2_000_000_000, -2_000_000_000):
        value = {"a": {"scale": scale, "value": "AQ=="}}
        assert message(raw(event("c", None, value))).record == value
        assert with_columns({"n": "AQ=="}, decimal("n", scale)).record == {"n": "AQ=="}


TIMES: list[tuple[str, str, Any, Any, str]] = [
    (
        "io.debezium.time.MicroTimestamp",
        "int64",
        1714979289123456,
        "2024-05-06T07:08:09.123456",
        "timestamp",
    ),
    ("io.debezium.time.MicroTimestamp", "int64", -1, "1969-12-31T23:59:59.999999", "timestamp"),
    ("io.debezium.time.MicroTimestamp", "int64", 9223372036825200000, "infinity", "timestamp"),
    ("io.debezium.time.MicroTimestamp", "int64", -9223372036832400000, "-infinity", "timestamp"),
    (
        "io.debezium.time.MicroTimestamp",
        "int64",
        568971820800000000,
        "20000-01-01 00:00:00",
        "timestamp",
    ),
    (
        "io.debezium.time.MicroTimestamp",
        "int64",
        -63517824000000000,
        "0044-03-15 00:00:00 BC",
        "timestamp",
    ),
    (
        "io.debezium.time.Timestamp",
        "int64",
        1714979289123,
        "2024-05-06T07:08:09.123000",
        "timestamp",
    ),
    (
        "io.debezium.time.NanoTimestamp",
        "int64",
        1714979289123456789,
        "2024-05-06T07:08:09.123456",
        "timestamp",
    ),
    (
        "org.apache.kafka.connect.data.Timestamp",
        "int64",
        1714979289123,
        "2024-05-06T07:08:09.123000",
        "timestamp",
    ),
    (
        "io.debezium.time.IsoTimestamp",
        "string",
        "2024-05-06T07:08:09.5Z",
        "2024-05-06T07:08:09.500000",
        "timestamp",
    ),
    (
        "io.debezium.time.ZonedTimestamp",
        "string",
        "2024-05-06T05:08:09.123456Z",
        "2024-05-06T05:08:09.123456Z",
        "timestamptz",
    ),
    (
        "io.debezium.time.ZonedTimestamp",
        "string",
        "2024-05-06T05:08:09Z",
        "2024-05-06T05:08:09.000000Z",
        "timestamptz",
    ),
    (
        "io.debezium.time.ZonedTimestamp",
        "string",
        "2024-05-06T05:08:09.5+02:00",
        "2024-05-06T03:08:09.500000Z",
        "timestamptz",
    ),
    (
        "io.debezium.time.ZonedTimestamp",
        "string",
        "+20000-01-01T00:00:00Z",
        "20000-01-01 00:00:00+00",
        "timestamptz",
    ),
    (
        "io.debezium.time.ZonedTimestamp",
        "string",
        "-0043-03-15T00:00:00Z",
        "0044-03-15 00:00:00+00 BC",
        "timestamptz",
    ),
    ("io.debezium.time.Date", "int32", 19849, "2024-05-06", "date"),
    ("io.debezium.time.Date", "int32", -719163, "0001-12-31 BC", "date"),
    ("org.apache.kafka.connect.data.Date", "int32", 19849, "2024-05-06", "date"),
    ("io.debezium.time.IsoDate", "string", "2024-05-06Z", "2024-05-06", "date"),
    ("io.debezium.time.MicroTime", "int64", 25689500000, "07:08:09", "time"),
    ("io.debezium.time.MicroTime", "int64", 86400000000, "24:00:00", "time"),
    ("io.debezium.time.MicroTime", "int64", -3020399000000, "-838:59:59", "time"),
    ("io.debezium.time.Time", "int32", 25689500, "07:08:09", "time"),
    ("io.debezium.time.NanoTime", "int64", 25689500000000, "07:08:09", "time"),
    ("org.apache.kafka.connect.data.Time", "int32", 25689000, "07:08:09", "time"),
    ("io.debezium.time.IsoTime", "string", "07:08:09.5Z", "07:08:09", "time"),
    ("io.debezium.time.ZonedTime", "string", "05:08:09Z", "05:08:09", "timetz"),
    (
        "io.debezium.time.Interval",
        "string",
        "P0Y1M1DT2H3M4.5S",
        {"months": 1, "days": 1, "microseconds": 7384500000},
        "interval",
    ),
    (
        "io.debezium.time.Interval",
        "string",
        "P1Y-10M-3DT4H5M-6.789S",
        {"months": 2, "days": -3, "microseconds": 14693211000},
        "interval",
    ),
    (
        "io.debezium.time.MicroDuration",
        "int64",
        2723584500000,
        {"months": 1, "days": 1, "microseconds": 7384500000},
        "interval",
    ),
    ("io.debezium.time.Year", "int32", 2024, 2024, "int4"),
]


@pytest.mark.parametrize(("name", "kind", "given", "wanted", "type_"), TIMES)
def test_5_times_are_decoded_by_the_name_of_their_schema(
    name: str, kind: str, given: Any, wanted: Any, type_: str
) -> None:
    found = with_columns({"t": given}, column("t", kind, name))
    assert (found.record, dict(found.types)) == ({"t": wanted}, {"t": type_})


def test_5_the_sum_of_an_interval_is_noted() -> None:
    sums = column("iv", "int64", "io.debezium.time.MicroDuration")
    found = with_columns({"iv": 2592000000000}, sums)
    assert found.record == {"iv": {"months": 0, "days": 30, "microseconds": 0}}
    assert "interval.handling.mode=string" in found.notes[0]


def test_6_the_advice_is_the_one_that_helps() -> None:
    text = " ".join(Debezium.setup)
    assert "`time.precision.mode=isostring`" in text
    assert "`connect` does not help" in text
    assert "`interval.handling.mode=string`" in text
    assert any("24:00:00 is `00:00:00Z`" in line for line in Debezium.unknowable)


# --- 7, 8: other types ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "given", "wanted"),
    [
        (column("v", "bytes"), "AP8=", "\\x00ff"),
        (column("v", "bytes"), "", "\\x"),
        (column("v", "bytes", "io.debezium.data.Bits", parameters={"length": "8"}), "gQ==",
         "10000001"),
        (column("v", "bytes", "io.debezium.data.Bits", parameters={"length": "12"}), "AQg=",
         "100000000001"),
        (column("v", "bytes", "io.debezium.data.Bits", parameters={"length": "2147483647"}),
         "BQ==", "101"),
        (column("v", "boolean"), True, True),
        (column("v", "string", "io.debezium.data.Json"), '{"a": [1, null]}', {"a": [1, None]}),
        (column("v", "string", "io.debezium.data.Json"), "null", None),
        (column("v", "string", "io.debezium.data.Json"), "5", 5),
        (column("v", "string", "io.debezium.data.Json"), "{broken", "{broken"),
        (column("v", "array", items=column("", "string", "io.debezium.data.Json")),
         ['{"a": 1}', None], [{"a": 1}, None]),
        (column("v", "map"), {"a": "1"}, {"a": "1"}),
        (column("v", "struct", "io.debezium.data.geometry.Point", fields=[]),
         {"x": 1.5, "y": 2.0, "wkb": "AQ==", "srid": None}, "(1.5,2)"),
        (column("v", "struct", "io.debezium.data.geometry.Geometry", fields=[]),
         {"wkb": "AQEAAAA=", "srid": 4326}, "0101000000"),
        (column("v", "double"), "NaN", "NaN"),
        (column("v", "double"), 1e300, 1e300),
        (column("v", "string", "io.debezium.data.Enum"), "happy", "happy"),
    ],
)  # fmt: skip
def test_7_and_8_values_are_decoded_by_their_schema(field: Any, given: Any, wanted: Any) -> None:
    found = with_columns({"v": given}, field)
    assert found.record == {"v": wanted}
    assert found.notes == (UNKNOWN_KEY,)


def test_8_json_without_schema_is_noted() -> None:
    found = message(raw(event("c", None, {"jb": '{"a": 1}', "r": "{1}", "t": "x"})))
    assert found.record["jb"] == '{"a": 1}'
    assert found.notes[0].startswith("`jb` may be JSON")


# --- 9, 10: files, flattened rows ----------------------------------------------------------------


def test_9_envelopes_of_a_file_are_read_without_a_topic() -> None:
    found = message(
        Raw(json.dumps(event("r", None, {"id": 1})).encode(), place="f:1", position="f")
    )
    assert (found.action, found.metadata["table_name"]) == ("read", "orders")


def test_10_flattened_rows_by_their_fields() -> None:
    row = {"id": 1, "__op": "u", "__deleted": "false", "__table": "t", "__lsn": 5,
           "__source_ts_us": 1714979289123456, "__db": "shop", "__schema": "s",
           "__mine": 1}  # fmt: skip
    found = message(raw(row, {"id": 1}))
    assert (found.action, found.record, found.changes) == ("update", {"id": 1, "__mine": 1}, {})
    assert found.metadata["table_schema"] == "s"
    assert found.metadata["table_name"] == "t"
    assert found.metadata["commit_lsn"] == 5
    assert found.metadata["commit_timestamp"] == "2024-05-06T07:08:09.123456Z"
    assert found.metadata["source"]["db"] == "shop"
    gone = message(raw({"id": 1, "v": None, "__deleted": "true"}, {"id": 1}))
    assert (gone.action, gone.record) == ("delete", {"id": 1, "v": None})


def test_10_the_table_is_in_the_schema_or_the_topic() -> None:
    shape = {"type": "struct", "name": "pre.public.t.Value", "fields": [
        column("id", "int32"), decimal("price")]}  # fmt: skip
    found = message(raw({"id": 1, "price": "BOI="}, {"id": 1}, shape=shape))
    assert found.format == "debezium-flat"
    assert (found.metadata["table_schema"], found.metadata["table_name"]) == ("public", "t")
    assert found.record == {"id": 1, "price": "12.50"}
    named = message(raw({"id": 1}, {"id": 1}, topic="a.b.public.t.v1", headers={
        "__debezium.context.connectorLogicalName": '"a.b"'}))  # fmt: skip
    assert (named.metadata["table_schema"], named.metadata["table_name"]) == ("public", "t.v1")


def test_10_all_ways_of_sending_deletes() -> None:
    key, topic = {"id": 1}, "p.public.t"
    row = raw({"id": 1}, key, topic=topic)
    nothing = raw(None, key, topic=topic)
    found = message(row, nothing, envelope="debezium-flat")
    assert (found.action, found.record, found.record_pks) == ("delete", {"id": 1}, ["1"])
    rewritten = raw({"id": 1, "__deleted": "true"}, key, topic=topic)
    reader = RowReader(envelope="debezium-flat")
    assert len(list(reader.read_all([rewritten, nothing]))) == 1
    assert dict(reader.passed_over) == {"tombstone": 1}
    assert passed(raw(None, topic=topic), envelope="debezium-flat") == {"tombstone": 1}


def test_10_a_heartbeat_between_does_not_lose_a_delete() -> None:
    key, topic = {"id": 1}, "p.public.t"
    rows = [raw({"id": 1, "__op": "c"}, key, topic=topic),
            raw({"ts_ms": 5}, {"serverName": "p"}, topic="__debezium-heartbeat.p"),
            raw(None, key, topic=topic)]  # fmt: skip
    assert message(*rows).action == "delete"


def test_10_without_any_sign_a_row_is_plain() -> None:
    assert message(raw({"id": 1, "name": "x"}, {"id": 1}, topic="p.public.t")).format == "plain"


# --- 11: records of other topics -----------------------------------------------------------------


def test_11_transactions_and_others_are_passed_over_by_kind() -> None:
    begin = {"status": "BEGIN", "id": "7:8", "event_count": None, "data_collections": None,
             "ts_ms": 5}  # fmt: skip
    end = {**begin, "status": "END", "event_count": 1,
           "data_collections": [{"data_collection": "public.t", "event_count": 1}]}  # fmt: skip
    ddl = {"source": {}, "ts_ms": 5, "databaseName": "d", "schemaName": None, "ddl": "x",
           "tableChanges": []}  # fmt: skip
    kinds = {"transaction": 2, "heartbeat": 1, "schema change": 1}
    assert passed(*map(raw, (begin, end, {"ts_ms": 5}, ddl))) == kinds


# --- 12, 13: what stands for unchanged values ----------------------------------------------------

FORMS: list[Any] = [
    PLACEHOLDER, "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==", PLACEHOLDER.encode().hex(),
    [PLACEHOLDER], ["X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="], CODES,
    ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"], f'{{"{PLACEHOLDER}":"{PLACEHOLDER}"}}',
    {PLACEHOLDER: PLACEHOLDER},
]  # fmt: skip


@pytest.mark.parametrize("given", FORMS, ids=str)
def test_12_all_forms_of_unchanged_values(given: Any) -> None:
    found = message(raw(event("u", None, {"id": 1, "v": given}), {"id": 1}))
    assert found.record == {"id": 1, "v": "unchanged_toast"}


@pytest.mark.parametrize(
    ("field", "given"),
    [
        (column("v", "string"), PLACEHOLDER),
        (column("v", "bytes"), base64.b64encode(PLACEHOLDER.encode()).decode()),
        (column("v", "string", "io.debezium.data.Json"), PLACEHOLDER),
        (column("v", "string", "io.debezium.data.Json"), FORMS[7]),
        (column("v", "string", "io.debezium.data.Xml"), PLACEHOLDER),
        (column("v", "array", items=column("", "string")), [PLACEHOLDER]),
        (column("v", "array", items=column("", "int32")), CODES),
        (column("v", "array", items=column("", "int32", "io.debezium.time.Date")), CODES),
        (column("v", "array", items=column("", "string", "io.debezium.data.Uuid")), FORMS[6]),
        (column("v", "array", items=column("", "bytes")), FORMS[4]),
        (column("v", "map"), {PLACEHOLDER: PLACEHOLDER}),
    ],
)  # fmt: skip
def test_12_the_same_with_the_schema(field: Any, given: Any) -> None:
    row = {"v": given}
    found = message(raw(event("u", None, row), shape=schema(field)))
    assert found.record == {"v": "unchanged_toast"}


def test_12_the_old_row_gives_the_value_back_and_null_is_noted() -> None:
    full = message(raw(event("u", {"id": 1, "v": "long", "n": 1},
                             {"id": 1, "v": PLACEHOLDER, "n": 2}), {"id": 1}))  # fmt: skip
    assert (full.record, full.changes) == ({"id": 1, "v": "long", "n": 2}, {"n": 1})
    some = message(raw(event("u", None, {"id": 1, "v": PLACEHOLDER, "fa": None}), {"id": 1}))
    assert any("cannot be distinguished from NULL" in note for note in some.notes)


def test_13_another_placeholder_is_an_option() -> None:
    for given in ("GONE", "R09ORQ==", "474f4e45", ["GONE"]):
        row = raw(event("u", None, {"id": 1, "v": given}), {"id": 1})
        assert message(row).record["v"] == given
        found = message(row, envelope="debezium", unavailable="GONE")
        assert found.record["v"] == "unchanged_toast"
    row = raw(event("u", None, {"id": 1, "v": "GONE"}), {"id": 1})
    assert message(row, envelope="debezium", unavailable="hex:474f4e45").record["v"] != "GONE"
    with pytest.raises(UsageError):
        RowReader(envelope="debezium", options={"unavailable": "hex:xyz"})


# --- 14, 15, 16: keys that are wrong, change, or are sent twice ----------------------------------


def test_14_a_delete_whose_key_is_zero_is_warned_of_and_keeps_what_is_known() -> None:
    found = message(raw(event("d", {"id": 0, "other": 10, "v": None}, None), {"id": 0}))
    assert found.record == {"id": 0, "other": 10, "v": None}
    assert "REPLICA IDENTITY USING INDEX" in found.notes[0]


def test_15_both_halves_of_a_changed_key_say_so() -> None:
    gone = message(raw(event("d", {"id": 1, "v": None}, None), {"id": 1},
                       headers={"__debezium.newkey": '{"id":2}'}))  # fmt: skip
    come = message(raw(event("c", None, {"id": 2, "v": "x"}), {"id": 2}, headers={
        "__debezium.oldkey": '{"schema":{"type":"struct"},"payload":{"id":1}}'}))  # fmt: skip
    assert 'insert of {"id": 2} are one update' in gone.notes[-1]
    assert 'delete of {"id": 1} are one update' in come.notes[-1]
    assert (gone.action, come.action) == ("delete", "insert")


def test_16_14_22_the_guide_says_what_nothing_can_repair() -> None:
    text = " ".join(Debezium.setup)
    assert "publish_via_partition_root" in text
    assert "REPLICA IDENTITY USING INDEX" in text
    assert "signalling table" in text


# --- 17 to 21: metadata, messages, numbers -------------------------------------------------------


def test_17_metadata_has_microseconds_the_place_and_the_source() -> None:
    found = message(raw(event("c", None, {"id": 1}, source={"ts_us": 1795885073561201},
                              transaction={"id": "7:77", "total_order": 3})))  # fmt: skip
    assert found.metadata["commit_timestamp"] == "2026-11-28T16:57:53.561201Z"
    assert found.metadata["commit_idx"] == 2
    assert found.metadata["commit_lsn"] == 77
    assert found.metadata["source"]["txId"] == 7
    assert found.metadata["database_name"] == "shop"


def test_18_messages_are_passed_over_and_the_page_says_so() -> None:
    annotations = {"prefix": "sequin:transaction_annotations.set", "content": "e30="}
    value = {"op": "m", "ts_ms": 5, "source": {**SOURCE, "table": ""}, "message": annotations}
    assert passed(raw(value)) == {"message": 1}
    assert any("annotations" in line for line in Debezium.unknowable)


@pytest.mark.parametrize(
    ("number", "text"),
    [("12.50", "12.50"), ("12.5", "12.50"), ("0", "0.00"), ("-0.01", "-0.01"), ("12", "12.00"),
     ("12345678901234567890.12", "12345678901234567890.12"),
     ("1234567890123456.78", "1234567890123456.78"), ("1E+2", "100.00")],
)  # fmt: skip
def test_19_decimals_as_numbers_are_exact_with_the_schema(number: str, text: str) -> None:
    value = json.dumps({"schema": schema(decimal("n"), column("f", "double")),
                        "payload": event("c", None, {"n": "@", "f": 0.1})})  # fmt: skip
    found = message(raw(value.replace('"@"', number).encode()))
    assert found.record == {"n": text, "f": 0.1}


def test_19_numbers_with_more_digits_than_a_double_are_decimals_without_schema() -> None:
    value = json.dumps(event("c", None, {"n": "@", "f": 0.1, "d": 12.5}))
    found = message(raw(value.replace('"@"', "12345678901234567890.1234567").encode()))
    assert found.record == {"n": "12345678901234567890.1234567", "f": 0.1, "d": 12.5}
    whole = message(raw(value.replace('"@"', "123456789012345678901234567890").encode()))
    assert whole.record["n"] == "123456789012345678901234567890"


def test_20_numbers_that_are_none_stay_what_they_are() -> None:
    row = {"n": "NAN", "p": "POSITIVE_INFINITY", "f": "NaN", "na": None}
    fields = [column("n", "string"), column("p", "string"), column("f", "double"),
              column("na", "array", items=column("", "string"))]  # fmt: skip
    assert with_columns(row, *fields).record == row
    assert message(raw(event("c", None, row))).record == row


def test_21_what_the_stream_leaves_out_is_in_the_guide() -> None:
    text = " ".join(Debezium.unknowable)
    for word in ("Generated columns", "several dimensions", "composite", "`name`"):
        assert word in text


# --- 22 to 26: signals, tombstones, other bytes --------------------------------------------------


@pytest.mark.parametrize("table", ["debezium_signal", "dbz_signal", "DBZ_SIGNALS", "signals"])
def test_22_rows_of_the_signalling_table_are_passed_over(table: str) -> None:
    for kind in ("execute-snapshot", "snapshot-window-open", "snapshot-window-close"):
        row = {"id": "s", "type": kind, "data": "{}"}
        assert passed(raw(event("c", None, row, source={"table": table}))) == {"signal": 1}
        assert passed(raw({**row, "__op": "c", "__table": table})) == {"signal": 1}


def test_22_other_tables_with_these_columns_are_not() -> None:
    row = {"id": "s", "type": "log", "data": "{}"}
    assert message(raw(event("c", None, row))).record == row
    wide = {"id": "s", "type": "execute-snapshot", "data": "{}", "more": 1}
    assert message(raw(event("c", None, wide))).record == wide


def test_23_and_24_tombstones_in_all_forms_are_counted() -> None:
    rows = [Raw(None, b'{"id":1}'), Raw(b"null", b'{"id":1}'), Raw(b"default", b'{"id":1}')]
    assert passed(*rows) == {"tombstone": 3}
    assert passed(raw(event("t", None, None)), *rows) == {"truncate": 1, "tombstone": 3}


def test_25_avro_of_a_schema_registry_is_refused_with_what_to_do() -> None:
    rows = RowReader(envelope="debezium").read(Raw(b"\0\0\0\0\x07\x02\x06ann", position="p"))
    assert isinstance(rows[0], Fault)
    assert "schema registry" in rows[0].message
    assert "JsonConverter" in (rows[0].hint or "")


def test_26_headers_of_the_context_change_nothing() -> None:
    value, key = event("c", None, {"id": 1}), {"id": 1}
    headers = {
        "__debezium.context.taskId": '"0"',
        "__debezium.context.connectorName": '"postgresql"',
    }
    plain, with_headers = message(raw(value, key)), message(raw(value, key, headers=headers))
    assert plain == with_headers


# --- other connectors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "title", "schema_", "table"),
    [
        ({"connector": "mysql", "db": "shop", "table": "t", "file": "b.1", "pos": 4, "row": 0},
         "Debezium, MySQL", "shop", "t"),
        ({"connector": "sqlserver", "db": "shop", "schema": "dbo", "table": "t",
          "change_lsn": "0:1:2", "commit_lsn": "0:1:3"}, "Debezium, SQL Server", "dbo", "t"),
        ({"connector": "oracle", "db": "ORCL", "schema": "APP", "table": "T", "scn": "42"},
         "Debezium, Oracle", "APP", "T"),
    ],
)  # fmt: skip
def test_other_databases(source: dict[str, Any], title: str, schema_: str, table: str) -> None:
    value = {"before": None, "after": {"id": 1}, "op": "c", "ts_ms": 1714979289200,
             "source": {"version": "3", "name": "p", "ts_ms": 1714979289000, **source}}  # fmt: skip
    reader = RowReader()
    found = reader.read(raw(value, {"id": 1}))[0]
    assert isinstance(found, Message)
    assert dict(reader.counts) == {title: 1}
    assert (found.metadata["table_schema"], found.metadata["table_name"]) == (schema_, table)
    assert found.metadata["commit_lsn"] == 0
    assert found.metadata["source"] == value["source"]


def test_a_value_that_does_not_fit_its_schema_is_kept_and_noted() -> None:
    found = with_columns({"n": "not base64!", "d": "x", "t": [1], "ok": "AQ=="}, decimal("n"),
                         column("d", "int32", "io.debezium.time.Date"), column("t", "string"),
                         decimal("ok"))  # fmt: skip
    assert found.record == {"n": "not base64!", "d": "x", "t": [1], "ok": "0.01"}
    assert [note.split("`")[1] for note in found.notes[:-1]] == ["n", "d"]


@pytest.mark.parametrize("kind", [Debezium, DebeziumFlat])
def test_the_option_is_described(kind: Any) -> None:
    assert "unavailable.value.placeholder" in kind.options["unavailable"]


def test_a_whole_event_inside_of_a_cloud_event_is_read() -> None:
    source = {"connector": "postgresql", "db": "shop", "schema": "public", "table": "orders"}
    event = {"op": "c", "before": None, "after": {"id": 7}, "source": source, "ts_ms": 5}
    kind = "io.debezium.connector.postgresql.DataChangeEvent"
    for data in (event, {"payload": event}, {"schema": None, "payload": event}):
        value = {"specversion": "1.0", "type": kind, "data": data}
        (row,) = RowReader().read(Raw(value, position="p", place="t[0]@0"))
        assert isinstance(row, Message)
        assert (row.action, row.record, row.metadata["table_name"]) == (
            "insert",
            {"id": 7},
            "orders",
        )
