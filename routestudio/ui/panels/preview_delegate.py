"""How a routed value is painted in the preview."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from routestudio.ui.panels.preview_model import PROVENANCE_ROLE
from routestudio.ui.theme import colour


class ProvenanceDelegate(QStyledItemDelegate):
    """Paints a routed value in the colour of its provenance, with the word behind it."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        source = index.data(PROVENANCE_ROLE)
        if not source:
            super().paint(painter, option, index)
            return
        area: QRect = option.rect
        metrics = painter.fontMetrics()
        tag = str(source)
        width = metrics.horizontalAdvance(tag) + 10
        super().paint(painter, option, index)
        text_width = metrics.horizontalAdvance(str(index.data())) + 20
        if area.width() - text_width > width:
            painter.save()
            painter.setPen(colour("muted"))
            font = painter.font()
            font.setPointSizeF(7.5)
            painter.setFont(font)
            painter.drawText(area.adjusted(0, 0, -8, 0),
                             Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             tag)  # fmt: skip
            painter.restore()
