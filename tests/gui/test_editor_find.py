"""Find and replace."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.find import FindBar

TEXT = "topic = a\nTopic = b\ntopics"


@pytest.fixture
def editor(qtbot: QtBot) -> CodeEdit:
    made = CodeEdit("Code")
    qtbot.addWidget(made)
    made.show_text(TEXT)
    made.document().clearUndoRedoStacks()
    made.show()
    return made


@pytest.fixture
def bar(editor: CodeEdit, qtbot: QtBot) -> FindBar:
    made = FindBar(editor)
    qtbot.addWidget(made)
    return made


def selected(editor: CodeEdit) -> tuple[int, int]:
    return editor.textCursor().selectionStart(), editor.textCursor().selectionEnd()


def test_next_goes_round_and_counts(editor: CodeEdit, bar: FindBar) -> None:
    bar.text.setText("topic")
    assert bar.count.text() == "3 found"
    places = []
    for _ in range(4):
        bar.find_next()
        places.append(selected(editor))
    assert places == [(0, 5), (10, 15), (20, 25), (0, 5)]


def test_case(editor: CodeEdit, bar: FindBar) -> None:
    bar.text.setText("Topic")
    bar.case.setChecked(True)
    bar.find_next()
    assert selected(editor) == (10, 15)
    assert bar.count.text() == "1 found"


def test_a_pattern(editor: CodeEdit, bar: FindBar) -> None:
    bar.text.setText(r"^topic.$")
    bar.find_next()
    assert selected(editor) == (0, 0), "without patterns, the text itself is looked for"
    bar.text.setText(r"topic\w")
    assert bar.count.text() == "0 found"
    bar.pattern.setChecked(True)
    assert bar.count.text() == "1 found"
    bar.find_next()
    assert selected(editor) == (20, 26)
    bar.text.setText(r"^topic.$")
    assert bar.count.text() == "1 found", "lines begin and end at line ends"


def test_a_broken_pattern_finds_nothing(editor: CodeEdit, bar: FindBar) -> None:
    bar.pattern.setChecked(True)
    bar.text.setText("(")
    bar.find_next()
    bar.replace_all()
    assert editor.toPlainText() == TEXT
    assert bar.count.text() == "not a pattern"


def test_replace_all_is_one_undo(editor: CodeEdit, bar: FindBar) -> None:
    bar.text.setText("topic")
    bar.replacement.setText("key")
    bar.replace_all()
    assert editor.toPlainText() == "key = a\nkey = b\nkeys"
    editor.undo()
    assert editor.toPlainText() == TEXT
    assert not editor.document().isUndoAvailable()


def test_replace_one_by_one(editor: CodeEdit, bar: FindBar) -> None:
    bar.text.setText("topic")
    bar.replacement.setText("key")
    bar.find_next()
    bar.replace()
    assert editor.toPlainText() == "key = a\nTopic = b\ntopics"
    assert editor.textCursor().selectedText() == "Topic"


def test_groups_of_a_pattern_may_be_used(editor: CodeEdit, bar: FindBar) -> None:
    bar.pattern.setChecked(True)
    bar.case.setChecked(True)
    bar.text.setText(r"(topic) = (\w)")
    bar.replacement.setText(r"\2 = \1")
    bar.replace_all()
    assert editor.toPlainText() == "a = topic\nTopic = b\ntopics"


def test_places_after_an_emoji(editor: CodeEdit, bar: FindBar) -> None:
    editor.show_text('"🛒🛒" + topic')
    bar.text.setText("topic")
    bar.find_next()
    assert editor.textCursor().selectedText() == "topic"
    bar.replacement.setText("key")
    bar.replace_all()
    assert editor.toPlainText() == '"🛒🛒" + key'


def test_opening_takes_the_selection_and_escape_closes(editor: CodeEdit, bar: FindBar) -> None:
    editor.go_to(1, 1)
    cursor = editor.textCursor()
    cursor.setPosition(5, cursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)
    bar.open_bar()
    assert bar.text.text() == "topic"
    QTest.keyClick(bar, Qt.Key.Key_Escape)
    assert not bar.isVisible()
