"""Types of columns that the project says, and those that rows bring along."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.formats.reader import KeyBook, RowReader
from routestudio.model.column_origins import types_of
from routestudio.model.message import Message
from routestudio.model.rows import Raw

TABLES = {
    "public.orders": {
        "total": "numeric(10, 2)", "at": "timestamp with time zone", "opens": "time",
        "doc": "jsonb",
        "paid": "boolean", "qty": "bigint", "sums": "numeric[]", "span": "interval",
        "version": "character varying(20)", "local": "timestamp",
    },
    "stock": {"at": "timestamptz"},
}  # fmt: skip


def read(value: Any, **more: Any) -> Message:
    book = KeyBook(types=TABLES, **more)
    (found,) = RowReader(keys=book).read(Raw(value, position="p", topic="orders.csv"))
    assert isinstance(found, Message), found
    return found


def test_the_project_s_types_make_values_of_plain_rows() -> None:
    found = read({
        "id": 1, "total": 12.5, "at": "2024-05-06 07:08:09+02", "opens": "07:08:09.5",
        "doc": '{"a": 1}', "paid": "t", "qty": "5", "sums": "{1.50,NULL}", "span": "1 mon 02:00:00",
        "version": "1.10", "local": "2024-05-06 07:08:09", "note": "2.50",
    })  # fmt: skip
    assert found.record == {
        "id": 1, "total": "12.50", "at": "2024-05-06T05:08:09.000000Z", "opens": "07:08:09",
        "doc": {"a": 1}, "paid": True, "qty": 5, "sums": ["1.50", None],
        "span": {"months": 1, "days": 0, "microseconds": 7200000000}, "version": "1.10",
        "local": "2024-05-06T07:08:09.000000", "note": "2.50",
    }  # fmt: skip
    assert {name: found.types[name] for name in ("total", "at", "opens", "version", "sums")} == {
        "total": "numeric", "at": "timestamptz", "opens": "time", "version": "varchar",
        "sums": "numeric[]",
    }  # fmt: skip
    assert types_of(found)["total"] == ("numeric", "project")
    assert types_of(found)["note"] == ("numeric", "guess")
    assert "id" not in types_of(found)


def test_the_project_goes_before_the_row_and_other_types_stay() -> None:
    found = read({
        "action": "update", "metadata": {"table_name": "orders"},
        "record": {"id": 1, "version": {"$decimal": "1.10"}, "due": {"$date": "2024-05-06"}},
        "changes": {"total": "1", "version": None},
    })  # fmt: skip
    assert found.record == {"id": 1, "version": "1.10", "due": "2024-05-06"}
    assert found.changes == {"total": "1", "version": None}
    assert types_of(found) == {
        "version": ("varchar", "project"), "due": ("date", "row"), "total": ("numeric", "project"),
    }  # fmt: skip


@pytest.mark.parametrize("value", ["unchanged_toast", None, "soon", {"a": 1}])
def test_what_is_no_value_of_the_type_stays_as_it_is(value: Any) -> None:
    found = read({"id": 1, "total": value})
    assert found.record["total"] == value


def test_a_key_is_written_as_a_server_writes_it() -> None:
    found = read({"at": "2024-05-06T07:08:09Z", "total": "2.50"}, user=("at", "total"))
    assert found.record_pks == ["2024-05-06 07:08:09.000000Z", "2.50"]
    plain = RowReader(keys=KeyBook(("at",))).read(Raw({"at": "2024-05-06T07:08:09Z"}))[0]
    assert isinstance(plain, Message)
    assert plain.record_pks == ["2024-05-06T07:08:09Z"]


def test_a_table_is_found_without_its_schema_and_others_have_no_types() -> None:
    value = {"action": "insert", "record": {"at": "2024-05-06T07:08:09Z"},
             "metadata": {"table_schema": "s", "table_name": "stock"}}  # fmt: skip
    assert read(value).types == {"at": "timestamptz"}
    assert read({**value, "metadata": {"table_name": "other"}}).types == {}


def test_rows_of_one_table_share_their_types() -> None:
    reader = RowReader(keys=KeyBook(types=TABLES))
    rows = [reader.read(Raw({"total": "1.5"}, topic="orders.csv"))[0] for _ in range(2)]
    first, second = [row for row in rows if isinstance(row, Message)]
    assert first.types is second.types


def test_a_part_types_that_is_not_one_is_left_out_with_a_note() -> None:
    found = read({"action": "insert", "record": {"id": 1}, "types": ["x"]})
    assert found.types == {}
    assert "The row has further keys, which are left out: types." in found.notes
