"""A list that is searched while typing: of actions for the command palette, of names for quick
open. What it shows is given as entries; `action_entries` makes those of the table of actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from routestudio.ui.actions import Actions, shortcut_text
from routestudio.ui.icons import icon
from routestudio.ui.theme import colour
from routestudio.ui.widgets.basics import label
from routestudio.ui.widgets.dialog import Dialog

_DETAIL = Qt.ItemDataRole.UserRole
_GAP = 12
MOST = 200
"""Entries that are shown at a time: lists of thousands would hold up typing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its text, the words that it is found by, and what choosing it does."""

    text: str
    words: str
    picture: str
    take: Callable[[], object]
    detail: str = ""
    """What is shown at the right: keys of an action, the kind of a name."""


class Palette(Dialog):
    """Filters entries while somebody types, and takes the chosen one. Entries that fit equally
    well stay in their order."""

    def __init__(
        self,
        entries: Sequence[Entry],
        parent: QWidget | None,
        *,
        title: str = "Command palette",
        hint: str = "Type a command",
        name: str = "Commands",
    ) -> None:
        super().__init__(parent, title)
        self._entries = list(entries)
        self._found: list[Entry] = []
        column = self.body
        column.setContentsMargins(12, 12, 12, 12)
        self.text = QLineEdit()
        self.text.setPlaceholderText(hint)
        self.text.setAccessibleName(hint)
        self.text.installEventFilter(self)
        self.text.textChanged.connect(lambda _: self._fill())
        self.text.returnPressed.connect(self.trigger)
        self.items = QListWidget()
        self.items.setAccessibleName(name)
        self.items.setItemDelegate(_Lines(self.items))
        self.items.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.items.itemActivated.connect(lambda _: self.trigger())
        self.nothing = label("Nothing has this name", "muted")
        self.nothing.hide()
        column.addWidget(self.text)
        column.addWidget(self.nothing)
        column.addWidget(self.items)
        self.resize(520, 380)
        self._fill()

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; what is typed and chosen stays."""
        chosen = self.chosen
        self._entries = list(entries)
        self._fill()
        if chosen is not None:
            known = [(entry.text, entry.detail) for entry in self._found]
            if (chosen.text, chosen.detail) in known:
                self.items.setCurrentRow(known.index((chosen.text, chosen.detail)))

    @property
    def chosen(self) -> Entry | None:
        """The entry that Enter takes."""
        row = self.items.currentRow()
        return self._found[row] if 0 <= row < len(self._found) else None

    def trigger(self) -> None:
        """Take the chosen entry."""
        entry = self.chosen
        self.accept()
        if entry is not None:
            entry.take()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None and self.items.count():
                self.items.setCurrentRow((self.items.currentRow() + step) % self.items.count())
                return True
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        wanted = self.text.text().strip().lower()
        ranked = [(rank(entry.words.lower(), wanted), entry) for entry in self._entries]
        fitting = [pair for pair in ranked if pair[0] >= 0]
        found = sorted(fitting, key=lambda pair: pair[0])
        self._found = [entry for _, entry in found[:MOST]]
        self.items.clear()
        for entry in self._found:
            item = QListWidgetItem(icon(entry.picture), entry.text)
            item.setData(_DETAIL, entry.detail)
            whole = f"{entry.text}, {entry.detail}" if entry.detail else entry.text
            item.setData(Qt.ItemDataRole.AccessibleTextRole, whole)
            item.setToolTip(whole)
            self.items.addItem(item)
        self.items.setCurrentRow(0)
        self.nothing.setText(f"The first {MOST:,} of {len(found):,}: type more of the name"
                             if found else "Nothing has this name")  # fmt: skip
        self.nothing.setVisible(not 0 < len(found) <= MOST)


class _Lines(QStyledItemDelegate):
    """Text at the left, cut where it is long; the detail at the right."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        metrics, rect = shown.fontMetrics, shown.rect
        detail = str(index.data(_DETAIL) or "")
        most = rect.width() - metrics.horizontalAdvance(detail) - 4 * _GAP
        cut = Qt.TextElideMode.ElideRight
        shown.text = metrics.elidedText(shown.text, cut, most)
        style = QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, shown, painter, self.parent())  # type: ignore[arg-type]
        painter.setPen(colour("muted"))
        place = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect.adjusted(0, 0, -_GAP, 0), place, detail)


def action_entries(actions: Actions) -> list[Entry]:
    """The actions that can be triggered now."""
    return [
        Entry(
            f"{row.menu}: {row.title.rstrip('…')}",
            f"{row.menu} {row.title} {row.words}",
            row.icon or "chevron-right",
            actions.qaction(row.id).trigger,
            shortcut_text(row),
        )
        for row in actions.available()
    ]


def rank(text: str, wanted: str) -> int:
    """How well `wanted` fits: 0 is best; -1 when its letters are not in `text` in order."""
    if wanted in text:
        return text.index(wanted)
    position, gaps = -1, 0
    for letter in wanted:
        found = text.find(letter, position + 1)
        if found < 0:
            return -1
        gaps += found - position - 1
        position = found
    return 100 + gaps
