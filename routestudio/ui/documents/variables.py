"""Variables of the project in the environment in use: value, origin, uses, and what is unset."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from routestudio.ui.documents.base import Document
from routestudio.ui.environment_bar import PILLS, ROLES
from routestudio.ui.environment_dialogs import VariableDialog, confirm_by_name
from routestudio.ui.icons import icon
from routestudio.ui.preferences import asks
from routestudio.ui.session import Session
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Banner, Button, Pill, label
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.table_tools import TableTools

_HEAD = ("Variable", "Value", "Comes from", "Used by")
_HIDDEN = "••••••"


class VariablesDocument(Document):
    """Edits are written at once: they are files of the user, not of the project."""

    kind = "variables"

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session, name)
        self.rows: list[dict[str, Any]] = []
        self._asked: object = None
        self._wanted = ""
        self._build()
        session.changed.connect(self.refresh)
        theme().changed.connect(self._show)
        self.refresh()

    @property
    def icon_name(self) -> str:
        return "key"

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label("Variables", "title"))
        self.pill = Pill("", "neutral")
        head.addWidget(self.pill)
        head.addStretch(1)
        head.addWidget(self._mark())
        column.addLayout(head)
        self.banner = Banner()
        column.addWidget(self.banner)
        column.addLayout(self._tools())
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Variables")
        self.tree.setHeaderLabels(list(_HEAD))
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        for number, width in enumerate((260, 260, 190)):
            self.tree.header().setSectionResizeMode(number, QHeaderView.ResizeMode.Interactive)
            self.tree.header().resizeSection(number, width)
        self.tree.itemActivated.connect(lambda *_: self.set_value())
        self.tree.currentItemChanged.connect(lambda *_: self._enable())
        TableTools(self.tree, extend=self._offer, field=self.filter)
        shortcut = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.tree)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.remove)
        column.addWidget(self.tree, 1)

    def _mark(self) -> QWidget:
        """What the project states of the environment: for everybody who has the project."""
        self.mark = QWidget()
        row = QHBoxLayout(self.mark)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.read_only = QCheckBox("Read-only: check and preview only")
        self.read_only.clicked.connect(self._choose_read_only)
        row.addWidget(self.read_only)
        self.colour = ComboBox()
        self.colour.setAccessibleName("Colour of the environment")
        for name in ROLES:
            self.colour.addItem(name, name)
        self.colour.activated.connect(lambda _: self._keep_mark())
        row.addWidget(self.colour)
        self.mark.setToolTip("Kept in the project file, for everybody who has the project")
        return self.mark

    def _tools(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.filter = QLineEdit()
        self.filter.setAccessibleName("Filter variables")
        self.filter.setPlaceholderText("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda _: self._show())
        row.addWidget(self.filter, 1)
        self.unset_only = QCheckBox("Unset only")
        self.unset_only.toggled.connect(lambda _: self._show())
        row.addWidget(self.unset_only)
        self.set_button = Button("Set…", "edit", action=self.set_value)
        self.remove_button = Button("Remove", "trash", action=self.remove)
        self.add_button = Button("Add variable…", "add", action=self.add)
        for button in (self.set_button, self.remove_button, self.add_button):
            row.addWidget(button)
        return row

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for the variables again when something that they depend on changed."""
        mark = self.session.environment
        self.pill.show_status(str(mark["name"]) if mark else "no environment",
                              PILLS[mark["colour"]] if mark else "neutral")  # fmt: skip
        self.mark.setVisible(mark is not None)
        if mark is not None:
            self.read_only.setChecked(mark["read_only"])
            self.colour.setCurrentIndex(self.colour.findData(mark["colour"]))
        snapshot = self.session.snapshot
        parts = ("variables", "sinks", "http_endpoints", "database_entries", "environment")
        asked = [snapshot.get(part) for part in parts]
        if asked != self._asked and self.session.is_open:
            self._asked = asked
            engine = self.session.engine
            engine.run(self.session.request("variables"), owner=self, title="Variables",
                       done=self._take)  # fmt: skip

    def _take(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self._show()
        if self._wanted:
            self.choose(self._wanted)

    def _show(self) -> None:
        chosen = (self.current or {}).get("name")
        self.tree.clear()
        text = self.filter.text().strip().lower()
        for row in sorted(self.rows, key=lambda row: (not row["unset"], row["name"])):
            item = self._item(row)
            words = " ".join(item.text(number) for number in range(len(_HEAD))).lower()
            if text in words and (row["unset"] or not self.unset_only.isChecked()):
                self.tree.addTopLevelItem(item)
                if row["name"] == chosen:
                    self.tree.setCurrentItem(item)
        first = self.tree.topLevelItem(0)
        if self.tree.currentItem() is None and first is not None:
            self.tree.setCurrentItem(first)
        unset = [row["name"] for row in self.rows if row["unset"]]
        if unset:
            many = "1 variable is" if len(unset) == 1 else f"{len(unset)} variables are"
            more = ", …" if len(unset) > 6 else ""
            self.banner.say("warning", f"{many} not set: {', '.join(unset[:6])}{more}")
        else:
            self.banner.hide()
        self._enable()

    def _item(self, row: dict[str, Any]) -> QTreeWidgetItem:
        value, origin = row["value"], row["origin"]
        if origin and row["secret"]:
            value = _HIDDEN
        elif not origin:
            value = row["default"]
            value = _HIDDEN if value and row["secret"] else value
            origin = "not set" if row["unset"] else "default in the file"
        if not row["uses"]:
            uses = "nothing"
        else:
            uses = ", ".join(dict.fromkeys(_use(use) for use in row["uses"]))
        origin = "your environment" if origin == "outside" else origin
        item = QTreeWidgetItem([row["name"], value or "", origin, uses])
        item.setData(0, Qt.ItemDataRole.UserRole, row)
        if row["unset"]:
            item.setIcon(0, icon("warning", "warning"))
        for number in (1, 3):
            item.setToolTip(number, item.text(number))
        return item

    @property
    def current(self) -> dict[str, Any] | None:
        """The chosen variable."""
        item = self.tree.currentItem()
        return item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None

    def choose(self, name: str) -> None:
        """Choose a variable of the list, as soon as it is there."""
        self._wanted = name if not self.rows else ""
        for item in self.tree.findItems(name, Qt.MatchFlag.MatchExactly):
            self.tree.setCurrentItem(item)

    def _enable(self) -> None:
        row = self.current
        self.set_button.setEnabled(row is not None)
        removable = row is not None and row["origin"] not in ("", "outside")
        self.remove_button.setEnabled(removable)

    def _offer(self, menu: QMenu) -> None:
        row = self.current
        if row is None:
            return
        menu.addAction("Set…", self.set_value)
        if self.remove_button.isEnabled():
            menu.addAction(f"Remove from {row['origin']}", self.remove)
        for use in row["uses"]:
            if use["kind"] in ("sink", "databases", "http_endpoints"):
                menu.addAction(f"Go to {_use(use)}",
                               partial(self.open_asked.emit, use["kind"], use["name"]))  # fmt: skip

    # --- changing ----------------------------------------------------------------------------

    def set_value(self) -> None:
        """Ask for the value of the chosen variable."""
        if self.current is not None:
            self._ask(self.current)

    def add(self) -> None:
        """Ask for a new variable."""
        self._ask(None)

    def _ask(self, row: dict[str, Any] | None) -> None:
        mark = self.session.environment
        dialog = VariableDialog(self, row, str(mark["name"]) if mark else None)
        if dialog.exec():
            where, shared = dialog.kept
            self.session.set_variable(dialog.name.text().strip(), dialog.value.text(), where,
                                      shared)  # fmt: skip
        dialog.deleteLater()

    def remove(self) -> None:
        """Take the chosen variable out of where it is set; ask first."""
        row = self.current
        if row is None or not self.remove_button.isEnabled():
            return
        from routestudio.ui import dialogs

        text = f"{row['name']} is removed from {row['origin']}. This cannot be undone."
        asked = asks("remove_variable")
        if not asked or dialogs.ask(self, "Remove variable", text, "Remove", danger=True):
            self.session.remove_variable(row["name"], row["origin"])

    def _choose_read_only(self, checked: bool) -> None:
        mark = self.session.environment
        if mark is None:
            return
        name = str(mark["name"])
        text = (f"Everybody who has the project could then deliver to {name} after a question that "
                "names it.")  # fmt: skip
        if not checked and not confirm_by_name(self, name, text, "Allow"):
            self.read_only.setChecked(True)
            return
        self._keep_mark()

    def _keep_mark(self) -> None:
        mark = self.session.environment
        if mark is not None:
            self.session.apply({"op": "mark_environment", "name": mark["name"],
                                "colour": self.colour.currentData(),
                                "read_only": self.read_only.isChecked()})  # fmt: skip


def _use(use: dict[str, Any]) -> str:
    field = f" ({use['field']})" if use["field"] else ""
    return f"{use['name']}{field}" if use["name"] else str(use["field"])
