"""Actions on the project as a whole: open, save, leave, import, export."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from routestudio.errors import RouteStudioError
from routestudio.paths import resources
from routestudio.project_names import STATE_FOLDER
from routestudio.ui.preferences import asks

if TYPE_CHECKING:
    from routestudio.ui.commands import Commands
    from routestudio.ui.main_window import MainWindow

_TYPED = "your latest changes (still being applied)"


class ProjectCommands:
    """Handlers of one window. Whatever leaves the open project asks about unsaved edits first."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        self._window = window
        self._session = window.session
        self._commands = commands
        self._demos: list[Path] = []
        """Temporary folders, removed at the end."""
        self._deciding = False
        self._session.conflict.connect(self.decide)
        self._session.read_again.connect(self._tell_read)

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "new_project": self.new_project, "open_project": self.open_project,
            "open_demo": self.open_demo, "save": self.save, "save_as": self.save_as,
            "reload": self.reload, "import": self.import_file,
            "open_file": lambda: self._commands.servers.open_file(),
            "plan": lambda: self._commands.servers.plan(),
            "export": self.export, "quit": self._window.close,
        }.items():  # fmt: skip
            self._window.action_table.on(name, handler)

    # --- opening -----------------------------------------------------------------------------

    def new_project(self) -> None:
        """Ask for folder and type, create and open."""
        from routestudio.ui import dialogs

        dialog = dialogs.NewProjectDialog(self._window)
        if dialog.exec():
            folder, sink = Path(dialog.folder.text()), str(dialog.type.currentData())
            self.leaving(lambda: self._session.create(folder, sink), "creating another project")

    def open_project(self) -> None:
        """Ask for a folder and open it."""
        found = QFileDialog.getExistingDirectory(self._window, "Open project")
        if found:
            self.open(Path(found))

    def open(self, path: Path) -> None:
        """Open a project in place of the one that is open."""
        self.leaving(lambda: self._session.open(path), "opening another project")

    def open_demo(self) -> None:
        """Copy the demo project to a temporary folder and open it."""

        def start() -> None:
            folder = Path(tempfile.mkdtemp(prefix="routestudio-demo-")) / "shop"
            shutil.copytree(resources() / "demo", folder)
            self._demos.append(folder.parent)
            self._session.open(folder)

        self.leaving(start, "opening another project")

    def drop(self, path: Path) -> None:
        """Open a dropped folder or YAML file; add a dropped file of messages as samples."""
        if path.is_dir() or path.suffix in (".yaml", ".yml"):
            self.open(path)
        elif self._session.is_open:
            self._commands.samples.add_file(path)

    # --- saving ------------------------------------------------------------------------------

    def save(self) -> None:
        """Save everything, with what is still being typed."""
        self._commands.flush()
        self._session.save(lambda: self._session.notice.emit("success", "Saved"))

    def save_as(self, done: Callable[[], object] | None = None) -> None:
        """Ask for a new folder, write the project there and go on in it."""
        from routestudio.ui import dialogs

        root = Path(str(self._session.snapshot["root"]))
        parent = Path.home() if self._in_demo else root.parent
        dialog = dialogs.SaveAsDialog(self._window, parent / f"{root.name}-copy")
        if not dialog.exec():
            return
        folder = Path(dialog.folder.text())
        self._commands.flush()

        def saved() -> None:
            self._session.notice.emit("success", f"Saved as {folder}")
            if done is not None:
                done()

        self._session.save_as(folder, saved)

    def reload(self) -> None:
        """Read the project from the disk again; unsaved edits are asked about."""
        path = self._session.path
        if path is not None:
            self.leaving(lambda: self._session.open(path), "reading the project again",
                         forget=True)  # fmt: skip

    def decide(self, conflicts: list[dict[str, object]], done: Callable[[], object] | None) -> None:
        """Ask what becomes of files that another program changed; `done` follows a save."""
        if done is None:  # nobody asked for a save: a banner, not a dialog over what is typed
            self._window.show_conflicts(conflicts)
            return
        if self._deciding:
            return
        from routestudio.ui.conflict_dialog import ConflictDialog

        self._deciding = True
        try:
            dialog = ConflictDialog(self._window, self._session, conflicts)
            dialog.exec()
        finally:
            self._deciding = False
        choice, paths = dialog.answer, dialog.paths
        dialog.deleteLater()
        if choice == "overwrite":
            self._session.save(done, overwrite=True)
        elif choice == "reload":
            self._session.take_outside(paths, lambda: self._session.save(done))
        elif choice == "save_as":
            self.save_as(done)

    def _tell_read(self, paths: list[str]) -> None:
        shown = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
        self._session.notice.emit("info", f"{shown} changed on the disk and was read again")

    # --- leaving -----------------------------------------------------------------------------

    def leaving(
        self, then: Callable[[], object], going: str = "closing", *, forget: bool = False
    ) -> None:
        """Do something that leaves the open project, after unsaved edits were asked about.

        With `forget` the project is read again: edits that are not saved must not be offered.
        """
        if not self._session.is_open:
            then()
            return
        self._commands.flush()
        self._session.after_edits(lambda complete: self._leave(complete, then, going, forget))

    def _leave(self, complete: bool, then: Callable[[], object], going: str, forget: bool) -> None:
        files = list(self._session.snapshot.get("dirty", ()))
        if not complete:
            files.append(_TYPED)
        from routestudio.ui import dialogs

        if self._in_demo and not asks("leave_demo"):
            self._session.discard_recovery(own=True).finished.connect(then)
            return
        if self._in_demo and (files or self._demo_changed()):
            answer = dialogs.ask_demo(self._window, going=going)
            if answer == "keep":
                self.save_as(then)
                return
        elif files:
            answer = dialogs.ask_save(self._window, files, going=going)
        else:
            then()
            return
        if answer == "save":
            self._session.save(then)
        elif answer == "discard":
            self._session.discard_recovery(own=True).finished.connect(then)

    @property
    def _in_demo(self) -> bool:
        path = self._session.path
        return path is not None and any(path.is_relative_to(folder) for folder in self._demos)

    def _demo_changed(self) -> bool:
        path = self._session.path
        return path is not None and path.is_dir() and _differ(resources() / "demo", path)

    def close_window(self) -> None:
        """Close the window, when what is being typed is kept; with unsaved edits ask first."""
        self.leaving(self._end)

    def _end(self) -> None:
        for folder in self._demos:
            shutil.rmtree(folder, ignore_errors=True)
        self._window.really_close()

    # --- import and export -------------------------------------------------------------------

    def import_file(self) -> None:
        """Make a project from a server's file and open it."""
        source, _ = QFileDialog.getOpenFileName(
            self._window, "Import sequin.yaml", "", "YAML (*.yaml *.yml)"
        )
        if not source:
            return
        from routestudio.ui import dialogs

        dialog = dialogs.ImportDialog(self._window, Path(source))
        if dialog.exec():
            output = dialog.folder.text()
            self.leaving(lambda: self.import_to(source, output), "importing another project")

    def import_to(self, source: str, output: str) -> None:
        """Import and open, given both paths."""
        engine = self._session.engine
        engine.run(
            engine.request("import", source=source, output=output),
            owner=self._window, title="Import",
            done=lambda found: self._commands.servers.imported(Path(output), found["imported"]),
        )  # fmt: skip

    def export(self) -> None:
        """Ask for whom and where to, and export."""
        from routestudio.ui import dialogs

        dialog = dialogs.ExportDialog(self._window, Path(self._session.snapshot["root"]))
        if dialog.exec():
            self.export_to(str(dialog.target.currentData()), dialog.output.text())

    def export_to(self, target: str, output: str) -> None:
        """Export, given target and path, with what is still being typed."""
        self._commands.flush()
        engine = self._session.engine

        def failed(error: RouteStudioError) -> None:
            from routestudio.ui import dialogs

            problems = getattr(error, "problems", ())
            lines = [f"• {p['field']} {p['message']}" for p in problems]
            hints = sorted({p["hint"] for p in problems if p.get("hint")})
            text = "Nothing was written." if lines else error.message
            dialogs.show_message(self._window, "Not exported", text, [*lines, "", *hints]
                                 if hints else lines)  # fmt: skip

        def done(result: dict[str, list[str]]) -> None:
            count = len(result["written"])
            files = "1 file" if count == 1 else f"{count} files"
            self._session.notice.emit("success", f"Exported {files} to {output}")

        engine.run(
            self._session.request("export", target=target, output=output),
            owner=self._window, title="Export", failed=failed, done=done,
        )  # fmt: skip


def _differ(one: Path, other: Path) -> bool:
    """Whether two folders have other files or other content, apart from the window's own state."""
    here, there = _files(one), _files(other)
    return here != there or any(
        not filecmp.cmp(one / name, other / name, shallow=False) for name in here
    )


def _files(folder: Path) -> set[Path]:
    own = {STATE_FOLDER, "__pycache__"}
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and own.isdisjoint(path.parts) and path.name != ".gitignore"
    }
