"""Actions of the function workbench: route tests, pinning, views of the preview, outcome diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routestudio.ui.documents.base import Document

if TYPE_CHECKING:
    from routestudio.ui.commands import Commands
    from routestudio.ui.main_window import MainWindow
    from routestudio.ui.panels.preview import PreviewPanel


class Bench:
    """Handlers of one window's workbench actions."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        self._window = window
        self._commands = commands
        self._session = window.session
        window.tests.finished.connect(self._tell)

    def export_preview(self) -> None:
        """Write the rows of the preview in front to a file."""
        preview = self._preview()
        if preview is not None:
            preview.tools.export()

    def run_tests(self) -> None:
        """Run the route tests, with what is being typed, and show them."""
        self._commands.flush()
        self._window.open_bottom(self._window.tests)
        self._window.tests.start()

    def show_tests(self) -> None:
        """Show the results of the last run."""
        self._window.open_bottom(self._window.tests)

    def pin(self) -> None:
        """Make a route test of the selected row of the preview in front."""
        preview = self._preview()
        if preview is not None:
            preview.pin()

    def view(self, name: str) -> None:
        """Show the preview in front as rows, destinations or variants."""
        preview = self._preview()
        if preview is not None:
            preview.show_view(name)

    def evaluate_all(self) -> None:
        """Evaluate all rows of the preview in front."""
        preview = self._preview()
        if preview is not None:
            preview.evaluate_all()

    def copy_request(self) -> None:
        """Copy the requests of the selected rows of the preview in front."""
        preview = self._preview()
        if preview is not None:
            preview.rows.copy_commands()

    def compare(self) -> None:
        """Show which rows end elsewhere than with the saved project."""
        document = self._window.document()
        preview = self._preview()
        sink = self._commands.current_sink()
        if document is None or preview is None or sink is None:
            return
        document.flush()
        sample = preview.samples.currentData()
        if sample is None:
            return
        engine = self._session.engine

        def done(found: dict[str, Any]) -> None:
            from routestudio.ui.outcome_dialog import OutcomeDialog

            dialog = OutcomeDialog(self._window, sink, sample, found)
            dialog.open()

        engine.run(
            self._session.request("outcome_diff", sink=sink, code=preview.code, sample=sample),
            owner=self._window, title="Compare outcomes", done=done,
        )  # fmt: skip

    def open_line(self, function: str, line: int) -> None:
        """Open a function at a line."""
        self._commands.open("function", function)
        document = self._window.document()
        editor = getattr(document, "editor", None)
        if editor is not None:
            editor.go_to(line)

    def _tell(self, results: list[dict[str, Any]]) -> None:
        if results and self._window.tests.isVisible():
            return  # its counts are in sight
        failed = sum(not item["ok"] for item in results)
        text = f"{len(results) - failed} of {len(results)} route tests passed"
        if not results:
            text = "There are no route tests yet: pin a row of a preview"
        self._session.notice.emit("error" if failed else "success" if results else "info", text)

    def _preview(self) -> PreviewPanel | None:
        document: Document | None = self._window.document()
        found: PreviewPanel | None = getattr(document, "preview", None)
        if found is None:
            self._session.notice.emit("info", "Open a sink or a function first")
        return found
