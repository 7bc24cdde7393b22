"""Which rows an edit moves, from where to where, before it is saved."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from routestudio.ui.widgets.basics import Button, ElidedLabel, EmptyState, Pill, label
from routestudio.ui.widgets.dialog import Dialog
from routestudio.ui.widgets.table_tools import TableTools

_MOVE = Qt.ItemDataRole.UserRole


class OutcomeDialog(Dialog):
    """Moves above, the rows of the chosen move below."""

    def __init__(self, parent: QWidget, sink: str, sample: str, found: dict[str, Any]) -> None:
        super().__init__(parent, "Outcome diff")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(860, 560)
        self._changes: list[dict[str, Any]] = found["changes"]
        column = self.body
        head = QHBoxLayout()
        head.addWidget(label("Now, against the saved project", "heading"))
        changed = found["changed"]
        text = f"{changed:,} of {found['rows']:,} rows change" if changed else "no row changes"
        head.addWidget(Pill(text, "warning" if changed else "success"))
        head.addWidget(ElidedLabel(f"{sink} · sample {sample}", "muted"), 1)
        column.addLayout(head)
        self.moves = _tree("Moves", ("From", "To", "Rows"), (0, 1))
        self.rows = _tree("Rows that change", ("#", "Action", "Keys", "What", "From", "To"), (4, 5))
        if changed:
            split = QSplitter(Qt.Orientation.Vertical)
            split.addWidget(self.moves)
            split.addWidget(self.rows)
            split.setSizes([220, 300])
            split.setChildrenCollapsible(False)
            column.addWidget(split, 1)
            self._fill(found)
        else:
            column.addWidget(
                EmptyState("ok", "No row changes its destination",
                           "The edits since the last save change no outcome of this sample."), 1
            )  # fmt: skip
        listed = len(self._changes)
        note = label(f"the first {listed:,} rows are listed", "muted") if listed < changed else None
        self.foot(Button("Close", kind="primary", action=self.accept), left=note)

    def _fill(self, found: dict[str, Any]) -> None:
        for move in found["moves"]:
            item = QTreeWidgetItem([move["from"], move["to"], f"{move['rows']:,}"])
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setData(0, _MOVE, (move["from"], move["to"]))
            self.moves.addTopLevelItem(item)
        self.moves.currentItemChanged.connect(lambda item, _: self._show(item))
        first = self.moves.topLevelItem(0)
        if first is not None:
            self.moves.setCurrentItem(first)

    def _show(self, item: QTreeWidgetItem | None) -> None:
        self.rows.clear()
        wanted = tuple(item.data(0, _MOVE)) if item is not None else None
        for change in self._changes:
            ends = (_end(change["from"]), _end(change["to"]))
            if wanted is None or ends == wanted:
                fields = ", ".join(change["fields"]) or change["kind"]
                self.rows.addTopLevelItem(
                    QTreeWidgetItem([str(change["index"]), change["action"],
                                     ", ".join(change["pks"]), fields, *ends])
                )  # fmt: skip


def _end(end: dict[str, Any]) -> str:
    """Where a row ends, in the words of the list of moves."""
    if end["state"] == "delivered":
        return end["destination"] or "(none)"
    if end["state"] == "absent":
        return "(no sink)"
    return f"({end['state']}: {end['reason']})" if end["reason"] else f"({end['state']})"


def _tree(name: str, head: tuple[str, ...], wide: tuple[int, ...]) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setHeaderLabels(list(head))
    tree.setRootIsDecorated(False)
    header = tree.header()
    header.setStretchLastSection(False)
    for number in range(len(head)):
        stretched = number in wide
        header.setSectionResizeMode(
            number,
            QHeaderView.ResizeMode.Stretch
            if stretched
            else QHeaderView.ResizeMode.ResizeToContents,
        )
    TableTools(tree)
    return tree
