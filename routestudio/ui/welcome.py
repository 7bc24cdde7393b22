"""The first page: what the program is, and the ways to begin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from routestudio.ui.actions import Actions
from routestudio.ui.widgets.basics import Button, Card, ElidedLabel, IconLabel, label

SENTENCE = (
    "RouteStudio shows where every row change of your database will be delivered, and lets you "
    "test and run that route before it ships."
)
_WIDTH = 640


class WelcomePage(QScrollArea):
    """Shown while no document is open. Without a project it offers ways to get one."""

    def __init__(self, actions: Actions, open_recent: Callable[[Path], object]) -> None:
        super().__init__()
        self._open = open_recent
        self.setWidgetResizable(True)
        self.setAccessibleName("Welcome")
        page = QWidget()
        page.setObjectName("page")
        self.setWidget(page)
        outer = QHBoxLayout(page)
        outer.addStretch(1)
        holder = QWidget()
        holder.setFixedWidth(_WIDTH)
        outer.addWidget(holder)
        outer.addStretch(1)
        column = QVBoxLayout(holder)
        column.setSpacing(12)
        column.addStretch(2)
        picture = IconLabel("logo", 40, "accent")
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(picture)
        self.title = label("", "title", wrap=True)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.title)
        self.text = label("", "muted", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.text)
        column.addSpacing(8)
        self.buttons: dict[str, Button] = {}
        self._choices(column, actions)
        self.recent = Card("Recent projects", "project")
        self.recent.body.setSpacing(2)
        column.addWidget(self.recent)
        column.addStretch(3)

    def _choices(self, column: QVBoxLayout, actions: Actions) -> None:
        row = QHBoxLayout()
        row.addStretch(1)
        for text, name, kind in (
            ("Open the demo", "open_demo", "primary"), ("New project…", "new_project", ""),
            ("Open a sequin.yaml…", "open_file", ""), ("Open project…", "open_project", ""),
        ):  # fmt: skip
            button = Button(text, kind=kind, action=actions.qaction(name).trigger)
            self.buttons[name] = button
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)

    def show_state(self, project: str | None, recent: list[str]) -> None:
        """Show what can be done without a project, or in one whose documents are all closed."""
        for button in self.buttons.values():
            button.setVisible(project is None)
        if project is not None:
            self.title.setText(project)
            self.text.setText("Choose a sink, a function or a sample set in the tree at the left.")
        else:
            self.title.setText("See where every row change goes, before it ships")
            self.text.setText(SENTENCE)
        self.recent.setVisible(project is None and bool(recent))
        self._list(recent)

    def _list(self, recent: list[str]) -> None:
        while (item := self.recent.body.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for path in recent:
            holder = QWidget()
            row = QHBoxLayout(holder)
            row.setContentsMargins(0, 0, 0, 0)
            name = Path(path).name
            button = Button(name, kind="link", action=partial(self._open, Path(path)))
            button.setAccessibleName(f"Open {path}")
            row.addWidget(button)
            row.addWidget(ElidedLabel(str(Path(path).parent), "muted"), 1)
            self.recent.body.addWidget(holder)
