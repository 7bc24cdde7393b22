"""Rows of a table as text."""

from __future__ import annotations

import csv
import io
import json

import pytest

from routestudio.model.table_text import COPIES, order_of, unformula, unique

HEADS = ["Name", "", "Name"]
ROWS = [["a,b", "1|2", "x\ny"], ['say "hi"', "=1+1", "-5"]]


def test_csv_is_read_back_and_calculates_nothing() -> None:
    found = list(csv.reader(io.StringIO(COPIES["csv"][1](HEADS, ROWS))))
    assert found == [["Name", "Column 2", "Name (3)"], ROWS[0], ['say "hi"', "'=1+1", "-5"]]


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+cmd|' /C calc'!A0",
        "@SUM(1)",
        "-2+3",
        "\t=1",
        "\r=1",
        "-1+cmd|' /C calc'!A",
        '-1+HYPERLINK("//a")',
        "+1 =x()",
    ],
)
def test_formulas_become_texts(text: str) -> None:
    assert unformula(text) == "'" + text


@pytest.mark.parametrize("text", ["-5", "+4.5", "-1e9", "a=b", "", "-1,000"])
def test_numbers_and_texts_stay(text: str) -> None:
    assert unformula(text) == text


def test_a_long_text_of_digits_is_looked_at_once() -> None:
    """A pattern that goes back over them all would not end here."""
    text = "1" * 200_000 + "x1"
    assert order_of(text) == (1, text)
    assert unformula("-" + text) == "'-" + text


def test_titles_stay_different_whatever_they_are() -> None:
    heads = ["A", "A (3)", "A"]
    assert len(set(unique(heads))) == 3
    assert list(json.loads(COPIES["jsonl"][1](heads, [["1", "2", "3"]])).values()) == list("123")


def test_json_lines_have_an_object_a_row() -> None:
    lines = COPIES["jsonl"][1](HEADS, ROWS).splitlines()
    assert [list(json.loads(line).values()) for line in lines] == ROWS
    assert list(json.loads(lines[0])) == unique(HEADS)


def test_markdown_and_plain_text_keep_rows_on_a_line() -> None:
    assert COPIES["md"][1](HEADS, ROWS).splitlines() == [
        "| Name | Column 2 | Name (3) |", "| --- | --- | --- |",
        "| a,b | 1\\|2 | x y |", '| say "hi" | =1+1 | -5 |',
    ]  # fmt: skip
    assert COPIES["txt"][1](HEADS, ROWS) == 'a,b\t1|2\tx y\nsay "hi"\t=1+1\t-5'


def test_cells_are_sorted_as_people_expect() -> None:
    cells = ["10", "9", "1,000", "beta", "Alpha", "", "–", "-3"]
    assert sorted(cells, key=order_of) == ["-3", "9", "10", "1,000", "Alpha", "beta", "", "–"]
    assert sorted(["2 s", "900 ms", "1 min"], key=order_of) == ["900 ms", "2 s", "1 min"]
    assert sorted(["1.4 kB", "512 B", "23 MB"], key=order_of) == ["512 B", "1.4 kB", "23 MB"]
    assert sorted(["2024-01-02", "2024-01-01"], key=order_of) == ["2024-01-01", "2024-01-02"]
