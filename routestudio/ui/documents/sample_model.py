"""The lines of a sample set as rows of a table: read when they are looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from routestudio.ui.theme import colour
from routestudio.ui.widgets.paging import PAUSE, Paging

Index = QModelIndex | QPersistentModelIndex
FIXED = ("#", "Action", "Table")
_NONE = QModelIndex()
_SEEN = 200
"""Rows in which columns are looked for."""
_MOST = 60
"""Columns that are shown."""
PAGE = 100
"""Rows that are asked for at a time."""
_PAGES = 60
"""Pages of a large set that are kept."""


class SampleModel(QAbstractTableModel):
    """Rows of messages; `lines` are numbers of lines, from 0, that are not empty."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self.lines: list[int] = []
        self.columns: list[str] = []
        self._tips: dict[str, str] = {}

    def show_types(self, tips: dict[str, str]) -> None:
        """Show what is known of the columns' types, in words, as tool tips of their headers."""
        if tips != self._tips:
            self._tips = dict(tips)
            if self.columnCount():
                last = self.columnCount() - 1
                self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, last)

    def show_text(self, text: str) -> None:
        """Show the messages of a text, one a line."""
        # Only "\n" ends a line in the editor; a message may hold U+2028.
        lines = text.split("\n")
        wanted = [number for number, line in enumerate(lines) if line.strip()]
        texts = [lines[number] for number in wanted]
        columns = _columns(texts[:_SEEN])
        if len(texts) == len(self._texts) and columns == self.columns:
            changed = [n for n, text in enumerate(texts) if text != self._texts[n]]
            self._texts, self.lines = texts, wanted
            if changed:
                last = self.index(changed[-1], self.columnCount() - 1)
                self.dataChanged.emit(self.index(changed[0], 0), last)
            return
        self.beginResetModel()
        self._texts, self.lines, self.columns = texts, wanted, columns
        self.endResetModel()

    def text(self, row: int) -> str:
        """The line of a row; empty when there is none."""
        return self._texts[row] if 0 <= row < len(self._texts) else ""

    def line(self, row: int) -> int | None:
        """The number of a row's line, from 0; `None` for what cannot be edited."""
        return self.lines[row] if 0 <= row < len(self.lines) else None

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._texts)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(FIXED) + len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        name = (*FIXED, *self.columns)[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        tip = role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole)
        return self._tips.get(name) if tip and section >= len(FIXED) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(index.row(), index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            message = _message(self.text(index.row()))
            if message is None:
                return colour("danger")
            return colour("muted") if index.column() == 0 else None
        return None

    def _cell(self, row: int, column: int) -> str:
        if column == 0:
            return str(row)
        message = _message(self.text(row))
        if message is None:
            return "invalid" if column == 1 else ""
        if column == 1:
            return str(message.get("action", ""))
        metadata = message.get("metadata")
        if column == 2:
            return str(metadata.get("table_name", "")) if isinstance(metadata, dict) else ""
        record = message["record"]
        name = self.columns[column - len(FIXED)]
        return _shown(record[name]) if name in record else ""


class PagedModel(SampleModel):
    """Rows of a set that stays where it is. `fetch(start)` asks for a page; `give` takes it, or it
    is `lost`."""

    def __init__(self, fetch: Callable[[int], None], *, pause: float = PAUSE) -> None:
        super().__init__()
        self._paging = Paging(fetch, PAGE, pause=pause)
        self._count = 0
        self._pages: dict[int, list[tuple[int, str, bool]]] = {}

    def give(self, count: int, start: int, lines: Sequence[Sequence[Any]]) -> None:
        """Take a page: number of line (from 1), text, and whether it is editable, for each row."""
        rows = [(int(number), str(text), bool(whole)) for number, text, whole in lines]
        page = start // PAGE
        columns = self.columns or _columns([text for _, text, _ in rows])
        if (count, columns) != (self._count, self.columns):
            self.beginResetModel()
            self._count, self.columns = count, columns
            self._pages.clear()
            self.endResetModel()
        self._paging.forget(page)
        self._pages.pop(page, None)
        self._pages[page] = rows
        while len(self._pages) > _PAGES:
            del self._pages[next(iter(self._pages))]
        if rows:
            last = self.index(start + len(rows) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(start, 0), last)

    def refetch(self, rows: set[int]) -> None:
        """Ask again for the pages of these rows, which stay until then; forget the others."""
        wanted = {row // PAGE for row in rows}
        for page in [page for page in self._pages if page not in wanted]:
            del self._pages[page]
        self._paging.forget()
        for page in sorted(wanted):
            self._paging.ask(page, self._count)

    def lost(self, start: int) -> None:
        """The request for a page failed: it is asked for again when it is looked at later."""
        self._paging.lost(start // PAGE)

    def raw(self, line: int) -> str | None:
        """The text of a line, from 0, as the engine gave it."""
        found = (text for rows in self._pages.values() for n, text, _ in rows if n == line + 1)
        return next(found, None)

    def put(self, line: int, text: str) -> None:
        """Show another text of a line, from 0."""
        for page, rows in self._pages.items():
            for place, (number, _, whole) in enumerate(rows):
                if number == line + 1:
                    rows[place] = (number, text, whole)
                    row = page * PAGE + place
                    self.dataChanged.emit(self.index(row, 0),
                                          self.index(row, self.columnCount() - 1))  # fmt: skip

    def text(self, row: int) -> str:
        found = self._row(row)
        # Qt takes these for ends of lines; in JSON they stand in texts only.
        return found[1].replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") if found else ""

    def line(self, row: int) -> int | None:
        found = self._row(row)
        return found[0] - 1 if found and found[2] else None

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._row(index.row()) is not None:
            return super().data(index, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return str(index.row()) if index.column() == 0 else "…" if index.column() == 1 else ""
        return colour("muted") if role == Qt.ItemDataRole.ForegroundRole else None

    def _row(self, row: int) -> tuple[int, str, bool] | None:
        """A row, or `None` while it is not here; it is asked for then."""
        if not 0 <= row < self._count:
            return None
        page = row // PAGE
        if page not in self._pages:
            self._paging.ask(page, self._count)
            return None
        rows = self._pages[page]
        return rows[row % PAGE] if row % PAGE < len(rows) else None


@lru_cache(maxsize=2_000)
def _message(line: str) -> dict[str, Any] | None:
    try:
        # Numbers stay the text that they are.
        value = json.loads(line, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(value, dict) and isinstance(value.get("record"), dict)
    return value if plain else None


class _Number(str):
    __slots__ = ()


def _columns(texts: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys((_message(text) or {"record": {}})["record"]))
    return list(found)[:_MOST]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value if len(value) <= 200 else value[:199] + "…"
    return _json(value)[:200]


def _json(value: Any) -> str:
    """JSON of a value whose numbers are the texts of the file."""
    if isinstance(value, dict):
        inner = (f"{json.dumps(k, ensure_ascii=False)}: {_json(v)}" for k, v in value.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_json(item) for item in value) + "]"
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)
