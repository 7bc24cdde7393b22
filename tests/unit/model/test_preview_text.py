"""Cells of preview rows as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from routestudio.model.preview_text import cells, heads, problem_text

ROW: dict[str, Any] = {
    "index": 3, "action": "insert", "table": "public.orders", "pks": ["1", "2"], "filtered": None,
    "error": None, "routing": {"topic": "orders.eu", "headers": {"a": "1", "b": "2"}, "key": ""},
}  # fmt: skip


def test_a_row_has_a_cell_for_each_title() -> None:
    fields = ["topic", "headers", "key", "absent"]
    assert dict(zip(heads(fields), cells(ROW, fields), strict=True)) == {
        "#": "3", "Action": "insert", "Table": "orders", "Keys": "1, 2", "Result": "ok",
        "topic": "orders.eu", "headers": "a: 1, b: 2", "key": "(empty)", "absent": "", "Why": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "state", "why"),
    [
        ({"filtered": "filter"}, "filtered", "dropped by the filter"),
        ({"filtered": "source"}, "filtered", "table not included"),
        ({"filtered": "another"}, "filtered", ""),
        ({"error": {"message": "no `a`"}}, "failed", "no “a”"),
    ],
)
def test_why_a_row_is_not_delivered(row: dict[str, Any], state: str, why: str) -> None:
    found = cells({**ROW, **row, "routing": None}, ["topic"])
    assert (found[4], found[5], found[-1]) == (state, "", why)


def test_a_row_without_a_message() -> None:
    found = cells({**ROW, "action": None, "table": None, "pks": None}, [])
    assert found[:4] == ["3", "", "", ""]


def test_a_problem_says_where_what_and_what_to_do() -> None:
    problem = {"line": 4, "field": "topic", "message": "is empty", "hint": "return one"}
    assert problem_text(problem) == "line 4: topic is empty → return one"
    assert problem_text({"message": "is empty"}) == "is empty"
