"""Where the panel of the window is: folded, below or right of the documents, or in their place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QSplitter, QWidget

FOLDED = 36
"""Height of the panel's tabs alone."""
_ROOM = 1000
"""Pixels from which documents and panel are side by side without anything being cut."""
_LEAST = 440
_LOW = 190
"""Height that the panel needs below the documents; with less it takes their place."""


class PanelPlace(QObject):
    """Moves the second part of a splitter, the panel, around the first, the documents.

    A panel that a person moved to the right is below for as long as the window is narrow. In a
    window too low for both, the panel takes the place of the documents until one is opened.
    """

    def __init__(self, split: QSplitter) -> None:
        super().__init__(split)
        self._split = split
        self._right = self._instead = False
        self._kept: list[int] = []
        """Sizes of the two before the documents made way."""
        split.installEventFilter(self)

    @property
    def _documents(self) -> QWidget:
        return self._part(0)

    @property
    def _panel(self) -> QWidget:
        return self._part(1)

    def _part(self, index: int) -> QWidget:
        part = self._split.widget(index)
        assert part is not None, "the splitter is made with both"
        return part

    @property
    def at_right(self) -> bool:
        """Whether the panel is right of the documents."""
        return self._split.orientation() == Qt.Orientation.Horizontal

    def restored(self) -> None:
        """The splitter has the state of the last time."""
        self._right = self.at_right
        self._panel.setMinimumWidth(_LEAST if self._right else 0)
        self._arrange()

    def unfold(self, height: int = 250) -> None:
        """Give the panel room, where it has little."""
        if self._too_low() and self._documents.isVisible():
            self._instead = True
            self._hide()
            return
        sizes = self._split.sizes()
        least, wanted = (200, _LEAST) if self.at_right else (120, height)
        if sizes[1] < least:
            self._split.setSizes([max(100, sum(sizes) - wanted), wanted])

    def show_documents(self) -> None:
        """Bring the documents back, where the panel took their place."""
        if self._documents.isHidden():
            self._instead = False
            self._documents.show()
            self._split.setSizes(self._kept)
            if not self._too_low():
                self.unfold()

    def toggle(self) -> None:
        """Fold or unfold the panel."""
        if self._documents.isHidden():
            self.show_documents()
            return
        sizes = self._split.sizes()
        if sizes[1] < 120:
            self.unfold()
        else:
            self._split.setSizes([sum(sizes) - FOLDED, FOLDED])

    def toggle_maximised(self) -> None:
        """Give the panel the whole room of the documents, or give it back."""
        if self._documents.isHidden():
            self.show_documents()
        else:
            self._hide()

    def turn(self) -> None:
        """Move the panel from the bottom to the right, or back."""
        self._right = not self._right
        self.show_documents()
        self._arrange()
        self.unfold()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._arrange()
        return super().eventFilter(watched, event)

    def _hide(self) -> None:
        self._kept = self._split.sizes()
        self._documents.hide()

    def _too_low(self) -> bool:
        least = self._documents.minimumSizeHint().height()
        return not self.at_right and self._split.height() - least < _LOW

    def _arrange(self) -> None:
        if self._instead and not self._too_low():
            self.show_documents()
        right = self._right and self._split.width() >= _ROOM
        if right == self.at_right:
            return
        orientation = Qt.Orientation.Horizontal if right else Qt.Orientation.Vertical
        self._split.setOrientation(orientation)
        self._panel.setMinimumWidth(_LEAST if right else 0)
        total = self._split.width() if right else self._split.height()
        part = max(_LEAST, total * 2 // 5) if right else 260
        self._split.setSizes([total - part, part])
