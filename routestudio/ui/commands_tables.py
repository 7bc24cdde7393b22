"""Actions of tables: they go to the table that had the focus last."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMenuBar, QWidget
from shiboken6 import isValid

from routestudio.ui.actions import Actions
from routestudio.ui.widgets.table_tools import TableTools, tools_of

NAMES = {"filter_table": "filter", "sort_table": "sort", "copy_table": "copy_as",
         "export_table": "export"}  # fmt: skip


class TableCommands(QObject):
    """Handlers of one window's table actions."""

    def __init__(self, window: QWidget, actions: Actions) -> None:
        super().__init__(window)
        self._window, self._actions = window, actions
        self._last: TableTools | None = None

    def connect_all(self) -> None:
        """Connect the actions, and follow the focus."""
        for name, what in NAMES.items():
            self._actions.on(name, partial(self._do, what))
        QApplication.instance().focusChanged.connect(self._followed)  # type: ignore[union-attr]

    def _followed(self, _: QWidget | None, now: QWidget | None) -> None:
        """The focus is elsewhere. A menu or the palette that takes it is about the last table."""
        if now is None or isinstance(now, QMenuBar) or now.window() is not self._window:
            return
        self._last = tools_of(now) if isinstance(now, QAbstractItemView) else None
        self._actions.set_context(table=self._last is not None)

    def _do(self, what: str) -> None:
        if self._last is not None and isValid(self._last):
            self._last.do(what)
