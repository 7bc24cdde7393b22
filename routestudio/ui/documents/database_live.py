"""A capture in the window: the publication that it may make, and changes straight into previews."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtWidgets import QLineEdit, QWidget

from routestudio.ui.panels.preview_state import add_messages
from routestudio.ui.session import Session
from routestudio.ui.widgets.dialog import AskDialog

LIVE: Final = "live"
"""The sample set that takes changes as they come."""
PUBLICATION: Final = "routestudio_capture"


class LiveRows:
    """Adds changes to the sample set as they come, which the previews of its sinks show."""

    def __init__(self, session: Session, database: str) -> None:
        self._session = session
        self._waiting: list[dict[str, Any]] = []
        self._busy = False
        self._sinks = [s["name"] for s in session.sinks() if s.get("database") == database]
        for sink in self._sinks:
            session.remember_sample(sink, LIVE)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Add what came; what comes while that is written goes with the next."""
        self._waiting += rows
        self._write()

    def _write(self) -> None:
        if self._busy or not self._waiting:
            return
        rows, self._waiting, self._busy = self._waiting, [], True

        def written() -> None:
            self._busy = False
            for sink in self._sinks:
                self._session.rows_come.emit(sink, LIVE)
            self._sinks = []  # whoever chooses another set afterwards keeps it
            self._write()

        add_messages(self._session, LIVE, rows, written)


def ask_publication(parent: QWidget, table: str) -> str | None:
    """Ask whether a publication may be made for a capture; its name, or `None`."""
    dialog = AskDialog(
        parent.window(), "Make a publication?",
        f"The form names no publication of changes. One for {table} can be made for this capture. "
        "The server drops it when the capture ends, also when RouteStudio is killed.",
        "Make it and capture",
    )  # fmt: skip
    name = QLineEdit(PUBLICATION)
    name.setAccessibleName("Publication")
    dialog.form.addRow("Publication", name)
    dialog.validate = lambda: None if name.text().strip() else "The publication needs a name."
    found = name.text().strip() if dialog.exec() else None
    dialog.deleteLater()
    return found
