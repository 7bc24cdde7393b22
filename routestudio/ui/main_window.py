"""The window: project tree, documents, and the panel below with check, run and log."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QSplitter,
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
from routestudio.ui.icons import icon
from routestudio.ui.panels.check import CheckPanel
from routestudio.ui.panels.lists import ArrivedPanel, LogPanel
from routestudio.ui.panels.problems import ProblemsPanel
from routestudio.ui.panels.run import RunPanel
from routestudio.ui.panels.tests import TestsPanel
from routestudio.ui.project_tree import ProjectTree
from routestudio.ui.recent import RecentMenu, settings
from routestudio.ui.runs import Runs
from routestudio.ui.session import Session
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import (
    Banner,
    Button,
    EmptyState,
    IconButton,
    IconLabel,
    Segments,
    StatusDot,
    label,
)
from routestudio.ui.widgets.toast import Toast

_DOTS = {"ready": "positive", "starting": "warning", "lost": "danger", "stopped": "muted"}


class MainWindow(QMainWindow):
    """One window with one project. `closed` is sent when it may end."""

    closed = Signal()

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.setWindowTitle("RouteStudio")
        self.setMinimumSize(980, 620)
        self.resize(1280, 800)
        self.setAcceptDrops(True)
        self.engine = engine
        self.session = Session(engine, self)
        self.action_table = Actions(self)
        self.action_table.build_menus(self.menuBar())
        self.recent = RecentMenu(self, self.action_table.menu("File"))
        self._may_close = False
        self._build()
        self.commands = Commands(self)
        self.commands.connect_all()
        self._connect()
        self.restore()

    # --- building ----------------------------------------------------------------------------

    def _build(self) -> None:
        root = QWidget()
        column = QVBoxLayout(root)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar())
        self.banner = Banner()
        column.addWidget(self.banner)
        self.runs = Runs(self.session)
        self.tree = ProjectTree(self.session, self.runs)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setMovable(True)
        self.tabs.setAccessibleName("Open documents")
        self.tabs.tabBar().setAccessibleName("Open documents")
        self.welcome = self._welcome()
        self.center = QStackedWidget()
        self.center.addWidget(self.welcome)
        self.center.addWidget(self.tabs)
        self.bottom = self._bottom()
        self.vertical = QSplitter(Qt.Orientation.Vertical)
        self.vertical.addWidget(self.center)
        self.vertical.addWidget(self.bottom)
        self.vertical.setStretchFactor(0, 1)
        self.vertical.setCollapsible(0, False)
        self.vertical.setSizes([640, 36])
        self.horizontal = QSplitter(Qt.Orientation.Horizontal)
        self.horizontal.addWidget(self.tree)
        self.horizontal.addWidget(self.vertical)
        self.horizontal.setStretchFactor(1, 1)
        self.horizontal.setCollapsible(1, False)
        self.horizontal.setSizes([236, 1044])
        column.addWidget(self.horizontal, 1)
        self.setCentralWidget(root)
        self.toast = Toast(root)

    def _bar(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("bar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(14, 7, 12, 7)
        row.setSpacing(8)
        row.addWidget(IconLabel("logo", 20, "accent"))
        row.addWidget(label("RouteStudio", "heading"))
        row.addStretch(1)
        row.addWidget(label("Deliver to", "muted"))
        self.where = Segments([("standin", "Stand-in"), ("real", "Real service")], "Deliver to")
        self.where.button("standin").setToolTip("A local service that RouteStudio starts")
        self.where.button("real").setToolTip("The service that the sink's configuration names")
        self.where.choose("standin")
        row.addWidget(self.where)
        self.check_button = Button("Check", "check")
        self.run_button = Button("Run", "run", kind="primary")
        self.export_button = Button("Export", "export")
        for button, name in ((self.check_button, "check"), (self.run_button, "run"),
                             (self.export_button, "export")):  # fmt: skip
            action = self.action_table.qaction(name)
            shortcut = action.shortcut().toString()
            button.setToolTip(f"{action.toolTip()} ({shortcut})")
            button.clicked.connect(action.trigger)
            button.setEnabled(action.isEnabled())
            action.changed.connect(lambda b=button, a=action: b.setEnabled(a.isEnabled()))
            row.addWidget(button)
        toggle = self.action_table.qaction("toggle_theme").trigger
        self.theme_button = IconButton("theme", "Light or dark (Ctrl+Shift+L)", toggle)
        row.addWidget(self.theme_button)
        self.dot = StatusDot("warning")
        self.engine_label = label("engine", "muted")
        row.addWidget(self.dot)
        row.addWidget(self.engine_label)
        return bar

    def _welcome(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.addStretch(2)
        state = EmptyState(
            "logo", "See where every row change will go, before it ships",
            "Open a project or a server's sequin.yaml, or look around in the demo: an online shop "
            "with three sinks on local stand-ins.",
        )  # fmt: skip
        column.addWidget(state)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for text, name, kind in (("Open the demo", "open_demo", "primary"),
                                 ("Open project…", "open_project", ""),
                                 ("New project…", "new_project", "")):  # fmt: skip
            buttons.addWidget(
                Button(text, kind=kind, action=self.action_table.qaction(name).trigger)
            )
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addStretch(3)
        return page

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
        self.log = LogPanel()
        for panel, text, name in (
            (self.problems, "Problems", "warning"), (self.run_panel, "Run", "run"),
            (self.check_panel, "Check", "check"), (self.tests, "Tests", "ok"),
            (self.arrived, "What arrived", "arrived"),
            (self.log, "Log", "log"),
        ):  # fmt: skip
            self.panels.addTab(panel, icon(name), text)
        fold = IconButton("chevron-down", "Fold or unfold this panel", self.toggle_bottom)
        self.panels.setCornerWidget(fold)
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
        self.problems.chosen.connect(self.commands.open_problem)
        self.problems.updated.connect(self.refresh)
        self.tree.open_asked.connect(self.commands.open)
        self.tree.add_asked.connect(lambda kind: self.commands.edits.add(kind))
        self.tree.action_asked.connect(lambda name: self.action_table.qaction(name).trigger())
        self.tree.selected.connect(self.refresh)
        theme().changed.connect(self._retint)
        self.tests.run_asked.connect(lambda: self.commands.bench.run_tests())
        self.tests.line_chosen.connect(lambda f, n: self.commands.bench.open_line(f, n))
        self.run_panel.after = self.commands.after_run

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

    def close_document(self, document: Document) -> None:
        """Close a tab; what was typed in it is kept in the project."""
        number = self.tabs.indexOf(document)
        if number < 0:
            return
        document.flush()
        self.tabs.removeTab(number)
        document.deleteLater()
        if not self.tabs.count():
            self.center.setCurrentIndex(0)
        self.refresh()

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
            sample=document is not None and document.kind == "sample",
            sink=sink,
            selection=selection is not None,
        )
        undo, redo = self.session.snapshot.get("undo"), self.session.snapshot.get("redo")
        self.action_table.qaction("undo").setText(f"Undo: {undo}" if undo else "Undo")
        self.action_table.qaction("redo").setText(f"Redo: {redo}" if redo else "Redo")
        name = self.session.snapshot.get("name", "")
        mark = "*" if self.session.dirty else ""
        self.setWindowTitle(f"{name}{mark} — RouteStudio" if name else "RouteStudio")
        count = self.problems.count
        self.panels.setTabText(0, f"Problems ({count})" if count else "Problems")

    def open_bottom(self, panel: QWidget | None = None, height: int = 250) -> None:
        """Unfold the panel below and show one of its tabs."""
        if panel is not None:
            self.panels.setCurrentWidget(panel)
        sizes = self.vertical.sizes()
        if sizes[1] < 120:
            self.vertical.setSizes([max(100, sum(sizes) - height), height])

    def toggle_bottom(self) -> None:
        """Fold or unfold the panel below."""
        sizes = self.vertical.sizes()
        if sizes[1] < 120:
            self.open_bottom()
        else:
            self.vertical.setSizes([sum(sizes) - 36, 36])

    def _opened(self) -> None:
        for document in self.documents():
            self.close_document(document)
        sinks = self.session.sinks()
        if sinks:
            self.commands.open("sink", sinks[0]["name"])
        self.refresh()
        self.recent.remember(self.session.path)

    def _offer_recovery(self, count: int, when: str) -> None:
        def done(take: bool) -> None:
            self.banner.hide()
            if take:
                self.session.recover()
            else:
                self.session.discard_recovery()

        edits = "1 edit" if count == 1 else f"{count} edits"
        self.banner.say(
            "warning", f"{edits} of {when} had not been saved when RouteStudio ended.",
            "Recover", lambda: done(True),
        )  # fmt: skip

    def _engine_status(self, status: str, text: str) -> None:
        self.dot.show_role(_DOTS.get(status, "muted"), text)
        self.engine_label.setText("engine" if status == "ready" else f"engine {status}")
        self.engine_label.setToolTip(text)
        self.log.add(text)
        if status == "lost":
            self.banner.say("error", text)

    def _engine_failed(self, title: str, text: str) -> None:
        self.log.add(f"{title}: {text}")
        self.toast.tell("error", text)

    def _retint(self) -> None:
        for number, name in enumerate(("warning", "run", "check", "ok", "arrived", "log")):
            self.panels.setTabIcon(number, icon(name))
        for number, document in enumerate(self.documents()):
            self.tabs.setTabIcon(number, icon(document.icon_name))

    # --- the window itself -------------------------------------------------------------------

    def restore(self) -> None:
        """Theme and size of the last time."""
        app = QApplication.instance()
        mode = settings().value("theme", "system")
        if isinstance(app, QApplication):
            theme().apply(app, mode if mode in ("light", "dark") else "system")
        size = settings().value("geometry")
        if size is not None:
            self.restoreGeometry(size)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            settings().setValue("geometry", self.saveGeometry())
            settings().setValue("theme", theme().tokens.name)
            event.accept()
            self.closed.emit()
            return
        event.ignore()
        self.commands.close_window()

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
                self.commands.drop(Path(url.toLocalFile()))
