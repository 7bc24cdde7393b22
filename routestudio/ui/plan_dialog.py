"""What the project changes of a server's configuration: settings, and rows that end elsewhere."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from routestudio.model import jsonio
from routestudio.ui.widgets.basics import Button, ElidedLabel, EmptyState, Pill, label
from routestudio.ui.widgets.dialog import Dialog
from routestudio.ui.widgets.table_tools import TableTools

_SIGNS: Final = {"added": "added", "removed": "only there", "changed": "changed"}
_SECTIONS: Final = {
    "databases": "database", "http_endpoints": "HTTP endpoint", "functions": "function",
    "sinks": "sink", "change_retentions": "change retention",
}  # fmt: skip


class PlanDialog(Dialog):
    """Changes by item above, moves of rows below, what could not be compared at the end."""

    def __init__(self, parent: QWidget, other: str, found: dict[str, Any]) -> None:
        super().__init__(parent, "Plan")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(900, 600)
        column = self.body
        head = QHBoxLayout()
        head.addWidget(label("The project, against the server", "heading"))
        counts = found["summary"]
        parts = [f"{counts[key]} {_SIGNS[key]}" for key in _SIGNS if counts[key]]
        if moved := counts["rows_changed"]:
            parts.append(f"{moved:,} rows with a different destination")
        head.addWidget(Pill(", ".join(parts) or "nothing differs",
                            "warning" if parts else "success"))  # fmt: skip
        head.addWidget(ElidedLabel(other, "muted"), 1)
        column.addLayout(head)
        heads = ("Item and field", "Server", "Project")
        self.changes = _tree("Settings that differ", heads, (1, 2))
        heads_of_rows = ("Sink", "From", "To", "Rows")
        self.moves = _tree("Rows with a different destination", heads_of_rows, (1, 2))
        self.moves.setRootIsDecorated(False)
        if parts:
            split = QSplitter(Qt.Orientation.Vertical)
            split.addWidget(self.changes)
            split.addWidget(self.moves)
            split.setSizes([320, 180])
            split.setChildrenCollapsible(False)
            column.addWidget(split, 1)
        else:
            column.addWidget(EmptyState("ok", "The server has the same",
                                        "No setting differs that can be compared, and every "
                                        "sample row ends where it does there."), 1)  # fmt: skip
        self._fill(found)
        notes = [f"{_SECTIONS[i['section']]} {i['name']}: {i['field']} is not compared: "
                 f"{i['reason']}" for i in found["uncompared"]] + found["notes"]  # fmt: skip
        note = None
        if notes:
            more = f", and {len(notes) - 1} more" if len(notes) > 1 else ""
            note = label(f"{notes[0]}{more}", "muted", wrap=True)
            note.setToolTip("\n".join(notes))
        self.foot(Button("Close", kind="primary", action=self.accept), left=note)

    def _fill(self, found: dict[str, Any]) -> None:
        for change in found["changes"]:
            was = f", renamed from {change['renamed_from']}?" if change["renamed_from"] else ""
            text = f"{_SECTIONS[change['section']]} {change['name']}"
            item = QTreeWidgetItem([f"{text}  ({_SIGNS[change['action']]}{was})"])
            for setting in change["fields"]:
                old, new = _text(setting["old"]), _text(setting["new"])
                kept = "  (a server keeps its own)" if setting["kept"] else ""
                child = QTreeWidgetItem([setting["field"], _first(old), _first(new) + kept])
                child.setToolTip(1, old)
                child.setToolTip(2, new)
                item.addChild(child)
            self.changes.addTopLevelItem(item)
            item.setExpanded(change["action"] == "changed" or bool(was))
        for outcome in found["outcomes"]:
            for move in outcome["moves"]:
                same = "  (other content)" if move["from"] == move["to"] else ""
                row = QTreeWidgetItem([outcome["sink"], move["from"], move["to"] + same,
                                       f"{move['rows']:,}"])  # fmt: skip
                row.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.moves.addTopLevelItem(row)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else jsonio.dumps(value)


def _first(text: str) -> str:
    """The first line that shows something, with a mark when there are more."""
    lines = text.strip().splitlines()
    return f"{lines[0]} …" if len(lines) > 1 else text


def _tree(name: str, head: tuple[str, ...], wide: tuple[int, ...]) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setHeaderLabels(list(head))
    header = tree.header()
    header.setStretchLastSection(False)
    modes = QHeaderView.ResizeMode
    for number in range(len(head)):
        mode = modes.Stretch if number in wide else modes.ResizeToContents
        header.setSectionResizeMode(number, mode)
    TableTools(tree)
    return tree
