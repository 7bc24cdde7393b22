"""Help, snippets and formatting in the window; what a row makes of the routed fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def opened(desk: Desk, project: Path) -> Any:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.until(lambda: "rows in" in document.preview.state.text(), "the preview")
    await desk.until(lambda: document._examples, "examples")
    return document


@in_qt
async def test_the_mouse_over_a_column_tells_its_type_and_an_example(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    editor = document.editor
    offset = editor.toPlainText().index('record["region"]') + 10
    cursor = editor.textCursor()
    cursor.setPosition(offset)
    place = editor.cursorRect(cursor).center() + QPoint(2, 0)
    event = QHelpEvent(QEvent.Type.ToolTip, place, editor.viewport().mapToGlobal(place))
    await desk.act(lambda: QApplication.sendEvent(editor.viewport(), event))
    assert QToolTip.text().startswith("region  text  (column)")
    assert "Example: " in QToolTip.text()
    await desk.act(QToolTip.hideText)
    assert editor.help_at(QPoint(900, place.y())) == ""


@in_qt
async def test_a_snippet_is_inserted_with_the_indentation_and_formatted(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    editor = document.editor
    await desk.act(lambda: (editor.selectAll(), editor.insert_at_cursor(
        "def route(action, record,changes,metadata):\n    matc")))  # fmt: skip
    await desk.act(lambda: document.completion.offer(force=True))
    assert document.completion.popup.item(0).text().startswith("match")
    rows = [document.completion.popup.item(n).text()
            for n in range(document.completion.popup.count())]  # fmt: skip
    chosen = next(n for n, text in enumerate(rows) if "match action" in text)
    await desk.act(lambda: document.completion.popup.setCurrentRow(chosen))
    await desk.act(document.completion.accept)
    assert '    match action:\n        case "insert" | "read":' in editor.toPlainText()
    cursor = editor.textCursor()
    assert cursor.block().text()[: cursor.positionInBlock()].endswith("return {")
    await desk.act(lambda: QTest.keyClicks(editor, "'topic':1"))
    before = editor.toPlainText()
    await desk.trigger("format")
    await desk.until(lambda: editor.toPlainText() != before, "formatting")
    assert "def route(action, record, changes, metadata):" in editor.toPlainText()
    cursor = editor.textCursor()
    assert cursor.block().text() == '            return {"topic": 1}'
    assert cursor.block().text()[: cursor.positionInBlock()].endswith("1")
    await desk.act(editor.undo)
    assert editor.toPlainText() == before


@in_qt
async def test_what_cannot_be_formatted_stays_and_is_told(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    editor = document.editor
    await desk.act(lambda: editor.moveCursor(QTextCursor.MoveOperation.End))
    await desk.act(lambda: editor.insert_at_cursor("return {"))
    before = editor.toPlainText()
    await desk.trigger("format")
    await desk.until(lambda: any("cannot be formatted: line" in text for _, text in desk.notices))
    assert editor.toPlainText() == before


@in_qt
async def test_the_documentation_tells_the_value_of_the_selected_row(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    values = document.docs.values
    await desk.until(lambda: document.preview.model.row(1), "rows")
    await desk.act(lambda: document.preview.table.selectRow(1))
    await desk.until(lambda: "Row 1: orders.items" in values["topic"].toolTip(), "the value")
    assert values["topic"].isVisible()
    assert values["topic"].property("role") == "function"
    assert values["topic"].toolTip().endswith("— function")
    await desk.act(lambda: document.editor.insert_at_cursor("\n"))
    assert not values["topic"].isVisible()
    await desk.until(lambda: values["topic"].isVisible(), "the value again")
