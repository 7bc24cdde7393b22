"""Marks of branch coverage, from the points of the engine's answer."""

from __future__ import annotations

from typing import Any

from routestudio.ui.editor.coverage import marks_of


def point(line: int, kind: str, taken: int, tested: int) -> dict[str, Any]:
    return {"line": line, "column": 1, "kind": kind, "taken": taken, "tested": tested}


def test_a_line_has_the_mark_of_its_worst_way() -> None:
    marks = marks_of(
        [
            point(3, "if", 10, 2), point(3, "else", 0, 0),
            point(5, "if", 4, 1), point(5, "else", 1, 0),
            point(7, "case", 0, 1),
        ]
    )  # fmt: skip
    assert {line: mark.kind for line, mark in marks.items()} == {
        3: "missed", 5: "taken", 7: "tested",
    }  # fmt: skip


def test_the_mark_says_in_words_what_takes_each_way() -> None:
    text = marks_of([point(1, "if", 1200, 1), point(1, "else", 0, 0)])[1].text
    assert text.splitlines() == [
        "Branch coverage: a branch is never taken",
        "if: 1,200 rows, 1 route test",
        "else: never taken by a row or a route test",
    ]
    assert "no row, 2 route tests" in marks_of([point(1, "if", 0, 2)])[1].text


def test_the_note_behind_a_line_counts_the_rows_of_each_way() -> None:
    marks = marks_of(
        [
            point(1, "if", 1200, 1), point(1, "else", 0, 3), point(2, "case", 1, 0),
            point(3, "case", 0, 1), *(point(4, "if", n, 0) for n in range(1, 5)),
            *(point(5, "if", n, 0) for n in range(5, -1, -1)),
        ]
    )  # fmt: skip
    assert (marks[1].note, marks[1].missing) == (("if 1,200 rows", "else 0 rows"), (False, True))
    assert (marks[2].note, marks[2].missing) == (("1 row",), (False,))
    assert (marks[3].note, marks[3].missing) == (("0 rows",), (True,))
    assert marks[4].note == ("if 1 row", "if 2 rows", "if 3 rows", "if 4 rows")
    assert marks[5].note == ("if 5 rows", "if 4 rows", "if 3 rows", "3 more")
    assert marks[5].missing == (False, False, False, True)


def test_of_many_rows_the_first_were_looked_at() -> None:
    text = marks_of([point(1, "if", 7, 0)], 2000)[1].text
    assert text.splitlines()[-1] == "Of the first 2,000 rows"
    assert "first" not in marks_of([point(1, "if", 7, 0)])[1].text
