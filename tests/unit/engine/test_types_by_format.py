"""Every format with types, through functions of both languages: the values that a server gives.

A row of each format holds a decimal, a date, a time of day, a moment and, where the format has it,
an interval. An Elixir function gets structs, a Python function Decimal, date, time and datetime.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from routestudio.formats.reader import KeyBook, RowReader
from routestudio.functions.pool import FunctionPool
from routestudio.model.column_origins import types_of
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import Message
from routestudio.model.rows import Raw
from routestudio.sources import files

DAYS: Final = (dt.date(2024, 5, 6) - dt.date(1970, 1, 1)).days
MICROS: Final = DAYS * 86_400_000_000 + 25_689_500_000
"""2024-05-06 07:08:09.5."""
CLOCK: Final = 25_689_500_000
SPAN: Final = {"months": 1, "days": 2, "microseconds": 3_000_000}

ELIXIR: Final = {
    "n": "Decimal 12.50", "d": "Date 2024-05-06", "t": "Time 07:08:09",
    "ts": "NaiveDateTime 2024-05-06 07:08:09.500000",
    "tz": "DateTime 2024-05-06 07:08:09.500000Z", "iv": SPAN,
}  # fmt: skip
PYTHON: Final = {
    "n": Decimal("12.50"), "d": dt.date(2024, 5, 6), "t": dt.time(7, 8, 9),
    "ts": dt.datetime(2024, 5, 6, 7, 8, 9, 500_000),
    "tz": dt.datetime(2024, 5, 6, 7, 8, 9, 500_000, tzinfo=dt.UTC), "iv": SPAN,
}  # fmt: skip
TEXTS: Final = {"n": "numeric(10,2)", "d": "date", "t": "time without time zone",
                "ts": "timestamp without time zone", "tz": "timestamp with time zone",
                "iv": "interval"}  # fmt: skip
WRITTEN: Final = {"n": "12.50", "d": "2024-05-06", "t": "07:08:09.5", "ts": "2024-05-06 07:08:09.5",
                  "tz": "2024-05-06 09:08:09.5+02", "iv": "1 mon 2 days 00:00:03"}  # fmt: skip
DEBEZIUM: Final = {
    "n": ("bytes", "org.apache.kafka.connect.data.Decimal", "BOI="),
    "d": ("int32", "io.debezium.time.Date", DAYS),
    "t": ("int64", "io.debezium.time.MicroTime", CLOCK),
    "ts": ("int64", "io.debezium.time.MicroTimestamp", MICROS),
    "tz": ("string", "io.debezium.time.ZonedTimestamp", "2024-05-06T07:08:09.5Z"),
    "iv": ("string", "io.debezium.time.Interval", "P0Y1M2DT0H0M3S"),
}  # fmt: skip
MYSQL: Final = {
    **{name: DEBEZIUM[name] for name in ("n", "d", "t", "tz")},
    "ts": ("int64", "io.debezium.time.Timestamp", MICROS // 1000),
}
COCKROACH: Final = {
    "n": ("string", "decimal", 12.5), "d": ("string", "date", "2024-05-06"),
    "t": ("string", "time", "07:08:09.5"), "ts": ("string", "timestamp", "2024-05-06T07:08:09.5"),
    "tz": ("string", "timestamptz", "2024-05-06T07:08:09.5Z"),
    "iv": ("string", "interval", "1 mon 2 days 00:00:03"),
}  # fmt: skip


def fields(columns: dict[str, tuple[str, str, Any]]) -> list[dict[str, Any]]:
    return [
        {"field": column, "type": kind, "name": name, "optional": True,
         "parameters": {"scale": "2", "precision": "10"}}
        for column, (kind, name, _) in columns.items()
    ]  # fmt: skip


def values(columns: dict[str, tuple[str, str, Any]]) -> dict[str, Any]:
    return {column: value for column, (_, _, value) in columns.items()}


def event(columns: dict[str, tuple[str, str, Any]], source: dict[str, Any]) -> dict[str, Any]:
    row = {"type": "struct", "fields": fields(columns), "optional": True}
    return {
        "schema": {"type": "struct", "fields": [{**row, "field": "before"},
                                                {**row, "field": "after"}]},
        "payload": {"before": None, "after": values(columns), "op": "c", "ts_ms": 1714979289000,
                    "source": {"version": "3.6.1.Final", "name": "p", "ts_ms": 1714979289000,
                               "db": "shop", "table": "orders", **source}},
    }  # fmt: skip


def postgres(columns: dict[str, Any] | None = None) -> dict[str, Any]:
    names = list(TEXTS)
    table = {"schema": "public", "name": "orders", "columns": names,
             "types": ["numeric", "date", "time", "timestamp", "timestamptz", "interval"],
             "key": []}  # fmt: skip
    return {"postgres": {"action": "insert", "table": table, "new": [WRITTEN[n] for n in names],
                         "commit_lsn": 5, "commit_idx": 0}}  # fmt: skip


def dynamodb() -> dict[str, Any]:
    return {"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": {"n": {"N": "12.50"}}, "NewImage": {"n": {"N": "12.50"}},
                         "SequenceNumber": "1", "StreamViewType": "NEW_IMAGE"}}  # fmt: skip


DOCUMENT: Final = {"_id": {"$oid": "64b0"}, "n": {"$numberDecimal": "12.50"},
                   "tz": {"$date": "2024-05-06T07:08:09.5Z"}}  # fmt: skip
CLOUD: Final = {
    "id": "1", "source": "/debezium/postgresql/p", "specversion": "1.0",
    "type": "io.debezium.connector.postgresql.DataChangeEvent", "time": "2024-05-06T07:08:09.000Z",
    "datacontenttype": "application/json", "iodebeziumop": "c", "iodebeziumversion": "3.6.1.Final",
    "iodebeziumconnector": "postgresql", "iodebeziumname": "p", "iodebeziumtsms": "1",
    "iodebeziumdb": "shop", "iodebeziumschema": "public", "iodebeziumtable": "orders",
}  # fmt: skip
ROWS: Final[dict[str, tuple[str, Any, str]]] = {
    "debezium-postgresql": (
        "debezium", event(DEBEZIUM, {"connector": "postgresql", "schema": "public", "lsn": 5}),
        "n d t ts tz iv"),
    "debezium-mysql": (
        "debezium", event(MYSQL, {"connector": "mysql", "file": "b.1", "pos": 4, "row": 0}),
        "n d t ts tz"),
    "debezium-flat": (
        "debezium-flat",
        {"schema": {"type": "struct", "name": "p.public.orders.Value",
                    "fields": [*fields(DEBEZIUM), {"field": "__op", "type": "string"},
                               {"field": "__table", "type": "string"}]},
         "payload": {**values(DEBEZIUM), "__op": "c", "__table": "orders"}},
        "n d t ts tz iv"),
    "debezium-cloudevents": (
        "debezium-cloudevents",
        {**CLOUD, "data": event(DEBEZIUM, {}) | {"payload": {"before": None,
                                                            "after": values(DEBEZIUM)}}},
        "n d t ts tz iv"),
    "debezium-mongodb": (
        "debezium-mongodb",
        {"before": None, "after": json.dumps(DOCUMENT), "op": "c", "ts_ms": 1,
         "source": {"connector": "mongodb", "db": "shop", "collection": "orders", "ts_ms": 1}},
        "n tz"),
    "mongodb": (
        "mongodb",
        {"_id": {"_data": "1"}, "operationType": "insert", "ns": {"db": "s", "coll": "orders"},
         "documentKey": {"_id": {"$oid": "64b0"}}, "fullDocument": DOCUMENT},
        "n tz"),
    "wal2json-1": (
        "wal2json1",
        {"change": [{"kind": "insert", "schema": "public", "table": "orders",
                     "columnnames": list(TEXTS), "columntypes": list(TEXTS.values()),
                     "columnvalues": [{**WRITTEN, "n": 12.5}[name] for name in TEXTS]}]},
        "n d t ts tz iv"),
    "wal2json-2": (
        "wal2json2",
        {"action": "I", "schema": "public", "table": "orders",
         "columns": [{"name": name, "type": type_, "value": {**WRITTEN, "n": 12.5}[name]}
                     for name, type_ in TEXTS.items()]},
        "n d t ts tz iv"),
    "canal": (
        "canal",
        {"id": 1, "database": "shop", "table": "orders", "isDdl": False, "type": "INSERT",
         "es": 1714979289000, "ts": 1714979289000, "sql": "", "pkNames": None, "old": None,
         "sqlType": {}, "mysqlType": {"n": "decimal(10,2)", "d": "date", "t": "time(1)",
                                      "ts": "datetime(6)"},
         "data": [{"n": "12.5", "d": "2024-05-06", "t": "07:08:09.5",
                   "ts": "2024-05-06 07:08:09.5"}]},
        "n d t ts"),
    "cockroachdb": (
        "cockroachdb-enriched",
        {"schema": {"type": "struct", "fields": [
            {"type": "struct", "field": "after", "fields": fields(COCKROACH)}]},
         "payload": {"after": values(COCKROACH), "op": "c", "ts_ns": 1714979289000000000,
                     "source": {"origin": "cockroachdb", "table_name": "orders"}}},
        "n d t ts tz iv"),
    "dynamodb": ("dynamodb", dynamodb(), "n"),
    "postgres": ("postgres", postgres(), "n d t ts tz iv"),
    "message": (
        "message",
        {"action": "insert", "record": {"n": {"$decimal": "12.50"}, "d": {"$date": "2024-05-06"},
                                        "t": {"$time": "07:08:09"},
                                        "ts": {"$naive": "2024-05-06T07:08:09.500000"},
                                        "tz": {"$datetime": "2024-05-06T07:08:09.500000Z"}}},
        "n d t ts tz"),
}  # fmt: skip


def messages_of(rows: Any, **more: Any) -> list[Message]:
    found = list(RowReader(**more).read_all(rows))
    assert all(isinstance(row, Message) for row in found), found
    return found  # type: ignore[return-value]


CODE: Final = {
    Language.ELIXIR: """\
def transform(action, record, changes, metadata) do
  Map.new(record, fn {name, value} ->
    told = case value do
      %Decimal{} -> "Decimal #{value}"
      %Date{} -> "Date #{value}"
      %Time{} -> "Time #{value}"
      %NaiveDateTime{} -> "NaiveDateTime #{value}"
      %DateTime{} -> "DateTime #{value}"
      [%Decimal{} | _] -> "list of Decimal #{hd(value)}"
      other -> other
    end
    {name, told}
  end)
end
""",
    Language.PYTHON: "def transform(action, record, changes, metadata):\n    return record\n",
}


def whole(messages: list[Message]) -> list[list[Any]]:
    """The columns that functions get: in Elixir with the structs' names, in Python as is."""

    async def evaluate() -> list[list[Any]]:
        pool = FunctionPool()
        found = []
        try:
            for language, code in CODE.items():
                function = Function("f", FunctionKind.TRANSFORM, language, code)
                (results,) = await pool.evaluate([function], messages)
                assert not [item.fault for item in results if item.fault]
                found.append([item.value for item in results])
        finally:
            await pool.close()
        return [list(pair) for pair in zip(*found, strict=True)]

    return asyncio.run(evaluate())


def check(messages: list[Message], columns: str, *, origin: str = "row") -> None:
    found = whole(messages)
    assert found
    for message, (elixir, python) in zip(messages, found, strict=True):
        types = types_of(message)
        for column in columns.split():
            if column != "iv":
                assert types[column][1] == origin, column
            assert elixir[column] == ELIXIR[column], column
            assert python[column] == PYTHON[column], column
            assert isinstance(python[column], type(PYTHON[column])), column


@pytest.mark.parametrize(("format_", "value", "columns"), ROWS.values(), ids=ROWS)
def test_functions_get_the_values_of_a_server(format_: str, value: Any, columns: str) -> None:
    messages = messages_of([Raw(json.dumps(value).encode(), position="p")])
    assert {message.format for message in messages} == {format_}
    check(messages, columns)


def test_functions_get_the_values_of_a_server_from_parquet(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    tables = pytest.importorskip("pyarrow.parquet")
    moment = dt.datetime(2024, 5, 6, 7, 8, 9, 500_000)
    file = tmp_path / "orders.parquet"
    tables.write_table(arrow.table({
        "n": arrow.array([Decimal("12.50")], arrow.decimal128(10, 2)),
        "d": arrow.array([moment.date()]), "t": arrow.array([moment.time()], arrow.time64("us")),
        "ts": arrow.array([moment], arrow.timestamp("ns")),
        "tz": arrow.array([moment], arrow.timestamp("us", "UTC")),
        "sums": arrow.array([[Decimal("1.50"), None]], arrow.list_(arrow.decimal128(10, 2))),
        "span": arrow.array([dt.timedelta(2, 3)], arrow.duration("us")),
        "raw": arrow.array([b"\0a"]), "label": arrow.array(["x"]).dictionary_encode(),
        "part": arrow.array([{"a": 1}]), "whole": arrow.array([5], arrow.uint64()),
    }), file)  # fmt: skip
    messages = messages_of(files.read_file(file))
    check(messages, "n d t ts tz")
    (message,) = messages
    more = {name: message.types[name] for name in ("sums", "span", "raw", "label", "part", "whole")}
    assert more == {"sums": "numeric[]", "span": "interval", "raw": "bytea", "label": "text",
                    "part": "jsonb", "whole": "numeric"}  # fmt: skip
    assert message.record["span"] == {"months": 0, "days": 2, "microseconds": 3_000_000}
    assert message.record["raw"] == "\\x0061"
    ((elixir, python),) = whole(messages)
    assert python["sums"] == [Decimal("1.50"), None]
    assert elixir["sums"] == "list of Decimal 1.50"


def test_the_project_names_the_types_of_csv(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("n,d,t,ts,tz,iv,qty\n" + ",".join([*WRITTEN.values(), "7"]) + "\n")
    messages = messages_of(
        files.read_file(file),
        keys=KeyBook(types={"orders": {**TEXTS, "qty": "integer"}}),
    )
    check(messages, "n d t ts tz iv", origin="project")
    ((elixir, python),) = whole(messages)
    assert elixir["qty"] == python["qty"] == 7


def test_without_a_word_of_the_project_a_type_of_csv_is_a_guess_that_is_marked(
    tmp_path: Path,
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("n,d,qty,zip\n12.50,2024-05-06,7,01234\n")
    messages = messages_of(files.read_file(file))
    assert types_of(messages[0]) == {"n": ("numeric", "guess"), "d": ("date", "guess")}
    assert any("Every cell of CSV is text here" in note for note in messages[0].notes)
    ((elixir, python),) = whole(messages)
    assert elixir == {"n": ELIXIR["n"], "d": ELIXIR["d"], "qty": "7", "zip": "01234"}
    assert python == {"n": "12.50", "d": "2024-05-06", "qty": "7", "zip": "01234"}
