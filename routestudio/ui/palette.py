"""The command palette: every action by typing a part of its name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from routestudio.ui.actions import Actions
from routestudio.ui.icons import icon
from routestudio.ui.widgets.dialog import Dialog


class Palette(Dialog):
    """Filters the available actions and triggers the chosen one."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, "Command palette")
        self._actions = actions
        column = self.body
        column.setContentsMargins(12, 12, 12, 12)
        self.text = QLineEdit()
        self.text.setPlaceholderText("Type a command")
        self.text.setAccessibleName("Command")
        self.text.installEventFilter(self)
        self.text.textChanged.connect(lambda _: self._fill())
        self.text.returnPressed.connect(self.trigger)
        self.items = QListWidget()
        self.items.setAccessibleName("Commands")
        self.items.itemActivated.connect(lambda _: self.trigger())
        column.addWidget(self.text)
        column.addWidget(self.items)
        self.resize(520, 380)
        self._fill()

    def trigger(self) -> None:
        """Trigger the chosen action."""
        item = self.items.currentItem()
        self.accept()
        if item is not None:
            self._actions.qaction(str(item.data(Qt.ItemDataRole.UserRole))).trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None and self.items.count():
                self.items.setCurrentRow((self.items.currentRow() + step) % self.items.count())
                return True
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        wanted = self.text.text().lower()
        rows = [
            (score, row)
            for row in self._actions.available()
            if (score := rank(f"{row.menu} {row.title} {row.words}".lower(), wanted)) >= 0
        ]  # fmt: skip
        self.items.clear()
        for _, row in sorted(rows, key=lambda pair: pair[0]):
            shortcut = f"    {row.shortcut}" if row.shortcut else ""
            item = QListWidgetItem(f"{row.menu}: {row.title.rstrip('…')}{shortcut}")
            item.setIcon(icon(row.icon or "chevron-right"))
            item.setData(Qt.ItemDataRole.UserRole, row.id)
            self.items.addItem(item)
        self.items.setCurrentRow(0)


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
