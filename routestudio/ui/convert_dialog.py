"""A function before and after its conversion, side by side, with what the verification found."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from routestudio.model.function import Diagnostic
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.highlighter import Highlighter
from routestudio.ui.widgets.basics import Button, EmptyState, Pill, label
from routestudio.ui.widgets.dialog import Dialog
from routestudio.ui.widgets.table_tools import TableTools

_TITLES: Final = {"python": "Python", "elixir": "Elixir"}


class ConvertDialog(Dialog):
    """Accepting it means: take the converted text."""

    def __init__(self, parent: QWidget, before: str, found: dict[str, Any]) -> None:
        old, new = _TITLES[found["from"]], _TITLES[found["to"]]
        super().__init__(parent, f"Convert to {new}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1040, 640)
        column = self.body
        head = QHBoxLayout()
        head.addWidget(label(found["function"], "heading"))
        self.verdict = Pill(*_verdict(found))
        head.addWidget(self.verdict)
        head.addStretch(1)
        column.addLayout(head)
        sides = QSplitter(Qt.Orientation.Horizontal)
        sides.setChildrenCollapsible(False)
        self.before = _side(sides, f"Before: {old}", before, found["from"])
        self.before.show_diagnostics(
            [Diagnostic(p["line"], p["column"], p["code"], p["message"], p["line"],
                        p["column"] + 1, hint=p["hint"]) for p in found["problems"]]
        )  # fmt: skip
        if found["code"] is None:
            sides.addWidget(
                EmptyState("warning", f"This can't be expressed in {new} with the same meaning",
                           _problems(found["problems"]))
            )  # fmt: skip
        else:
            self.after = _side(sides, f"After: {new}", found["code"], found["to"])
        sides.setSizes([500, 500])
        verification = found["verification"] or {"differences": [], "stricter": [],
                                                 "failing": None}  # fmt: skip
        rows = [("differs", item) for item in verification["differences"]]
        rows += [("stricter", item) for item in verification["stricter"]]
        if verification["failing"] is not None:
            rows.insert(0, ("failing", verification["failing"]))
        if rows:
            split = QSplitter(Qt.Orientation.Vertical)
            split.setChildrenCollapsible(False)
            split.addWidget(sides)
            split.addWidget(_rows(rows, old, new))
            split.setSizes([420, 160])
            column.addWidget(split, 1)
        else:
            column.addWidget(sides, 1)
        self._end(found, new)

    def _end(self, found: dict[str, Any], new: str) -> None:
        equal = bool(found["verification"] and found["verification"]["equal"])
        text = f"Use the {new} version" if equal else f"Use the {new} version anyway"
        self.take = Button(text, kind="primary" if equal else "", action=self.accept)
        self.take.setVisible(found["code"] is not None)
        cancel = Button("Cancel" if found["code"] else "Close", action=self.reject)
        self.foot(cancel, self.take, left=label(_tried(found), "muted", wrap=True))


def _verdict(found: dict[str, Any]) -> tuple[str, str]:
    if found["code"] is None:
        return "not converted", "error"
    verification = found["verification"]
    stricter = len(verification["stricter"])
    if verification["equal"] and stricter:
        fail = "1 generated message fails" if stricter == 1 else (
            f"{stricter:,} generated messages fail")  # fmt: skip
        return f"same result for the samples, {fail}", "warning"
    if verification["equal"]:
        return f"same result for {verification['messages']:,} messages", "success"
    if not verification["different"]:
        return "both fail on every sample, so nothing was compared", "error"
    return f"differs on {verification['different']:,} messages", "error"


def _tried(found: dict[str, Any]) -> str:
    verification = found["verification"]
    if verification is None:
        return "nothing was changed"
    samples = verification["samples"]
    return (f"tried on {samples:,} messages of the samples and "
            f"{verification['messages'] - samples:,} variants of them")  # fmt: skip


def _problems(problems: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"Line {p['line']}, column {p['column']}: {p['message']}."
        + (f" {p['hint'][:1].upper()}{p['hint'][1:]}." if p["hint"] else "")
        for p in problems
    )


def _side(sides: QSplitter, title: str, text: str, language: str) -> CodeEdit:
    half = QWidget()
    column = QVBoxLayout(half)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    column.addWidget(label(title, "muted"))
    editor = CodeEdit(title)
    editor.show_text(text)
    editor.setReadOnly(True)
    editor.setTabChangesFocus(True)
    editor.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    Highlighter(editor.document(), language).lex()
    column.addWidget(editor, 1)
    sides.addWidget(half)
    return editor


def _rows(rows: list[tuple[str, dict[str, Any]]], old: str, new: str) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setAccessibleName("Messages on which the two differ")
    tree.setHeaderLabels(["#", "What", old, new])
    tree.setRootIsDecorated(False)
    words = {
        "differs": "differs",
        "stricter": "fails on a generated message",
        "failing": "both fail on every sample",
    }
    for kind, item in rows:
        shown = [str(item["index"]), words[kind], item["before"], item["after"]]
        row = QTreeWidgetItem(shown)
        for number in (2, 3):
            row.setToolTip(number, shown[number])
        tree.addTopLevelItem(row)
    header = tree.header()
    header.setStretchLastSection(False)
    for number in range(4):
        stretch = QHeaderView.ResizeMode.Stretch
        fit = QHeaderView.ResizeMode.ResizeToContents
        header.setSectionResizeMode(number, stretch if number > 1 else fit)
    TableTools(tree)
    return tree
