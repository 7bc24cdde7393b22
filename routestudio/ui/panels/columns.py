"""Which columns of the previewed rows come and go, and which functions read them nevertheless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from routestudio.ui.widgets.basics import Banner, label
from routestudio.ui.widgets.layout import column
from routestudio.ui.widgets.table_tools import TableTools

_HEAD = ("Table", "Column", "Rows that have it", "Where", "Missing in")


class ColumnsView(QWidget):
    """The evolution of a preview's rows (`engine.evolution`)."""

    def __init__(self) -> None:
        super().__init__()
        body = column(self)
        self.warning = Banner()
        body.addWidget(self.warning)
        self.same = label("All rows of a table have the same columns.", "muted", wrap=True)
        self.same.setContentsMargins(16, 14, 16, 14)
        body.addWidget(self.same)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Columns that come and go")
        self.tree.setHeaderLabels(list(_HEAD))
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        header = self.tree.header()
        for number in range(3):
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(3, 260)
        TableTools(self.tree)
        body.addWidget(self.tree, 1)
        body.addStretch(0)
        self.show_evolution({"columns": [], "reads": []})

    def show_evolution(self, found: Mapping[str, Any]) -> None:
        """Show what `engine.evolution` found."""
        columns, reads = found["columns"], found["reads"]
        if reads:
            texts = [f"{r['function']}, line {r['line']}: {r['message']}" for r in reads[:3]]
            more = f" · and {len(reads) - 3} more" if len(reads) > 3 else ""
            self.warning.say("warning", " · ".join(texts) + more)
        else:
            self.warning.hide()
        self.tree.clear()
        for item in columns:
            missing = item["lacking"]
            if item["only_deletes"]:
                missing = f"deletes only ({missing})"
            row = QTreeWidgetItem([
                item["table"], item["column"], f"{item['have']:,} of {item['rows']:,}",
                item["having"], missing,
            ])  # fmt: skip
            for number in (3, 4):
                row.setToolTip(number, row.text(number))
            self.tree.addTopLevelItem(row)
        self.tree.setVisible(bool(columns))
        self.same.setVisible(not columns)
