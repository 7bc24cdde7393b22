"""Converting a function in the window: shown, taken in one step of undo, refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from routestudio.ui.convert_dialog import ConvertDialog
from routestudio.ui.documents.function import FunctionDocument
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

YAML = """\
functions:
  - name: by-region
    type: routing
    sink_type: kafka
    language: python
    file: functions/by_region.py
"""
CODE = """\
def route(action, record, changes, metadata):
    # one topic for each region
    return {"topic": f"orders.{record['region']}"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "functions").mkdir(parents=True)
    (folder / "sequin.yaml").write_text(YAML, encoding="utf-8")
    (folder / "functions" / "by_region.py").write_text(CODE, encoding="utf-8")
    return folder


async def opened(desk: Desk) -> FunctionDocument:
    await desk.act(lambda: desk.window.commands.open("function", "by-region"))
    await desk.quiet()
    document = desk.window.document()
    assert isinstance(document, FunctionDocument)
    return document


async def dialog_of(desk: Desk) -> ConvertDialog:
    def found() -> ConvertDialog | None:
        shown = QApplication.activeModalWidget()
        return shown if isinstance(shown, ConvertDialog) else None

    await desk.act(desk.window.action_table.qaction("convert").trigger)
    await desk.until(found, "the dialog")
    dialog = found()
    assert dialog is not None
    return dialog


@in_qt
async def test_taken_and_undone_in_one_step(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await opened(desk)
    dialog = await dialog_of(desk)
    assert "same result" in dialog.verdict.text()
    assert dialog.before.toPlainText() == CODE
    assert '#{text.(Map.fetch!(record, "region"))}' in dialog.after.toPlainText()
    await desk.act(dialog.take.click)
    session = desk.window.session

    def language(wanted: str) -> Callable[[], bool]:
        return lambda: (session.function("by-region") or {}).get("language") == wanted

    await desk.until(language("elixir"), "the converted function")
    assert document.editor.toPlainText().endswith("end\n")
    assert document.highlighter.language == "elixir"
    assert (session.function("by-region") or {})["file"] == "functions/by_region.ex"
    await desk.act(session.undo)
    await desk.until(language("python"), "the function as it was")
    await desk.until(lambda: document.editor.toPlainText() == CODE, "the text as it was")
    assert document.highlighter.language == "python"


@in_qt
async def test_undone_by_its_key_with_the_focus_in_the_editor(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await opened(desk)
    document.editor.setFocus()
    dialog = await dialog_of(desk)
    await desk.act(dialog.take.click)
    await desk.until(lambda: document.highlighter.language == "elixir", "the conversion")
    desk.window.activateWindow()
    document.editor.setFocus()
    await desk.until(document.editor.hasFocus, "the focus")
    assert not document.editor.document().isUndoAvailable()
    control = Qt.KeyboardModifier.ControlModifier
    await desk.act(lambda: QTest.keyClick(document.editor, Qt.Key.Key_Z, control))
    await desk.until(lambda: document.editor.toPlainText() == CODE, "the text as it was")


@in_qt
async def test_a_refusal_names_the_place(desk: Desk, project: Path) -> None:
    text = CODE.replace("return", "round(record['price'])\n    return")
    (project / "functions" / "by_region.py").write_text(text, encoding="utf-8")
    await desk.start(project)
    await opened(desk)
    dialog = await dialog_of(desk)
    assert dialog.verdict.text() == "not converted"
    assert not dialog.take.isVisible()
    assert dialog.before.diagnostics[0].line == 3
    await desk.act(dialog.reject)
