"""The project as a tree: sinks, functions, samples, endpoints."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QBrush, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QTreeWidget, QTreeWidgetItem, QVBoxLayout

from routestudio.ui import runs as past
from routestudio.ui.icons import icon
from routestudio.ui.session import Session
from routestudio.ui.theme import colour, theme
from routestudio.ui.widgets.basics import ElidedLabel, IconButton

_GROUPS = (("sink", "Sinks"), ("function", "Functions"), ("sample", "Samples"),
           ("databases", "Databases"), ("http_endpoints", "HTTP endpoints"),
           ("run", "Runs"))  # fmt: skip
_ONLY_FILLED = ("databases", "http_endpoints", "run")


class ProjectTree(QFrame):
    """Shows what the project has; sends what a person wants to open, add or change."""

    open_asked = Signal(str, str)
    add_asked = Signal(str)
    action_asked = Signal(str)
    selected = Signal()

    def __init__(self, session: Session, runs: past.Runs) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setMinimumWidth(170)
        self._session = session
        self._runs = runs
        self._groups: dict[str, QTreeWidgetItem] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(14, 10, 8, 6)
        self.title = ElidedLabel("No project", "heading")
        head.addWidget(self.title, 1)
        head.addWidget(IconButton("add", "Add to the project", self._add_menu))
        column.addLayout(head)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Project")
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(14)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._menu)
        self.tree.itemActivated.connect(self._open)
        self.tree.itemClicked.connect(self._open)
        self.tree.currentItemChanged.connect(lambda *_: self.selected.emit())
        column.addWidget(self.tree, 1)
        for key, text in _GROUPS:
            item = QTreeWidgetItem([text])
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsSelectable)
            self.tree.addTopLevelItem(item)
            item.setExpanded(True)
            self._groups[key] = item
        self._file = QTreeWidgetItem()
        self._file.setToolTip(0, "The project file as text")
        self.tree.addTopLevelItem(self._file)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.tree)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(lambda: self.action_asked.emit("delete"))
        session.changed.connect(self.refresh)
        session.opened.connect(self.refresh)
        runs.changed.connect(self.refresh)
        theme().changed.connect(self.refresh)
        self.refresh()

    @property
    def selection(self) -> tuple[str, str] | None:
        """Kind and name of the chosen item."""
        item = self.tree.currentItem()
        data = item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None
        return (data[0], data[1]) if data and data[0] != "yaml" else None

    def choose(self, kind: str, name: str) -> None:
        """Choose an item without opening it."""
        group = self._groups.get(kind)
        for number in range(group.childCount() if group is not None else 0):
            assert group is not None
            child = group.child(number)
            if child is not None and child.data(0, Qt.ItemDataRole.UserRole)[1] == name:
                self.tree.blockSignals(True)
                self.tree.setCurrentItem(child)
                self.tree.blockSignals(False)
                self.selected.emit()

    def refresh(self) -> None:
        """Show the snapshot."""
        chosen = self.selection
        snapshot = self._session.snapshot
        dirty = " •" if snapshot.get("dirty") else ""
        self.title.show_text(f"{snapshot.get('name', 'No project')}{dirty}")
        self.tree.blockSignals(True)
        file = Path(str(snapshot.get("file", ""))).name
        self._file.setText(0, file)
        self._file.setIcon(0, icon("yaml", "muted"))
        self._file.setData(0, Qt.ItemDataRole.UserRole, ("yaml", file))
        self._file.setHidden(not snapshot)
        for key, rows in self._rows().items():
            group = self._groups[key]
            group.takeChildren()
            group.setForeground(0, QBrush(colour("muted")))
            group.setHidden(not snapshot or (key in _ONLY_FILLED and not rows))
            for name, text, picture, role, tip in rows:
                child = QTreeWidgetItem([text])
                child.setData(0, Qt.ItemDataRole.UserRole, (key, name))
                child.setIcon(0, icon(picture, role))
                child.setToolTip(0, tip)
                if role == "danger":
                    child.setForeground(0, QBrush(colour("danger")))
                group.addChild(child)
                if chosen == (key, name):
                    self.tree.setCurrentItem(child)
        self.tree.blockSignals(False)

    def _rows(self) -> dict[str, list[tuple[str, str, str, str, str]]]:
        session = self._session
        rows: dict[str, list[tuple[str, str, str, str, str]]] = {key: [] for key, _ in _GROUPS}
        if session.is_open:
            from routestudio.derive import catalog  # late: it brings all sink types along
        for sink in session.sinks():
            mode = "ƒ" if sink.get("routing") else "="
            problems = sink.get("field_problems") or []
            wrong = [problem for problem in problems if not problem.get("unset")]
            role = "danger" if wrong else "warning" if problems else "accent"
            tip = "; ".join(f"{p['field']}: {p['message']}" for p in problems)
            if not tip and sink.get("key"):
                tip = catalog.card_text(sink["key"], sink["destination"], sink.get("routing"))
            rows["sink"].append((sink["name"], f"{sink['name']}  {mode}",
                                 catalog.icon_name(sink.get("key")), role, tip))  # fmt: skip
        for function in session.functions():
            picture = "filter" if function["kind"] == "filter" else "function"
            rows["function"].append(
                (
                    function["name"],
                    function["name"],
                    picture,
                    "function",
                    f"{function['kind']} function in {function['language']}",
                )
            )
        for sample in session.samples():
            text = f"{sample['name']}  {sample['rows']:,}"
            rows["sample"].append((sample["name"], text, "sample", "muted",
                                   f"{sample['rows']:,} messages"))  # fmt: skip
        for name, entry in session.databases().items():
            where = f"PostgreSQL at {entry.get('hostname') or 'the address of its url'}"
            rows["databases"].append((name, name, "database", "muted", where))
        for name in session.endpoints():
            rows["http_endpoints"].append((name, name, "http", "muted", "HTTP endpoint"))
        for run in self._runs.items[: past.SHOWN] if session.is_open else ():
            rows["run"].append((run.id, past.short(run), *past.picture(run), past.tip(run)))
        return rows

    def _check_opened(self, item: QTreeWidgetItem) -> None:
        self._open(item)
        self.action_asked.emit("check")

    def _open(self, item: QTreeWidgetItem, column: int = 0) -> None:
        data: Any = item.data(0, Qt.ItemDataRole.UserRole)
        if data:
            self.open_asked.emit(data[0], data[1])

    def _add_menu(self) -> None:
        menu = QMenu(self)
        for key, text in (("sink", "Sink…"), ("function", "Function…"), ("sample", "Sample set…"),
                          ("databases", "Database…"),
                          ("http_endpoints", "HTTP endpoint…")):  # fmt: skip
            menu.addAction(text, partial(self.add_asked.emit, key))
        menu.setEnabled(self._session.is_open)
        menu.exec(self.mapToGlobal(QPoint(self.width() - 150, 38)))

    def _menu(self, place: QPoint) -> None:
        item = self.tree.itemAt(place)
        if item is None or not item.data(0, Qt.ItemDataRole.UserRole):
            return
        self.tree.setCurrentItem(item)
        kind = item.data(0, Qt.ItemDataRole.UserRole)[0]
        menu = QMenu(self)
        menu.addAction("Open", lambda: self._open(item))
        if kind == "databases":
            menu.addAction(icon("check"), "Check", lambda: self._check_opened(item))
        if kind == "sink":
            menu.addAction(icon("check"), "Check", lambda: self.action_asked.emit("check"))
            menu.addAction(icon("run"), "Run", lambda: self.action_asked.emit("run"))
        if kind == "run":
            menu.addAction("Delete", lambda: self.action_asked.emit("delete"))
            menu.exec(self.tree.viewport().mapToGlobal(place))
            return
        if kind == "yaml":
            menu.exec(self.tree.viewport().mapToGlobal(place))
            return
        menu.addSeparator()
        menu.addAction("Rename…", lambda: self.action_asked.emit("rename"))
        menu.addAction("Duplicate…", lambda: self.action_asked.emit("duplicate"))
        menu.addAction("Delete", lambda: self.action_asked.emit("delete"))
        menu.exec(self.tree.viewport().mapToGlobal(place))
