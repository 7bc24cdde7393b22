"""What the actions about runs and their dead letters do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from routestudio.ui.preferences import asks

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
            "rehearse": self.rehearse,
        }.items():  # fmt: skip
            window.action_table.on(name, handler)
        window.run_panel.changed.connect(self.refresh)
        window.run_panel.resume_asked.connect(self.resume)
        window.run_panel.send_asked.connect(self.send_again)
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done with the shown run."""
        panel = self._window.run_panel
        run = panel.run
        letters = run is not None and bool(run.letters or run.parent)
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
        text = f"Resume sending through {run.sink}: {run.left:,} messages remain"
        confirm = self._window.commands.environments.confirm
        confirmed = None if run.standin else confirm(run.sink, text, "Resume")
        if confirmed is None and not run.standin:
            return
        self._window.commands.flush()

        def start() -> None:
            self.show()
            panel.resume(confirmed)

        self.with_consent(run.sink, run.standin, start)

    def with_consent(self, sink: str, standin: bool, then: Callable[[], None]) -> None:
        """Go on when the user knows which variables of theirs a sink sends to which host.

        Asked once for a project, variable and host; of it, a stand-in needs only the databases
        that enrichments read.
        """
        self._ask_consent([sink], [], standin, then)

    def with_consent_for(self, database: str, then: Callable[[], None]) -> None:
        """The same before anything goes to a database of the project."""
        self._ask_consent([], [database], False, then)

    def _ask_consent(
        self, sinks: list[str], databases: list[str], standin: bool, then: Callable[[], None]
    ) -> None:
        window, engine = self._window, self._window.engine

        def answered(found: list[dict[str, str]]) -> None:
            from routestudio.ui import dialogs

            asked = [item["text"] for item in found if item.get("enrichment")]
            sent = [item for item in found if not item.get("enrichment")]
            texts = [dialogs.variables_text(sent)] if sent else []
            if asked:
                texts.append("It asks databases:\n\n" + "\n".join(asked))
            title, yes = ("Your variables", "Send") if sent else ("Ask a database", "Evaluate")
            text = "\n\n".join(texts)
            if found and not dialogs.ask(window, title, text, yes, danger=bool(sent)):
                return
            if not found:
                then()
                return
            engine.run(engine.request("agree_outside", items=found), owner=window,
                       title="Variables", done=lambda _: then())  # fmt: skip

        work = window.session.request(
            "outside_variables", sinks=sinks, standin=standin, databases=databases
        )
        engine.run(work, owner=window, title="Variables", done=answered)

    def send_again(self, numbers: list[int] | None, group: int | None) -> None:
        """Send dead letters of the shown run again; ask before a real service."""
        panel = self._window.run_panel
        run = panel.run
        if run is None:
            return
        count = panel.page.letters.group_count if numbers is None else len(numbers)
        many = "1 dead letter" if count == 1 else f"{count:,} dead letters"
        what = f"Send {many} again through {run.sink}"
        if panel.running or run.standin:
            panel.retry(numbers, group)
        else:
            confirmed = self._window.commands.environments.confirm(run.sink, what, "Send")
            if confirmed is not None:
                self.with_consent(run.sink, False,
                                  lambda: panel.retry(numbers, group, confirmed))  # fmt: skip
        panel.page.letters.refresh()

    def rehearse(self) -> None:
        """Rehearse faults of the current sink."""
        from routestudio.ui.rehearse_dialog import RehearseDialog

        window = self._window
        sink = window.commands.current_sink()
        if sink is None:
            return
        if not window.session.samples():
            window.session.notice.emit("info", "Add a sample set first: its messages are sent.")
            return
        window.commands.flush()
        sample = window.session.last_samples.get(sink, "")
        dialog = RehearseDialog(window, window.session, sink, sample)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

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

        lost = run.letters and not run.parent and asks("delete_run")
        if lost and not dialogs.ask(
            self._window, "Delete a run",
            f"{run.letters:,} dead letters of this run are deleted with it.", "Delete",
        ):  # fmt: skip
            return
        panel = self._window.run_panel
        engine = self._window.engine

        def done(_: object) -> None:
            if panel.run is not None and panel.run.id == number:
                panel.reset()

        engine.run(engine.api.runs.delete(number), owner=self._window,
                   title="Delete a run", done=done)  # fmt: skip

    def _letters(self) -> None:
        self.show()
        self._window.run_panel.page.show_letters()
