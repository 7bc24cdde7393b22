"""The window: project tree, documents, and the panel below with check, run and log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QChildEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QTabBar,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from routestudio.ui.actions import Actions
from routestudio.ui.bridge import Engine
from routestudio.ui.commands import Commands
from routestudio.ui.documents.base import Document
from routestudio.ui.environment_bar import EnvironmentButton, EnvironmentStrip
from routestudio.ui.icons import icon
from routestudio.ui.memory import Memory
from routestudio.ui.panels.check import CheckPanel
from routestudio.ui.panels.lists import ArrivedPanel, LogPanel
from routestudio.ui.panels.problems import ProblemsPanel
from routestudio.ui.panels.run import RunPanel
from routestudio.ui.panels.search import SearchPanel
from routestudio.ui.panels.tests import TestsPanel
from routestudio.ui.place import FOLDED, PanelPlace
from routestudio.ui.preferences import looks
from routestudio.ui.project_tree import ProjectTree
from routestudio.ui.recent import RecentMenu
from routestudio.ui.runs import Runs, short_time
from routestudio.ui.session import Session
from routestudio.ui.settings import settings
from routestudio.ui.theme import theme
from routestudio.ui.top_bar import TopBar
from routestudio.ui.watcher import FileWatch
from routestudio.ui.welcome import WelcomePage
from routestudio.ui.widgets.basics import (
    Banner,
    IconButton,
)
from routestudio.ui.widgets.layout import PlainSplitter, fit, keep_low
from routestudio.ui.widgets.toast import Toast


class MainWindow(QMainWindow):
    """One window with one project. `closed` is sent when it may end."""

    closed = Signal()

    def __init__(self, engine: Engine) -> None:
        _dress()  # a window takes its font when it is made
        super().__init__()
        self.setWindowTitle("RouteStudio")
        self.setMinimumSize(760, 480)
        self.resize(1280, 800)
        self.setAcceptDrops(True)
        self.engine = engine
        self.session = Session(engine, self)
        self.memory = Memory(self.session)
        self.action_table = Actions(self)
        self.action_table.build_menus(self.menuBar())
        self.recent = RecentMenu(self, self.action_table.menu("File"),
                                 lambda path: self.commands.project.open(path))  # fmt: skip
        self._may_close = self._opening = False
        self._build()
        self.commands = Commands(self)
        self.commands.connect_all()
        self._connect()
        self.restore()
        self.refresh()

    # --- building ----------------------------------------------------------------------------

    def _build(self) -> None:
        root = QWidget()
        column = QVBoxLayout(root)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        environment = EnvironmentButton(self.session, self.action_table)
        environment.chosen.connect(lambda name: self.commands.environments.switch(name))
        self.bar = TopBar(self.action_table, environment)
        self.where, self.run_button = self.bar.where, self.bar.run_button
        column.addWidget(self.bar)
        self.strip = EnvironmentStrip(self.session)
        column.addWidget(self.strip)
        self.banner, self.outside = Banner(), Banner()
        column.addWidget(self.banner)
        column.addWidget(self.outside)
        self.runs = Runs(self.session)
        self.tree = ProjectTree(self.session, self.runs)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setMovable(True)
        self.tabs.setAccessibleName("Open documents")
        self.tabs.tabBar().setAccessibleName("Open documents")
        self.welcome = WelcomePage(self.action_table, lambda path: self.commands.project.open(path))
        self.center = QStackedWidget()
        self.center.addWidget(self.welcome)
        self.center.addWidget(self.tabs)
        self.bottom = self._bottom()
        self.vertical = PlainSplitter(Qt.Orientation.Vertical)
        self.vertical.addWidget(self.center)
        self.vertical.addWidget(self.bottom)
        self.vertical.setStretchFactor(0, 1)
        self.vertical.setCollapsible(0, False)
        self.vertical.setSizes([640, FOLDED])
        self.place = PanelPlace(self.vertical)
        self.horizontal = PlainSplitter(Qt.Orientation.Horizontal)
        self.horizontal.addWidget(self.tree)
        self.horizontal.addWidget(self.vertical)
        self.horizontal.setStretchFactor(1, 1)
        self.horizontal.setCollapsible(1, False)
        self.horizontal.setSizes([236, 1044])
        column.addWidget(self.horizontal, 1)
        self.setCentralWidget(root)
        self.toast = Toast(root)
        theme().dress(
            self.menuBar(), self.bar, self.strip, self.banner, self.outside, self.tree,
            self.welcome, self.tabs.tabBar(), self.bottom, self.toast,
        )  # fmt: skip

    def _bottom(self) -> QFrame:
        frame = QFrame()
        frame.setObjectName("bottom")
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        self.panels = QTabWidget()
        self.panels.setObjectName("bottomTabs")
        self.panels.tabBar().setAccessibleName("Panels below")
        self.panels.setDocumentMode(True)
        self.problems = ProblemsPanel(self.session)
        self.run_panel = RunPanel(self.session, self.runs)
        self.check_panel = CheckPanel(self.session)
        self.arrived = ArrivedPanel(self.session)
        self.tests = TestsPanel(self.session)
        self.search = SearchPanel(self.session)
        self.log = LogPanel()
        for panel, text, name in (
            (self.problems, "Problems", "warning"), (self.run_panel, "Run", "run"),
            (self.check_panel, "Check", "check"), (self.tests, "Tests", "ok"),
            (self.arrived, "What arrived", "arrived"),
            (self.search, "Search", "search"), (self.log, "Log", "log"),
        ):  # fmt: skip
            self.panels.addTab(panel, icon(name), text)
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 6, 0)
        row.setSpacing(2)
        for icon_name, tip, step in (
            (
                "maximise",
                "Maximise or restore this panel (Ctrl+Shift+J)",
                lambda: self.place.toggle_maximised(),
            ),
            (
                "panel-right",
                "Move this panel to the right or the bottom",
                lambda: self.place.turn(),
            ),
            ("chevron-down", "Fold or unfold this panel (Ctrl+J)", lambda: self.place.toggle()),
        ):
            row.addWidget(IconButton(icon_name, tip, step))
        self.panels.setCornerWidget(corner)
        self.panels.tabBar().setUsesScrollButtons(True)
        self.panels.tabBar().setElideMode(Qt.TextElideMode.ElideNone)
        self.panels.tabBarClicked.connect(lambda _: self.open_bottom())
        self.panels.setMinimumHeight(34)
        column.addWidget(self.panels)
        return frame

    def _connect(self) -> None:
        self.engine.status_changed.connect(self._engine_status)
        self.engine.log_line.connect(self.log.add)
        self.engine.failed.connect(self._engine_failed)
        self.session.notice.connect(self.toast.tell)
        self.session.opened.connect(self._opened)
        self.session.changed.connect(self.refresh)
        self.session.recoverable.connect(self._offer_recovery)
        self.tabs.currentChanged.connect(lambda _: self.refresh())
        self.tabs.currentChanged.connect(lambda _: self._visit())
        self.problems.chosen.connect(self.commands.places.problem)
        self.problems.updated.connect(self.refresh)
        self.tree.open_asked.connect(self.commands.open)
        self.tree.add_asked.connect(lambda kind: self.commands.edits.add(kind))
        self.tree.action_asked.connect(lambda name: self.action_table.qaction(name).trigger())
        self.tree.selected.connect(self.refresh)
        theme().changed.connect(self._retint)
        self.tests.run_asked.connect(lambda: self.commands.bench.run_tests())
        self.tests.open_asked.connect(self.commands.open)
        self.tests.edits.place_asked.connect(self.commands.places.problem)
        self.tests.line_chosen.connect(lambda f, n: self.commands.bench.open_line(f, n))
        self.run_panel.after = self.commands.after_run
        self.bar.target_chosen.connect(lambda _: self.refresh())
        self.watch = FileWatch(self.session)
        self.watch.looking.connect(self.commands.flush_texts)

    # --- documents ---------------------------------------------------------------------------

    def document(self) -> Document | None:
        """The document in front."""
        widget = self.tabs.currentWidget()
        return widget if isinstance(widget, Document) else None

    def documents(self) -> list[Document]:
        """All open documents."""
        widgets = [self.tabs.widget(i) for i in range(self.tabs.count())]
        return [item for item in widgets if isinstance(item, Document)]

    def show_document(self, document: Document) -> None:
        """Add a document as a tab in front."""
        document.open_asked.connect(self.commands.open)
        document.new_asked.connect(lambda kind, context: self.commands.edits.add_for(kind, context))
        document.gone.connect(lambda: self.close_document(document))
        number = self.tabs.addTab(document, icon(document.icon_name), document.name)
        close = IconButton("close", f"Close {document.name}", lambda: self.close_document(document))
        self.tabs.tabBar().setTabButton(number, QTabBar.ButtonPosition.RightSide, close)
        self.tabs.setCurrentIndex(number)
        self.center.setCurrentIndex(1)
        self.place.show_documents()
        self._remember()

    def close_document(self, document: Document) -> None:
        """Close a tab; what was typed in it is kept in the project."""
        number = self.tabs.indexOf(document)
        if number < 0:
            return
        document.flush()
        document.leave()
        self.tabs.removeTab(number)
        document.deleteLater()
        if not self.tabs.count():
            self.center.setCurrentIndex(0)
        self._remember()
        self.refresh()

    def _remember(self) -> None:
        """Keep which documents are open, for the next time that the project is."""
        if not self._opening:
            front = self.document()
            found = [(d.kind, d.name) for d in self.documents() if d is not front]
            self.memory.remember_documents(found + ([(front.kind, front.name)] if front else []))

    def _visit(self) -> None:
        """Keep that a document came to the front."""
        front = self.document()
        if front is not None and not self._opening:
            self.memory.visit(front.kind, front.name)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring title, actions and the problems' count up to date."""
        document = self.document()
        selection = self.tree.selection
        sink = self.commands.current_sink() is not None
        self.action_table.set_context(
            project=self.session.is_open,
            document=document is not None,
            function=document is not None and document.kind == "function",
            overview=document is not None and document.kind == "overview",
            zoom=document is not None and document.kind in ("function", "yaml", "overview"),
            text=document is not None and document.kind in ("function", "yaml"),
            sample=document is not None and document.kind == "sample",
            sink=sink,
            checkable=sink or self.commands.current_database() is not None,
            selection=selection is not None,
        )
        undo, redo = self.session.snapshot.get("undo"), self.session.snapshot.get("redo")
        own_undo, own_redo = document.steps() if document is not None else (False, False)
        self.action_table.set_context(undo=bool(undo) or own_undo, redo=bool(redo) or own_redo)
        self.action_table.qaction("undo").setText(f"Undo: {undo}" if undo else "Undo")
        self.action_table.qaction("redo").setText(f"Redo: {redo}" if redo else "Redo")
        name = self.session.snapshot.get("name", "")
        mark = "*" if self.session.dirty else ""
        self.setWindowTitle(f"{name}{mark} — RouteStudio" if name else "RouteStudio")
        name = self.commands.current_sink()
        shown = self.session.sink(name) if name else None
        self.bar.show_place(name, shown.get("target") if shown else None)
        if not self.session.dirty:
            self.outside.hide()
        if not self.tabs.count():
            project = str(self.session.snapshot.get("name", "")) or None
            self.welcome.show_state(project, self.recent.paths())
        count = self.problems.count
        self.panels.setTabText(0, f"Problems ({count})" if count else "Problems")

    def open_bottom(self, panel: QWidget | None = None, height: int = 250) -> None:
        """Unfold the panel, wherever it is, and show one of its tabs."""
        if panel is not None:
            self.panels.setCurrentWidget(panel)
        self.place.unfold(height)

    def show_conflicts(self, conflicts: list[dict[str, Any]]) -> None:
        """Show that another program changed files that have unsaved edits, or removed some."""

        def decide() -> None:
            self.outside.hide()
            self.commands.project.decide(conflicts, lambda: None)

        first = conflicts[0]
        more = f" (and {len(conflicts) - 1} more)" if len(conflicts) > 1 else ""
        edited = ", and you have unsaved edits in it" if first["edited"] else ""
        text = f"{first['path']}{more} was {first['state']} by another program{edited}."
        self.outside.say("warning", text, "Decide…", decide)

    def _opened(self) -> None:
        self.bar.choose_target("standin")
        self.outside.hide()
        self._opening = True
        for document in self.documents():
            self.close_document(document)
        for kind, name in self.memory.documents():
            self.commands.open(kind, name)
        self._opening = False
        sinks = self.session.sinks()
        if sinks and not self.tabs.count():
            self.commands.open("sink", sinks[0]["name"])
        self.refresh()
        self.recent.remember(self.session.path)

    def _offer_recovery(self, count: int, when: str) -> None:
        def done(step: Callable[[], object]) -> None:
            self.banner.hide()
            step()

        edits = "1 unsaved edit" if count == 1 else f"{count} unsaved edits"
        files = (self.session.snapshot.get("recoverable") or {}).get("files") or []
        where = (
            f" of {', '.join(files[:4])}{' and more' if len(files) > 4 else ''}" if files else ""
        )
        self.banner.say(
            "warning", f"RouteStudio closed with {edits}{where} ({short_time(when)}).",
            "Recover", lambda: done(self.session.recover),
            other=("Discard", lambda: done(self.session.discard_recovery)),
        )  # fmt: skip

    def _engine_status(self, status: str, text: str) -> None:
        self.bar.show_engine(status, text)
        self.log.add(text)
        if status == "lost":
            self.banner.say("error", text)

    def _engine_failed(self, title: str, text: str) -> None:
        self.log.add(f"{title}: {text}")
        self.toast.tell("error", text)

    def _retint(self) -> None:
        for number, name in enumerate(
            ("warning", "run", "check", "ok", "arrived", "search", "log")
        ):
            self.panels.setTabIcon(number, icon(name))
        for number, document in enumerate(self.documents()):
            self.tabs.setTabIcon(number, icon(document.icon_name))

    # --- the window itself -------------------------------------------------------------------

    def restore(self) -> None:
        """Take the size and place of the last time, on a screen that is still there."""
        kept = settings()
        size = kept.value("geometry")
        if size is not None:
            self.restoreGeometry(size)
        fit(self)
        for name, split in (("vertical", self.vertical), ("horizontal", self.horizontal)):
            state = kept.value(f"layout/{name}")
            if state is not None:
                split.restoreState(state)
        self.place.restored()

    def childEvent(self, event: QChildEvent) -> None:
        super().childEvent(event)
        if event.polished() and isinstance(dialog := event.child(), QDialog):  # one of Qt's
            theme().dress(dialog)
            keep_low(dialog)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            kept = settings()
            kept.setValue("geometry", self.saveGeometry())
            kept.setValue("theme", theme().mode)
            for name, split in (("vertical", self.vertical), ("horizontal", self.horizontal)):
                kept.setValue(f"layout/{name}", split.saveState())
            event.accept()
            self.closed.emit()
            return
        event.ignore()
        self.commands.project.close_window()

    def really_close(self) -> None:
        """Close without another question."""
        self._may_close = True
        self.close()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.commands.project.drop(Path(url.toLocalFile()))


def _dress() -> None:
    """Apply the theme of the last time."""
    app = QApplication.instance()
    found = looks()
    if isinstance(app, QApplication):
        theme().set_fonts(app, found.interface, found.code, ligatures=found.ligatures)
        theme().apply(app, found.mode)
