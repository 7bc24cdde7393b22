"""Columns that come and go are found, with the rows that have them."""

from __future__ import annotations

from typing import Any

from routestudio.model.message import Message, message_from
from routestudio.samples import shapes
from routestudio.samples.shapes import Shapes, ranges_text


def message(record: dict[str, Any], action: str = "insert", table: str = "orders") -> Message:
    return message_from({"action": action, "record": record, "metadata": {"table_name": table}})


def counted(*messages: Message) -> Shapes:
    found = Shapes()
    for number, item in enumerate(messages):
        found.add(item, number)
    return found


def test_a_column_that_comes_and_one_that_goes_are_named_with_their_rows() -> None:
    rows = [message({"id": n, "old": 1} if n < 3 else {"id": n, "new": 1}) for n in range(6)]
    old, new = counted(*rows).varying()
    assert (old.name, old.have, old.rows, old.having, old.lacking) == (
        "old", 3, 6, "rows 0-2", "rows 3-5",
    )  # fmt: skip
    assert (new.name, new.having, new.lacking) == ("new", "rows 3-5", "rows 0-2")
    assert not old.only_deletes


def test_tables_are_told_apart_and_their_rows_may_be_mixed() -> None:
    rows = [message({"id": 1}), message({"code": 1}, table="stock"), message({"id": 2, "note": 1}),
            message({"code": 2}, table="stock"), message({"id": 3})]  # fmt: skip
    [column] = counted(*rows).varying()
    assert (column.table, column.name) == ("public.orders", "note")
    assert (column.having, column.lacking) == ("row 2", "rows 0, 4")


def test_deletes_that_have_the_key_only_are_told_apart() -> None:
    rows = [message({"id": 1, "note": "a"}), message({"id": 1}, "delete")]
    [column] = counted(*rows).varying()
    assert column.only_deletes
    assert (column.lack, column.lacking) == (1, "row 1")
    [column] = counted(*rows, message({"id": 2})).varying()
    assert not column.only_deletes


def test_rows_that_take_turns_do_not_fill_the_memory() -> None:
    found = Shapes()
    for number in range(5_000):
        found.add(message({"id": 1, "note": 1} if number % 2 else {"id": 1}), number)
    [column] = found.varying()
    assert (column.have, column.rows) == (2_500, 5_000)
    assert column.having.endswith(" and more")
    kept = [len(shape.ranges) for table in found._tables.values()
            for shape in table.shapes.values()]  # fmt: skip
    assert max(kept) <= 200


def test_shapes_over_the_limit_are_not_looked_at() -> None:
    found = Shapes()
    for number in range(shapes.MOST_SHAPES + 50):
        found.add(message({f"c{number}": 1}), number)
    assert len(list(found.varying())) == shapes.MOST_SHAPES


def test_ranges_are_written_for_people() -> None:
    assert ranges_text([(3, 3)]) == "row 3"
    assert ranges_text([(0, 1_200), (1_201, 1_300), (1_400, 1_400)]) == "rows 0-1,300, 1,400"
    assert ranges_text([(2, 2)], "line") == "line 2"
    assert ranges_text([(n * 2, n * 2) for n in range(6)]) == "rows 0, 2, 4, 6 and more"
