"""Colours of the code: whole text, spans in UTF-16 units."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QTextDocument
from PySide6.QtWidgets import QApplication, QPlainTextDocumentLayout
from pytestqt.qtbot import QtBot

from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.highlighter import Highlighter, spans_of
from routestudio.ui.theme import DARK, LIGHT, theme


def roles(text: str, language: str = "python") -> list[list[tuple[str, str]]]:
    """Text and role of every span, line by line, cut as Qt cuts them."""
    found = []
    for line, spans in zip(text.split("\n"), spans_of(text, language), strict=True):
        units = line.encode("utf-16-le")
        found.append(
            [(units[2 * s : 2 * (s + n)].decode("utf-16-le"), role) for s, n, role in spans]
        )
    return found


def joined(line: list[tuple[str, str]], role: str) -> str:
    return "".join(text for text, found in line if found == role)


def test_a_function() -> None:
    lines = roles('def route(action):\n    return {"a": 12}  # why')
    assert ("def", "keyword") in lines[0]
    assert ("route", "name_function") in lines[0]
    assert joined(lines[1], "string") == '"a"'
    assert joined(lines[1], "number") == "12"
    assert joined(lines[1], "comment") == "# why"


def test_text_over_several_lines_is_text_on_each() -> None:
    lines = roles('x = """one\ntwo = 2\nthree"""\ny = 2')
    assert [joined(line, "string") for line in lines] == ['"""one', "two = 2", 'three"""', ""]
    assert joined(lines[3], "number") == "2"


def test_columns_count_utf16_units() -> None:
    lines = roles('x = "🛒🛒"; y = 7')
    assert joined(lines[0], "string") == '"🛒🛒"'
    assert joined(lines[0], "number") == "7"


def test_an_elixir_heredoc() -> None:
    text = (
        'def route(action, record, changes, metadata) do\n  x = """\n  if 1\n  """\n  %{a: 1}\nend'
    )
    lines = roles(text, "elixir")
    assert joined(lines[2], "string").strip() == "if 1"
    assert "keyword" not in {role for _, role in lines[2]}
    assert joined(lines[4], "number") == "1"


@pytest.mark.parametrize("text", ["", "\n", "\n\nx", '"unclosed', "\t\x00", "\ud83d"])
def test_one_list_of_spans_for_every_line(text: str) -> None:
    assert len(spans_of(text, "python")) == text.count("\n") + 1


def colours(document: QTextDocument, line: int) -> set[str]:
    layout = document.findBlockByNumber(line).layout()
    assert layout is not None
    return {item.format.foreground().color().name() for item in layout.formats()}


def test_the_editor_is_coloured_and_follows_the_theme(qapp: QApplication, qtbot: QtBot) -> None:
    theme().apply(qapp, "light")
    editor = CodeEdit("Code")
    qtbot.addWidget(editor)
    highlighter = Highlighter(editor.document(), "python")
    editor.setPlainText("# why\nreturn 1")
    qtbot.waitUntil(lambda: bool(colours(editor.document(), 0)))
    assert colours(editor.document(), 0) == {QColor(LIGHT.comment).name()}
    theme().apply(qapp, "dark")
    assert colours(editor.document(), 0) == {QColor(DARK.comment).name()}
    assert QColor(DARK.keyword).name() in colours(editor.document(), 1)
    assert highlighter.language == "python"


def test_new_colours_are_no_edit(qtbot: QtBot) -> None:
    editor = CodeEdit("Code")
    qtbot.addWidget(editor)
    highlighter = Highlighter(editor.document(), "python")
    edits: list[str] = []
    editor.edited.connect(lambda: edits.append(editor.toPlainText()))
    editor.setPlainText("return 1")
    highlighter.lex()
    highlighter.rehighlight()
    assert edits == ["return 1"]
    editor.show_text("return 2")
    highlighter.lex()
    assert edits == ["return 1"]
    editor.undo()
    assert edits == ["return 1", "return 1"]


def test_a_quote_recolours_what_follows(qtbot: QtBot) -> None:
    document = QTextDocument()
    document.setDocumentLayout(QPlainTextDocumentLayout(document))
    highlighter = Highlighter(document, "python")
    document.setPlainText("x = 1\ny = 2")
    highlighter.lex()
    number = QColor(theme().tokens.number).name()
    assert colours(document, 1) == {number}
    document.setPlainText('x = """1\ny = 2')
    highlighter.lex()
    assert number not in colours(document, 1)
