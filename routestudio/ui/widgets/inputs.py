"""Choices that change only when somebody chooses: the wheel scrolls the form around them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSpinBox


class ComboBox(QComboBox):
    """A combo box that leaves the wheel to what it stands in, with the focus and without it.

    Enter belongs to the dialog, also in one that can be typed into.
    """

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()
            return
        super().keyPressEvent(event)


class SpinBox(QSpinBox):
    """A field for a whole number that leaves the wheel to what it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(6, 0, 6, 0)  # a style sheet's padding does not reach it

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
