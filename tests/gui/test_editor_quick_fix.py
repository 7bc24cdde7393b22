"""Quick fixes in the window: the light bulb, the menu, one step of undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def opened(desk: Desk, project: Path) -> Any:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.until(lambda: "rows in" in document.preview.state.text(), "the preview")
    return document


@in_qt
async def test_a_key_that_no_row_may_return_is_marked_and_corrected(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    editor, fixes = document.editor, document.fixes
    before = editor.toPlainText()
    assert not fixes.bulb.isVisible()
    broken = before.replace('"topic": "orders.items"', '"topc": "orders.items"')
    await desk.act(lambda: (editor.selectAll(), editor.insert_at_cursor(broken)))
    await desk.until(lambda: any("unknown key" in d.message for d in editor.diagnostics), "marks")
    await desk.trigger("next_problem")
    await desk.until(lambda: fixes.bulb.isVisible(), "the bulb")
    await desk.trigger("quick_fix")
    assert fixes.menu.isVisible()
    assert [a.text() for a in fixes.menu.actions()] == ["Replace `topc` by `topic`"]
    await desk.act(fixes.menu.actions()[0].trigger)
    await desk.act(fixes.menu.hide)
    assert editor.toPlainText() == before
    await desk.until(lambda: not editor.diagnostics, "a text without problems")
    assert not fixes.bulb.isVisible()
    await desk.act(editor.undo)
    assert editor.toPlainText() == broken


@in_qt
async def test_quick_fix_without_any_says_so(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    await desk.act(lambda: document.editor.go_to(1))
    await desk.trigger("quick_fix")
    assert not document.fixes.menu.isVisible()
