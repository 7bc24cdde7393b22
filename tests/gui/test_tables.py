"""Every table of the program sorts, filters, selects, copies and exports, by mouse and keyboard."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QTreeView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from routestudio.ui.widgets import table_rows
from routestudio.ui.widgets.table_tools import TableTools, tools_of
from tests.gui.all_dialogs import MAKERS
from tests.gui.desk import Desk, in_qt

TREES = {"Project"}
"""Trees that lead to things and list nothing: the tree of the project."""
SINGLE = {"Reasons of the dead letters"}
"""Tables of which one row is chosen, because another table shows what is in it."""


def tables(owner: QWidget) -> Iterator[QTableView | QTreeView]:
    """Every table and tree in a widget."""
    yield from owner.findChildren(QTableView)
    trees = owner.findChildren(QTreeView)
    yield from (view for view in trees if view.accessibleName() not in TREES)


def complete(view: QTableView | QTreeView) -> TableTools:
    """The tools of a table, which must be there with all that they offer."""
    name = view.accessibleName()
    assert name, f"a table without a name in {view.window()}"
    found = tools_of(view)
    assert found is not None, f"{name} has no TableTools"
    assert found.single is (name in SINGLE), name
    mode = view.selectionMode()
    assert (mode is view.SelectionMode.ExtendedSelection) is not found.single, name
    assert found.head.sectionsClickable(), f"{name} is not sorted by its header"
    menu = found.menu()
    titles = [action.text() for action in menu.actions()]
    wanted = ["Copy", "Copy as", "Filter…", "Sort by", "Export all rows…", "Export selected rows…"]
    wanted += [] if found.single else ["Select all"]
    assert not set(wanted) - set(titles), f"{name} lacks {set(wanted) - set(titles)}"
    menu.deleteLater()
    return found


@in_qt
async def test_every_table_of_the_window_has_the_tools(desk: Desk, project: Path) -> None:
    await desk.start(project)
    names = set()
    for kind, name in (("sink", "orders-to-kafka"), ("function", "orders-by-region"),
                       ("sample", "shop"), ("variables", "variables"),
                       ("overview", "Overview")):  # fmt: skip
        await desk.open(kind, name)
    await desk.open("sink", "events-to-http")
    await desk.trigger("run")
    await desk.until(desk.window.arrived.tree.topLevelItemCount, "what arrived")
    await desk.quiet()
    for view in tables(desk.window):
        complete(view)
        names.add(view.accessibleName())
    assert {
        "Preview rows", "Destinations of the rows", "Variants of the row",
        "Columns that come and go", "Problems", "Route tests", "What arrived, by destination",
        "Steps of the check", "Log",
        "Destinations of the run", "Dead letters", "The last delivered messages", "Variables",
        "Messages of shop as a table",
    } <= names  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_every_table_of_a_dialog_has_the_tools(
    qt_loop: Any, qapp: QApplication, tmp_path: Path, name: str
) -> None:
    dialog = MAKERS[name](None, tmp_path)
    for view in tables(dialog):
        complete(view)
    dialog.deleteLater()


def listing(kind: type[QWidget], rows: int) -> tuple[QTableWidget | QTreeWidget, TableTools]:
    """A table with tools and some rows."""
    if kind is QTableWidget:
        table = QTableWidget(rows, 2)
        for row in range(rows):
            table.setItem(row, 0, QTableWidgetItem(str(row)))
        return table, TableTools(table)
    tree = QTreeWidget()
    tree.setColumnCount(2)
    tree.addTopLevelItems([QTreeWidgetItem([str(row), "b"]) for row in range(rows)])
    return tree, TableTools(tree)


@pytest.mark.parametrize("kind", [QTableWidget, QTreeWidget])
@pytest.mark.parametrize("way", ["collected", "deleted"])
@pytest.mark.parametrize("used", ["as it is", "sorted", "filtered"])
def test_a_table_goes_without_a_word(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, kind: Any, way: str, used: str
) -> None:
    """The model of a table that is deleted says that it is empty: nobody listens any more."""
    said: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _, error, __: said.append(error))
    gc.collect()
    view, tools = listing(kind, 3)
    place = QWidget()
    QVBoxLayout(place).addWidget(view)
    if used == "sorted":
        tools.sort(0)
    elif used == "filtered":
        tools.filter("1")
    if way == "collected":
        # The garbage collector meets the tools before the widget that is deleted with them.
        place.itself = place  # type: ignore[attr-defined]
        del view, tools, place
        gc.collect()
    else:
        place.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    assert said == []


def test_a_sort_ends_with_its_table(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _, error, __: said.append(error))
    monkeypatch.setattr(table_rows, "_SLICE", 0.0)
    view, tools = listing(QTableWidget, 500)
    tools.sort(0, descending=True)  # has begun
    view.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for _ in range(20):
        qapp.processEvents()
    assert said == []


def test_a_cell_that_is_not_unicode_is_exported(qapp: QApplication, tmp_path: Path) -> None:
    view, tools = listing(QTreeWidget, 1)
    assert isinstance(view, QTreeWidget)
    view.addTopLevelItem(QTreeWidgetItem(["a\ud800", "b"]))
    told: list[str] = []
    tools.rows.write(str(tmp_path / "x.csv"), lambda *said: told.append(said[0]), selected=False)
    assert told == ["success"]
    assert (tmp_path / "x.csv").read_bytes().endswith(b",b\n")


def press(view: QWidget, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    """Press a key in a table."""
    held = Qt.KeyboardModifier.NoModifier
    for modifier in modifiers:
        held |= modifier
    QTest.keyClick(view, key, held)


def shown(tools: TableTools, column: int) -> list[str]:
    """What stands in a column, from the top."""
    found: list[str] = []
    tools.rows.give("jsonl", found.append, selected=False)
    rows = [json.loads(line) for line in found[0].splitlines()]
    return [list(row.values())[column] for row in rows]


@in_qt
async def test_a_table_by_mouse_and_keyboard(
    desk: Desk, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    document = await desk.open("sample", "shop")
    document.show_view("rows")
    await desk.quiet()
    view: QTableView = document.rows.table
    tools = complete(view)
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    before = shown(tools, 0)
    assert len(before) > 10
    assert before == [str(number) for number in range(len(before))]
    # A click on a title sorts, a second one turns it round, a third one ends it.
    head = view.horizontalHeader()
    place = QPoint(head.sectionViewportPosition(0) + 8, head.height() // 2)
    for wanted in (before, before[::-1], before):
        QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert shown(tools, 0) == wanted
    assert tools.sorted_by is None
    # The chosen row stays the chosen one.
    document.rows.choose(2)
    tools.sort(0, descending=True)
    assert document.rows.row == 2
    # Ctrl+F, a text, and Escape.
    view.setFocus()
    press(view, Qt.Key.Key_F, control)
    bar = tools.filter_bar
    assert bar is not None
    assert desk.window.focusWidget() is bar.text
    QTest.keyClicks(bar.text, "delete")
    await desk.until(lambda: len(shown(tools, 0)) < len(before), "the filter")
    assert set(shown(tools, 1)) == {"delete"}
    few = len(shown(tools, 0))
    assert bar.count.text() == f"{few} of {len(before)}"
    # Ctrl+A and Ctrl+C take what is seen, and no hidden row.
    press(view, Qt.Key.Key_A, control)
    assert len(document.rows.lines) == few
    press(view, Qt.Key.Key_C, control)
    assert len(QGuiApplication.clipboard().text().splitlines()) == few
    copies = next(a for a in tools.menu().actions() if a.text() == "Copy as").menu()
    next(a for a in copies.actions() if a.text() == "Markdown").trigger()  # type: ignore[attr-defined]
    assert QGuiApplication.clipboard().text().startswith("| # | Action |")
    path = tmp_path / "rows.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "CSV (*.csv)"))
    press(view, Qt.Key.Key_E, control, shift)
    assert len(path.read_text(encoding="utf-8").splitlines()) == few + 1
    QTest.keyClick(bar.text, Qt.Key.Key_Escape)
    assert len(shown(tools, 0)) == len(before)
    assert bar.isHidden()


@in_qt
async def test_the_engine_sorts_and_filters_previews(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sink", "orders-to-kafka")
    preview = document.preview
    await desk.until(lambda: preview.model.rowCount() and not preview.model.stale, "a preview")
    await desk.quiet()
    tools, total = preview.tools, preview.model.rowCount()
    column = 1
    await desk.act(lambda: tools.sort(column, descending=True))
    await desk.quiet()
    actions = [preview.model.index(n, column).data() for n in range(total)]
    assert actions == sorted(actions, reverse=True)
    assert len(set(actions)) > 1
    await desk.act(lambda: tools.filter("insert", column))
    await desk.quiet()
    few = preview.model.rowCount()
    assert 0 < few < total
    assert tools.filter_bar.count.text() == f"{few} of {total}"
    tools.select_all()
    QGuiApplication.clipboard().clear()
    await desk.act(lambda: tools.copy("csv"))
    await desk.until(QGuiApplication.clipboard().text, "the copy")
    assert len(QGuiApplication.clipboard().text().splitlines()) == few + 1
    path = project / "rows.jsonl"
    await desk.act(lambda: tools.export_to(str(path)))
    await desk.until(path.is_file, "the file")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == few
    assert {row["action"] for row in rows} == {"insert"}
    assert all(row["request"] for row in rows if row["ok"] and not row["filtered"])
    await desk.act(tools.filter_bar.leave)
    await desk.act(lambda: tools.sort(None))
    await desk.quiet()
    assert [preview.model.index(n, 0).data() for n in range(total)] == [
        str(n) for n in range(total)
    ]


@in_qt
async def test_actions_go_to_the_table_with_the_focus(desk: Desk, project: Path) -> None:
    await desk.start(project)
    window = desk.window
    await desk.trigger("show_log")
    action = window.action_table.qaction("filter_table")
    await desk.act(window.tree.tree.setFocus)
    await desk.until(lambda: not action.isEnabled(), "no table with the focus")
    await desk.act(window.log.table.setFocus)
    await desk.until(action.isEnabled, "the table with the focus")
    await desk.trigger("filter_table")
    bar = tools_of(window.log.table).filter_bar
    assert bar is not None
    assert bar.isVisible()
