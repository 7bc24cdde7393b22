"""What the actions of the window do."""

from __future__ import annotations

import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from routestudio import __version__
from routestudio.errors import RouteStudioError
from routestudio.paths import resources
from routestudio.ui.actions import shortcut_list
from routestudio.ui.commands_editor import EditorCommands
from routestudio.ui.commands_run import RunCommands
from routestudio.ui.documents.base import Document
from routestudio.ui.theme import theme

if TYPE_CHECKING:
    from routestudio.ui.commands_bench import Bench
    from routestudio.ui.commands_edit import Edits
    from routestudio.ui.commands_samples import SampleCommands
    from routestudio.ui.commands_servers import Servers
    from routestudio.ui.documents.function import FunctionDocument
    from routestudio.ui.documents.sample import SampleDocument
    from routestudio.ui.documents.sink import SinkDocument
    from routestudio.ui.main_window import MainWindow


class Commands:
    """Handlers of one window's actions."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._session = window.session
        self._demo: Path | None = None
        self.runs = RunCommands(window)

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
            "new_project": self.new_project, "open_project": self.open_project,
            "open_demo": self.open_demo, "save": self.save, "import": self.import_file,
            "open_file": lambda: self.servers.open_file(), "plan": lambda: self.servers.plan(),
            "export": self.export, "close_document": self.close_document, "quit": window.close,
            "undo": self.undo, "redo": self.redo, "find": self.find, "comment": self.comment,
            "next_problem": self.next_problem, "rename": lambda: self.edits.rename(),
            "duplicate": lambda: self.edits.duplicate(),
            "delete": lambda: self.edits.delete(), "palette": self.palette,
            "toggle_theme": self.toggle_theme, "zoom_in": lambda: self.zoom(1),
            "zoom_out": lambda: self.zoom(-1), "next_document": lambda: self.step_document(1),
            "previous_document": lambda: self.step_document(-1),
            "overview": lambda: self.open("overview", "Overview"),
            "focus_tree": window.tree.tree.setFocus, "focus_document": self.focus_document,
            "focus_bottom": self.focus_bottom,
            "show_problems": lambda: window.open_bottom(window.problems),
            "show_log": lambda: window.open_bottom(window.log),
            "add_sink": lambda: self.edits.add("sink"),
            "add_endpoint": lambda: self.edits.add("http_endpoints"),
            "add_function": lambda: self.edits.add("function"),
            "add_sample": lambda: self.edits.add("sample"),
            "paste_sample": lambda: self.edits.paste_sample(),
            "import_sample": lambda: self.samples.choose_file(),
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
            "insert_starter": self.insert_starter, "refresh_preview": self.refresh_preview,
            "shortcuts": self.shortcuts, "about": self.about,
        }.items():  # fmt: skip
            window.action_table.on(name, handler)
        self.runs.connect_all()
        EditorCommands(window).connect_all()

    # --- projects ----------------------------------------------------------------------------

    def new_project(self) -> None:
        """Ask for folder and type, create and open."""
        from routestudio.ui import dialogs

        dialog = dialogs.NewProjectDialog(self._window)
        if dialog.exec():
            self._session.create(Path(dialog.folder.text()), str(dialog.type.currentData()))

    def open_project(self) -> None:
        """Ask for a folder and open it."""
        found = QFileDialog.getExistingDirectory(self._window, "Open project")
        if found:
            self._session.open(Path(found))

    def open_demo(self) -> None:
        """Copy the demo project to a folder of its own and open it."""
        folder = Path(tempfile.mkdtemp(prefix="routestudio-demo-")) / "shop"
        shutil.copytree(resources() / "demo", folder)
        self._demo = folder.parent
        self._session.open(folder)

    def save(self) -> None:
        """Save everything, with what is still being typed."""
        self.flush()
        self._session.save(lambda: self._session.notice.emit("success", "Saved"))

    def flush(self) -> None:
        """Send edits that are still being typed."""
        for document in self._window.documents():
            document.flush()

    def import_file(self) -> None:
        """Make a project from a server's file and open it."""
        source, _ = QFileDialog.getOpenFileName(
            self._window, "Import a server's configuration", "", "YAML (*.yaml *.yml)"
        )
        if not source:
            return
        output = QFileDialog.getExistingDirectory(self._window, "Empty folder for the project")
        if output:
            self.import_to(source, output)

    def import_to(self, source: str, output: str) -> None:
        """Import and open, given both paths."""
        engine = self._session.engine
        engine.run(
            engine.request("import", source=source, output=output),
            owner=self._window, title="Import",
            done=lambda found: self.servers.imported(Path(output), found["imported"]),
        )  # fmt: skip

    def export(self) -> None:
        """Ask for whom and where to, and export."""
        from routestudio.ui import dialogs

        dialog = dialogs.ExportDialog(self._window, Path(self._session.snapshot["root"]))
        if dialog.exec():
            self.export_to(str(dialog.target.currentData()), dialog.output.text())

    def export_to(self, target: str, output: str) -> None:
        """Export, given target and path."""
        engine = self._session.engine

        def failed(error: RouteStudioError) -> None:
            problems = getattr(error, "problems", ())
            lines = [f"• {p['field']} {p['message']}" for p in problems] or [error.message]
            hints = {p["hint"] for p in problems if p.get("hint")}
            QMessageBox.warning(self._window, "Not exported",
                                "\n".join([*lines, "", *sorted(hints)]))  # fmt: skip

        engine.run(
            engine.request("export", target=target, output=output),
            owner=self._window, title="Export", failed=failed,
            done=lambda r: self._session.notice.emit(
                "success", f"Exported {len(r['written'])} file(s) to {output}"),
        )  # fmt: skip

    def drop(self, path: Path) -> None:
        """Open a dropped folder or YAML file; add a dropped file of messages as samples."""
        if path.is_dir() or path.suffix in (".yaml", ".yml"):
            self._session.open(path)
        elif self._session.is_open:
            self.samples.add_file(path)

    def close_window(self) -> None:
        """Close, when what is being typed is kept; with unsaved edits ask first."""
        self.flush()
        self._session.after_edits(self._close_now)

    def _close_now(self, complete: bool) -> None:
        files = list(self._session.snapshot.get("dirty", ()))
        if not complete:
            files.append("what was typed last: the engine has not taken it yet")
        if not files or self._demo is not None:
            self._leave()
            return
        from routestudio.ui import dialogs

        answer = dialogs.ask_save(self._window, files)
        if answer == "save":
            self._session.save(self._leave)
        elif answer == "discard":
            self._session.discard_recovery().finished.connect(self._leave)

    def _leave(self) -> None:
        if self._demo is not None:
            shutil.rmtree(self._demo, ignore_errors=True)
        self._window.really_close()

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
        if kind == "overview":
            from routestudio.ui.documents.overview import OverviewDocument

            return OverviewDocument(self._session)
        if kind == "sample":
            from routestudio.ui.documents.sample import SampleDocument

            return SampleDocument(self._session, name)
        return None

    def open_problem(self, kind: str, name: str, line: int) -> None:
        """Go to where a problem is."""
        if kind in ("sink", "sample"):
            self.open(kind, name)
            document = self._window.document()
            if kind == "sample" and document is not None and document.kind == kind:
                cast("SampleDocument", document).go_to(line)
            return
        for function in self._session.functions():
            if kind == "file" and function["file"] and name.endswith(function["file"]):
                self.open("function", function["name"])
                if document := self._function():
                    document.editor.go_to(line)

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
        """Put the focus into the document in front."""
        document = self._function()
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
        document = self._function()
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
        document = self._function()
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

    def _previewing(self) -> SinkDocument | FunctionDocument | None:
        document = self._window.document()
        shown = document is not None and document.kind in ("sink", "function")
        return cast("SinkDocument | FunctionDocument", document) if shown else None

    def find(self) -> None:
        """Open the find bar."""
        if document := self._function():
            document.find_bar.open_bar()

    def comment(self) -> None:
        """Comment the selected lines."""
        if document := self._function():
            document.comment()

    def next_problem(self) -> None:
        """Go to the next diagnostic."""
        if document := self._function():
            document.editor.next_problem()

    def zoom(self, step: float) -> None:
        """Change the size of the code."""
        if document := self._function():
            document.editor.zoom(step)

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
        return self._window.where.button("standin").isChecked()

    def check(self) -> None:
        """Check the current sink."""
        sink = self.current_sink()
        if sink is not None:
            self.flush()
            self._window.open_bottom(self._window.check_panel)
            self._window.check_panel.start(sink, standin=self.standin)

    def run(self) -> None:
        """Deliver the preview's samples by the current sink; ask before a real service."""
        sink = self.current_sink()
        samples = self._session.samples()
        if sink is None:
            return
        if not samples:
            self._session.notice.emit("info", "Add a sample set first: Run delivers its messages.")
            return
        name = max(samples, key=lambda item: item["rows"])["name"]
        if document := self._previewing():
            name = document.preview.samples.currentData() or name
        total = next(item["rows"] for item in samples if item["name"] == name)
        from routestudio.ui import dialogs

        if not self.standin and not dialogs.ask(
            self._window, "Deliver to the real service",
            f"Deliver {total:,} messages of {name} by {sink} to the real service?", "Deliver",
        ):  # fmt: skip
            return
        self.flush()
        self.runs.show()
        self._window.run_panel.start(sink, str(name), total, standin=self.standin)

    def after_run(self) -> None:
        """Read back what arrived at the stand-in."""
        sink = self.current_sink()
        if sink is not None and self.standin:
            self._window.arrived.show_sink(sink)

    def cancel(self) -> None:
        """Cancel what runs."""
        self._window.run_panel.cancel()
        self._window.check_panel.cancel()

    def show_arrived(self) -> None:
        """Show what arrived at the stand-in of the current sink."""
        sink = self.current_sink()
        if sink is not None:
            self._window.arrived.show_sink(sink)
            self._window.open_bottom(self._window.arrived)

    # --- the rest ----------------------------------------------------------------------------

    def palette(self) -> None:
        """Open the command palette."""
        from routestudio.ui.palette import Palette

        Palette(self._window.action_table, self._window).exec()

    def toggle_theme(self) -> None:
        """Switch between light and dark."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme().toggle(app)

    def shortcuts(self) -> None:
        """Show the list of shortcuts."""
        box = QMessageBox(self._window)
        box.setWindowTitle("Keyboard shortcuts")
        box.setText(f"<pre>{shortcut_list()}</pre>")
        box.exec()

    def about(self) -> None:
        """Say what this is."""
        QMessageBox.about(self._window, "About RouteStudio",
                          f"RouteStudio {__version__}\n\nDesign, preview, test and deliver routes "
                          "for change-data-capture messages.")  # fmt: skip
