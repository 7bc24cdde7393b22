"""A short message that floats over the window and goes away by itself."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from routestudio.ui.widgets.basics import Banner

_TOP = 50
"""Pixels below the menu: over the row of tabs."""

SHOWN_MS = {"error": 9000, "warning": 7000}


class Toast(Banner):
    """One message at a time, over the row of tabs: nothing that is looked at is there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__()
        self._over = parent
        self.setParent(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)

    def tell(self, kind: str, text: str) -> None:
        """Show a sentence for a few seconds."""
        self.say(kind, text)
        self._place()
        self.raise_()
        self._timer.start(SHOWN_MS.get(kind, 4000))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self._over
        width = min(520, parent.width() - 40)
        layout = self.layout()
        assert layout is not None
        self.setFixedSize(width, layout.totalHeightForWidth(width))
        self.move(parent.width() - width - 12, _TOP)
