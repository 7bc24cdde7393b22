"""Where the rows of a preview go: destinations with a chart, and what they do to batching."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QHeaderView,
    QMenu,
    QScrollArea,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from routestudio.model.wording import counted
from routestudio.ui.theme import colour, theme
from routestudio.ui.widgets.bars import Bars
from routestudio.ui.widgets.basics import Banner, label
from routestudio.ui.widgets.layout import Pair, column
from routestudio.ui.widgets.table_tools import TableTools

_SHARE = Qt.ItemDataRole.UserRole
_NAME = int(Qt.ItemDataRole.UserRole) + 1
_HEAD = ("Destination", "Rows", "Share", "Bytes", "Actions")


class DestinationsView(QWidget):
    """The forecast of a preview."""

    chosen = Signal(str)
    """A destination whose rows are wanted."""

    def __init__(self) -> None:
        super().__init__()
        body = column(self)
        self.warning = Banner()
        body.addWidget(self.warning)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Destinations of the rows")
        self.tree.setHeaderLabels(list(_HEAD))
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setItemDelegateForColumn(2, _ShareDelegate(self.tree))
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(header.fontMetrics().horizontalAdvance(_HEAD[0]) + 24)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number in (1, 3, 4):
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(2, 120)
        self.tree.itemActivated.connect(lambda item, _: self.chosen.emit(item.data(0, _NAME)))
        TableTools(self.tree, extend=self._offer)
        self._facts = QWidget()
        self._facts.setObjectName("page")
        self._column = QVBoxLayout(self._facts)
        self._column.setContentsMargins(16, 12, 16, 12)
        self._column.setSpacing(6)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(self._facts)
        area.setAccessibleName("What the destinations do to batching")
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        split = Pair(self.tree, area, (640, 400))
        body.addWidget(split, 1)

    def _offer(self, menu: QMenu) -> None:
        item = self.tree.currentItem()
        if item is not None:
            name = item.data(0, _NAME)
            menu.addAction("Show its rows", lambda: self.chosen.emit(name))

    def show_forecast(self, data: dict[str, Any]) -> None:
        """Show a forecast (`engine.forecast`)."""
        if data["warnings"]:
            self.warning.say("warning", " · ".join(data["warnings"]))
        else:
            self.warning.hide()
        self.tree.clear()
        for item in data["destinations"]:
            actions = ", ".join(f"{count:,} {name}" for name, count in item["actions"].items())
            row = QTreeWidgetItem(
                [
                    item["name"],
                    f"{item['rows']:,}",
                    _share(item["share"]),
                    _size(item["bytes"]),
                    actions,
                ]
            )
            for number in (1, 3):
                row.setTextAlignment(
                    number, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
            row.setToolTip(0, f"{item['name']}\nDouble-click to see its rows")
            row.setData(2, _SHARE, item["share"])
            row.setData(0, _NAME, item["name"])
            self.tree.addTopLevelItem(row)
        self._show_facts(data)

    def _show_facts(self, data: dict[str, Any]) -> None:
        while self._column.count():
            entry = self._column.takeAt(0)
            widget = entry.widget() if entry is not None else None
            if widget is not None:
                widget.deleteLater()
        batch, groups = data["batch"], data["groups"]
        self._column.addWidget(label("Batching", "heading"))
        distinct = counted(data["distinct"], "destination")
        if data["more"]:
            distinct = f"{data['distinct']:,}+ destinations"
        for text in (
            f"{distinct}, {counted(batch['keys'], 'batch key')}",
            f"{batch['mean']:,} messages per request on average, at most {batch['limit']:,}",
            f"{batch['requests_per_1000']:,} requests for 1,000 messages like these",
        ):
            self._column.addWidget(label(text, wrap=True))
        self._column.addWidget(label("Groups", "heading"))
        none = f"; {counted(groups['none'], 'row')} without group" if groups["none"] else ""
        self._column.addWidget(
            label(
                f"{counted(groups['distinct'], 'group')}, each delivered in order{none}", wrap=True
            )
        )
        together = (
            "A request may hold several messages of a group, in order"
            if batch["keeps_order"]
            else "A request holds at most one message of a group"
        )
        self._column.addWidget(label(together, wrap=True))
        hottest = groups["hottest"][:5]
        if hottest:
            self._column.addWidget(
                Bars("Largest groups", [(item["group"], item["rows"]) for item in hottest])
            )
        for item in data["partitions"]:
            counts = item["rows"]
            self._column.addWidget(
                label(f"Partitions by {item['by']}, of {len(counts)}", "heading")
            )
            bars = [(str(number), count) for number, count in enumerate(counts)]
            self._column.addWidget(Bars(f"Rows by partition ({item['by']})", bars))
        self._column.addStretch(1)


class _ShareDelegate(QStyledItemDelegate):
    """Paints a share of the rows as a bar with its percentage."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.text = ""  # it is painted beside the bar

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        share = index.data(_SHARE)
        if share is None:
            return
        area = QRectF(option.rect).adjusted(6, 5, -46, -5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme().tokens.border))
        painter.drawRoundedRect(area, 3, 3)
        painter.setBrush(QColor(colour("accent")))
        painter.drawRoundedRect(
            QRectF(area.x(), area.y(), max(3.0, area.width() * share), area.height()), 3, 3
        )
        painter.setPen(QColor(colour("text")))
        painter.drawText(
            QRectF(option.rect).adjusted(0, 0, -6, 0),
            int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
            _share(share),
        )
        painter.restore()


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "< 1%"


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count = count / 1000  # type: ignore[assignment]
    return f"{count:,.1f} GB"
