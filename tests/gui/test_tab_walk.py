"""The window walked by pressing Tab; every action in a menu and in the palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from routestudio.ui.actions import MENUS, TABLE
from routestudio.ui.editor.behaviours import TabKeys
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.palette import Palette, action_entries
from tests.gui.desk import Desk, in_qt
from tests.gui.test_access import by_arrow, controls, described

pytestmark = pytest.mark.gui
MOST = 400
"""Presses after which a walk is taken to go in circles."""


async def walked(desk: Desk) -> list[QWidget]:
    """The controls that Tab comes to, until it is where it began."""
    window = desk.window
    await desk.focus(window.bar.theme_button)
    found: list[QWidget] = []
    for _ in range(MOST):
        widget = QApplication.focusWidget()
        assert widget is not None
        if widget in found[:-1]:
            return found
        if widget not in found:  # else Tab went on to a link in the same text
            found.append(widget)
        if isinstance(widget, CodeEdit):
            QTest.keyClick(widget, Qt.Key.Key_Escape)
        QTest.keyClick(widget, Qt.Key.Key_Tab)
    raise AssertionError(f"Tab goes on for ever: {[described(w) for w in found[-5:]]}")


@pytest.mark.parametrize(
    ("kind", "name", "panel"),
    [
        ("sink", "orders-to-kafka", "run_panel"),
        ("sink", "events-to-http", "check_panel"),
        ("function", "orders-by-region", "problems"),
        ("function", "orders-by-region", "tests"),
        ("sample", "awkward", "arrived"),
        ("sample", "shop", "log"),
    ],
)
@in_qt
async def test_tab_comes_to_every_control(
    desk: Desk, project: Path, kind: str, name: str, panel: str
) -> None:
    await desk.start(project)
    await desk.open(kind, name)
    window = desk.window
    window.open_bottom(getattr(window, panel))
    if kind != "sample":
        await desk.trigger("view_destinations" if panel == "problems" else "view_rows")
    await desk.quiet(0.3)
    found = await walked(desk)
    missed = [
        described(w)
        for w in controls(window)
        if w not in found and w.focusProxy() not in found and not by_arrow(w)
    ]
    assert missed == []
    nameless = [described(w) for w in found if not (w.accessibleName() or _text(w))]
    assert nameless == [], nameless


def _text(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return str(text()) if callable(text) else ""


@in_qt
async def test_tab_leaves_the_editor_after_escape_only(desk: Desk, project: Path) -> None:
    await desk.start(project)
    editor = (await desk.open("function", "orders-by-region")).editor
    await desk.focus(editor)
    before = editor.toPlainText()
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.hasFocus()
    assert editor.toPlainText() != before
    editor.undo()
    assert TabKeys.HELP in editor.accessibleDescription()
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
        editor.setFocus()
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        QTest.keyClick(editor, key)
        assert not editor.hasFocus()
        assert editor.toPlainText() == before
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.hasFocus()
    editor.undo()


@in_qt
async def test_every_action_is_in_a_menu_and_in_the_palette(desk: Desk, project: Path) -> None:
    await desk.start(project)
    table = desk.window.action_table
    for row in TABLE:
        action = table.qaction(row.id)
        assert row.menu in MENUS
        assert action in table.menu(row.menu).actions(), row.id
        assert action.text().strip(), row.id
        assert action.toolTip().strip(), row.id
    table.set_context(**{row.when: True for row in TABLE if row.when})
    assert {row.id for row in table.available()} >= {row.id for row in TABLE} - {"palette"}
    palette = Palette(action_entries(table), desk.window)
    assert palette.items.count() == len(table.available())
    palette.deleteLater()
