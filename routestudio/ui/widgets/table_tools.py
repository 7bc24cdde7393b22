"""What every table does: sort, filter, select, copy and export, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, cast
from weakref import WeakMethod

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QTableView,
    QTreeWidget,
    QWidget,
)
from shiboken6 import isValid

from routestudio.model.table_text import COPIES, FILES
from routestudio.ui.widgets.table_filter import FilterBar, put_above
from routestudio.ui.widgets.table_menu import TableMenus
from routestudio.ui.widgets.table_rows import ItemRows, SectionRows, Sort, TableRows

KEYS: Final = {
    "Ctrl+F": "filter", "Ctrl+C": "copy", "Ctrl+A": "select_all", "Ctrl+Alt+O": "sort",
    "Ctrl+Shift+C": "copy_as", "Ctrl+Shift+E": "export",
}  # fmt: skip
"""Keys of a table that has the focus, and what they do."""

View = QTableView | QTreeWidget


class TableTools(QObject):
    """The tools of one table. `extend` puts what a panel offers for the current row on top of the
    context menu; with `field` that field is the one that filters, by a column or by any.
    """

    rest_asked = Signal()
    """Rows that sort and filter do not cover are wanted, too."""
    arranged = Signal()
    """Other rows are in sight, or the same ones in another order."""

    def __init__(
        self,
        view: View,
        *,
        rows: TableRows | None = None,
        extend: Callable[[QMenu], None] | None = None,
        field: QLineEdit | None = None,
        column: int | None = None,
        single: bool = False,
    ) -> None:
        super().__init__(view)
        self.view, self.single = view, single
        self.field = field
        own = ItemRows(view) if isinstance(view, QTreeWidget) else SectionRows(view)
        self.rows: TableRows = rows or own
        self.rows.arranged = self._arranged
        self._extend = extend
        self._menus = TableMenus(self)
        self._sort: Sort | None = None
        self._bar: FilterBar | None = None
        self._field, self._column = field, column
        if field is not None:
            field.textChanged.connect(lambda _: self._arrange())
        if not single:
            view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.head.setSectionsClickable(True)
        self.head.sectionClicked.connect(self.step)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(0)
        self._again.timeout.connect(self._arrange)
        self._watch()
        view.installEventFilter(self)
        view.viewport().installEventFilter(self)

    def _watch(self) -> None:
        """New rows stand where sort and filter want them."""
        model = self.view.model()
        changed = _while_used(self._changed)
        for signal in (model.rowsInserted, model.dataChanged, model.modelReset,
                       model.layoutChanged):  # fmt: skip
            signal.connect(changed)
        if isinstance(self.rows, ItemRows):
            model.modelReset.connect(self.rows.forget)

    def follow_model(self) -> None:
        """The view has another model."""
        self._watch()
        self._changed()

    @property
    def name(self) -> str:
        """The table's name."""
        return self.view.accessibleName() or "Table"

    @property
    def head(self) -> QHeaderView:
        """The header with the titles of the columns."""
        view = self.view
        return view.header() if isinstance(view, QTreeWidget) else view.horizontalHeader()

    # --- sort and filter ---------------------------------------------------------------------

    @property
    def sorted_by(self) -> Sort | None:
        """The column that sorts, and whether the largest comes first."""
        return self._sort

    def sort(self, column: int | None, *, descending: bool = False) -> None:
        """Sort by a column; by none, rows stand as they came."""
        self._sort = None if column is None else (column, descending)
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.head.setSortIndicatorShown(column is not None)
        self.head.setSortIndicator(-1 if column is None else column, order)
        self._arrange()

    def step(self, column: int) -> None:
        """Sort by a column: upwards, then downwards, then not at all."""
        if self._sort is None or self._sort[0] != column:
            self.sort(column)
        elif not self._sort[1]:
            self.sort(column, descending=True)
        else:
            self.sort(None)

    def filter(self, text: str, column: int | None = None) -> None:
        """Show the rows that contain a text, in one column or in any."""
        if self._field is not None:
            self._field.setText(text)
            return
        bar = self._open()
        bar.text.setText(text)
        bar.column.setCurrentIndex(max(0, bar.column.findData(column)))
        bar._now()

    def open_filter(self) -> None:
        """Go to the field that filters."""
        if self._field is not None:
            self._field.setFocus()
            self._field.selectAll()
            return
        bar = self._open()
        self._count()
        bar.text.setFocus()
        bar.text.selectAll()

    @property
    def filter_bar(self) -> FilterBar | None:
        """The bar above the table, once it was opened."""
        return self._bar

    def _open(self) -> FilterBar:
        if self._bar is None:
            self._bar = FilterBar(self.name)
            self._bar.asked.connect(self._arrange)
            self._bar.closed.connect(self.view.setFocus)
            self._bar.rest_asked.connect(self.rest_asked)
            put_above(self.view, self._bar)
        self._bar.show_columns(*self.columns())
        self._bar.show()
        return self._bar

    def columns(self) -> tuple[list[str], list[int]]:
        """Titles and numbers of the columns that are shown, from the left."""
        order = (self.head.logicalIndex(place) for place in range(self.head.count()))
        numbers = [number for number in order if not self.head.isSectionHidden(number)]
        return [self.title(number) for number in numbers], numbers

    def title(self, column: int) -> str:
        """The title of a column."""
        return str(self.view.model().headerData(column, Qt.Orientation.Horizontal) or "")

    @property
    def filtered_by(self) -> tuple[str, int | None]:
        """The text that rows contain, and the column; empty and `None` for all rows."""
        if self._field is not None:
            if not isValid(self._field):
                return "", None  # its window is being closed
            return self._field.text().strip(), self._column
        if self._bar is None or self._bar.isHidden():
            return "", None
        return self._bar.text.text().strip(), self._bar.column.currentData()

    def _changed(self) -> None:
        if not isValid(self) or not isValid(self.view):
            return  # the table is being deleted, and its model says once more that it is empty
        if self._sort is not None or self.filtered_by[0]:
            self._again.start()
        elif self._bar is not None:
            self._count()

    def _arrange(self) -> None:
        self._again.stop()
        text, column = self.filtered_by
        self.rows.arrange(self._sort, text, column)
        self._again.stop()  # what came of it was our doing

    def _arranged(self) -> None:
        if self.rows.partial:
            self._open()
        self._count()
        self.arranged.emit()

    def _count(self) -> None:
        if self._bar is not None:
            self._bar.show_counts(*self.rows.counts(), self.rows.note(), partial=self.rows.partial)

    # --- copy and export ---------------------------------------------------------------------

    def select_all(self) -> None:
        """Select the rows that are shown."""
        if not self.single:
            self.rows.select_all()

    def copy(self, form: str = "txt") -> None:
        """Copy the selected rows as they are shown; without a selection all of them."""

        def take(text: str) -> None:
            if text:
                QGuiApplication.clipboard().setText(text)

        self.rows.give(form, take, selected=self.some)

    @property
    def some(self) -> bool:
        """Whether rows are selected."""
        return self.view.selectionModel().hasSelection()

    def export(self, *, selected: bool = False) -> None:
        """Ask for a file, and write the rows to it as its ending wants."""
        endings = ";;".join(f"{COPIES[form][0]} (*.{form})" for form in FILES)
        name = self.name.lower().replace(" ", "-") + ".csv"
        path, chosen = QFileDialog.getSaveFileName(self.view, "Export rows", name, endings)
        if path:
            ending = chosen.rpartition("*.")[2].rstrip(")") or "csv"
            known = Path(path).suffix.lstrip(".") in FILES
            self.export_to(path if known else f"{path}.{ending}", selected=selected)

    def export_to(self, path: str, *, selected: bool = False) -> None:
        """Write rows to a file; its ending decides on the form."""
        self.rows.write(path, partial(tell, self.view), selected=selected)

    # --- keys and menu -----------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and watched is self.view:
            if self._named(cast(QKeyEvent, event)):
                event.accept()
                return True
        elif kind == QEvent.Type.KeyPress and watched is self.view:
            if name := self._named(cast(QKeyEvent, event)):
                self.do(name)
                return True
        elif kind == QEvent.Type.ContextMenu:
            asked = cast(QContextMenuEvent, event)
            mouse = asked.reason() == QContextMenuEvent.Reason.Mouse
            self.pop_up(asked.globalPos() if mouse else None)
            return True
        return False

    def _named(self, event: QKeyEvent) -> str | None:
        if self.view.state() == QAbstractItemView.State.EditingState:
            return None
        return KEYS.get(QKeySequence(event.keyCombination()).toString())

    def do(self, name: str) -> None:
        """Do what a key of `KEYS` stands for."""
        if name == "sort":
            self._menus.sort(QMenu(self.view)).exec(self._menus.corner())
        elif name == "copy_as":
            self._menus.copy(QMenu(self.view)).exec(self._menus.corner())
        else:
            {"filter": self.open_filter, "copy": self.copy, "select_all": self.select_all,
             "export": self.export}[name]()  # fmt: skip

    def pop_up(self, place: QPoint | None) -> None:
        """Show the menu, at the mouse or at the current row."""
        view = self.view
        index = view.currentIndex()
        if place is not None:
            index = view.indexAt(view.viewport().mapFromGlobal(place))
            if index.isValid() and not view.selectionModel().isSelected(index):
                view.setCurrentIndex(index)
        menu = self.menu(index)
        menu.exec(place if place is not None else self._menus.corner())
        menu.deleteLater()

    def menu(self, index: QModelIndex | None = None) -> QMenu:
        """The context menu; `index` is the cell that it is about."""
        return self._menus.whole(index, self._extend)

    def reverse(self) -> None:
        """Turn the order of the sorted column round."""
        if self._sort is not None:
            self.sort(self._sort[0], descending=not self._sort[1])


def _while_used(method: Callable[[], None]) -> Callable[..., None]:
    """A slot that calls a method as long as its object is in use.

    A model resets once more while it is deleted. Where the garbage collector deletes it, the object
    that was listening may be taken apart already, and Qt would look in vain for its method.
    """
    found = WeakMethod(method)

    def slot(*_: object) -> None:
        kept = found()
        if kept is not None:
            kept()

    return slot


def tools_of(view: QWidget) -> TableTools | None:
    """The tools of a table; `None` for one without."""
    return view.findChild(TableTools, options=Qt.FindChildOption.FindDirectChildrenOnly)


def tell(view: QWidget, kind: str, text: str) -> None:
    """Report to whoever looks at a table, in the window that it stands in."""
    place: QWidget | None = view
    while place is not None:
        toast = getattr(place, "toast", None)
        if toast is not None:
            toast.tell(kind, text)
            return
        place = place.parentWidget()
