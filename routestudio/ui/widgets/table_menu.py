"""The menus of a table: copy, filter, sort and export."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QMenu

from routestudio.model.table_text import COPIES
from routestudio.ui.widgets.table_rows import Sort, TableRows


class Tools(Protocol):
    """What the menus do (`TableTools`)."""

    @property
    def view(self) -> QAbstractItemView: ...
    @property
    def rows(self) -> TableRows: ...
    @property
    def single(self) -> bool: ...
    @property
    def field(self) -> QLineEdit | None: ...
    @property
    def some(self) -> bool: ...
    @property
    def sorted_by(self) -> Sort | None: ...
    def columns(self) -> tuple[list[str], list[int]]: ...
    def title(self, column: int) -> str: ...
    def sort(self, column: int | None) -> None: ...
    def step(self, column: int) -> None: ...
    def reverse(self) -> None: ...
    def filter(self, text: str, column: int | None) -> None: ...
    def open_filter(self) -> None: ...
    def select_all(self) -> None: ...
    def copy(self, form: str = ...) -> None: ...
    def export(self, *, selected: bool = ...) -> None: ...


class TableMenus:
    """Makes the menus of one table."""

    def __init__(self, tools: Any) -> None:
        self._tools: Tools = tools

    def corner(self) -> QPoint:
        """Where a menu that a key asks for is shown: at the current row."""
        tools = self._tools
        area = tools.view.visualRect(tools.view.currentIndex())
        within = tools.view.viewport().rect()
        place = area.bottomLeft() if area.isValid() else within.topLeft()
        return tools.view.viewport().mapToGlobal(QPoint(within.left() + 24, place.y()))

    def whole(self, index: QModelIndex | None, extend: Callable[[QMenu], None] | None) -> QMenu:
        """The context menu of a cell; `extend` puts something on top of it."""
        tools = self._tools
        menu = QMenu(tools.view)
        if extend is not None:
            extend(menu)
            if menu.actions():
                menu.addSeparator()
        _add(menu, "Copy", "Ctrl+C", tools.copy)
        menu.addMenu(self.copy(QMenu("Copy as", menu)))
        if not tools.single:
            _add(menu, "Select all", "Ctrl+A", tools.select_all)
        menu.addSeparator()
        _add(menu, "Filter…", "Ctrl+F", tools.open_filter)
        text = tools.rows.cell(index) if index is not None and index.isValid() else ""
        if index is not None and text and tools.field is None:
            column = index.column()
            title = f"Only rows with {_short(text)} in {tools.title(column) or 'this column'}"
            menu.addAction(title.replace("&", "&&"), lambda: tools.filter(text, column))
        menu.addMenu(self.sort(QMenu("Sort by", menu)))
        menu.addSeparator()
        _add(menu, "Export all rows…", "Ctrl+Shift+E", tools.export)
        chosen = menu.addAction("Export selected rows…", lambda: tools.export(selected=True))
        chosen.setEnabled(tools.some)
        return menu

    def copy(self, menu: QMenu) -> QMenu:
        """Put the forms of a copy into a menu."""
        tools = self._tools
        for form, (title, _) in COPIES.items():
            menu.addAction(title, partial(tools.copy, form))
        return menu

    def sort(self, menu: QMenu) -> QMenu:
        """Put the columns into a menu."""
        tools = self._tools
        for title, number in zip(*tools.columns(), strict=True):
            name = title or f"Column {number + 1}"
            action = menu.addAction(name.replace("&", "&&"), partial(tools.step, number))
            action.setCheckable(True)
            action.setChecked(tools.sorted_by is not None and tools.sorted_by[0] == number)
        menu.addSeparator()
        reverse = menu.addAction("Reverse the order", tools.reverse)
        none = menu.addAction("As the rows came", lambda: tools.sort(None))
        for action in (reverse, none):
            action.setEnabled(tools.sorted_by is not None)
        return menu


def _add(menu: QMenu, title: str, keys: str, action: Callable[[], object]) -> None:
    made = menu.addAction(title)
    made.setShortcut(QKeySequence(keys))
    made.setShortcutVisibleInContextMenu(True)
    made.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    made.triggered.connect(lambda: action())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text}”" if len(text) <= 24 else f"“{text[:22]}…”"
