"""Layouts that panels and documents share."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
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
    if place != window.pos():  # to move a window that has no frame yet would add the frame's height
        window.move(place)


_LOW = 520
_ANY = (1 << 24) - 1
"""The largest height of a widget in Qt."""


def keep_low(dialog: QWidget) -> None:
    """Open a file dialog of Qt in a size for small screens: it would have room for 30 rows."""
    if dialog.inherits("QFileDialog"):
        dialog.setMaximumHeight(_LOW)
        QTimer.singleShot(0, dialog, lambda: dialog.setMaximumHeight(_ANY))


_NARROW = 700
"""Pixels below which two parts beside each other are squeezed."""
_TALL = 400
"""Pixels from which there is room for one below the other."""


class Pair(QSplitter):
    """A list and what belongs to its choice: beside each other, or below where it is narrow."""

    turned = Signal(bool)
    """Whether the second part is below the first from now on."""

    def __init__(self, first: QWidget, second: QWidget, shares: tuple[int, int]) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        for part, share in zip((first, second), shares, strict=True):
            self.addWidget(part)
            self.setStretchFactor(self.count() - 1, share)
        self._shares = shares
        self._kept: dict[Qt.Orientation, list[int]] = {}
        """Sizes in the orientation that is not shown."""
        self.setSizes(list(shares))
        self.setChildrenCollapsible(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        below = self.width() < _NARROW and self.height() >= _TALL
        wanted = Qt.Orientation.Vertical if below else Qt.Orientation.Horizontal
        if wanted != self.orientation():
            self._kept[self.orientation()] = self.sizes()
            self.setOrientation(wanted)
            self.setSizes(self._kept.get(wanted, list(self._shares)))
            self.turned.emit(below)
        super().resizeEvent(event)


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
