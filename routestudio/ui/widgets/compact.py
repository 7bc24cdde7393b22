"""A bar whose less important parts make room when it is narrow, so that nothing is cut."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

_WIDEST = 16_777_215
"""Qt's largest width: no limit."""


class CompactBar(QFrame):
    """A row of widgets. Those added with `yields` disappear, the highest number first."""

    def __init__(self, *, tall: bool = False) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.row = QHBoxLayout(self)
        margin = 8 if tall else 6
        self.row.setContentsMargins(14, margin, 12, margin)
        self.row.setSpacing(8)
        self._yielding: list[tuple[int, QWidget]] = []
        self._fitting = False

    def add(self, widget: QWidget, *, yields: int = 0, stretch: int = 0) -> None:
        """Add a widget; one with `yields` makes room for the others."""
        self.row.addWidget(widget, stretch)
        if yields:
            self._yielding.append((yields, widget))
            self._yielding.sort(key=lambda pair: pair[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return done

    def minimumSizeHint(self) -> QSize:
        away = {widget for _, widget in self._yielding}
        return QSize(self._needed(away), super().minimumSizeHint().height())

    def _fit(self) -> None:
        """Hide as few parts as have to be."""
        if self._fitting:
            return
        self._fitting = True
        try:
            away: set[QWidget] = set()
            for _, widget in reversed(self._yielding):
                if self._needed(away) <= self.width():
                    break
                away.add(widget)
            for _, widget in self._yielding:
                limit = 0 if widget in away else _WIDEST
                if widget.maximumWidth() != limit:
                    widget.setMaximumWidth(limit)
        finally:
            self._fitting = False

    def _needed(self, away: set[QWidget]) -> int:
        margins = self.row.contentsMargins()
        total = margins.left() + margins.right()
        for number in range(self.row.count()):
            item = self.row.itemAt(number)
            widget = item.widget() if item is not None else None
            if widget is None or widget.isHidden():
                continue
            total += self.row.spacing()
            if widget not in away:
                least = widget.minimumSizeHint().width()
                total += max(least, widget.minimumWidth(), _wanted(widget, least))
        return total


def _wanted(widget: QWidget, least: int) -> int:
    """Room that a widget should have: its whole text, or little where it can be cut."""
    return least if widget.property("elides") else widget.sizeHint().width()
