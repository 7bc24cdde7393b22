"""Lists of texts with counts: destinations, reasons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from routestudio.ui.widgets.table_tools import TableTools


def count_list(name: str, head: tuple[str, str]) -> QTreeWidget:
    """A list of texts with a number each."""
    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setHeaderLabels(list(head))
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.header().setStretchLastSection(False)
    tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    TableTools(tree)
    return tree


def fill_counts(tree: QTreeWidget, rows: list[tuple[str, int]]) -> None:
    """Show rows in a list of counts, keeping its selection and scroll position."""
    while tree.topLevelItemCount() > len(rows):
        tree.takeTopLevelItem(tree.topLevelItemCount() - 1)
    for number, (text, count) in enumerate(rows):
        item = tree.topLevelItem(number)
        if item is None:
            item = QTreeWidgetItem()
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
            tree.addTopLevelItem(item)
        item.setText(0, text)
        item.setToolTip(0, text)
        item.setText(1, f"{count:,}")
