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
