"""Recorded output of real producers, and the messages that it must become, written by hand.

The recordings are in `tests/data/formats`. They were made by running these statements:

- `wal2json-*.jsonl`: wal2json 2.5 with PostgreSQL 15.18, in format 1 and 2, without options and
  with `include-xids`, `include-timestamp`, `include-lsn` and `include-pk`; `lines` has REPLICA
  IDENTITY FULL, the other tables have the default one:

      insert into orders values (1,'Zoë',12.50,'2024-05-06 07:08:09.123456+02',null);
      update orders set price=13.00 where id=1;
      update orders set id=2 where id=1;
      delete from orders where id=2;
      begin; insert into lines values (1,1,5),(1,2,7); update lines set qty=6 where no=1;
      delete from lines where no=2; commit;
      insert into types values (...); insert into types(id,n,f8,tstz,ts,d,iv) values
        (2,'NaN','Infinity','infinity','0044-03-15 00:00:00 BC','infinity',
         '-10 mons -3 days +04:05:06.789');
      insert into nokey values (1,'a');
      alter table orders add big text; alter table orders alter big set storage external;
      insert into orders values (5,'toast',1,now(),null,repeat('x',3000));
      update orders set note='n' where id=5;
      truncate nokey; select pg_logical_emit_message(true, ...); create table empty_tx(a int);

- `canal.jsonl`: Canal 1.1.7 with MariaDB 10.11:

      insert into orders(customer,price,at)
        values ('Zoë',12.50,'2024-05-06 07:08:09.123'),('Bob',null,null);
      update orders set price=13.00 where id=1;
      update orders set note='n', price=if(id=1,14.00,price);
      update orders set id=7 where id=1; delete from orders;
      insert into types values (...); insert into types(id) values (2); truncate table orders;

- `maxwell.jsonl`: Maxwell 1.22.6 (the newest of Maven Central) with MariaDB 10.11 under an empty
  `old_mode`, all its options for more output, and the statements of `canal.jsonl`, without the
  JSON column; then:

      insert into types(id, tm, tf) values (2, '-10:00:00', '100:00:00'); truncate table types;
      alter table orders add more int; insert into orders(customer) values ('Eve');
      drop table types;

- `dynamodb.jsonl`: moto 5.2.5, three tables by view type (NEW_AND_OLD_IMAGES, KEYS_ONLY,
  NEW_IMAGE), in each a PutItem, an UpdateItem (`SET qty = 13 REMOVE nil`) and a DeleteItem.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from routestudio.formats.base import Raw
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message

DATA = Path(__file__).parents[2] / "data" / "formats"

Change = tuple[str, str, dict[str, Any], dict[str, Any] | None, list[str]]
"""Action, table, record, changes, values of the key."""


def read(name: str, **options: Any) -> tuple[list[Message], RowReader]:
    reader = RowReader(**options)
    lines = (DATA / name).read_bytes().splitlines()
    rows = [row for number, line in enumerate(lines, 1)
            for row in reader.read(Raw(line, position=f"{name}:{number}"))]  # fmt: skip
    assert all(isinstance(row, Message) for row in rows), rows
    assert len({row.position for row in rows}) == len(rows)
    assert len({row.metadata["idempotency_key"] for row in rows}) == len(rows)
    return rows, reader  # type: ignore[return-value]


def flat(messages: list[Message]) -> list[Change]:
    return [
        (m.action, m.metadata["table_name"], m.record, m.changes, m.record_pks) for m in messages
    ]


# --- wal2json -------------------------------------------------------------------------------------

ORDER = {"id": 1, "customer": "Zoë", "price": "12.50", "at": "2024-05-06T05:08:09.123456Z",
         "note": None}  # fmt: skip
TYPES = {
    "id": 1, "si": -32768, "n": "12345678901234567890.1234567891", "mo": "$1,234.50", "f4": 0.1,
    "f8": 1e20, "b": True, "t": 'a"b\nc', "vc": "v", "ch": "ab   ", "ba": "\\x00ff",
    "d": "2024-05-06", "ti": "07:08:09", "tz": "07:08:09", "ts": "2024-05-06T07:08:09.123000",
    "tstz": "2024-05-06T05:08:09.000000Z",
    "iv": {"months": 1, "days": 2, "microseconds": 11_045_500_000},
    "u": "8a3b1c1e-7e0b-4d1f-9c55-0242ac120002", "j": {"a": 2}, "jb": {"b": [1, None, {"c": "d"}]},
    "ia": [1, None, 3], "ta": ["x y", 'q"uo,te', None], "na": ["1.50", "NaN"],
    "tsa": ["2024-05-06T05:08:09.000000Z"], "jba": [{"a": 1}], "m": "happy",
    "h": '"a"=>"1", "b c"=>NULL', "inet": "10.0.0.1/24", "bi": "10000001", "r": "[1,5)",
    "pt": "(1.5,2)", "x": "<a>1</a>",
}  # fmt: skip
SPECIAL = {
    **dict.fromkeys(TYPES), "id": 2, "d": "infinity", "ts": "0044-03-15 00:00:00 BC",
    "tstz": "infinity", "iv": {"months": -10, "days": -3, "microseconds": 14_706_789_000},
}  # fmt: skip
"""`n` and `f8` are null: NaN and infinity are not written."""
TOAST = {"id": 5, "customer": "toast", "price": "1.00", "at": "2026-11-28T20:06:21.107581Z",
         "note": None, "big": "x" * 3000}  # fmt: skip


def expected_of_wal2json(*, keys: bool) -> list[Change]:
    """The messages; `keys` says whether the rows of `lines` name the primary key.

    `include-pk` names it in format 2 only, since that table has REPLICA IDENTITY FULL.
    """
    lines = (["1", "1"], ["1", "2"]) if keys else ([], [])
    none: list[str] = []
    return [
        ("insert", "orders", ORDER, None, ["1"]),
        ("update", "orders", {**ORDER, "price": "13.00"}, {}, ["1"]),
        ("update", "orders", {**ORDER, "price": "13.00", "id": 2}, {"id": 1}, ["2"]),
        ("delete", "orders", {**dict.fromkeys(ORDER), "id": 2}, None, ["2"]),
        ("insert", "lines", {"tenant": 1, "no": 1, "qty": 5}, None, lines[0]),
        ("insert", "lines", {"tenant": 1, "no": 2, "qty": 7}, None, lines[1]),
        ("update", "lines", {"tenant": 1, "no": 1, "qty": 6}, {"qty": 5}, lines[0]),
        ("delete", "lines", {"tenant": 1, "no": 2, "qty": 7}, None, lines[1]),
        ("insert", "types", TYPES, None, ["1"]),
        ("insert", "types", SPECIAL, None, ["2"]),
        ("insert", "nokey", {"a": 1, "b": "a"}, None, none),
        ("insert", "orders", TOAST, None, ["5"]),
        ("update", "orders", {**TOAST, "note": "n", "big": "unchanged_toast"}, {}, ["5"]),
    ]


@pytest.mark.parametrize("more", ["", "-options"], ids=["plain", "options"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("named", [False, True], ids=["recognised", "named"])
def test_wal2json(version: int, more: str, named: bool) -> None:
    envelope = {"envelope": f"wal2json{version}"} if named else {}
    messages, reader = read(f"wal2json-{version}{more}.jsonl", **envelope)
    wanted_rows = expected_of_wal2json(keys=bool(more) and version == 2)
    for found, wanted in zip(flat(messages), wanted_rows, strict=True):
        assert found == wanted
    passed = {1: {"empty transaction": 4, "message": 1},
              2: {"transaction": 30, "truncate": 1, "message": 1}}  # fmt: skip
    assert dict(reader.passed_over) == passed[version]
    assert dict(reader.counts) == {f"wal2json, version {version}": 13}


def test_wal2json_has_types_and_says_what_it_assumed() -> None:
    messages, _ = read("wal2json-2.jsonl")
    types = dict(messages[8].types)
    assert types == {
        "id": "int8", "si": "int2", "n": "numeric", "mo": "money", "f4": "float4", "f8": "float8",
        "b": "bool", "t": "text", "vc": "varchar", "ch": "bpchar", "ba": "bytea", "d": "date",
        "ti": "time", "tz": "timetz", "ts": "timestamp", "tstz": "timestamptz", "iv": "interval",
        "u": "uuid", "j": "json", "jb": "jsonb", "ia": "int4[]", "ta": "text[]",
        "na": "numeric[]", "tsa": "timestamptz[]", "jba": "jsonb[]", "m": "mood", "h": "hstore",
        "inet": "inet", "bi": "bit", "r": "int4range", "pt": "point", "x": "xml",
    }  # fmt: skip
    assert any("large value that it did not change" in note for note in messages[12].notes)
    assert any("replica identity" in note for note in messages[3].notes)
    assert messages[1].key_origin == "row"
    assert messages[8].key_origin == "guess"
    assert messages[10].key_origin == "unknown"


def test_wal2json_gives_when_and_where_a_change_was_committed() -> None:
    two, _ = read("wal2json-2-options.jsonl")
    assert [two[0].metadata[key] for key in ("table_schema", "commit_timestamp", "commit_lsn")] == [
        "public", "2026-11-28T20:06:21.104784Z", 0x19699F8,
    ]  # fmt: skip
    assert {message.metadata["commit_lsn"] for message in two[4:8]} == {0x1969E18}
    one, _ = read("wal2json-1-options.jsonl")
    assert one[0].metadata["commit_timestamp"] == "2026-11-28T20:06:21.104784Z"
    assert one[0].metadata["commit_lsn"] == 0x1969A28
    assert [message.metadata["commit_idx"] for message in one[4:8]] == [0, 1, 2, 3]


# --- Canal ----------------------------------------------------------------------------------------

ZOE = {"id": 1, "customer": "Zoë", "price": "12.50", "at": "2024-05-06T07:08:09.123000",
       "note": None}  # fmt: skip
BOB = {"id": 2, "customer": "Bob", "price": None, "at": None, "note": None}
MYSQL = {
    "id": "18446744073709551615", "ti": -128, "tu": 255, "b": 1, "si": -32768, "mi": -8388608,
    "iu": 4294967295, "bi": -9223372036854775808, "f": 0.5, "d": 1e20,
    "n": "12345678901234567890.1234567891", "c": "ab", "vc": 'v\n"x', "bin": "\\x00ff",
    "bl": "\\x01fe", "da": "2024-05-06", "tm": "07:08:09", "dt": "2024-05-06T07:08:09.000000",
    "ts": "2024-05-06T05:08:09.123456", "y": 2024, "en": "happy", "se": "a,c",
    "js": '{"a": [1, null]}', "bt": 129,
}  # fmt: skip
"""`js` is text: MariaDB's JSON is `longtext`."""


def test_canal() -> None:
    messages, reader = read("canal.jsonl")
    last = {**ZOE, "price": "14.00", "note": "n"}
    assert flat(messages) == [
        ("insert", "orders", ZOE, None, ["1"]),
        ("insert", "orders", BOB, None, ["2"]),
        ("update", "orders", {**ZOE, "price": "13.00"}, {"price": "12.50"}, ["1"]),
        ("update", "orders", last, {"price": "13.00", "note": None}, ["1"]),
        ("update", "orders", {**BOB, "note": "n"}, {"note": None}, ["2"]),
        ("update", "orders", {**last, "id": 7}, {"id": 1}, ["7"]),
        ("delete", "orders", {**BOB, "note": "n"}, None, ["2"]),
        ("delete", "orders", {**last, "id": 7}, None, ["7"]),
        ("insert", "types", MYSQL, None, ["18446744073709551615"]),
        ("insert", "types", {**dict.fromkeys(MYSQL), "id": "2"}, None, ["2"]),
    ]
    assert dict(reader.passed_over) == {"schema change": 4, "statement": 7}
    assert dict(reader.counts) == {"Canal": 10}
    assert messages[0].metadata["commit_timestamp"] == "2026-11-28T20:37:33.000000Z"
    assert messages[0].metadata["table_schema"] == "shop"
    assert messages[0].types == {"id": "int4", "customer": "varchar", "price": "numeric",
                                 "at": "timestamp", "note": "text"}  # fmt: skip


# --- Maxwell --------------------------------------------------------------------------------------


def test_maxwell() -> None:
    messages, reader = read("maxwell.jsonl")
    zoe = {**ZOE, "price": 12.5, "at": "2024-05-06 07:08:09.123"}
    last = {**zoe, "price": 14.0, "note": "n"}
    types = {
        **MYSQL, "id": 18446744073709551615, "n": 12345678901234567890.1234567891, "bin": "AP8=",
        "bl": "Af4=", "tf": "07:08:09.125", "dt": "2024-05-06 07:08:09.000000",
        "ts": "2024-05-06 05:08:09.123456", "se": ["a", "c"],
    }  # fmt: skip
    del types["js"]
    assert flat(messages) == [
        ("insert", "orders", zoe, None, ["1"]),
        ("insert", "orders", BOB, None, ["2"]),
        ("update", "orders", {**zoe, "price": 13.0}, {"price": 12.5}, ["1"]),
        ("update", "orders", last, {"price": 13.0, "note": None}, ["1"]),
        ("update", "orders", {**BOB, "note": "n"}, {"note": None}, ["2"]),
        ("update", "orders", {**last, "id": 7}, {"id": 1}, ["7"]),
        ("delete", "orders", {**BOB, "note": "n"}, None, ["2"]),
        ("delete", "orders", {**last, "id": 7}, None, ["7"]),
        ("insert", "types", types, None, ["18446744073709551615"]),
        ("insert", "types",
         {**dict.fromkeys(types), "id": 2, "tm": "06:00:00", "tf": "04:00:00.000"}, None, ["2"]),
        ("insert", "orders", {**dict.fromkeys(ZOE), "id": 8, "customer": "Eve", "more": None}, None,
         ["8"]),
    ]  # fmt: skip
    assert dict(reader.passed_over) == {"schema change": 5}
    assert dict(reader.counts) == {"Maxwell": 11}
    assert messages[0].metadata["commit_timestamp"] == "2026-11-29T04:29:47.000000Z"
    assert messages[0].metadata["table_schema"] == "shop"


# --- DynamoDB -------------------------------------------------------------------------------------

PUT = {
    "tenant": "a", "no": "1", "qty": "12.50", "ok": True, "nil": None, "bin": "\\x00ff",
    "tags": ["x", "y"], "nums": ["1", "2.5"], "bins": ["\\x01"], "l": ["q", 3],
    "m": {"a": 1, "b": []},
}  # fmt: skip
KEYS = {"tenant": "a", "no": "1"}


def test_dynamodb() -> None:
    messages, reader = read("dynamodb.jsonl")
    rest = {name: value for name, value in PUT.items() if name != "nil"} | {"qty": "13"}
    key = ["a", "1"]
    assert flat(messages) == [
        ("insert", "orders_new_and_old_images", PUT, None, key),
        ("update", "orders_new_and_old_images", {**rest, "nil": None}, {"qty": "12.50"}, key),
        ("delete", "orders_new_and_old_images", rest, None, key),
        ("insert", "orders_keys_only", KEYS, None, key),
        ("update", "orders_keys_only", KEYS, {}, key),
        ("delete", "orders_keys_only", KEYS, None, key),
        ("insert", "orders_new_image", PUT, None, key),
        ("update", "orders_new_image", rest, {}, key),
        ("delete", "orders_new_image", KEYS, None, key),
    ]
    assert not reader.passed_over
    assert {message.key_origin for message in messages} == {"row"}
    assert messages[0].key_columns == ("tenant", "no")
    assert messages[0].metadata["commit_timestamp"] == "2026-11-28T20:18:42.000000Z"
    assert [bool(message.notes) for message in messages] == [False] * 3 + [True] * 3 + [
        False, True, True,
    ]  # fmt: skip
    assert messages[0].types["qty"] == "numeric"
