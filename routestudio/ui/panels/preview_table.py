"""The table of a preview's rows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from routestudio.ui.panels.preview_delegate import ProvenanceDelegate
from routestudio.ui.panels.preview_model import PreviewModel


class PreviewTable(QTableView):
    """Rows of a preview with the origin of each value."""

    def __init__(self, model: PreviewModel) -> None:
        super().__init__()
        self.setAccessibleName("Preview rows")
        self.setModel(model)
        self.setItemDelegate(ProvenanceDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(27)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setStretchLastSection(True)
