"""Notes behind the lines of an editor: how many rows take each way of a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QPlainTextEdit

from routestudio.ui.editor.coverage import Mark
from routestudio.ui.theme import colour

_AWAY: Final = 3
"""Characters between a line and its note."""
_BETWEEN: Final = "  ·  "


def paint_notes(editor: QPlainTextEdit, marks: Mapping[int, Mark]) -> None:
    """Paint the notes of the lines in sight, after the text was painted."""
    if not marks:
        return
    painter = QPainter(editor.viewport())
    font = QFont(editor.font())
    font.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    away = _AWAY * editor.fontMetrics().horizontalAdvance(" ")
    block, offset = editor.firstVisibleBlock(), editor.contentOffset()
    bottom = editor.viewport().height()
    while block.isValid():
        area = editor.blockBoundingGeometry(block).translated(offset)
        if area.top() > bottom:
            break
        mark = marks.get(block.blockNumber() + 1)
        if mark is not None and block.isVisible() and block.layout().lineCount():
            line = block.layout().lineAt(0)
            x = area.left() + line.rect().left() + line.naturalTextWidth() + away
            place = QPointF(x, area.top() + line.ascent())
            for number, text in enumerate(mark.note):
                shown = (_BETWEEN if number else "") + text
                painter.setPen(colour("danger" if mark.missing[number] else "muted"))
                painter.drawText(place, shown)
                place.setX(place.x() + metrics.horizontalAdvance(shown))
        block = block.next()
    painter.end()
