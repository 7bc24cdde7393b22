"""The hard variants of one row: what each would be, where it would go, and adding them."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHeaderView,
    QPlainTextEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from routestudio.model.preview_text import problem_text, state_of
from routestudio.ui.theme import colour, follow_mono, theme
from routestudio.ui.widgets.basics import Button, ElidedLabel
from routestudio.ui.widgets.layout import Pair, bar, column
from routestudio.ui.widgets.table_tools import TableTools
from routestudio.ui.widgets.tips import in_words

_ENTRY = Qt.ItemDataRole.UserRole


class VariantsView(QWidget):
    """A list of variants with check boxes. `entries` are answers of the request `vary`."""

    add_asked = Signal(list)
    """Messages to add to the samples."""
    pin_asked = Signal(list)
    """Keys of variants to make a route test of."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self._row = 0
        body = column(self)
        row = bar(body)
        self.title = ElidedLabel("Select a row to see its variants", "muted")
        row.addWidget(self.title, 1)
        self.pin_button = Button("Pin ticked as tests", "ok", action=self._pin)
        self.pin_button.setToolTip(
            "Make a route test of each ticked variant, which expects its outcome"
        )
        self.add_button = Button("Add ticked to samples", "add", action=self._add)
        self.add_button.setToolTip("Keep the ticked variants as rows of a sample set")
        for button in (self.pin_button, self.add_button):
            button.setEnabled(False)
            row.addWidget(button)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Variants of the row")
        self.list.setHeaderLabels(["Variant", "Result", "Outcome"])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        header = self.list.header()
        for number in (0, 1):
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.list.currentItemChanged.connect(lambda item, _: self._show(item))
        self.list.itemChanged.connect(self._ticked)
        TableTools(self.list)
        self.message = QPlainTextEdit()
        self.message.setObjectName("plain")
        self.message.setReadOnly(True)
        follow_mono(self.message)
        self.message.setAccessibleName("Message of the variant")
        split = Pair(self.list, self.message, (660, 380))
        body.addWidget(split, 1)
        theme().changed.connect(self._recolour)

    def _recolour(self) -> None:
        if self.entries:
            self.show_entries(self._row, self.entries)

    def show_entries(self, row: int, entries: list[dict[str, Any]]) -> None:
        """Show the variants of row number `row`, each with what became of it."""
        failing = sum(state_of(entry["row"]) == "failed" for entry in entries)
        more = f": {failing} of {len(entries)} fail" if failing else ""
        self.title.show_text(f"Variants of row {row:,}{more}")
        self._row = row
        ticked = {item["key"] for item in self.ticked()}
        self.entries = entries
        self.list.blockSignals(True)
        self.list.clear()
        for entry in entries:
            outcome = entry["row"]
            state = state_of(outcome)
            item = QTreeWidgetItem([entry["title"], state, _outcome(outcome)])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            checked = entry["key"] in ticked
            item.setCheckState(0, Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
            role = {"ok": "positive", "failed": "danger"}.get(state, "muted")
            item.setForeground(1, QColor(colour(role)))
            item.setToolTip(0, entry["help"])
            item.setToolTip(2, _outcome(outcome))
            item.setData(0, _ENTRY, entry)
            self.list.addTopLevelItem(item)
        self.list.blockSignals(False)
        first = self.list.topLevelItem(0)
        if first is not None:
            self.list.setCurrentItem(first)
        self._show(self.list.currentItem())
        self._enable()

    def ticked(self) -> list[dict[str, Any]]:
        """The entries with a tick."""
        items = [self.list.topLevelItem(n) for n in range(self.list.topLevelItemCount())]
        return [
            item.data(0, _ENTRY)
            for item in items
            if item is not None and item.checkState(0) == Qt.CheckState.Checked
        ]

    def _show(self, item: QTreeWidgetItem | None) -> None:
        entry = item.data(0, _ENTRY) if item is not None else None
        text = json.dumps(entry["message"], indent=2, ensure_ascii=False) if entry else ""
        self.message.setPlainText(text)

    def _ticked(self, item: QTreeWidgetItem) -> None:
        """What is ticked is also what is shown beside."""
        self.list.setCurrentItem(item)
        self._enable()

    def _enable(self) -> None:
        some = bool(self.ticked())
        self.add_button.setEnabled(some)
        self.pin_button.setEnabled(some)

    def _add(self) -> None:
        self.add_asked.emit([entry["message"] for entry in self.ticked()])

    def _pin(self) -> None:
        self.pin_asked.emit([entry["key"] for entry in self.ticked()])


def _outcome(row: dict[str, Any]) -> str:
    if row["error"]:
        return in_words(problem_text(row["error"]))
    if row["filtered"]:
        return f"filtered by {row['filtered']}"
    return str(row.get("destination") or "")
