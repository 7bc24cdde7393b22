"""Dialogs of the Help menu: shortcuts, and what this program is."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from routestudio import release
from routestudio.ui.actions import MENUS, TABLE, shortcut_text
from routestudio.ui.settings import settings
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import Dialog
from routestudio.ui.widgets.table_tools import TableTools
from routestudio.ui.widgets.tips import breakable

if TYPE_CHECKING:
    from routestudio.ui.bridge import Engine


class ShortcutsDialog(Dialog):
    """Every shortcut by menu, filtered while typing."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(520, 560)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by action or key")
        self.filter.setAccessibleName("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._fill)
        self.body.addWidget(self.filter)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Shortcuts")
        self.list.setHeaderLabels(["Action", "Shortcut"])
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        TableTools(self.list, field=self.filter)
        self.body.addWidget(self.list, 1)
        self.foot(Button("Close", kind="primary", action=self.accept))
        self._fill("")

    def _fill(self, wanted: str) -> None:
        self.list.clear()
        for menu in MENUS:
            group = QTreeWidgetItem([menu])
            for row in TABLE:
                keys = shortcut_text(row)
                text = f"{row.title.rstrip('…')} {keys}".lower()
                if row.menu == menu and keys and wanted.lower() in text:
                    group.addChild(QTreeWidgetItem([row.title.rstrip("…"), keys]))
            if group.childCount():
                self.list.addTopLevelItem(group)
        self.list.expandAll()


class AboutDialog(Dialog):
    """Version, purpose, and what a report of a fault should hold."""

    def __init__(self, parent: QWidget | None, engine: Engine | None = None) -> None:
        super().__init__(parent, "About RouteStudio")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(460)
        self.body.addWidget(label(f"RouteStudio {release.description()}", "title"))
        self.body.addWidget(label(
            "Design, preview, test and deliver routes for change-data-capture messages.",
            wrap=True,
        ))  # fmt: skip
        self.walls = label("", wrap=True, select=True)
        self.walls.setAccessibleName("Walls around functions")
        self.walls.hide()
        self.body.addWidget(self.walls)
        self.body.addWidget(label(breakable(diagnostics()), "muted", wrap=True, select=True))
        copy = Button("Copy diagnostics", "copy", action=self._copy)
        self.foot(copy, Button("Close", kind="primary", action=self.accept))
        if engine is not None:
            engine.run(engine.request("walls"), owner=self, title="Walls around functions",
                       done=self._show_walls)  # fmt: skip

    def _show_walls(self, text: str) -> None:
        """What protects this system from functions, and what does not."""
        self.walls.setText(text)
        self.walls.show()
        self.adjustSize()

    def _copy(self) -> None:
        found = (diagnostics(), self.walls.text())
        QGuiApplication.clipboard().setText("\n".join(text for text in found if text))


def diagnostics() -> str:
    """Versions and places, for a report; nothing of a project."""
    return "\n".join((
        f"RouteStudio {release.description()}", f"Python {sys.version.split()[0]}",
        f"PySide {PySide6.__version__}", f"System {platform.platform()}",
        f"Settings {settings().fileName()}",
    ))  # fmt: skip
