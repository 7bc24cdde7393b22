"""What the actions about runs and their dead letters do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routestudio.ui.runs import title

if TYPE_CHECKING:
    from routestudio.ui.main_window import MainWindow

HEIGHT = 340
"""Height that the panel below unfolds to for a run."""


class RunCommands:
    """Handlers of the Run menu beside Run itself."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def connect_all(self) -> None:
        """Give the actions their handlers, and keep them up to date."""
        window = self._window
        for name, handler in {
            "show_run": self.show, "resume_run": self.resume, "edit_letter": self.edit,
            "retry_letters": self.retry, "export_letters": self.export,
        }.items():  # fmt: skip
            window.action_table.on(name, handler)
        window.run_panel.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done with the shown run."""
        panel = self._window.run_panel
        run = panel.run or {}
        letters = bool(run.get("letters") or run.get("parent"))
        self._window.action_table.set_context(
            running=panel.running, resumable=panel.resumable,
            letters=letters and not panel.running,
        )  # fmt: skip

    def show(self) -> None:
        """Show the run panel."""
        self._window.open_bottom(self._window.run_panel, HEIGHT)

    def open(self, number: str) -> None:
        """Show a run of the past."""
        self.show()
        self._window.run_panel.show_run(number)

    def resume(self) -> None:
        """Go on with the shown run; ask before a real service."""
        panel = self._window.run_panel
        run = panel.run
        if run is None or not panel.resumable:
            return
        from routestudio.ui import dialogs

        if not run["standin"] and not dialogs.ask(
            self._window, "Deliver to the real service",
            f"{title(run)}: send the {run['left']:,} messages that remain?", "Resume",
        ):  # fmt: skip
            return
        self._window.commands.flush()
        self.show()
        panel.resume()

    def edit(self) -> None:
        """Correct the chosen dead letters."""
        self._letters()
        self._window.run_panel.page.letters.edit()

    def retry(self) -> None:
        """Send the chosen dead letters again, or all of the chosen reason."""
        self._letters()
        letters = self._window.run_panel.page.letters
        if letters.chosen:
            letters.retry_chosen()
        else:
            letters.retry_all()

    def export(self) -> None:
        """Write dead letters to a file."""
        self._letters()
        self._window.run_panel.page.letters.export()

    def delete(self, number: str) -> None:
        """Forget a run; ask when dead letters go with it."""
        run = self._window.runs.get(number)
        if run is None:
            return
        from routestudio.ui import dialogs

        if run["letters"] and not run["parent"] and not dialogs.ask(
            self._window, "Delete a run",
            f"{run['letters']:,} dead letters of this run are deleted with it.", "Delete",
        ):  # fmt: skip
            return
        panel = self._window.run_panel
        engine = self._window.engine

        def done(_: object) -> None:
            if panel.run is not None and panel.run.get("id") == number:
                panel.reset()

        engine.run(engine.request("delete_run", run=number), owner=self._window,
                   title="Delete a run", done=done)  # fmt: skip

    def _letters(self) -> None:
        self.show()
        self._window.run_panel.page.show_letters()
