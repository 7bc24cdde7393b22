"""Tables of the run panel: rows that are asked for as they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from routestudio.ui.theme import colour, theme
from routestudio.ui.widgets.paging import PAUSE, Paging
from routestudio.ui.widgets.table_tools import TableTools

PAGE = 100
R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: its title, its text, its colour and tool tip by row. `width` 0 stretches."""

    title: str
    text: Callable[[R], str]
    width: int = 0
    right: bool = False
    role: Callable[[R], str] | None = None
    tip: Callable[[R], str] | None = None


class RowsModel(QAbstractTableModel, Generic[R]):
    """Rows in pages. `fetch(start)` asks for a page; `give` takes it, or it is `lost`.

    Without `fetch`, `show` all.
    """

    def __init__(
        self,
        columns: Sequence[Column[R]],
        fetch: Callable[[int], None] | None = None,
        *,
        pause: float = PAUSE,
    ) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self._paging = Paging(fetch, PAGE, pause=pause) if fetch is not None else None
        self._pages: dict[int, Sequence[R]] = {}
        self._count = 0
        theme().changed.connect(self._repaint)

    def show(self, rows: Sequence[R]) -> None:
        """Show these rows; those that stay keep the selection."""
        self._resize(len(rows))
        self._pages = {
            start // PAGE: rows[start : start + PAGE] for start in range(0, len(rows), PAGE)
        }
        self._repaint()

    def expect(self, count: int, *, fresh: bool = True) -> None:
        """There are so many rows. With `fresh` those that are here count no longer."""
        old = self._count
        self._resize(count)
        if self._paging is None:
            return
        if fresh:
            self._paging.forget()
            self._repaint()
        elif count > old:
            self._paging.grew(old, self._here(old // PAGE))

    def stale_beyond(self, pages: set[int]) -> None:
        """Other pages are asked for again when they come into sight."""
        if self._paging is not None:
            self._paging.keep(pages)

    def fetch_all(self) -> None:
        """Ask for every page that is not here: somebody sorts or filters."""
        for page in range(-(-self._count // PAGE)):
            if (self._here(page) or 0) < min(PAGE, self._count - page * PAGE):
                self._ask(page)

    def clear(self) -> None:
        """There is nothing."""
        self._pages.clear()
        if self._paging is not None:
            self._paging.forget()
        self._resize(0)

    def give(self, start: int, rows: Sequence[R]) -> None:
        """Take a page that was asked for."""
        self._pages[start // PAGE] = rows
        if self._paging is not None:
            self._paging.came(start // PAGE, len(rows), self._count)
        if self._count:
            self._repaint()

    def lost(self, start: int) -> None:
        """The request for a page failed: it is asked for again when it is looked at later."""
        if self._paging is not None:
            self._paging.lost(start // PAGE)

    def row(self, number: int) -> R | None:
        """One row, or `None` while it is not here."""
        page = self._pages.get(number // PAGE, ())
        return page[number % PAGE] if number % PAGE < len(page) else None

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(self.columns[section])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.DisplayRole:
            self._ask(index.row() // PAGE)
        row = self.row(index.row())
        if row is None:
            return "…" if role == Qt.ItemDataRole.DisplayRole and index.column() == 0 else None
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(row)
        if role == Qt.ItemDataRole.ForegroundRole and column.role is not None:
            return colour(column.role(row))
        if role == Qt.ItemDataRole.ToolTipRole:
            return (column.tip or column.text)(row)
        return None

    def _here(self, page: int) -> int | None:
        """Rows of a page that are here; `None` without the page."""
        return len(self._pages[page]) if page in self._pages else None

    def _ask(self, page: int) -> None:
        if self._paging is not None:
            self._paging.ask(page, self._count)

    def _resize(self, count: int) -> None:
        if count > self._count:
            self.beginInsertRows(_NONE, self._count, count - 1)
            self._count = count
            self.endInsertRows()
        elif count < self._count:
            self.beginRemoveRows(_NONE, count, self._count - 1)
            self._count = count
            self.endRemoveRows()

    def _repaint(self) -> None:
        if self._count:
            last = self.index(self._count - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)


def rows_table(model: RowsModel[R], name: str, *, single: bool = False) -> QTableView:
    """A table over such a model; with `single` one row can be selected."""
    table = QTableView()
    table.setModel(model)
    table.setAccessibleName(name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(26)
    head = table.horizontalHeader()
    head.setHighlightSections(False)
    stretched = [column.title for column in model.columns if not column.width]
    widest = max((head.fontMetrics().horizontalAdvance(title) for title in stretched), default=0)
    head.setMinimumSectionSize(max(40, widest + 24))
    for number, column in enumerate(model.columns):
        if column.width:
            head.setSectionResizeMode(number, QHeaderView.ResizeMode.Interactive)
            head.resizeSection(number, column.width)
        else:
            head.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
    TableTools(table, single=single)
    return table


def pages_in_sight(table: QTableView) -> set[int]:
    """Pages of the rows in sight, in whatever order they stand."""
    head = table.verticalHeader()
    first, last = head.visualIndexAt(0), head.visualIndexAt(table.viewport().height() - 1)
    places = range(max(0, first), (last if last >= 0 else head.count() - 1) + 1)
    return {row // PAGE for row in map(head.logicalIndex, places) if row >= 0}


def chosen_rows(table: QTableView) -> list[int]:
    """The selected rows in order."""
    rows = (index.row() for index in table.selectionModel().selectedRows())
    return sorted(row for row in rows if not table.isRowHidden(row))


def shown_bytes(count: float) -> str:
    """Bytes in little space: 512 B, 1.4 kB, 23 MB."""
    for unit, text in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            found = f"{count / unit:.1f}" if count < 10 * unit else f"{count / unit:.0f}"
            return f"{found.removesuffix('.0')} {text}"
    return f"{count:.0f} B"


def _alignment(column: Column[R]) -> int:
    side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
