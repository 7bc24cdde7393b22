"""Keys of the editor: `|` is the cursor; `[` … `]` in a case would be text like any other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from routestudio.ui.editor.behaviours import install, toggle_comment
from routestudio.ui.editor.code_edit import CodeEdit, utf16

KEY = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
Made = Callable[[str], CodeEdit]


@pytest.fixture
def made(qtbot: QtBot) -> Made:
    def make(text: str) -> CodeEdit:
        editor = CodeEdit("Code")
        install(editor)
        qtbot.addWidget(editor)
        editor.setPlainText(text.replace("|", "", 1))
        cursor = editor.textCursor()
        cursor.setPosition(utf16(text, max(0, text.find("|"))))
        editor.setTextCursor(cursor)
        return editor

    return make


def shown(editor: CodeEdit) -> str:
    units, at = editor.toPlainText().encode("utf-16-le"), 2 * editor.textCursor().position()
    return f"{units[:at].decode('utf-16-le')}|{units[at:].decode('utf-16-le')}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1|", "a = 1\n|"),
        ("    a = 1|", "    a = 1\n    |"),
        ("def route():|", "def route():\n    |"),
        ("    if a:  # why|", "    if a:  # why\n        |"),
        ("    return {|", "    return {\n        |"),
        ("    return 1|", "    return 1\n|"),
        ("        pass|", "        pass\n    |"),
        ("cond do |", "cond do \n    |"),
        ("    fn x -> |", "    fn x -> \n        |"),
        ("    a = |1", "    a = \n    |1"),
        ('    a = "🛒🛒"|:', '    a = "🛒🛒"\n    |:'),
        ("|", "\n|"),
    ],
)
def test_a_new_line_is_indented(made: Made, before: str, after: str) -> None:
    editor = made(before)
    QTest.keyClick(editor, KEY.Key_Return)
    assert shown(editor) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("|a", "    |a"),
        ("ab|c", "ab  |c"),
        ("    |a", "        |a"),
    ],
)
def test_tab_goes_to_the_next_step(made: Made, before: str, after: str) -> None:
    editor = made(before)
    QTest.keyClick(editor, KEY.Key_Tab)
    assert shown(editor) == after


def test_tab_indents_and_backtab_dedents_selected_lines(made: Made) -> None:
    editor = made("a\n\n  b\nc")
    editor.selectAll()
    QTest.keyClick(editor, KEY.Key_Tab)
    assert editor.toPlainText() == "    a\n\n      b\n    c"
    assert editor.textCursor().hasSelection()
    QTest.keyClick(editor, KEY.Key_Backtab, SHIFT)
    assert editor.toPlainText() == "a\n\n  b\nc"
    QTest.keyClick(editor, KEY.Key_Backtab, SHIFT)
    assert editor.toPlainText() == "a\n\nb\nc"


def test_a_selection_that_ends_at_a_line_start_leaves_that_line(made: Made) -> None:
    editor = made("a\nb")
    cursor = editor.textCursor()
    cursor.setPosition(0)
    cursor.setPosition(2, QTextCursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)
    QTest.keyClick(editor, KEY.Key_Tab)
    assert editor.toPlainText() == "    a\nb"


@pytest.mark.parametrize(
    ("before", "after"),
    [("        |a", "    |a"), ("   |a", "  |a"), ("  a |", "  a|"), ("    |    a", "|    a")],
)
def test_backspace_in_the_indentation(made: Made, before: str, after: str) -> None:
    editor = made(before)
    QTest.keyClick(editor, KEY.Key_Backspace)
    assert shown(editor) == after


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        ("|", "(", "(|)"),
        ("f|", "(", "f(|)"),
        ("f(|)", ")", "f()|"),
        ("x = |", "{", "x = {|}"),
        ("x = |", '"', 'x = "|"'),
        ('x = "|"', '"', 'x = ""|'),
        ("don|", "'", "don'|"),
        ('""|', '"', '"""|'),
        ("|a", "(", "(|a"),
        ("[|]", "(", "[(|)]"),
        ("|", "a", "a|"),
        ('"🛒🛒", f|', "(", '"🛒🛒", f(|)'),
        ('"🛒🛒", f(|)', ")", '"🛒🛒", f()|'),
    ],
)
def test_brackets_and_quotes_close(made: Made, before: str, typed: str, after: str) -> None:
    editor = made(before)
    QTest.keyClicks(editor, typed)
    assert shown(editor) == after


def test_a_pair_is_removed_together(made: Made) -> None:
    editor = made("f(|)")
    QTest.keyClick(editor, KEY.Key_Backspace)
    assert shown(editor) == "f|"


def test_a_pair_is_undone_in_one_step(made: Made) -> None:
    editor = made("|")
    QTest.keyClicks(editor, "(")
    editor.undo()
    assert editor.toPlainText() == ""


def test_a_selection_is_replaced_by_the_typed_bracket_alone(made: Made) -> None:
    editor = made("abc")
    editor.selectAll()
    QTest.keyClicks(editor, "(")
    assert editor.toPlainText() == "("


def test_home_goes_to_the_text_then_to_the_start(made: Made) -> None:
    editor = made("    abc|")
    places = []
    for _ in range(3):
        QTest.keyClick(editor, KEY.Key_Home)
        places.append(shown(editor))
    assert places == ["    |abc", "|    abc", "    |abc"]


def test_shift_home_selects(made: Made) -> None:
    editor = made("    abc|")
    QTest.keyClick(editor, KEY.Key_Home, SHIFT)
    assert editor.textCursor().selectedText() == "abc"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1", "# a = 1"),
        ("    a\n        b", "    # a\n    #     b"),
        ("a\n\nb", "# a\n\n# b"),
        ("# a\nb", "# # a\n# b"),
        ("x = '🛒🛒'\ny = '🛒'", "# x = '🛒🛒'\n# y = '🛒'"),
        ("", ""),
    ],
)
def test_comments_come_and_go(made: Made, before: str, after: str) -> None:
    editor = made(before)
    editor.selectAll()
    toggle_comment(editor)
    assert editor.toPlainText() == after
    toggle_comment(editor)
    assert editor.toPlainText() == before


def test_comment_without_a_selection_takes_the_current_line_as_one_undo(made: Made) -> None:
    editor = made("a\nb|\nc")
    toggle_comment(editor)
    assert editor.toPlainText() == "a\n# b\nc"
    editor.undo()
    assert editor.toPlainText() == "a\nb\nc"
