"""Preview rows for a table: counted at once, fetched from the engine as they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from routestudio.model.preview_text import FIXED, cells, problem_text, reason, state_of, value_text
from routestudio.ui.theme import colour, theme
from routestudio.ui.widgets.paging import PAUSE, Paging

PAGE = 100
PROVENANCE_ROLE = int(Qt.ItemDataRole.UserRole) + 1

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()


class PreviewModel(QAbstractTableModel):
    """Rows of one preview. `fetch(start)` asks for a page; `give` takes it, or it is `lost`."""

    def __init__(self, fetch: Callable[[int], None], *, pause: float = PAUSE) -> None:
        super().__init__()
        self._paging = Paging(fetch, PAGE, pause=pause)
        self._pages: dict[int, Sequence[dict[str, Any]]] = {}
        self._count = 0
        self.resets = 0
        """How often the rows became others; an answer from before the last time is about others."""
        self.fields: list[str] = []
        self.stale = False
        theme().changed.connect(self._repaint)

    def reset_rows(self, count: int, fields: list[str], *, again: bool = False) -> None:
        """Begin a new preview. Old rows stay visible, marked stale, until new ones come.

        With `again` they are other rows, and none stays.
        """
        if again or count != self._count or fields != self.fields:
            self.beginResetModel()
            self._count, self.fields = count, fields
            self._pages.clear()
            self.endResetModel()
        self._paging.forget()
        self.resets += 1
        self.stale = True
        self._repaint()

    def grow(self, count: int) -> None:
        """There are more rows than were known."""
        if count > self._count:
            old = self._count
            here = self._pages.get(old // PAGE)
            self._paging.grew(old, None if here is None else len(here))
            self.beginInsertRows(QModelIndex(), old, count - 1)
            self._count = count
            self.endInsertRows()

    def refetch(self, first: int, last: int) -> None:
        """Ask again for the pages between two rows; the others are fetched when shown."""
        wanted = set(range(first // PAGE, last // PAGE + 1))
        for page in [p for p in self._pages if p not in wanted]:
            del self._pages[page]
        for page in sorted(wanted):
            if page * PAGE < max(1, self._count):
                self._paging.ask(page, self._count)

    def give(self, start: int, rows: Sequence[dict[str, Any]]) -> None:
        """Take a page that was asked for."""
        self._pages[start // PAGE] = rows
        self._paging.came(start // PAGE, len(rows), self._count)
        self.stale = False
        last = min(self._count, start + len(rows)) - 1
        if last >= start:
            columns = self.columnCount() - 1
            self.dataChanged.emit(self.index(start, 0), self.index(last, columns))

    def lost(self, start: int) -> None:
        """The request for a page failed: it is asked for again when it is looked at later."""
        self._paging.lost(start // PAGE)

    def row(self, number: int) -> dict[str, Any] | None:
        """One row, or `None` while it is not here."""
        page = self._pages.get(number // PAGE)
        if page is None or number % PAGE >= len(page):
            return None
        return page[number % PAGE]

    def known_rows(self) -> list[dict[str, Any]]:
        """The rows that are here, in order."""
        return [row for page in sorted(self._pages) for row in self._pages[page]]

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(FIXED) + len(self.fields) + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        if section < len(FIXED):
            return FIXED[section]
        section -= len(FIXED)
        return self.fields[section] if section < len(self.fields) else "Why"

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index.row())
        if row is None:
            if role == Qt.ItemDataRole.DisplayRole:
                self._paging.ask(index.row() // PAGE, self._count)
            return "…" if role == Qt.ItemDataRole.DisplayRole and index.column() == 1 else None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, index.column())
        if role == PROVENANCE_ROLE:
            return self._provenance(row, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, index.column())
        return None

    def _text(self, row: dict[str, Any], column: int) -> str:
        if column < len(FIXED):
            return cells(row, ())[column]
        name = self._field(column)
        if name is None:
            return reason(row["error"], row["filtered"])
        return "" if row["filtered"] else value_text((row.get("routing") or {}).get(name))

    def _colour(self, row: dict[str, Any], column: int) -> Any:
        if self.stale or row["filtered"]:
            return colour("muted")
        if column == len(FIXED) - 1:
            return colour({"ok": "positive", "failed": "danger"}.get(state_of(row), "muted"))
        if self._field(column) is not None:
            return colour(self._provenance(row, column) or "text")
        if column == len(FIXED) + len(self.fields):
            return colour("danger" if row["error"] else "positive")
        return colour("text" if column else "muted")

    def _provenance(self, row: dict[str, Any], column: int) -> str | None:
        name = self._field(column)
        if name is None or row["filtered"] or (row.get("routing") or {}).get(name) is None:
            return None
        found = (row.get("provenance") or {}).get(name)
        return str(found) if found else None

    def _tip(self, row: dict[str, Any], column: int) -> str | None:
        name = self._field(column)
        if name is None:
            return "\n".join(problem_text(p) for p in row["problems"]) or None
        source = self._provenance(row, column)
        if source is None:
            return None
        default = (row.get("defaults") or {}).get(name)
        over = f"\nThe default would be {default}" if source != "default" else ""
        return f"{name} comes from: {source}{over}"

    def _field(self, column: int) -> str | None:
        position = column - len(FIXED)
        return self.fields[position] if 0 <= position < len(self.fields) else None

    def _repaint(self) -> None:
        if self._count:
            last = self.index(self._count - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)
