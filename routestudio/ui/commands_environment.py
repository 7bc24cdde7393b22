"""What the actions about environments do, and the question before a real service is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routestudio.ui.main_window import MainWindow


class EnvironmentCommands:
    """Switching, adding, and confirming an environment."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._session = window.session

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        window = self._window
        for name, handler in {
            "choose_environment": window.bar.environment.open_menu, "add_environment": self.add,
            "variables": lambda: window.commands.open("variables", "Variables"),
        }.items():  # fmt: skip
            window.action_table.on(name, handler)

    def switch(self, name: str | None) -> None:
        """Use another environment. Deliveries go to the stand-in first, whatever was chosen."""
        if name == (self._session.environment or {}).get("name"):
            return
        self._window.commands.flush()
        self._window.bar.choose_target("standin")
        self._session.use_environment(name)

    def add(self) -> None:
        """Ask for the name of a new environment, make its file and use it."""
        from routestudio.ui.environment_dialogs import AddEnvironmentDialog

        taken = {mark["name"] for mark in self._session.environments()}
        dialog = AddEnvironmentDialog(self._window, taken)
        if dialog.exec():
            self._window.bar.choose_target("standin")
            self._session.add_environment(dialog.name.text().strip())
        dialog.deleteLater()

    def confirm(self, sink: str, what: str, yes: str) -> str | None:
        """Ask before anything goes to a real service, with its host and the environment.

        One that is read-only has to be typed. Returns the confirmed environment (empty for none),
        `None` when the person changed their mind.
        """
        from routestudio.ui import dialogs

        found = self._session.sink(sink) or {}
        place = found.get("target") or "the service that its configuration names"
        mark = self._session.environment
        if mark is None:
            agreed = dialogs.ask(self._window, "Send to a real service", f"{what} to {place}?", yes,
                                 danger=True)  # fmt: skip
            return "" if agreed else None
        name = str(mark["name"])
        text = f"{what} to {place} in environment {name}?"
        if mark["read_only"]:
            from routestudio.ui.environment_dialogs import confirm_by_name

            agreed = confirm_by_name(self._window, name, f"{text} It is read-only.", yes)
        else:
            agreed = dialogs.ask(self._window, f"Send to {name}", text, yes, danger=True)
        return name if agreed else None
