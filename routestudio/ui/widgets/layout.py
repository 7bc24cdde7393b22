"""Layouts that panels and documents share."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QSplitter,
    QSplitterHandle,
    QVBoxLayout,
    QWidget,
)


def column(owner: QWidget) -> QVBoxLayout:
    """A column without margins and gaps, filling `owner`."""
    made = QVBoxLayout(owner)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(0)
    return made


def bar(target: QVBoxLayout, *, tall: bool = False) -> QHBoxLayout:
    """A horizontal bar at the end of `target`; returns its row."""
    frame = QFrame()
    frame.setObjectName("bar")
    row = QHBoxLayout(frame)
    row.setContentsMargins(16 if tall else 14, 8 if tall else 6, 12 if tall else 14,
                           8 if tall else 6)  # fmt: skip
    row.setSpacing(10)
    target.addWidget(frame)
    return row


def fit(window: QWidget) -> None:
    """Make a window no larger than the screen it is on, and move it into sight."""
    screen = window.screen() or QApplication.primaryScreen()
    room = screen.availableGeometry()
    frame = window.frameGeometry().size() - window.size()
    window.resize(window.size().boundedTo(room.size() - frame))
    place = window.pos()
    place.setX(max(room.left(), min(place.x(), room.right() - window.width())))
    place.setY(max(room.top(), min(place.y(), room.bottom() - window.height())))
    window.move(place)


class PlainSplitter(QSplitter):
    """A splitter with a thin line in the palette's colour, where no style sheet reaches."""

    def __init__(self, orientation: Qt.Orientation) -> None:
        super().__init__(orientation)
        self.setHandleWidth(1)

    def createHandle(self) -> QSplitterHandle:
        return _Line(self.orientation(), self)


class _Line(QSplitterHandle):
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().mid())
        painter.end()
