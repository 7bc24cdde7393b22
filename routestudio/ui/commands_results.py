"""Actions about results: tests that were chosen, reports, and tests on every save."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from routestudio.ui.actions import Actions
from routestudio.ui.panels.check import CheckPanel
from routestudio.ui.panels.run import RunPanel
from routestudio.ui.panels.tests import TestsPanel
from routestudio.ui.session import Session
from routestudio.ui.settings import settings
from routestudio.ui.widgets.table_tools import tools_of

ON_SAVE = "tests/run_on_save"
"""Where the user's settings have whether a save runs the route tests."""


class ResultCommands(QObject):
    """Handlers of one window's actions about results."""

    def __init__(
        self, window: QWidget, session: Session, actions: Actions, tests: TestsPanel,
        check: CheckPanel, run: RunPanel,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._session, self._actions = session, actions
        self._tests, self._check, self._run = tests, check, run

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "run_chosen_tests": self._tests.edits.run, "export_tests": self._tests.edits.export,
            "export_check": self.export_check, "export_run": self.export_run,
            "tests_on_save": self.switch_on_save,
        }.items():  # fmt: skip
            self._actions.on(name, handler)
        switch = self._actions.qaction("tests_on_save")
        switch.setCheckable(True)
        switch.setChecked(self.on_save)
        self._session.saved.connect(self._saved)

    @property
    def on_save(self) -> bool:
        """Whether a save runs the route tests."""
        return settings().value(ON_SAVE, False, type=bool) is True

    def switch_on_save(self) -> None:
        """Let saves run the route tests, or not any more."""
        settings().setValue(ON_SAVE, self._actions.qaction("tests_on_save").isChecked())

    def _saved(self) -> None:
        if self.on_save:
            self._tests.start()

    def export_check(self) -> None:
        """Write the steps of the last check to a file."""
        self._export(self._check.table, bool(self._check.steps), "Nothing was checked yet")

    def export_run(self) -> None:
        """Write the destinations of the run in the panel to a file."""
        table = self._run.page.destinations.table
        self._export(table, table.model().rowCount() > 0, "No run with destinations is shown")

    def _export(self, table: QWidget, some: bool, nothing: str) -> None:
        tools = tools_of(table)
        if some and tools is not None:
            tools.export()
        else:
            self._session.notice.emit("info", nothing)
