"""What becomes of files that another program changed while they have unsaved edits here."""

from __future__ import annotations

import difflib
import html
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextBrowser,
    QWidget,
)

from routestudio.ui.session import Session
from routestudio.ui.theme import follow_mono, theme
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import Dialog

_LINES = 2_000
"""Lines of a comparison that are shown."""


class ConflictDialog(Dialog):
    """Compares each file with the disk. `answer` is `reload`, `overwrite`, `save_as` or `cancel`;
    `paths` are the chosen files, for `reload`."""

    def __init__(
        self, parent: QWidget | None, session: Session, conflicts: list[dict[str, Any]]
    ) -> None:
        super().__init__(parent, "Changed by another program")
        self._session = session
        self.answer = "cancel"
        self.resize(860, 560)
        gone = all(item["state"] == "removed" for item in conflicts)
        what = "removed" if gone else "changed"
        self.body.addWidget(label(f"These files were {what} by another program", "heading"))
        text = ("RouteStudio still has their text. Write them again, or save the project to "
                "another folder." if gone else
                "Reload takes the version on the disk and drops your edits of the chosen files. "
                "Overwrite writes your version of all of them.")  # fmt: skip
        self.body.addWidget(label(text, "muted", wrap=True))
        self.list = QListWidget()
        self.list.setAccessibleName("Files")
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for item in conflicts:
            row = QListWidgetItem(f"{item['path']}  ({item['state']})")
            row.setData(Qt.ItemDataRole.UserRole, item)
            row.setToolTip(row.text())
            self.list.addItem(row)
        self.list.currentItemChanged.connect(lambda item, _: self._compare(item))
        self.list.itemSelectionChanged.connect(self._enable)
        self.difference = QTextBrowser()
        self.difference.setObjectName("plain")
        follow_mono(self.difference)
        self.difference.setAccessibleName("Differences between the disk and your version")
        self.difference.setLineWrapMode(QTextBrowser.LineWrapMode.NoWrap)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.list)
        split.addWidget(self.difference)
        split.setSizes([330, 510])
        split.setChildrenCollapsible(False)
        self.body.addWidget(split, 1)
        self.reload_button = Button("Reload", action=lambda: self._choose("reload"))
        self.reload_button.setToolTip("Take the version on the disk for the chosen files")
        save_as = Button("Save as…", action=lambda: self._choose("save_as"))
        save_as.setToolTip("Write the project with your edits to another folder")
        overwrite = Button("Write again" if gone else "Overwrite", kind="primary" if gone else
                           "danger", action=lambda: self._choose("overwrite"))  # fmt: skip
        self.foot(Button("Cancel", action=self.reject), self.reload_button, save_as, overwrite)
        self.list.selectAll()
        self.list.setCurrentRow(0, self.list.selectionModel().SelectionFlag.NoUpdate)
        self._enable()

    @property
    def paths(self) -> list[str]:
        """The chosen files."""
        return [item.data(Qt.ItemDataRole.UserRole)["path"] for item in self.list.selectedItems()]

    def _enable(self) -> None:
        rows = [item.data(Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]
        there = [row for row in rows if row["state"] == "changed"]
        self.reload_button.setEnabled(bool(there) and len(there) == len(rows))

    def _choose(self, answer: str) -> None:
        self.answer = answer
        self.accept()

    def _compare(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        path = item.data(Qt.ItemDataRole.UserRole)["path"]

        def show(found: dict[str, Any]) -> None:
            current = self.list.currentItem()
            if current is item:
                self.difference.setHtml(difference(found["disk"], found["here"]))

        session = self._session
        session.engine.run(
            session.request("compare_file", path=path), owner=self, title="Compare", done=show,
            failed=lambda error: self.difference.setPlainText(str(error)),
        )  # fmt: skip


def difference(disk: str | None, here: str | None) -> str:
    """The lines that differ between the disk's text and the project's, as a coloured page."""
    tokens = theme().tokens
    if disk is None:
        return f'<p style="color:{tokens.muted}">The file is not on the disk any more.</p>'
    lines = list(
        difflib.unified_diff(
            disk.splitlines(), (here or "").splitlines(), "on the disk", "your version", lineterm=""
        )
    )
    shown = []
    for line in lines[:_LINES]:
        colour = {"+": tokens.positive, "-": tokens.danger, "@": tokens.muted}.get(line[:1], "")
        style = f' style="color:{colour}"' if colour else ""
        shown.append(f"<span{style}>{html.escape(line)}</span>")
    if len(lines) > _LINES:
        shown.append(f"… and {len(lines) - _LINES:,} more lines")
    return "<pre>" + "\n".join(shown) + "</pre>"
