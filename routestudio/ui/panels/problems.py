"""Problems of the project: those of its snapshot at once, those of `lint` a moment later."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtWidgets import (
    QHeaderView,
    QMenu,
    QStackedWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from routestudio.api.checks import Finding
from routestudio.errors import RouteStudioError
from routestudio.model.function import Diagnostic
from routestudio.model.project import SHARED_KEYS
from routestudio.ui.icons import icon
from routestudio.ui.session import Session
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import EmptyState
from routestudio.ui.widgets.html_page import page
from routestudio.ui.widgets.layout import Pair
from routestudio.ui.widgets.table_tools import TableTools
from routestudio.ui.widgets.tips import in_html, in_words, rich_tip

LINT_MS = 700
"""Milliseconds without a change after which the project is linted."""

_UNRELATED = frozenset({
    "dirty", "undo", "redo", "recoverable", "recovered", "journal_problem", "conflicts", "taken",
    "test", "written",
})  # fmt: skip
"""Parts of a snapshot that no problem depends on."""

_WRITE = re.compile(r"`(\w+): ([\w.-]+)`")
_SHARED = frozenset(key.name for key in SHARED_KEYS)
"""Keys that stand in a sink itself, and not under its destination."""

_ICONS = {"error": ("error", "danger"), "warning": ("warning", "warning")}
Target = tuple[str, str, int]


@dataclass(slots=True)
class _Row:
    """One line of the list. `code` and `title` name the hazard that the problem is."""

    severity: str
    text: str
    place: str
    hint: str
    target: Target
    code: str = ""
    title: str = ""
    sink: str = ""

    @property
    def yaml_line(self) -> int:
        """The line of the project file that it is about; 0 without one."""
        name, _, line = self.place.rpartition(":")
        known = name.endswith((".yaml", ".yml")) and "/" not in name
        return int(line) if known and line.isdecimal() else 0


class ProblemsPanel(QWidget):
    """Problems of the file, sinks, functions and samples; a double click goes there."""

    chosen = Signal(str, str, int)
    """Kind (`sink`, `function`, `sample`, `http_endpoints` or `file`), name and line."""
    hazard_asked = Signal(str)
    """The id of a hazard whose entry is to be shown."""
    updated = Signal()
    """The list has changed by itself, after a lint."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._findings: Sequence[Finding] = ()
        self._known: dict[str, Any] | None = None
        """What was linted last, or is about to be."""
        self._running = self._again = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LINT_MS)
        self._timer.timeout.connect(self._lint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Problems")
        self.tree.setHeaderLabels(["Problem", "Where", "What to do", "Hazard"])
        self.tree.setRootIsDecorated(False)
        header = self.tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        for number, width in enumerate((520, 190, 300, 90)):
            header.resizeSection(number, width)
        header.moveSection(3, 1)
        self.tree.itemActivated.connect(self._open)
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState("ok", "No problems", "The project can be used as it is."))
        self.detail = QTextBrowser()
        self.detail.setObjectName("plain")
        self.detail.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.detail.setAccessibleName("The selected problem in full")
        self.detail.setOpenLinks(False)
        self.detail.anchorClicked.connect(self._followed)
        self.tree.currentItemChanged.connect(lambda *_: self._show_detail())
        self.tree.setUniformRowHeights(True)
        TableTools(self.tree, extend=self._offer)
        split = Pair(self.tree, self.detail, (760, 340))
        split.turned.connect(lambda below: header.resizeSection(0, 340 if below else 520))
        self._stack.addWidget(split)
        column.addWidget(self._stack)
        session.changed.connect(self.refresh)
        session.opened.connect(self._opened)
        session.database_seen.connect(self._lint_again)
        theme().changed.connect(self._show)

    @property
    def count(self) -> int:
        """How many problems are shown."""
        return self.tree.topLevelItemCount()

    def found_in(self, file: str) -> list[Diagnostic]:
        """The problems at lines of a file."""
        found = []
        for row in self._rows():
            name, _, line = row.place.rpartition(":")
            if name == file and line.isdecimal():
                found.append(Diagnostic(int(line), 1, row.code, row.text, severity=row.severity,
                                        hint=row.hint or None))  # fmt: skip
        return found

    def refresh(self) -> None:
        """Show the problems of the snapshot, and lint when nothing changes any more."""
        self._show()
        snapshot = self._session.snapshot
        now = {key: value for key, value in snapshot.items() if key not in _UNRELATED}
        if self._session.is_open and now != self._known:
            self._known = now
            self._timer.start()

    def _lint_again(self) -> None:
        self._known = None
        self.refresh()

    def _opened(self) -> None:
        self._findings = ()
        self._lint_again()

    # --- linting -----------------------------------------------------------------------------

    def _lint(self) -> None:
        if self._running:
            # A request is never cancelled: that would end the worker that previews need.
            self._again = True
            return
        if not self._session.is_open:
            return
        self._running = True
        engine = self._session.engine
        engine.run(
            self._session.api.checks.lint(), owner=self, title="Lint", done=self._linted,
            failed=self._failed, ended=self._ended,
        )  # fmt: skip

    def _linted(self, findings: Sequence[Finding]) -> None:
        if self._again:
            return
        self._findings = findings
        self._show()
        self.updated.emit()

    def _failed(self, _: RouteStudioError) -> None:
        """What the engine lost is reported elsewhere; the list then holds the snapshot's
        problems."""
        self._known = None

    def _ended(self) -> None:
        self._running = False
        if self._again:
            self._again = False
            self._timer.start()

    # --- the list ----------------------------------------------------------------------------

    def _show(self) -> None:
        current = self.tree.currentItem()
        chosen = -1 if current is None else self.tree.indexOfTopLevelItem(current)
        self.tree.clear()
        for row in self._rows():
            self._add(row)
        again = self.tree.topLevelItem(chosen)
        again = again or self.tree.topLevelItem(0)
        if again is not None:
            self.tree.setCurrentItem(again)
        self._stack.setCurrentIndex(1 if self.count else 0)

    def _rows(self) -> list[_Row]:
        """Rows of the snapshot, with the names that lint gives them, and what only lint finds."""
        rows: list[_Row] = []
        by_place: dict[tuple[Any, ...], _Row] = {}
        for problem in self._session.snapshot.get("problems", ()):
            file, line = problem["file"] or "", problem["line"]
            place = f"{file}:{line}" if line else ""
            rows.append(_Row(problem["severity"], problem["message"], place,
                             problem["hint"] or "",
                             _target(problem["path"], file, line or 1)))  # fmt: skip
            by_place[file, line, problem["message"]] = rows[-1]
        for sink in self._session.sinks():
            name = sink["name"]
            for problem in sink.get("field_problems", ()):
                severity = "warning" if problem.get("unset") else "error"
                rows.append(_Row(severity, f"{problem['field']}: {problem['message']}", name,
                                 problem["hint"] or "", ("sink", name, 1)))  # fmt: skip
                by_place[name, problem["field"]] = rows[-1]
            for key in sink.get("ignored") or {}:
                rows.append(_Row("note", f"{key} is set, and not used because a function does the "
                                 "routing", name, "remove it, or route without a function",
                                 ("sink", name, 1)))  # fmt: skip
                by_place[name, key] = rows[-1]
        yaml = self._session.snapshot.get("file", "").replace("\\", "/").rsplit("/", 1)[-1]
        for found in self._findings:
            known = by_place.get((found.file, found.line, found.message))
            if known is None and found.file == yaml:
                known = by_place.get((found.sink, found.field))
            if known is None:
                known = self._row(found, yaml)
                rows.append(known)
            if found.title:
                known.code, known.title = found.code, found.title
        return rows

    def _row(self, found: Finding, yaml: str) -> _Row:
        file, line = found.file or "", found.line or 1
        target: Target = ("file", file, line)
        if file.startswith("samples/"):
            name = file.removeprefix("samples/")
            target = ("sample", name.rsplit(".", 1)[0], line)
        elif file in ("", yaml) and found.sink:
            target = ("sink", found.sink, 1)
        place = f"{file}:{found.line}" if found.line else file
        return _Row(found.severity, found.message, place, found.hint or "", target,
                    sink=found.sink or "")  # fmt: skip

    def _add(self, row: _Row) -> None:
        line, hint = (in_words(" ".join(text.split())) for text in (row.text, row.hint))
        item = QTreeWidgetItem([line, row.place, hint, row.code])
        item.setData(1, Qt.ItemDataRole.UserRole, row)
        item.setIcon(0, icon(*_ICONS.get(row.severity, ("info", "muted"))))
        hazard = f"<b>{row.code}</b> {html.escape(row.title)}<br>" if row.title else ""
        for number in range(4):
            text = row.title if number == 3 else item.text(number)
            if text:
                head = hazard if number != 3 else f"<b>{row.code}</b> "
                item.setToolTip(number, rich_tip(f"<p>{head}{html.escape(text)}</p>"))
        item.setData(0, Qt.ItemDataRole.UserRole, row.target)
        self.tree.addTopLevelItem(item)

    def _row_of(self, item: QTreeWidgetItem | None) -> _Row | None:
        found = item.data(1, Qt.ItemDataRole.UserRole) if item is not None else None
        return found if isinstance(found, _Row) else None

    def _show_detail(self) -> None:
        row = self._row_of(self.tree.currentItem())
        if row is None:
            self.detail.clear()
            return
        text = in_html(row.text).replace("\n", "<br>")
        parts = [f"<p><b>{text}</b></p>"]
        parts += [f'<p class="muted">{html.escape(row.place)}</p>'] if row.place else []
        parts += [f"<p>{in_html(row.hint)}</p>"] if row.hint else []
        link = f'<a href="#hazard:{row.code}">{row.code}</a>'
        parts += [f"<p>{link} {html.escape(row.title)}</p>"] if row.title else []
        parts += [f'<p><a href="#{key}">{html.escape(text)}</a></p>'
                  for key, text in self._ways(row).items()]  # fmt: skip
        self.detail.setHtml(page("".join(parts)))

    def _offer(self, menu: QMenu) -> None:
        item = self.tree.currentItem()
        row = self._row_of(item)
        if item is not None and row is not None:
            menu.addAction("Go to", lambda: self._open(item))
            for way, text in self._ways(row).items():
                menu.addAction(text, partial(self._go, row, way))
            if row.title:
                menu.addAction(f"About {row.code}", partial(self.hazard_asked.emit, row.code))

    def _ways(self, row: _Row) -> dict[str, str]:
        """What can be done about a problem at once, by the name of a link."""
        found = hinted(row.hint) if row.sink else []
        ways = {
            f"write:{number}": f"Write {key}: {_written(value)}"
            for number, (key, value) in enumerate(found)
        }
        return ways | ({"yaml": f"Show line {row.yaml_line} as text"} if row.yaml_line else {})

    def _followed(self, link: QUrl) -> None:
        row = self._row_of(self.tree.currentItem())
        if row is not None:
            self._go(row, link.toString().removeprefix("#"))

    def _go(self, row: _Row, way: str) -> None:
        if way == "yaml":
            self.chosen.emit("file", row.place.rpartition(":")[0], row.yaml_line)
            return
        if way.startswith("hazard:"):
            self.hazard_asked.emit(way.removeprefix("hazard:"))
            return
        key, value = hinted(row.hint)[int(way.partition(":")[2])]
        inner = () if key in _SHARED else ("destination",)
        self._session.set_value(["sinks", row.sink, *inner, key], value)

    def _open(self, item: QTreeWidgetItem) -> None:
        kind, name, line = item.data(0, Qt.ItemDataRole.UserRole)
        self.chosen.emit(kind, name, line)


def hinted(hint: str) -> list[tuple[str, Any]]:
    """Keys of a sink and their values that a hint names as what to write."""
    if not hint.startswith("write "):
        return []
    return [(key, _value(text)) for key, text in _WRITE.findall(hint)]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _target(path: list[str], file: str, line: int) -> Target:
    """Where a problem of the project file is edited: its sink, function or endpoint."""
    kinds = {"sinks": "sink", "functions": "function", "transforms": "function",
             "http_endpoints": "http_endpoints"}  # fmt: skip
    if len(path) >= 2 and path[0] in kinds:
        return kinds[path[0]], path[1], line
    return "file", file, line
