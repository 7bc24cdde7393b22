"""What the actions of the window do."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QApplication

from routestudio.ui.commands_editor import EditorCommands
from routestudio.ui.commands_environment import EnvironmentCommands
from routestudio.ui.commands_find import FindCommands
from routestudio.ui.commands_help import HelpCommands
from routestudio.ui.commands_overview import OverviewCommands
from routestudio.ui.commands_places import Places
from routestudio.ui.commands_project import ProjectCommands
from routestudio.ui.commands_read_back import ReadBackCommands
from routestudio.ui.commands_results import ResultCommands
from routestudio.ui.commands_run import RunCommands
from routestudio.ui.commands_tables import TableCommands
from routestudio.ui.documents.base import Document
from routestudio.ui.reach import Reach
from routestudio.ui.theme import theme

if TYPE_CHECKING:
    from routestudio.ui.commands_bench import Bench
    from routestudio.ui.commands_edit import Edits
    from routestudio.ui.commands_samples import SampleCommands
    from routestudio.ui.commands_servers import Servers
    from routestudio.ui.documents.function import FunctionDocument
    from routestudio.ui.documents.sink import SinkDocument
    from routestudio.ui.documents.yaml import YamlDocument
    from routestudio.ui.main_window import MainWindow


class Commands:
    """Handlers of one window's actions."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._session = window.session
        self.project = ProjectCommands(window, self)
        self.runs = RunCommands(window)
        self.environments = EnvironmentCommands(window)
        self.tables = TableCommands(window, window.action_table)
        self.results = ResultCommands(window, window.session, window.action_table, window.tests,
                                      window.check_panel, window.run_panel)  # fmt: skip
        self.overview = OverviewCommands(self._reach())
        self.places = Places(self._reach(), window.problems)
        self.reading = ReadBackCommands(
            self._reach(), window.arrived, self.current_sink, self._sample_of, self.flush,
            self.runs.with_consent,
        )  # fmt: skip

    @cached_property
    def edits(self) -> Edits:
        """Changes of the tree. Loaded late, like documents: they bring all sink types along, and
        the window is painted before.
        """
        from routestudio.ui.commands_edit import Edits

        return Edits(self._window, self)

    @cached_property
    def bench(self) -> Bench:
        """The function workbench."""
        from routestudio.ui.commands_bench import Bench

        return Bench(self._window, self)

    @cached_property
    def samples(self) -> SampleCommands:
        """Sample sets and their messages."""
        from routestudio.ui.commands_samples import SampleCommands

        return SampleCommands(self._window)

    @cached_property
    def servers(self) -> Servers:
        """Servers' configurations."""
        from routestudio.ui.commands_servers import Servers

        return Servers(self._window)

    def connect_all(self) -> None:
        """Give every action of the table its handler."""
        window = self._window
        for name, handler in {
            "close_document": self.close_document, "undo": self.undo, "redo": self.redo,
            "rename": lambda: self.edits.rename(), "duplicate": lambda: self.edits.duplicate(),
            "delete": lambda: self.edits.delete(), "toggle_theme": self.toggle_theme,
            "next_document": lambda: self.step_document(1),
            "previous_document": lambda: self.step_document(-1),
            "focus_tree": window.tree.tree.setFocus, "focus_document": self.focus_document,
            "focus_bottom": self.focus_bottom,
            "toggle_panel": window.place.toggle,
            "maximise_panel": window.place.toggle_maximised, "turn_panel": window.place.turn,
            "show_problems": lambda: window.open_bottom(window.problems),
            "show_log": lambda: window.open_bottom(window.log),
            "add_sink": lambda: self.edits.add("sink"),
            "add_database": lambda: self.edits.add("databases"),
            "add_endpoint": lambda: self.edits.add("http_endpoints"),
            "add_function": lambda: self.edits.add("function"),
            "add_sample": lambda: self.edits.add("sample"),
            "paste_sample": lambda: self.edits.paste_sample(),
            "import_sample": lambda: self.samples.choose_file(),
            "sample_source": lambda: self.samples.choose_source(),
            "mark_key": lambda: self.samples.do("mark_key"),
            "name_types": lambda: self.samples.do("name_types"),
            "add_message": lambda: self.samples.do("add_message"),
            "duplicate_message": lambda: self.samples.do("duplicate_message"),
            "delete_message": lambda: self.samples.do("delete_message"),
            "paste_messages": lambda: self.samples.do("paste_messages"),
            "mask_columns": lambda: self.samples.do("mask_columns"),
            "message_form": lambda: self.samples.do("switch_view"),
            "check": self.check, "run": self.run, "cancel": self.cancel,
            "show_arrived": self.show_arrived, "run_tests": lambda: self.bench.run_tests(),
            "show_tests": lambda: self.bench.show_tests(), "pin_test": lambda: self.bench.pin(),
            "view_rows": lambda: self.bench.view("rows"),
            "view_destinations": lambda: self.bench.view("destinations"),
            "view_variants": lambda: self.bench.view("variants"),
            "compare": lambda: self.bench.compare(),
            "evaluate_all": lambda: self.bench.evaluate_all(),
            "copy_request": lambda: self.bench.copy_request(),
            "export_preview": lambda: self.bench.export_preview(),
            "insert_starter": self.insert_starter, "refresh_preview": self.refresh_preview,
        }.items():  # fmt: skip
            window.action_table.on(name, handler)
        self.project.connect_all()
        self.runs.connect_all()
        self.environments.connect_all()
        self.tables.connect_all()
        self.results.connect_all()
        self.overview.connect_all()
        self.places.connect_all()
        self.reading.connect_all()
        EditorCommands(window).connect_all()
        reach = self._reach()
        FindCommands(reach).connect_all()
        self.help = HelpCommands(reach)
        self.help.connect_all()

    def _reach(self) -> Reach:
        window = self._window
        return Reach(
            window, window.session, window.action_table, window.memory, window.tests, window.search,
            window.problems, window.document, self.open, self._go_to, self.environments.switch,
            window.open_bottom,
        )  # fmt: skip

    def _go_to(self, kind: str, name: str, line: int) -> None:
        self.places.problem(kind, name, line)

    def flush(self) -> None:
        """Send edits that are still being typed."""
        for document in self._window.documents():
            document.flush()

    def flush_texts(self) -> None:
        """Send whole texts that are being typed; a field is set by itself when it is finished."""
        for document in self._window.documents():
            if document.kind in ("function", "sample", "yaml"):
                document.flush()

    # --- documents ---------------------------------------------------------------------------

    def open(self, kind: str, name: str) -> None:
        """Open something of the project in front."""
        if kind == "run":
            self.runs.open(name)
            return
        if kind == "http_endpoints":
            self.edits.edit_endpoint(name)
            return
        for document in self._window.documents():
            if (document.kind, document.name) == (kind, name):
                self._window.tabs.setCurrentWidget(document)
                self._window.place.show_documents()
                return
        made = self._make(kind, name)
        if made is not None:
            self._window.show_document(made)
            self._window.tree.choose(kind, name)

    def _make(self, kind: str, name: str) -> Document | None:
        if kind == "sink" and (sink := self._session.sink(name)) is not None and sink.get("key"):
            from routestudio.ui.documents.sink import SinkDocument

            return SinkDocument(self._session, name)
        if kind == "function" and self._session.function(name) is not None:
            from routestudio.ui.documents.function import FunctionDocument

            return FunctionDocument(self._session, name)
        if kind == "databases" and name in self._session.databases():
            from routestudio.ui.documents.database import DatabaseDocument

            made = DatabaseDocument(self._session, name)
            made.rows_asked.connect(self.samples.add_source)
            made.check_asked.connect(self.check)
            return made
        if kind == "overview":
            return self.overview.make()
        if kind == "variables":
            from routestudio.ui.documents.variables import VariablesDocument

            return VariablesDocument(self._session, name)
        if kind == "yaml" and self._session.is_open:
            return self.places.yaml()
        if kind == "sample":
            from routestudio.ui.documents.sample import SampleDocument

            return SampleDocument(self._session, name)
        return None

    def close_document(self) -> None:
        """Close the document in front."""
        document = self._window.document()
        if document is not None:
            self._window.close_document(document)

    def step_document(self, step: int) -> None:
        """Go to the next or previous document."""
        tabs = self._window.tabs
        if tabs.count():
            tabs.setCurrentIndex((tabs.currentIndex() + step) % tabs.count())

    def focus_document(self) -> None:
        """Put the focus into the document in front, which comes back where the panel took over."""
        self._window.place.show_documents()
        document = self._text()
        if document is not None:
            document.editor.setFocus()
        elif self._window.document() is not None:
            self._window.tabs.setFocus()

    def focus_bottom(self) -> None:
        """Put the focus into the panel below."""
        self._window.open_bottom()
        self._window.panels.setFocus()

    def undo(self) -> None:
        """Undo in the editor while it has the focus and something to undo, else in the project."""
        document = self._text()
        if (
            document is not None
            and document.editor.hasFocus()
            and (document.editor.document().isUndoAvailable())
        ):
            document.editor.undo()
            return
        self.flush()
        self._session.undo()

    def redo(self) -> None:
        """The other way round."""
        document = self._text()
        if (
            document is not None
            and document.editor.hasFocus()
            and (document.editor.document().isRedoAvailable())
        ):
            document.editor.redo()
            return
        self._session.redo()

    # --- the editor --------------------------------------------------------------------------

    def _function(self) -> FunctionDocument | None:
        document = self._window.document()
        function = document is not None and document.kind == "function"
        return cast("FunctionDocument", document) if function else None

    def _text(self) -> FunctionDocument | YamlDocument | None:
        document = self._window.document()
        text = document is not None and document.kind in ("function", "yaml")
        return cast("FunctionDocument | YamlDocument", document) if text else None

    def _previewing(self) -> SinkDocument | FunctionDocument | None:
        document = self._window.document()
        shown = document is not None and document.kind in ("sink", "function")
        return cast("SinkDocument | FunctionDocument", document) if shown else None

    def insert_starter(self) -> None:
        """Insert the starter of the sink type."""
        if (document := self._function()) and document.starter.isVisible():
            document.insert_starter()

    def refresh_preview(self) -> None:
        """Preview again."""
        if document := self._previewing():
            document.preview.refresh()

    # --- check and run -----------------------------------------------------------------------

    def current_sink(self) -> str | None:
        """The sink that check and run are about: in front, or chosen, or of the function."""
        if function := self._function():
            chosen = function.sinks.currentData()
            return str(chosen) if chosen else None
        if sink := self._previewing():
            return sink.name
        selection = self._window.tree.selection
        return selection[1] if selection is not None and selection[0] == "sink" else None

    @property
    def standin(self) -> bool:
        """Whether check and run use a stand-in."""
        return self._window.bar.target == "standin"

    def check(self) -> None:
        """Check the current sink."""
        database = self.current_database()
        if database is not None:
            self.flush()

            def start_database() -> None:
                self._window.open_bottom(self._window.check_panel)
                self._window.check_panel.start_database(database)

            self.runs.with_consent_for(database, start_database)
            return
        sink = self.current_sink()
        if sink is not None:
            self.flush()
            standin = self.standin

            def start() -> None:
                self._window.open_bottom(self._window.check_panel)
                self._window.check_panel.start(sink, standin=standin)

            self.runs.with_consent(sink, standin, start)

    def current_database(self) -> str | None:
        """The database that is in front."""
        document = self._window.document()
        return document.name if document is not None and document.kind == "databases" else None

    def run(self) -> None:
        """Deliver the preview's samples by the current sink; ask before a real service."""
        sink = self.current_sink()
        samples = self._session.samples()
        if sink is None:
            return
        if not samples:
            self._session.notice.emit("info", "Add a sample set first: Run delivers its messages.")
            return
        name = self._sample_of(sink, [item["name"] for item in samples])
        total = next(item["rows"] for item in samples if item["name"] == name)
        text = f'Send {total:,} messages from sample "{name}" through {sink}'
        standin = self.standin
        confirmed = None if standin else self.environments.confirm(sink, text, "Send")
        if confirmed is None and not standin:
            return
        self.flush()

        def start() -> None:
            self.runs.show()
            panel = self._window.run_panel
            panel.start(sink, str(name), total, standin=standin, confirmed=confirmed)

        self.runs.with_consent(sink, standin, start)

    def _sample_of(self, sink: str, names: list[str]) -> str:
        """The sample set of the preview in front, or the one that a sink was last previewed on."""
        document = self._previewing()
        shown = document.preview.samples.currentData() if document is not None else None
        wanted = shown or self._session.last_samples.get(sink)
        return str(wanted) if wanted in names else names[0]

    def after_run(self) -> None:
        """Read back what arrived at the stand-in."""
        sink = self.current_sink()
        if sink is not None and self.standin:
            self._window.arrived.show_sink(sink)
        elif sink is not None:
            self._window.arrived.show_real(sink)
            self.reading.hint(sink)

    def cancel(self) -> None:
        """Cancel what runs."""
        self._window.run_panel.cancel()
        self._window.check_panel.cancel()

    def show_arrived(self) -> None:
        """Show what arrived at the stand-in of the current sink."""
        sink = self.current_sink()
        if sink is not None:
            if self.standin:
                self._window.arrived.show_sink(sink)
            else:
                self._window.arrived.show_real(sink)
            self._window.open_bottom(self._window.arrived)

    # --- the rest ----------------------------------------------------------------------------

    def toggle_theme(self) -> None:
        """Switch between light and dark."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme().toggle(app)
