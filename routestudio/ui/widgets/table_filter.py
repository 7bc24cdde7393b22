"""The field above a table that narrows its rows."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from routestudio.ui.widgets.basics import Button, IconButton, label
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.inputs import ComboBox

PAUSE_MS = 120


class FilterBar(CompactBar):
    """Text, column and counts. `asked` comes when somebody has stopped typing."""

    asked = Signal()
    closed = Signal()
    rest_asked = Signal()
    """Rows that are not covered are wanted, too."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self.setAccessibleName(f"Filter of {table}")
        self.text = QLineEdit()
        self.text.setAccessibleName(f"Rows of {table} that contain")
        self.text.setPlaceholderText("Rows that contain…")
        self.text.setMinimumWidth(90)
        self.column = ComboBox()
        self.column.setAccessibleName(f"Column that {table} is filtered by")
        self.column.setToolTip("Column that contains the text")
        self.column.setMinimumWidth(84)
        self.count = label("", "muted")
        self.count.setMinimumWidth(0)
        self.add(self.text, stretch=1)
        self.add(self.column, yields=2)
        self.add(self.count, yields=1)
        self.rest = Button("Evaluate all rows", "run", action=self.rest_asked.emit)
        self.rest.hide()
        self.add(self.rest)
        self.add(IconButton("close", "Show all rows again (Esc)", self.leave))
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.asked)
        self.text.textChanged.connect(lambda _: self._pause.start())
        self.text.returnPressed.connect(self._now)
        self.column.activated.connect(lambda _: self._now())

    def show_columns(self, titles: list[str], numbers: list[int]) -> None:
        """Offer the columns of the table; the chosen one stays."""
        chosen = self.column.currentData()
        self.column.clear()
        self.column.addItem("Any column", None)
        for title, number in zip(titles, numbers, strict=True):
            self.column.addItem(title or f"Column {number + 1}", number)
        self.column.setCurrentIndex(max(0, self.column.findData(chosen)))

    def show_counts(self, shown: int, total: int, note: str, *, partial: bool) -> None:
        """How many rows there are, and what the filter does not cover."""
        self.rest.setVisible(partial)
        self.count.setText(note or f"{shown:,} of {total:,}")
        self.count.setToolTip(note)

    def leave(self) -> None:
        """Filter no longer, and disappear."""
        self._pause.stop()
        self.text.blockSignals(True)
        self.text.clear()
        self.text.blockSignals(False)
        self.asked.emit()
        self.hide()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() == Qt.Key.Key_Down:
            self._now()
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _now(self) -> None:
        self._pause.stop()
        self.asked.emit()


def put_above(view: QWidget, bar: QWidget) -> None:
    """Show a bar above a widget, wherever that stands."""
    parent, seen = view.parentWidget(), not view.isHidden()
    holder = QWidget()
    limits = view.minimumHeight(), view.maximumHeight()
    if isinstance(parent, QSplitter):
        sizes = parent.sizes()
        parent.insertWidget(parent.indexOf(view), holder)
    elif isinstance(parent, QStackedWidget):
        number, front = parent.indexOf(view), parent.currentIndex()
        parent.removeWidget(view)
        parent.insertWidget(number, holder)
        parent.setCurrentIndex(front)
    elif parent is not None and (layout := parent.layout()) is not None:
        layout.replaceWidget(view, holder)
    if limits[0] == limits[1]:
        holder.setFixedHeight(limits[0] + bar.sizeHint().height())
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(bar)
    column.addWidget(view, 1)
    view.setVisible(seen)
    holder.setVisible(seen)
    if isinstance(parent, QSplitter):
        parent.setSizes(sizes)
