"""Debezium for MariaDB, and its CloudEvents: recorded records become the right messages.

Written by hand from the statements that were run. On MariaDB 10.11, one row of `orders` before the
snapshot, then:

    insert into orders(id,customer,price,at) values
      (1,'Zoë',12.50,'2024-05-06 07:08:09.123'),(2,'Bob',null,null);
    update orders set price=13.00 where id=1; update orders set id=7 where id=1;
    delete from orders where id=2;
    begin; insert into lines_ values (1,'a',5),(1,'b',7); update lines_ set qty=6 where code='a';
    delete from lines_ where code='b'; commit;
    insert into nokey values (1,'a'); update nokey set b='x'; delete from nokey;
    insert into types values (...); insert into types(id) values (2);
    alter table orders add column extra int; insert into orders(id,customer,extra) values
      (3,'Ann',5); truncate table nokey;

On PostgreSQL 15, the same on `orders` and on `lines` (with REPLICA IDENTITY FULL), then
`pg_logical_emit_message` and `truncate lines`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from routestudio.formats.base import Fault, Raw
from routestudio.formats.reader import RowReader
from routestudio.model.message import Message
from tests.unit.formats.test_debezium_records import read

Change = tuple[str, str, dict[str, Any], dict[str, Any] | None, list[str]]
"""Action, table, record, changes, values of the key."""

DECIMALS = {"1.00": "ZA==", "12.50": "BOI=", "13.00": "BRQ="}
"""What a decimal is without the schema: Base64 of its digits."""


def flat(messages: list[Message]) -> list[Change]:
    return [(m.action, m.metadata["table_name"], m.record, m.changes, m.record_pks)
            for m in messages]  # fmt: skip


def order(number: int, customer: str, price: str | None, at: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "customer": customer, "price": price, "at": at, "note": None, **more}


def row(number: int, customer: str, price: str | None, at: Any, paid: int = 0) -> dict[str, Any]:
    """A row of MariaDB's `orders`."""
    return order(number, customer, price, at, paid=paid)


# --- MariaDB --------------------------------------------------------------------------------------

TYPES = {
    "id": -1, "ti": -128, "tu": 255, "b": 1, "si": -32768, "mi": -8388608, "iu": 4294967295,
    "bi": -9223372036854775808, "f": 0.5, "d": 1e20, "n": "12345678901234567890.1234567891",
    "c": "ab", "vc": 'v\n"x', "bin": "\\x00ff", "bl": "\\x01fe", "da": "2024-05-06",
    "tm": "-100:08:09", "dt": "2024-05-06T07:08:09.123456",
    "ts": "2024-05-06T05:08:09.123456Z", "y": 2024, "en": "happy", "se": "a,c",
    "js": '{"a": [1, null]}', "bt": "10000001", "b1": True,
}  # fmt: skip
"""`id` is 18446744073709551615: Debezium gives what a signed number makes of it, also as the key,
unless `bigint.unsigned.handling.mode=precise` is set. `js` is text: MariaDB's JSON is `longtext`.
"""
BARE = {
    **TYPES, "n": "AY7pD/bDc+DuTj8K0w==", "bin": "AP8=", "bl": "Af4=", "da": 19849,
    "tm": -360_489_500_000, "dt": 1_714_979_289_123_456, "bt": "gQ==",
}  # fmt: skip
"""The same without the schema."""


def on_mariadb(*, schema: bool) -> Iterator[Change]:
    def price(text: str) -> str:
        return text if schema else DECIMALS[text]

    snapped, at = "2024-05-06T07:08:09.120000", "2024-05-06T07:08:09.123000"
    if not schema:
        snapped, at = 1_714_979_289_120, 1_714_979_289_123  # type: ignore[assignment]
    zoe, later = row(1, "Zoë", price("12.50"), at), row(1, "Zoë", price("13.00"), at)
    bob = row(2, "Bob", None, None)
    yield "read", "orders", row(100, "Snap", price("1.00"), snapped, 1), None, ["100"]
    yield "insert", "orders", zoe, None, ["1"]
    yield "insert", "orders", bob, None, ["2"]
    yield "update", "orders", later, {"price": price("12.50")}, ["1"]
    yield "delete", "orders", later, None, ["1"]
    yield "insert", "orders", {**later, "id": 7}, None, ["7"]
    yield "delete", "orders", bob, None, ["2"]
    for code, qty in (("a", 5), ("b", 7)):
        yield "insert", "lines_", {"tenant": 1, "code": code, "qty": qty}, None, ["1", code]
    yield "update", "lines_", {"tenant": 1, "code": "a", "qty": 6}, {"qty": 5}, ["1", "a"]
    yield "delete", "lines_", {"tenant": 1, "code": "b", "qty": 7}, None, ["1", "b"]
    yield "insert", "nokey", {"a": 1, "b": "a"}, None, []
    yield "update", "nokey", {"a": 1, "b": "x"}, {"b": "a"}, []
    yield "delete", "nokey", {"a": 1, "b": "x"}, None, []
    yield "insert", "types", TYPES if schema else BARE, None, ["-1"]
    yield "insert", "types", {**dict.fromkeys(TYPES), "id": 2}, None, ["2"]
    yield "insert", "orders", {**row(3, "Ann", None, None), "extra": 5}, None, ["3"]


@pytest.mark.parametrize("schema", [False, True], ids=["without schema", "with schema"])
def test_mariadb(schema: bool) -> None:
    messages, reader = read("mariadb_schema_on" if schema else "mariadb")
    for found, wanted in zip(flat(messages), on_mariadb(schema=schema), strict=True):
        assert found == wanted
    assert dict(reader.counts) == {"Debezium, MariaDB": 17}
    assert dict(reader.passed_over) == {"schema change": 13, "tombstone": 4}
    assert {m.metadata["table_schema"] for m in messages} == {"shop"}
    assert len({m.metadata["idempotency_key"] for m in messages}) == 17
    assert [m.key_origin for m in messages[11:14]] == ["unknown"] * 3
    if schema:
        assert messages[14].types["n"] == "numeric"
        assert messages[14].types["tm"] == "time"


# --- CloudEvents ----------------------------------------------------------------------------------


def as_cloudevents(*, schema: bool) -> Iterator[Change]:
    def price(text: str) -> str:
        return text if schema else DECIMALS[text]

    snapped, at = "2024-05-06T05:08:09.120000Z", "2024-05-06T05:08:09.123456Z"
    zoe, later = order(1, "Zoë", price("12.50"), at), order(1, "Zoë", price("13.00"), at)
    gone = dict.fromkeys(zoe)
    yield "read", "orders", order(100, "Snap", price("1.00"), snapped), None, ["100"]
    yield "insert", "orders", zoe, None, ["1"]
    yield "update", "orders", later, {}, ["1"]
    yield "delete", "orders", {**gone, "id": 1}, None, ["1"]
    yield "insert", "orders", {**later, "id": 2}, None, ["2"]
    yield "delete", "orders", {**gone, "id": 2}, None, ["2"]
    yield "insert", "lines", {"tenant": 1, "no": 1, "qty": 5}, None, ["1", "1"]
    yield "insert", "lines", {"tenant": 1, "no": 2, "qty": 7}, None, ["1", "2"]
    yield "update", "lines", {"tenant": 1, "no": 1, "qty": 6}, {"qty": 5}, ["1", "1"]
    yield "delete", "lines", {"tenant": 1, "no": 2, "qty": 7}, None, ["1", "2"]


@pytest.mark.parametrize("schema", [False, True], ids=["without schema", "with schema"])
def test_cloudevents(schema: bool) -> None:
    """The converter gives the message and the transactions' records no value at all."""
    messages, reader = read("cloudevents_schema_on" if schema else "cloudevents")
    for found, wanted in zip(flat(messages), as_cloudevents(schema=schema), strict=True):
        assert found == wanted
    assert dict(reader.counts) == {"Debezium, CloudEvents, PostgreSQL": 10}
    markers = 7 * 2 if schema else 0  # that run has `provide.transaction.metadata`
    assert dict(reader.passed_over) == {"tombstone": 3 + 1 + markers, "truncate": 1}
    halves = messages[3], messages[4]
    assert len({m.metadata["commit_lsn"] for m in halves}) == 1
    assert len({m.metadata["idempotency_key"] for m in messages}) == 10
    assert all(type(m.metadata["source"]["txId"]) is int for m in messages)
    if schema:
        assert messages[0].types["price"] == "numeric"
        assert messages[3].metadata["source"]["txId"] == 747
        assert messages[3].metadata["transaction"]["id"] == "747:30732728"
        assert [m.metadata["commit_idx"] for m in messages[6:]] == [0, 1, 2, 3]


@pytest.mark.parametrize("more", [
    {"updateDescription": {"updatedFields": '{"spent": {"$numberDecimal": "1.50"}}'}},
    {"patch": '{"$v": 1, "$set": {"spent": {"$numberDecimal": "1.50"}}}'},
    {"patch": '{"spent": {"$numberDecimal": "1.50"}}'},
])  # fmt: skip
def test_an_update_without_its_document_has_the_types_of_its_fields(more: dict[str, Any]) -> None:
    """`patch` is how it was written before Debezium 2."""
    source = {"connector": "mongodb", "db": "shop", "collection": "c", "ts_ms": 1_700_000_000_000}
    event = {"op": "u", "before": None, "after": None, "source": source, **more}
    [row] = RowReader().read(Raw(event, key={"id": "1004"}, position="p"))
    assert isinstance(row, Message)
    assert (row.record, dict(row.types)) == ({"_id": 1004, "spent": "1.50"}, {"spent": "numeric"})


def test_a_change_event_of_mongodb_has_the_id_of_its_document() -> None:
    """An emulator writes the operators of an update there."""
    event = {"_id": {"_data": "6b0b5dad00000006"}, "operationType": "update",
             "fullDocument": {"price": 13}, "documentKey": {"$set": {"price": 13}}}  # fmt: skip
    [row] = RowReader().read(Raw(event, position="p"))
    assert isinstance(row, Fault)
    assert "`documentKey` has no `_id`" in row.message
