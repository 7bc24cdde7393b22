"""A small bar chart: names, bars, numbers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from routestudio.ui.theme import colour, theme

_ROW = 20
_NUMBER = 64


class Bars(QWidget):
    """One horizontal bar per entry, the longest as wide as there is room."""

    def __init__(self, name: str, rows: Sequence[tuple[str, int]]) -> None:
        super().__init__()
        self._rows = list(rows)
        self._most = max((count for _, count in rows), default=0) or 1
        self.setAccessibleName(name)
        self.setAccessibleDescription(", ".join(f"{text}: {count:,}" for text, count in rows))
        self.setToolTip("\n".join(f"{text}: {count:,}" for text, count in rows))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(220, _ROW * len(self._rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = painter.fontMetrics()
        widest = max((metrics.horizontalAdvance(text) for text, _ in self._rows), default=0)
        names = min(widest + 10, self.width() // 2)
        room = max(10, self.width() - names - _NUMBER)
        middle = Qt.AlignmentFlag.AlignVCenter
        for number, (text, count) in enumerate(self._rows):
            top = number * _ROW
            painter.setPen(QColor(colour("muted")))
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, names - 8)
            painter.drawText(QRectF(0, top, names, _ROW), int(middle), shown)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour("accent")))
            width = room * count / self._most
            painter.drawRoundedRect(QRectF(names, top + 5, max(2.0, width), _ROW - 10), 3, 3)
            painter.setPen(QColor(colour("text")))
            painter.drawText(
                QRectF(names + width + 6, top, _NUMBER, _ROW), int(middle), f"{count:,}"
            )
