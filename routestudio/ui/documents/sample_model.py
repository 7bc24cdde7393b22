"""The lines of a sample set as rows of a table: read when they are looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from routestudio.ui.theme import colour

Index = QModelIndex | QPersistentModelIndex
_FIXED = ("#", "Action", "Table")
_NONE = QModelIndex()
_SEEN = 200
"""Rows in which columns are looked for."""
_MOST = 60
"""Columns that are shown."""


class SampleModel(QAbstractTableModel):
    """Rows of messages; `lines` are numbers of lines, from 0, that are not empty."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self.lines: list[int] = []
        self.columns: list[str] = []

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

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._texts)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(_FIXED) + len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (*_FIXED, *self.columns)[section]

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
            return "no message" if column == 1 else ""
        if column == 1:
            return str(message.get("action", ""))
        metadata = message.get("metadata")
        if column == 2:
            return str(metadata.get("table_name", "")) if isinstance(metadata, dict) else ""
        record = message["record"]
        name = self.columns[column - len(_FIXED)]
        return _shown(record[name]) if name in record else ""


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
    return "null" if value is None else json.dumps(value, ensure_ascii=False)[:200]
