"""What is proposed where, and how the list behaves."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from routestudio.ui.editor.behaviours import install
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.completion import Completion, Item, Vocabulary, proposals
from routestudio.ui.editor.vocabulary import vocabulary

WORDS = Vocabulary(
    columns=[Item("region"), Item("order_id"), Item("id")],
    metadata=[Item("table_name"), Item("table_schema")],
    routed=[Item("topic"), Item("message_key")],
    library=[Item("url.quote"), Item("url.path"), Item("len")],
    words=[Item("record"), Item("return")],
)


@pytest.mark.parametrize(
    ("before", "word", "texts"),
    [
        ('x = record["', "", ["region", "order_id", "id"]),
        ('x = record["re', "re", ["region"]),
        ('x = record["id', "id", ["order_id"]),
        ("x = changes['o", "o", ["order_id", "region"]),
        ("metadata.", "", ["table_name", "table_schema"]),
        ('metadata["table_n', "table_n", ["table_name"]),
        ("url.", "", ["quote", "path"]),
        ("url.q", "q", ["quote"]),
        ('return {"', "", ["topic", "message_key"]),
        ('return {"topic": x, "mes', "mes", ["message_key"]),
        ("    re", "re", ["record", "return"]),
        ("le", "le", ["len"]),
        ("x = ", "", []),
        ('x = "re', "", []),
        ("# re", "", []),
        ("unknown.", "", []),
        ("record", "record", []),
    ],
)
def test_proposals(before: str, word: str, texts: list[str]) -> None:
    found, items = proposals(WORDS, before)
    assert (found, [item.text for item in items]) == (word, texts)


def test_the_vocabulary_of_a_sink_type_has_columns_and_routed_fields() -> None:
    made = vocabulary("kafka", [("region", "text", "unknown")])
    assert [item.text for item in made.columns] == ["region"]
    assert {"topic", "message_key"} <= {item.text for item in made.routed}
    assert {"table_name", "commit_lsn"} <= {item.text for item in made.metadata}
    assert all(item.doc for item in (*made.routed, *made.library))
    assert vocabulary("unknown", []).routed == ()


@pytest.fixture
def editor(qtbot: QtBot) -> CodeEdit:
    made = CodeEdit("Code")
    install(made)
    qtbot.addWidget(made)
    made.show()
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


@pytest.fixture
def completion(editor: CodeEdit) -> Completion:
    made = Completion(editor)
    made.vocabulary = WORDS
    return made


def test_typing_opens_and_return_accepts(editor: CodeEdit, completion: Completion) -> None:
    QTest.keyClicks(editor, "ret")
    assert completion.popup.isVisible()
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert editor.toPlainText() == "return"
    assert not completion.popup.isVisible()


def test_arrows_choose_and_tab_accepts(editor: CodeEdit, completion: Completion) -> None:
    QTest.keyClicks(editor, "re")
    QTest.keyClick(editor, Qt.Key.Key_Down)
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.toPlainText() == "return"


def test_escape_hides_and_control_space_asks(editor: CodeEdit, completion: Completion) -> None:
    QTest.keyClicks(editor, "re")
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert not completion.popup.isVisible()
    assert editor.toPlainText() == "re"
    QTest.keyClick(editor, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert completion.popup.isVisible()
    completion.popup.hide()


def test_accepting_is_one_undo(editor: CodeEdit, completion: Completion) -> None:
    QTest.keyClicks(editor, "ret")
    completion.accept()
    editor.undo()
    assert editor.toPlainText() == "ret"


def test_leaving_the_editor_hides_the_list(editor: CodeEdit, completion: Completion) -> None:
    QTest.keyClicks(editor, "re")
    editor.clearFocus()
    assert not completion.popup.isVisible()


def test_elixir_is_offered_its_own_functions_and_keys() -> None:
    made = vocabulary("kafka", [("region", "text", "unknown")], language="elixir")
    word, items = proposals(made, "  x = Map.ge")
    assert (word, items[0].text, items[0].detail) == (
        "ge", "get", "Map.get(map, key, [default])",
    )  # fmt: skip
    assert "default" in items[0].doc
    assert [item.text for item in proposals(made, '  record["re')[1]] == ["region"]
    assert [item.text for item in proposals(made, "  metadata.table_n")[1]] == ["table_name"]
    assert proposals(made, "  %{top")[1][0].body == "topic: $0"
    assert [item.text for item in proposals(made, "  DateTime.to_un")[1]] == ["to_unix"]
    texts = {item.text for item in (*made.words, *made.library)}
    assert texts.isdisjoint({"unless", "return", "String.to_atom", "lambda"})
