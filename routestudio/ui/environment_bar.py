"""The environment in the tool bar: its name and colour, a menu to switch, and a strip below."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QWidget

from routestudio.ui.actions import Actions
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Button, ElidedLabel, StatusDot, restyle

ROLES = {"green": "positive", "blue": "accent", "amber": "warning", "red": "danger",
         "grey": "muted"}  # fmt: skip
"""The theme's role of each colour that an environment may have."""
PILLS = {"green": "success", "blue": "info", "amber": "warning", "red": "error",
         "grey": "neutral"}  # fmt: skip
_BANNERS = {**PILLS, "grey": "info"}  # banners have nothing neutral
_NONE = "No environment"


class EnvironmentButton(QWidget):
    """Shows the environment in use; its menu switches."""

    chosen = Signal(object)
    """The name of an environment, or `None` for none."""

    def __init__(self, session: Session, actions: Actions) -> None:
        super().__init__()
        self._session = session
        self._actions = actions
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.dot = StatusDot("muted")
        row.addWidget(self.dot)
        self.button = Button(_NONE)
        self.menu = QMenu(self)
        self.menu.setAccessibleName("Environments")
        self.menu.aboutToShow.connect(self._fill)
        self.button.setMenu(self.menu)
        row.addWidget(self.button)
        session.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the environment of the snapshot."""
        mark = self._session.environment
        name = str(mark["name"]) if mark else _NONE
        self.button.setText(name)
        self.button.setAccessibleName(f"Environment: {name}")
        file = f"{mark['file']} over .env" if mark else ".env"
        only = " Read-only: check and preview only." if mark and mark["read_only"] else ""
        self.button.setToolTip(f"Variables come from {file}.{only} (Ctrl+Alt+V)")
        self.dot.show_role(ROLES[mark["colour"]] if mark else "muted", f"Environment: {name}")
        self.setEnabled(self._session.is_open)

    def open_menu(self) -> None:
        """Open the menu, for the keyboard."""
        if self._session.is_open:
            self.button.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.button.showMenu()

    def _fill(self) -> None:
        self.menu.clear()
        group = QActionGroup(self.menu)
        used = self._session.environment
        for mark in (None, *self._session.environments()):
            only = " (read-only)" if mark and mark["read_only"] else ""
            action = QAction(f"{mark['name']}{only}" if mark else f"{_NONE} (.env)", self.menu)
            action.setCheckable(True)
            action.setChecked((mark or {}).get("name") == (used or {}).get("name"))
            action.triggered.connect(partial(self._chosen, mark))
            group.addAction(action)
            self.menu.addAction(action)
        self.menu.addSeparator()
        for name in ("add_environment", "variables"):
            self.menu.addAction(self._actions.qaction(name))

    def _chosen(self, mark: dict[str, Any] | None, checked: bool = True) -> None:
        self.chosen.emit(str(mark["name"]) if mark else None)


class EnvironmentStrip(QFrame):
    """A coloured line under the tool bar, as long as an environment is in use."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 3, 14, 3)
        self.text = ElidedLabel()
        row.addWidget(self.text)
        session.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the environment of the snapshot."""
        mark = self._session.environment
        self.setVisible(mark is not None)
        if mark is None:
            return
        only = ": read-only, check and preview only" if mark["read_only"] else ""
        text = f"Environment {mark['name']}{only}"
        self.text.show_text(text)
        self.setAccessibleName(text)
        kind = _BANNERS[mark["colour"]]
        if self.property("banner") != kind:
            self.setProperty("banner", kind)
            restyle(self)
