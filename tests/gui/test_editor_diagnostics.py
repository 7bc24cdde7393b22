"""What the editor shows of diagnostics, and how it keeps text, cursor and undo."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from routestudio.model.function import Diagnostic
from routestudio.ui.editor.code_edit import CodeEdit, matching, utf16

WAVE = QTextCharFormat.UnderlineStyle.WaveUnderline


@pytest.fixture
def editor(qtbot: QtBot) -> CodeEdit:
    made = CodeEdit("Code")
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.show()
    return made


def waves(editor: CodeEdit) -> list[str]:
    return [
        mark.cursor.selectedText()
        for mark in editor.extraSelections()
        if mark.format.underlineStyle() == WAVE
    ]


def here(editor: CodeEdit) -> tuple[int, int]:
    cursor = editor.textCursor()
    return cursor.blockNumber() + 1, cursor.positionInBlock() + 1


def test_ranges_count_characters_not_utf16_units(editor: CodeEdit) -> None:
    editor.show_text('x = "🛒🛒", topc\ny')
    editor.show_diagnostics(
        [
            Diagnostic(1, 11, "name", "unknown", end_line=1, end_column=15),
            Diagnostic(1, 5, "text", "to the end of the line"),
            Diagnostic(2, 1, "name", "lines", end_line=3, end_column=1),
        ]
    )
    assert waves(editor) == ["topc", '"🛒🛒", topc', "y"]


@pytest.mark.parametrize(("line", "column"), [(9, 1), (1, 99), (2, 1), (0, 1)])
def test_a_diagnostic_outside_of_the_text_harms_nothing(
    editor: CodeEdit, line: int, column: int
) -> None:
    editor.show_text("x\n")
    editor.show_diagnostics([Diagnostic(line, column, "x", "outside")])
    editor.next_problem()
    editor.repaint()
    assert len(waves(editor)) == 1


def test_diagnostics_of_a_text_that_became_shorter(editor: CodeEdit) -> None:
    editor.show_text("a\nb\nc")
    editor.show_diagnostics([Diagnostic(3, 1, "x", "gone", end_line=3, end_column=2)])
    editor.selectAll()
    editor.textCursor().removeSelectedText()
    editor.show_diagnostics(editor.diagnostics)
    assert editor.toPlainText() == ""


def test_the_tool_tip_says_message_and_hint(editor: CodeEdit) -> None:
    editor.show_text("topc = 1")
    editor.show_diagnostics(
        [Diagnostic(1, 1, "field", "unknown field", end_column=5, hint="write topic")]
    )
    inside = editor.cursorRect().center() + QPoint(4, 0)
    place = editor.viewport().mapToGlobal(inside)
    QApplication.sendEvent(editor.viewport(), QHelpEvent(QEvent.Type.ToolTip, inside, place))
    assert QToolTip.text() == "unknown field\n→ write topic"
    QToolTip.hideText()


def test_next_problem_goes_round(editor: CodeEdit) -> None:
    editor.show_text("aaa\nbbb\nccc")
    editor.show_diagnostics(
        [
            Diagnostic(3, 2, "x", "late"),
            Diagnostic(1, 3, "x", "early"),
            Diagnostic(2, 1, "x", "mid"),
        ]
    )
    found = []
    for _ in range(4):
        editor.next_problem()
        found.append(here(editor))
    assert found == [(1, 3), (2, 1), (3, 2), (1, 3)]
    editor.next_problem(-1)
    assert here(editor) == (3, 2)


def test_going_to_a_column_after_an_emoji(editor: CodeEdit) -> None:
    editor.show_text('x = "🛒🛒", topc')
    editor.go_to(1, 11)
    assert editor.textCursor().block().text()[10] == "t"
    cursor = editor.textCursor()
    cursor.movePosition(QTextCursor.MoveOperation.EndOfLine, QTextCursor.MoveMode.KeepAnchor)
    assert cursor.selectedText() == "topc"


def test_next_problem_without_any_stays(editor: CodeEdit) -> None:
    editor.show_text("abc")
    editor.go_to(1, 3)
    editor.next_problem()
    assert here(editor) == (1, 3)


def test_show_text_keeps_cursor_and_undo_and_says_nothing(editor: CodeEdit, qtbot: QtBot) -> None:
    QTest.keyClicks(editor, "one two")
    editor.go_to(1, 4)
    with qtbot.assertNotEmitted(editor.edited):
        editor.show_text("one two three")
    assert here(editor) == (1, 4)
    editor.undo()
    assert editor.toPlainText() == "one two"
    editor.undo()
    assert editor.toPlainText() == ""
    editor.redo()
    editor.redo()
    assert editor.toPlainText() == "one two three"


def test_typing_sends_edited(editor: CodeEdit, qtbot: QtBot) -> None:
    with qtbot.waitSignal(editor.edited, timeout=30_000):
        QTest.keyClicks(editor, "x")


def test_show_text_with_fewer_lines_narrows_the_gutter(editor: CodeEdit) -> None:
    editor.show_text("x\n" * 2000)
    wide = editor.viewportMargins().left()
    editor.show_text("x")
    assert editor.viewportMargins().left() < wide


def test_zoom_has_limits(editor: CodeEdit) -> None:
    sizes = []
    for step in (100.0, -100.0):
        editor.zoom(step)
        sizes.append(editor.font().pointSizeF())
    assert sizes == [28.0, 7.0]


def test_matching_brackets_are_marked(editor: CodeEdit) -> None:
    editor.show_text("f([1, (2)])")
    editor.moveCursor(QTextCursor.MoveOperation.End)
    texts = [m.cursor.selectedText() for m in editor.extraSelections()]
    assert texts[-2:] == [")", "("]
    editor.show_text('"🛒🛒" (2)')
    editor.moveCursor(QTextCursor.MoveOperation.End)
    assert [m.cursor.selectedText() for m in editor.extraSelections()][-2:] == [")", "("]
    assert matching("f([1, (2)])", 1) == 10
    assert matching("(" + "x" * 1_000_000 + ")", 0) is None  # it would take a second
    assert matching("(", 0) is None


def test_utf16() -> None:
    assert [utf16("a🛒b", n) for n in range(5)] == [0, 1, 3, 4, 4]
