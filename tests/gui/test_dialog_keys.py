"""Dialogs by keyboard: the first field has the focus, Enter does the primary thing, Esc cancels."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from routestudio.ui import dialogs
from routestudio.ui.documents.sink_tables import TablesDialog
from routestudio.ui.environment_dialogs import AddEnvironmentDialog, VariableDialog
from routestudio.ui.help_dialogs import ShortcutsDialog
from routestudio.ui.rehearse_dialog import RehearseDialog
from routestudio.ui.widgets.basics import Button
from routestudio.ui.widgets.dialog import Dialog, Question
from tests.gui.all_dialogs import MAKERS, kinds
from tests.gui.cut_text import faults
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

SAFE = {"danger", "message", "conflict", "convert"}
"""Dialogs without a primary button: Enter closes them and changes nothing."""
QUESTIONS = {"question", "danger", "message", "about"}
"""Dialogs that begin on a button: they have no field."""
ELSEWHERE = {"AddEnvironmentDialog", "RehearseDialog", "TablesDialog", "VariableDialog"}
"""Dialogs that ask the engine while they are made: their own tests try them."""
SMALLEST = QSize(853, 533)
"""A screen of 1280 by 800 at a scale of 1.5."""


class Screen:
    """The smallest one."""

    def availableGeometry(self) -> QRect:
        """All of it."""
        return QRect(QPoint(0, 0), SMALLEST)


def shown(qtbot: QtBot, tmp_path: Path, name: str) -> Dialog:
    dialog = MAKERS[name](None, tmp_path)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    return dialog


def test_every_kind_of_dialog_is_tried(qtbot: QtBot, tmp_path: Path) -> None:
    made = {type(shown(qtbot, tmp_path, name)) for name in MAKERS}
    assert made <= kinds()
    assert {kind.__name__ for kind in kinds() - made} <= ELSEWHERE


def test_every_dialog_has_the_one_base() -> None:
    kinds()
    waiting, found = [QDialog], []
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("routestudio.") and not issubclass(kind, Dialog):
                found.append(kind)
    assert found == []


@pytest.mark.parametrize("name", MAKERS)
def test_enter_in_any_field_does_the_primary_thing(qtbot: QtBot, tmp_path: Path, name: str) -> None:
    dialog = shown(qtbot, tmp_path, name)
    buttons = [b for b in dialog.findChildren(QPushButton) if b.isVisible()]
    primary = [b for b in buttons if b.property("kind") == "primary"]
    if name in ("palette", "names"):  # their field takes what is chosen
        assert not buttons
        return
    assert len(primary) == (0 if name in SAFE else 1)
    wanted = primary[0] if primary else dialog.findChildren(Button)[-len(buttons)]
    wanted.setEnabled(True)
    pressed: list[str] = []

    def note(text: str, _: bool = False) -> None:
        pressed.append(text)

    for button in dialog.findChildren(Button):
        button.clicked.disconnect()
        button.clicked.connect(partial(note, button.text()))
    fields: list[QWidget] = [
        item
        for item in dialog.findChildren(QLineEdit)
        if item.isVisible() and item.isEnabled() and item.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]
    for field in [*fields, dialog]:
        pressed.clear()
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert pressed == [wanted.text()], field.accessibleName()


@pytest.mark.parametrize("name", MAKERS)
def test_the_first_field_has_the_focus_and_escape_cancels(
    qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    dialog = shown(qtbot, tmp_path, name)
    first = dialog.first_field()
    assert first is not None
    assert dialog.focusWidget() is first
    assert isinstance(first, QPushButton) == (name in QUESTIONS)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert dialog.result() == 0


@pytest.mark.parametrize("name", MAKERS)
def test_no_dialog_is_larger_than_the_screen(
    qtbot: QtBot, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dialog, "screen", lambda _: Screen())
    dialog = shown(qtbot, tmp_path, name)
    assert dialog.height() < SMALLEST.height()
    assert dialog.width() < SMALLEST.width()
    for button in dialog.findChildren(QPushButton):
        if button.isVisible() and button.parent() is dialog:
            place = button.mapTo(dialog, button.rect().topLeft())
            assert dialog.rect().contains(QRect(place, button.size())), button.text()
    assert faults(dialog) == []


@in_qt
async def test_dialogs_that_ask_the_engine_fit_as_well(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dialog, "screen", lambda _: Screen())
    await desk.start(project)
    window, session = desk.window, desk.window.session
    sink = session.sink("orders-to-kafka") or {}
    made: list[Dialog] = [
        AddEnvironmentDialog(window, set()), VariableDialog(window, None, "prod-eu"),
        RehearseDialog(window, session, "orders-to-kafka", "orders"),
        TablesDialog(window, session, "shop", sink),
    ]  # fmt: skip
    assert {type(dialog).__name__ for dialog in made} == ELSEWHERE
    for dialog in made:
        dialog.show()
        await desk.quiet()
        assert dialog.height() < SMALLEST.height(), dialog
        assert dialog.width() < SMALLEST.width(), dialog
        assert faults(dialog) == []
        dialog.reject()


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


@pytest.mark.parametrize("name", MAKERS)
def test_no_part_of_a_dialog_is_over_another_on_a_low_screen(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Qt makes no window taller than two thirds of it by itself."""
    dialog = MAKERS[name](None, tmp_path)
    qtbot.addWidget(dialog)
    monkeypatch.setattr(type(dialog), "screen", lambda _: Screen(), raising=False)
    dialog.adjustSize()
    dialog.resize(dialog.width(), min(dialog.height(), SMALLEST.height() * 2 // 3))
    dialog.show()
    layout = dialog.layout()
    assert layout is not None
    layout.activate()
    assert dialog.height() <= SMALLEST.height()
    end = 0
    for number in range(layout.count()):
        item = layout.itemAt(number)
        assert item is not None
        if not item.isEmpty():
            assert item.geometry().top() >= end, f"part {number} of {layout.count()}"
            end = item.geometry().bottom()
    assert end <= dialog.height()
