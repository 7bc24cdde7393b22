"""Rows of a table widget: sorted and filtered where they are shown, and read as texts.

Neither changes the rows behind: a panel that knows its rows by number or by item goes on with them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Protocol

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, QTimer
from PySide6.QtWidgets import QTableView, QTreeWidget, QTreeWidgetItem
from shiboken6 import isValid

from routestudio.model.table_text import COPIES, FILES, order_of
from routestudio.model.wording import counted

MOST: Final = 10_000
"""Rows of a table that are sorted and filtered in the window."""
_SLICE: Final = 0.012
"""Seconds of work at a time; then the window has its turn."""
_LOOK: Final = 64
_SINGLE: Final = "\x1f"

Sort = tuple[int, bool]
"""A column, and whether the largest comes first."""
Table = list[list[str]]
Tell = Callable[[str, str], None]
"""Takes the kind of a message (`success`, `error`), and its text."""


class TableRows(Protocol):
    """What `TableTools` needs of the rows of a table."""

    arranged: Callable[[], None]
    """Called when the rows in sight have changed."""

    def arrange(self, sort: Sort | None, text: str, column: int | None) -> None: ...
    def counts(self) -> tuple[int, int]:
        """Rows that are shown, and all."""
        ...

    def note(self) -> str:
        """What sort and filter do not cover; empty when they cover all."""
        ...

    @property
    def partial(self) -> bool:
        """Whether there are rows that could be covered, once somebody asks for them."""
        ...

    def give(self, form: str, take: Callable[[str], None], *, selected: bool) -> None:
        """Give the rows that are shown, or the selected ones, as a form of `COPIES`."""
        ...

    def write(self, path: str, tell: Tell, *, selected: bool) -> None:
        """Write the same to a file, in the form that its ending names, and report it."""
        ...

    def select_all(self) -> None: ...
    def cell(self, index: QModelIndex) -> str: ...


class _Sliced:
    """Work in slices, so that the window goes on meanwhile; the latest work wins."""

    def __init__(self, view: QTableView) -> None:
        self._view = view
        self._work: Iterator[None] | None = None

    def run(self, work: Iterator[None]) -> None:
        """Do a first slice now, and the others when the window has time."""
        self._work = work
        self._step(work)

    def _step(self, work: Iterator[None]) -> None:
        if work is not self._work or not isValid(self._view):
            return
        end = perf_counter() + _SLICE
        for _ in work:
            if perf_counter() > end:
                QTimer.singleShot(0, lambda: self._step(work))
                return
        self._work = None


class _Texts(ABC):
    """Rows whose cells are in the window."""

    partial = False

    @abstractmethod
    def texts(self, *, selected: bool) -> tuple[list[str], Table]:
        """Titles and cells of the rows that are shown, or of the selected ones."""

    def give(self, form: str, take: Callable[[str], None], *, selected: bool) -> None:
        """See `TableRows`."""
        take(COPIES[form][1](*self.texts(selected=selected)))

    def write(self, path: str, tell: Tell, *, selected: bool) -> None:
        """See `TableRows`."""
        form = Path(path).suffix.lstrip(".")
        heads, rows = self.texts(selected=selected)
        text = COPIES[form if form in FILES else "csv"][1](heads, rows)
        try:
            Path(path).write_bytes(text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            tell("error", f"{path} was not written: {reason}. Choose another place.")
            return
        tell("success", f"Exported {counted(len(rows), 'row')} to {path}")


class SectionRows(_Texts):
    """Rows of a `QTableView`: their sections are moved and hidden, the model stays as it is."""

    def __init__(self, view: QTableView) -> None:
        self._view = view
        self._sliced = _Sliced(view)
        self.arranged: Callable[[], None] = lambda: None

    def heads(self) -> list[str]:
        return _heads(self._view, self._columns())

    def _columns(self) -> list[int]:
        head = self._view.horizontalHeader()
        order = (head.logicalIndex(place) for place in range(head.count()))
        return [number for number in order if not head.isSectionHidden(number)]

    def note(self) -> str:
        rows = self._view.model().rowCount()
        if rows <= MOST:
            return ""
        return f"Tables of up to {MOST:,} rows are sorted and filtered; this one has {rows:,}"

    def arrange(self, sort: Sort | None, text: str, column: int | None) -> None:
        fetch = getattr(self._view.model(), "fetch_all", None)
        if self.note():
            sort, text = None, ""
        elif fetch is not None and (sort is not None or text):
            fetch()
        self._sliced.run(self._arrange(sort, text.casefold(), column))

    def _arrange(self, sort: Sort | None, text: str, column: int | None) -> Iterator[None]:
        count = self._view.model().rowCount()
        order, shown = list(range(count)), [True] * count
        if text:
            columns = self._columns() if column is None else [column]
            for row in order:
                shown[row] = text in _SINGLE.join(self._texts(row, columns)).casefold()
                if row % _LOOK == 0:
                    yield
        if sort is not None:
            keys = []
            for row in order:
                keys.append(order_of(self._text(row, sort[0])))
                if row % _LOOK == 0:
                    yield
            order = _sorted(order, keys, descending=sort[1])
        yield
        self._apply(order, shown)

    def _apply(self, order: list[int], shown: list[bool]) -> None:
        view, sections = self._view, self._view.verticalHeader()
        count = view.model().rowCount()
        order = [row for row in order if row < count]
        order += range(len(order), count)
        shown += [True] * (count - len(shown))
        sections.blockSignals(True)
        if count <= MOST:
            if sections.sectionsMoved() or order != list(range(count)):
                for place, row in enumerate(order):
                    sections.moveSection(sections.visualIndex(row), place)
            if not all(shown) or sections.sectionsHidden():
                for row in range(count):
                    if sections.isSectionHidden(row) is shown[row]:
                        view.setRowHidden(row, not shown[row])
        sections.blockSignals(False)
        view.updateGeometries()
        view.viewport().update()
        self._forget_hidden()
        self.arranged()

    def _forget_hidden(self) -> None:
        """Rows out of sight are not selected: an action is about what is seen."""
        chosen = self._view.selectionModel()
        if chosen is None:
            return
        for index in chosen.selectedRows():
            if self._view.isRowHidden(index.row()):
                chosen.select(index, QItemSelectionModel.SelectionFlag.Deselect
                              | QItemSelectionModel.SelectionFlag.Rows)  # fmt: skip

    def counts(self) -> tuple[int, int]:
        count = self._view.model().rowCount()
        head = self._view.verticalHeader()
        return count - head.hiddenSectionCount(), count

    def _visible(self) -> list[int]:
        head = self._view.verticalHeader()
        rows = (head.logicalIndex(place) for place in range(head.count()))
        return [row for row in rows if not head.isSectionHidden(row)]

    def texts(self, *, selected: bool) -> tuple[list[str], Table]:
        rows, columns = self._visible(), self._columns()
        if selected:
            chosen = {index.row() for index in self._view.selectionModel().selectedIndexes()}
            rows = [row for row in rows if row in chosen]
        return self.heads(), [self._texts(row, columns) for row in rows]

    def _texts(self, row: int, columns: list[int]) -> list[str]:
        return [self._text(row, column) for column in columns]

    def _text(self, row: int, column: int) -> str:
        model = self._view.model()
        return _shown(model.index(row, column).data())

    def cell(self, index: QModelIndex) -> str:
        return _shown(index.data())

    def select_all(self) -> None:
        model, last = self._view.model(), self._view.model().columnCount() - 1
        chosen = QItemSelection()
        for row in self._visible():
            chosen.select(model.index(row, 0), model.index(row, last))
        self._view.selectionModel().select(
            chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )  # fmt: skip


class ItemRows(_Texts):
    """Rows of a `QTreeWidget`: items that change places and hide, below their groups."""

    def __init__(self, view: QTreeWidget) -> None:
        self._view = view
        self._hidden: set[int] = set()
        self._first: dict[int, int] = {}
        self._kept: list[QTreeWidgetItem] = []
        self.arranged: Callable[[], None] = lambda: None

    def heads(self) -> list[str]:
        found = _heads(self._view, self._columns())
        return ["Group", *found] if self._nested() else found

    def _columns(self) -> list[int]:
        head = self._view.header()
        order = (head.logicalIndex(place) for place in range(head.count()))
        return [number for number in order if not head.isSectionHidden(number)]

    def note(self) -> str:
        return ""

    def _items(self) -> list[QTreeWidgetItem]:
        return _children(self._view.invisibleRootItem())

    def _nested(self) -> bool:
        return any(item.childCount() for item in self._items())

    def _leaves(self) -> list[QTreeWidgetItem]:
        found: list[QTreeWidgetItem] = []
        for item in self._items():
            found += _children(item) or [item]
        return found

    def arrange(self, sort: Sort | None, text: str, column: int | None) -> None:
        view = self._view
        current, chosen = view.currentItem(), view.selectedItems()
        view.blockSignals(True)
        view.selectionModel().blockSignals(True)
        self._reorder(sort)
        self._hide(text.casefold(), column)
        for item in chosen:
            item.setSelected(not item.isHidden())
        if current is not None:
            flags = QItemSelectionModel.SelectionFlag
            view.setCurrentItem(current, 0, flags.NoUpdate)
        view.selectionModel().blockSignals(False)
        view.blockSignals(False)
        view.viewport().update()
        self.arranged()

    def _reorder(self, sort: Sort | None) -> None:
        root = self._view.invisibleRootItem()
        for parent in [root, *self._items()]:
            children = _children(parent)
            if sort is None and not any(id(item) in self._first for item in children):
                continue
            wanted = self._wanted(children, sort)
            if wanted != children:
                opened = [item.isExpanded() for item in wanted]
                parent.takeChildren()
                parent.addChildren(wanted)
                for item, expanded in zip(wanted, opened, strict=True):
                    item.setExpanded(expanded)

    def _wanted(self, items: list[QTreeWidgetItem], sort: Sort | None) -> list[QTreeWidgetItem]:
        known = [self._first.get(id(item)) for item in items]
        if sort is not None and any(place is None for place in known):
            # Rows that came in their order: that is the order to come back to.
            for place, item in enumerate(items):
                self._first[id(item)] = place
            self._kept += items  # so that no other item gets the id of one that is gone
        base = sorted(items, key=lambda item: self._first.get(id(item), len(items)))
        if sort is None:
            return base
        keys = [order_of(item.text(sort[0])) for item in base]
        return [base[n] for n in _sorted(list(range(len(base))), keys, descending=sort[1])]

    def forget(self) -> None:
        """Items are gone: forget their places."""
        self._first.clear()
        self._kept.clear()

    def _hide(self, text: str, column: int | None) -> None:
        columns = self._columns() if column is None else [column]

        def matches(item: QTreeWidgetItem) -> bool:
            return text in _SINGLE.join(item.text(number) for number in columns).casefold()

        for item in self._items():
            children = _children(item)
            whole = matches(item)
            some = whole
            for child in children:
                found = whole or matches(child)
                child.setHidden(not found)
                some = some or found
            item.setHidden(not some)

    def counts(self) -> tuple[int, int]:
        leaves = self._leaves()
        return sum(not _away(item) for item in leaves), len(leaves)

    def texts(self, *, selected: bool) -> tuple[list[str], Table]:
        columns, nested = self._columns(), self._nested()
        rows = [item for item in self._leaves() if not _away(item)]
        if selected:
            rows = [item for item in rows if item.isSelected() or _group_chosen(item)]
        found = []
        for item in rows:
            texts = [_shown(item.text(number)) for number in columns]
            group = item.parent()
            name = group.text(0) if group is not None else ""
            found.append([name, *texts] if nested else texts)
        return self.heads(), found

    def cell(self, index: QModelIndex) -> str:
        return _shown(index.data())

    def select_all(self) -> None:
        self._view.clearSelection()
        for item in self._leaves():
            item.setSelected(not _away(item))


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (item.child(number) for number in range(item.childCount()))
    return [child for child in found if child is not None]


def _group_chosen(item: QTreeWidgetItem) -> bool:
    group = item.parent()
    return group is not None and group.isSelected()


def _away(item: QTreeWidgetItem) -> bool:
    group = item.parent()
    return item.isHidden() or (group is not None and group.isHidden())


def _heads(view: Any, columns: list[int]) -> list[str]:
    model = view.model()
    return [str(model.headerData(number, Qt.Orientation.Horizontal) or "") for number in columns]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _sorted(rows: list[int], keys: list[tuple[int, Any]], *, descending: bool) -> list[int]:
    """Rows by their keys; equal ones keep their order, and empty ones are last either way."""
    full = [row for row, key in zip(rows, keys, strict=True) if key[0] != 2]
    empty = [row for row, key in zip(rows, keys, strict=True) if key[0] == 2]
    by = dict(zip(rows, keys, strict=True))
    return [*sorted(full, key=by.__getitem__, reverse=descending), *empty]
