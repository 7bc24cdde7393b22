"""Dialogs by keyboard: the first field has the focus, Enter does the primary thing, Esc cancels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from routestudio.ui import dialogs
from routestudio.ui.help_dialogs import AboutDialog, ShortcutsDialog
from routestudio.ui.panels.run_editor import SetValueDialog
from routestudio.ui.widgets.basics import Button
from routestudio.ui.widgets.dialog import Dialog, Question

pytestmark = pytest.mark.gui

NONE: set[str] = set()
MAKERS: dict[str, Callable[[Path], Dialog]] = {
    "new project": lambda _: dialogs.NewProjectDialog(None),
    "save as": lambda path: dialogs.SaveAsDialog(None, path / "copy"),
    "import": lambda path: dialogs.ImportDialog(None, path / "sequin.yaml"),
    "add sink": lambda _: dialogs.AddSinkDialog(None, NONE),
    "add function": lambda _: dialogs.AddFunctionDialog(None, NONE),
    "export": lambda path: dialogs.ExportDialog(None, path / "shop"),
    "name": lambda _: dialogs.NameDialog(None, "Rename", "orders", accept="Rename"),
    "endpoint": lambda _: dialogs.ResourceDialog(None, "http_endpoints", "", {}, NONE),
    "set value": lambda _: SetValueDialog(None, ["record.id"], 3),
}


@pytest.mark.parametrize("name", MAKERS)
def test_enter_in_any_field_does_the_primary_thing(qtbot: QtBot, tmp_path: Path, name: str) -> None:
    dialog = MAKERS[name](tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    primary = [b for b in dialog.findChildren(QPushButton) if b.property("kind") == "primary"]
    assert len(primary) == 1
    pressed: list[str] = []

    def note(text: str, _: bool = False) -> None:
        pressed.append(text)

    for button in dialog.findChildren(Button):
        button.clicked.disconnect()
        button.clicked.connect(partial(note, button.text()))
    fields = [
        item
        for item in dialog.findChildren(QLineEdit)
        if item.isVisible() and item.isEnabled() and item.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]
    assert fields
    for field in fields:
        pressed.clear()
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert pressed == [primary[0].text()], field.accessibleName()


@pytest.mark.parametrize("name", MAKERS)
def test_the_first_field_has_the_focus_and_escape_cancels(
    qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    dialog = MAKERS[name](tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    first = dialog.first_field()
    assert isinstance(first, (QLineEdit, QComboBox))
    assert dialog.focusWidget() is first
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert dialog.result() == 0


def test_a_question_about_something_dangerous_is_not_answered_by_enter(qtbot: QtBot) -> None:
    question = Question(None, "Send", "Send 3 messages to localhost?", [("yes", "Send", "danger")])
    qtbot.addWidget(question)
    question.show()
    qtbot.waitExposed(question)
    QTest.keyClick(question, Qt.Key.Key_Return)
    assert question.answer == "cancel"
    safe = Question(None, "Save", "Save?", [("no", "Don't save", "danger"), ("yes", "Save",
                    "primary")])  # fmt: skip
    qtbot.addWidget(safe)
    safe.show()
    qtbot.waitExposed(safe)
    QTest.keyClick(safe, Qt.Key.Key_Return)
    assert safe.answer == "yes"


@pytest.mark.parametrize("make", [ShortcutsDialog, AboutDialog])
def test_no_dialog_is_taller_than_the_screen(qtbot: QtBot, make: type[Dialog]) -> None:
    dialog = make(None)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    room = QApplication.primaryScreen().availableGeometry()
    assert dialog.height() < room.height()
    assert dialog.minimumSizeHint().height() < 640
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Close")
    assert dialog.rect().contains(button.geometry())


def test_the_shortcuts_are_filtered_while_typing(qtbot: QtBot) -> None:
    dialog = ShortcutsDialog(None)
    qtbot.addWidget(dialog)
    everything = dialog.list.topLevelItemCount()
    assert everything > 3
    dialog.filter.setText("redo")
    assert dialog.list.topLevelItemCount() == 1


def test_a_function_may_be_written_in_elixir(qtbot: QtBot) -> None:
    dialog = dialogs.AddFunctionDialog(None, {"filter-function"})
    qtbot.addWidget(dialog)
    assert {dialog.language.itemData(n) for n in range(2)} == {"python", "elixir"}
    dialog.kind.setCurrentIndex(dialog.kind.findData("filter"))
    assert dialog.name.text() == "filter-function-2"
