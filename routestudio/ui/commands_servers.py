"""Commands about servers' configurations: open a file, show what an import brought, plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from routestudio.ui.main_window import MainWindow

YAML = "YAML (*.yaml *.yml)"
_LISTED = 20


class Servers:
    """Handlers of one window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._session = window.session

    def open_file(self) -> None:
        """Ask for a configuration and open it as it is."""
        found, _ = QFileDialog.getOpenFileName(
            self._window, "Open a server's configuration", "", YAML
        )
        if found:
            self._window.commands.project.open(Path(found))

    def imported(self, output: Path, brought: dict[str, Any]) -> None:
        """Open what was imported; show what moved, and what was kept without being understood."""
        self._session.open(output)
        secrets, kept = brought["secrets"], brought["kept"]
        moved = f"; secrets moved to .env: {', '.join(secrets)}" if secrets else ""
        self._session.notice.emit("success", f"Imported to {output.name}{moved}")
        if not kept:
            return
        lines = [f"• line {item['line']}: {item['message']}" for item in kept[:_LISTED]]
        if len(kept) > _LISTED:
            lines.append(f"• and {len(kept) - _LISTED} more")
        from routestudio.ui import dialogs

        text = "These parts are kept as they are; RouteStudio does not know them:"
        dialogs.show_message(self._window, "Imported", text, lines)

    def plan(self) -> None:
        """Ask for a server's file, and show what the project changes of it."""
        found, _ = QFileDialog.getOpenFileName(
            self._window, "Compare the project with a server's configuration", "", YAML
        )
        if found:
            self.plan_against(Path(found))

    def plan_against(self, path: Path) -> None:
        """Show what the project, as it is now, changes of a file."""
        engine = self._session.engine
        for document in self._window.documents():
            document.flush()

        def done(found: dict[str, Any]) -> None:
            from routestudio.ui.plan_dialog import PlanDialog

            PlanDialog(self._window, path.name, found).open()

        engine.run(
            self._session.request("plan", against=str(path)),
            owner=self._window, title="Plan", done=done,
        )  # fmt: skip
