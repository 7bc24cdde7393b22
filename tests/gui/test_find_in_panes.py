"""Ctrl+F finds in every text of the window and of its dialogs, and in the documentation pane."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from routestudio.ui.editor.find import FindBar
from tests.gui.all_dialogs import MAKERS
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

Text = QPlainTextEdit | QTextEdit


def texts(root: QWidget) -> list[Text]:
    found: list[Text] = [*root.findChildren(QPlainTextEdit), *root.findChildren(QTextEdit)]
    return [item for item in found if item.isVisible()]


def opened_bar(root: QWidget) -> FindBar:
    (bar,) = [item for item in root.findChildren(FindBar) if item.isVisible()]
    return bar


def find_in(root: QWidget, pane: Text) -> str:
    """Find the last word of a text by its bar, which is open; returns what got selected."""
    bar = opened_bar(root)
    word = re.findall(r"\w{2,}", pane.toPlainText())[-1]
    bar.text.clear()
    QTest.keyClicks(bar.text, word)
    QTest.keyClick(bar.text, Qt.Key.Key_Return)
    assert bar.count.text() != "0 found"
    assert pane.textCursor().selectedText().lower() == word.lower()
    if pane.isReadOnly():
        assert not bar.replacement.isVisible()
        assert bar.width() <= pane.width()
    QTest.keyClick(bar.text, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    return word


@in_qt
async def test_every_text_of_the_window(desk: Desk, project: Path) -> None:
    await desk.start(project)
    window = desk.window
    names: set[str] = set()

    async def walk() -> None:
        await desk.quiet(0.2)
        for pane in texts(window):
            if len(re.findall(r"\w{2,}", pane.toPlainText())) < 2:
                continue
            await desk.focus(pane)
            await desk.trigger("find")
            find_in(window, pane)
            names.add(pane.accessibleName())

    sink = await desk.open("sink", "orders-to-kafka")
    await desk.until(lambda: sink.preview.model.row(0), "the preview")
    sink.preview.table.selectRow(0)
    tabs = sink.preview.inspector.tabs
    for number in range(tabs.count()):
        tabs.setCurrentIndex(number)
        await walk()
    sink.preview.show_view("variants")
    await walk()
    await desk.open("function", "orders-by-region")
    await walk()
    sample = await desk.open("sample", "awkward")
    for view in ("text", "rows"):
        sample.show_view(view)
        sample.rows.show_as("json")
        await walk()
    await desk.trigger("run_tests")
    await desk.until(lambda: window.tests.results, "the tests")
    await walk()
    window.open_bottom(window.problems)
    await walk()
    assert {
        "Routing of the selected row", "Request of the selected row",
        "Message of the selected row", "Why the selected row ends there", "Message of the variant",
        "Code of orders-by-region", "Messages of awkward", "The chosen message of awkward",
        "What the selected test expected and got", "The selected problem in full",
    } <= names  # fmt: skip


@in_qt
async def test_the_documentation_beside_the_editor(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.focus(document.docs)
    await desk.trigger("find")
    bar = opened_bar(document.docs)
    bar.text.clear()
    QTest.keyClicks(bar.text, "idempotency")
    QTest.keyClick(bar.text, Qt.Key.Key_Return)
    assert bar.count.text() == "1 found"
    chosen = [item for item in bar._surface._labels() if item.hasSelectedText()]  # type: ignore[attr-defined]
    assert [item.selectedText() for item in chosen] == ["idempotency"]
    assert document.docs.verticalScrollBar().value() > 0
    QTest.keyClick(bar.text, Qt.Key.Key_Escape)
    assert not bar.isVisible()


@in_qt
async def test_without_a_text_the_function_in_front_is_searched(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.trigger("find")
    await desk.until(lambda: any("Put the cursor" in text for _, text in desk.notices), "a hint")
    document = await desk.open("function", "orders-by-region")
    await desk.focus(desk.window.tabs)
    await desk.trigger("find")
    assert document.find_bar.isVisible()
    assert document.find_bar.replacement.isVisible()


@pytest.mark.parametrize("name", MAKERS)
def test_every_text_of_the_dialogs(qtbot: QtBot, tmp_path: Path, name: str) -> None:
    dialog = MAKERS[name](None, tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    for pane in texts(dialog):
        if len(re.findall(r"\w{2,}", pane.toPlainText())) < 2:
            continue
        dialog.activateWindow()
        pane.setFocus()
        qtbot.waitUntil(pane.hasFocus)
        QTest.keyClick(pane, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        find_in(dialog, pane)
        assert dialog.isVisible(), "Escape in the bar closes the bar alone"


def test_shift_enter_goes_back(qtbot: QtBot) -> None:
    pane = QPlainTextEdit("one two one two one")
    pane.setReadOnly(True)
    qtbot.addWidget(pane)
    pane.show()
    bar = FindBar(pane)
    qtbot.addWidget(bar)
    bar.text.setText("one")
    bar.find_next()
    starts = []
    for _ in range(3):
        QTest.keyClick(bar.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        starts.append(pane.textCursor().selectionStart())
    assert starts == [16, 8, 0]
