"""The tests panel: route tests with what differed, a click to accept it, and what they reach."""

from __future__ import annotations

import html
import json
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHeaderView,
    QMenu,
    QStackedWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.panels.test_edits import TestEdits
from routestudio.ui.session import Session
from routestudio.ui.theme import colour, theme
from routestudio.ui.widgets.basics import Banner, Button, EmptyState, Pill, label
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.html_page import page
from routestudio.ui.widgets.layout import Pair, column
from routestudio.ui.widgets.table_tools import TableTools
from routestudio.ui.widgets.tips import in_html

_RESULT = Qt.ItemDataRole.UserRole


class TestsPanel(QWidget):
    """Runs all route tests and shows them by file."""

    __test__ = False

    line_chosen = Signal(str, int)
    """Function and line of a branch that no test takes."""
    open_asked = Signal(str, str)
    """Kind and name of what a test is about."""
    run_asked = Signal()
    """The button was pressed: what is being typed is to be kept first."""
    finished = Signal(list)
    """All results of a run."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._job: Job | None = None
        self._again = False
        self._coverage: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        self._wanted: tuple[str, int, str | None] | None = None
        """File, index and variant of the test that is to be chosen after the next run."""
        self._build()
        theme().changed.connect(self._fill)
        session.opened.connect(self._forget)

    def _build(self) -> None:
        body = column(self)
        row = CompactBar()
        body.addWidget(row)
        row.add(label("Route tests", "heading"), yields=3)
        self.passed, self.failed = Pill(), Pill()
        for pill in (self.passed, self.failed):
            pill.hide()
            row.add(pill)
        self.reached = label("", "muted")
        row.add(self.reached, yields=4)
        row.row.addStretch(1)
        self.accept_button = Button("Accept new outcome", "ok", action=self.accept)
        self.accept_button.setToolTip("Let the selected test expect what it got")
        self.accept_button.setEnabled(False)
        row.add(self.accept_button, yields=1)
        self.run_button = Button("Run tests", "run", kind="primary", action=self.run_asked.emit)
        self.run_button.setToolTip("Run every route test of the project (Ctrl+T)")
        row.add(self.run_button)
        self.banner = Banner()
        body.addWidget(self.banner)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Route tests")
        self.list.setHeaderLabels(["Test", "Sink", "Result", "ms"])
        self.list.setUniformRowHeights(True)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(44)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number in (1, 2, 3):
            header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
        self.list.currentItemChanged.connect(lambda *_: self._show_selected())
        self.edits = TestEdits(self, self._session, self.chosen, self.start)
        TableTools(self.list, extend=self._offer)
        for keys, action in (
            ("F2", self.edits.rename), ("Del", self.edits.delete),
            ("Return", self.edits.edit), ("Ctrl+Return", self.edits.run),
        ):  # fmt: skip
            shortcut = QShortcut(QKeySequence(keys), self.list)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(action)
        self.detail = QTextBrowser()
        self.detail.setObjectName("plain")
        self.detail.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.detail.setAccessibleName("What the selected test expected and got")
        self.detail.setOpenLinks(False)
        self.detail.anchorClicked.connect(self._followed)
        split = Pair(self.list, self.detail, (560, 480))
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                "ok", "No route test has run yet",
                "Run the project's tests with Ctrl+T. To make one, select a row of a preview and "
                "pin it: its outcome becomes a test in tests/.",
            )
        )  # fmt: skip
        self._stack.addWidget(split)
        body.addWidget(self._stack, 1)

    # --- running -------------------------------------------------------------------------------

    def start(self, only: list[tuple[str, int]] | None = None) -> None:
        """Run all tests, or some; while any run, all afterwards, for what has changed since."""
        if self._job is not None and self._job.running:
            self._again = True
            return
        self._again = False
        self.banner.hide()
        self._coverage = [] if only is None else self._coverage
        self.run_button.setEnabled(False)

        def on_event(name: str, data: dict[str, Any]) -> None:
            if name == "coverage" and only is None:
                self._coverage = data["functions"]

        engine = self._session.engine
        self._job = engine.run(
            self._session.request("test", on_event=on_event, only=only), owner=self,
            title="Route tests", failed=self._failed,
            done=lambda results: self._done(self._merged(results) if only else results),
        )  # fmt: skip

    def choose(self, file: str, index: int, variant: str | None) -> None:
        """Choose a test, or the first of its variants; where none has run yet, run them first."""
        self._wanted = file, index, variant
        if self.results:
            self._fill()
        else:
            self.run_asked.emit()

    def accept(self) -> None:
        """Let the selected test expect what it got, and run all again."""
        result = self._selected()
        if result is None or result["ok"] or result["actual"] is None:
            return
        self._session.edit_tests(
            "accept", lambda _: self.start(), file=result["file"], index=result["index"],
            expect=result["actual"], variant=result["variant"],
        )  # fmt: skip

    def _offer(self, menu: QMenu) -> None:
        result = self._selected()
        if result is not None:
            menu.addAction("Open sink", lambda: self.open_asked.emit("sink", result["sink"]))
            if self.accept_button.isEnabled():
                menu.addAction("Accept new outcome", self.accept)
        self.edits.offer(menu)

    def chosen(self) -> list[dict[str, Any]]:
        """Results of the selected tests; those of a file where the file is selected."""
        found: list[dict[str, Any]] = []
        for item in self.list.selectedItems():
            items = [item, *(item.child(n) for n in range(item.childCount()))]
            results = (each.data(0, _RESULT) for each in items if each and not each.isHidden())
            found += [result for result in results if result is not None and result not in found]
        return found

    def _merged(self, some: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All results, those of some tests in the places of the old ones."""
        again = {(r["file"], r["index"], r["variant"]): r for r in some}
        return [again.get((r["file"], r["index"], r["variant"]), r) for r in self.results]

    def _done(self, results: list[dict[str, Any]]) -> None:
        self.run_button.setEnabled(True)
        self.results = results
        self._stack.setCurrentIndex(1 if results else 0)
        failed = sum(not item["ok"] for item in results)
        self.passed.show_status(f"{len(results) - failed:,} passed", "success")
        self.passed.setVisible(len(results) > failed)
        self.failed.show_status(f"{failed:,} failed", "error")
        self.failed.setVisible(bool(failed))
        branches = sum(item["branches"] for item in self._coverage)
        reached = sum(item["reached"] for item in self._coverage)
        self.reached.setText(f"{reached} of {branches} branches tested" if branches else "")
        self._fill()
        self.finished.emit(results)
        if self._again:
            self.start()

    def _failed(self, error: RouteStudioError) -> None:
        self.run_button.setEnabled(True)
        self.banner.say("error", str(error))
        if self._again:
            self.start()

    def _forget(self) -> None:
        self.results, self._coverage = [], []
        self.list.clear()
        self._stack.setCurrentIndex(0)
        for item in (self.passed, self.failed):
            item.hide()
        self.reached.setText("")
        self.banner.hide()

    # --- showing -------------------------------------------------------------------------------

    def _fill(self) -> None:
        chosen = self._selected()
        self.list.clear()
        again: QTreeWidgetItem | None = None
        first_failed: QTreeWidgetItem | None = None
        wanted: QTreeWidgetItem | None = None
        groups: dict[str, QTreeWidgetItem] = {}
        for result in self.results:
            group = groups.get(result["file"])
            if group is None:
                group = groups[result["file"]] = QTreeWidgetItem([result["file"]])
                self.list.addTopLevelItem(group)
            item = QTreeWidgetItem(
                [result["name"], result["sink"], "passed" if result["ok"] else "failed",
                 f"{result['ms']:.1f}"]
            )  # fmt: skip
            item.setForeground(2, QColor(colour("positive" if result["ok"] else "danger")))
            item.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(0, f"{result['file']}:{result['line']}")
            item.setData(0, _RESULT, result)
            group.addChild(item)
            if chosen and (result["file"], result["name"]) == (chosen["file"], chosen["name"]):
                again = item
            if wanted is None and _is(result, self._wanted):
                wanted = item
            if not result["ok"] and first_failed is None:
                first_failed = item
        self.list.expandAll()
        # What failed comes first; a test that was chosen and now passes makes room for the next.
        passes = again is None or again.data(0, _RESULT)["ok"]
        target = first_failed if passes and first_failed is not None else again
        target, self._wanted = wanted or target, None
        if target is not None:
            self.list.setCurrentItem(target)
        self._show_selected()

    def _selected(self) -> dict[str, Any] | None:
        item = self.list.currentItem()
        found: dict[str, Any] | None = item.data(0, _RESULT) if item is not None else None
        return found

    def _show_selected(self) -> None:
        result = self._selected()
        can = result is not None and not result["ok"] and result["actual"] is not None
        self.accept_button.setEnabled(can)
        self.detail.setHtml(page(_test(result) if result else _reach(self._coverage)))

    def _followed(self, link: QUrl) -> None:
        function, _, line = link.toString().partition("#")
        self.line_chosen.emit(QUrl.fromPercentEncoding(function.encode()), int(line))


def _is(result: dict[str, Any], wanted: tuple[str, int, str | None] | None) -> bool:
    """Whether a result is of the wanted test; without a variant, any of the test's."""
    return wanted is not None and (
        (result["file"], result["index"]) == wanted[:2] and wanted[2] in (None, result["variant"])
    )


def _test(result: dict[str, Any]) -> str:
    place = html.escape(f"{result['file']}:{result['line']}")
    head = f'<p><b>{html.escape(result["name"])}</b><br><span class="muted">{place}</span></p>'
    if result["ok"]:
        rows = "".join(
            f'<tr><td class="muted">{html.escape(key)}</td><td>{_show(value)}</td></tr>'
            for key, value in result["expect"].items()
        )
        return f'{head}<p class="good">✓ As expected</p><table>{rows}</table>'
    if not result["differences"]:
        texts = "".join(f'<p class="error">{in_html(t)}</p>' for t in result["failures"])
        return head + texts
    rows = "".join(
        f'<tr><td class="name">{html.escape(item["what"])}</td>'
        f'<td class="over">{_show(item["expected"])}</td>'
        f'<td class="error">{_show(item["got"])}</td></tr>'
        for item in result["differences"]
    )
    texts = "".join(
        f'<p class="error">{html.escape(item["text"])}</p>'
        for item in result["differences"]
        if item["what"] in ("error", "filtered")
    )
    return (
        f'{head}{texts}<table><tr><td></td><td class="muted">expected</td>'
        f'<td class="muted">got</td></tr>{rows}</table>'
    )


def _reach(coverage: list[dict[str, Any]]) -> str:
    if not coverage:
        return '<p class="muted">Select a test to see what it expects.</p>'
    parts = []
    for item in coverage:
        whole = item["reached"] == item["branches"]
        kind = "good" if whole else "warning"
        parts.append(
            f'<p><b>{html.escape(item["function"])}</b> <span class="{kind}">{item["reached"]} of '
            f"{item['branches']} branches</span></p>"
        )
        name = bytes(QUrl.toPercentEncoding(item["function"]).data()).decode()
        missing = [
            f'<a href="{name}#{point["line"]}">line {point["line"]}</a>: '
            f"<code>{html.escape(point['kind'])}</code> is never taken"
            for point in item["points"]
            if not point["taken"]
        ]
        parts += [f"<p>{text}</p>" for text in missing]
    return "".join(parts)


def _show(value: Any) -> str:
    if value is None:
        return '<span class="muted">none</span>'
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return html.escape(text).replace("  ", "&nbsp;&nbsp;").replace("\n", "<br>")
