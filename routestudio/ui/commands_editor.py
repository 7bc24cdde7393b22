"""Actions of the editor in front: coverage, quick fixes, formatting."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from routestudio.ui.documents.function import FunctionDocument
    from routestudio.ui.main_window import MainWindow


class EditorCommands:
    """Handlers of one window's actions on the text of a function."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "toggle_coverage": self.toggle_coverage, "quick_fix": self.quick_fix,
            "format": self.format,
        }.items():  # fmt: skip
            self._window.action_table.on(name, handler)

    def toggle_coverage(self) -> None:
        """Show or hide the marks of branch coverage."""
        from routestudio.ui.documents.function_insight import Insight

        switch = Insight.switch()
        switch.toggle()
        self._window.session.notice.emit("info", f"Branch coverage {'on' if switch.on else 'off'}")

    def quick_fix(self) -> None:
        """Offer corrections for the place of the cursor."""
        if document := self._function():
            document.fixes.open_menu()

    def format(self) -> None:
        """Format the text."""
        if document := self._function():
            document.format()

    def _function(self) -> FunctionDocument | None:
        document = self._window.document()
        function = document is not None and document.kind == "function"
        return cast("FunctionDocument", document) if function else None
