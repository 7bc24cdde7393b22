"""The dialog of imported rows, for every format: what it shows, and all of it by keyboard."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from routestudio.formats import registry
from routestudio.formats.base import Format
from routestudio.ui.rows_dialog import RowsDialog
from tests.gui.desk import Desk, in_qt

FORMATS = {
    key: kind
    for key, kind in registry.formats().items()
    if any(example.value is not None and not example.named for example in kind.examples)
}
PICTURES = os.environ.get("ROUTESTUDIO_DIALOG_PICTURES")
"""A folder: pictures of the dialog for every format are kept there."""


def rows_of(kind: type[Format]) -> str:
    """The examples of a format that are known by their values, as lines, and one broken line."""
    values = [item.value for item in kind.examples if item.value is not None and not item.named]
    return "".join(json.dumps(value) + "\n" for value in values) + '{"broken": \n'


async def dialog_of(desk: Desk, text: str) -> RowsDialog:
    QApplication.clipboard().setText(text)
    await desk.act(desk.window.action_table.qaction("paste_sample").trigger)
    await desk.until(lambda: desk.window.findChildren(RowsDialog), "the dialog")
    [dialog] = [d for d in desk.window.findChildren(RowsDialog) if d.isVisible()]
    return dialog


def stops(dialog: RowsDialog) -> list[QWidget]:
    """Where the focus goes by Tab, from the first field until it is there again."""
    first = dialog.focusWidget()
    found = [first]
    for _ in range(20):
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        if dialog.focusWidget() is first:
            return found
        found.append(dialog.focusWidget())
    raise AssertionError("Tab does not come back to the first field")


@pytest.mark.parametrize("key", FORMATS)
@in_qt
async def test_every_format_is_shown_and_corrected_by_keyboard(
    desk: Desk, project: Path, key: str
) -> None:
    kind = FORMATS[key]
    await desk.start(project)
    dialog: Any = await dialog_of(desk, rows_of(kind))
    await desk.until(lambda: dialog.focusWidget() is dialog.name, "the focus")
    assert dialog.summary.text().startswith(kind.title.partition(" ")[0])
    assert dialog.messages.rowCount() >= 1
    assert "line" in dialog.faults.toPlainText() or ":" in dialog.faults.toPlainText()
    heads = [dialog.messages.horizontalHeaderItem(n) for n in range(dialog.messages.columnCount())]
    typed = {name for row in dialog.found["rows"] for name in row["types"]}
    assert {head.text() for head in heads if head.toolTip()} == typed & {h.text() for h in heads}
    wanted = [dialog.name, dialog.format, dialog.table, dialog.key]
    wanted += [dialog.action] if dialog.action.isEnabled() else []
    wanted += [dialog.messages, dialog.faults]
    found = stops(dialog)
    assert found[: len(wanted)] == wanted
    assert dialog.accept_button in found
    await desk.until(lambda: dialog._job is None and not dialog._pause.isActive(), "the answer")
    dialog.messages.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(dialog.messages, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert dialog.messages.currentRow() == dialog.messages.rowCount() - 1
    dialog.format.setFocus(Qt.FocusReason.TabFocusReason)
    place = dialog.format.findData("plain")
    steps = place - dialog.format.currentIndex()
    for _ in range(abs(steps)):
        QTest.keyClick(dialog.format, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)
    assert dialog.format.currentData() == "plain"
    if key != "plain":
        await desk.until(lambda: dialog.summary.text().startswith("Plain rows"), "plain rows")
    assert dialog.action.isEnabled()
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Escape)
    await desk.until(lambda: not dialog.isVisible(), "the end of the dialog")


@pytest.mark.skipif(PICTURES is None, reason="ROUTESTUDIO_DIALOG_PICTURES names no folder")
@pytest.mark.parametrize("key", FORMATS)
@in_qt
async def test_pictures(desk: Desk, project: Path, key: str) -> None:
    from routestudio.ui.theme import theme

    assert PICTURES is not None
    await desk.start(project)
    for width, height in ((1000, 640), (1280, 800)):
        for name in ("light", "dark"):
            theme().apply(QApplication.instance(), name)  # type: ignore[arg-type]
            desk.window.resize(width, height)
            dialog = await dialog_of(desk, rows_of(FORMATS[key]))
            dialog.resize(dialog.size().boundedTo(desk.window.size() * 0.95))
            await desk.quiet()
            dialog.grab().save(str(Path(PICTURES) / f"{key}-{width}-{name}.png"))
            QTest.keyClick(dialog, Qt.Key.Key_Escape)
            await desk.until(lambda d=dialog: not d.isVisible(), "the end")
