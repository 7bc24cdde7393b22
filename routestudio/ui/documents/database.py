"""A database: its form, and the tables that it has, of which rows can be taken as samples."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from routestudio.derive import database_form
from routestudio.ui.commands_names import variable
from routestudio.ui.documents.base import Document
from routestudio.ui.documents.database_tables import TablesPane, address_of
from routestudio.ui.forms.form import Form
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, Button, Card, ElidedLabel, IconLabel

_BESIDE = 940
"""Pixels from which the tables are beside the form."""


class DatabaseDocument(Document):
    """Edits one database. Every finished change of a field is one undoable edit."""

    kind = "databases"
    rows_asked = Signal(str, int, str, bool)
    """Address, number of rows, a name for the sample set, and whether they are taken already."""
    check_asked = Signal()

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session, name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._split = split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._settings())
        self.tables = TablesPane(session, name)
        self.tables.rows_asked.connect(self._take)
        self.tables.captured.connect(self._captured)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.tables)
        area.setAccessibleName(f"Tables of {name}")
        area.setMinimumSize(340, 120)
        split.addWidget(area)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        column.addWidget(split)
        session.changed.connect(self.refresh)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= _BESIDE
        wanted = Qt.Orientation.Horizontal if beside else Qt.Orientation.Vertical
        if self._split.orientation() != wanted:
            self._split.setOrientation(wanted)
            self._split.setSizes([self.width() // 2] * 2 if beside else [self.height() // 2] * 2)

    @property
    def icon_name(self) -> str:
        return "database"

    def _settings(self) -> QWidget:
        page = QFrame()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(IconLabel(self.icon_name, 24, "accent"))
        head.addWidget(ElidedLabel(self.name, "title"), 1)
        self.check_button = Button("Check", "check", action=self.check_asked.emit)
        head.addWidget(self.check_button)
        column.addLayout(head)
        self.banner = Banner()
        column.addWidget(self.banner)
        card = Card("Connection", self.icon_name)
        self.form = Form(database_form.SECTIONS)
        self.form.edited.connect(self._set)
        self.form.secret_typed.connect(self._put_secret)
        card.body.addWidget(self.form)
        column.addWidget(card)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        area.setAccessibleName(f"Settings of {self.name}")
        area.setMinimumSize(340, 120)
        return area

    def refresh(self) -> None:
        """Show the database as the snapshot has it."""
        entry = self.session.databases().get(self.name)
        if entry is None:
            self.gone.emit()
            return
        self.form.show_file(self.session.variables_file)
        self.form.show_values(database_form.flat(entry))
        missing = {name: "can't be blank" for name in ("hostname", "database")
                   if not entry.get(name) and not entry.get("url")}  # fmt: skip
        self.form.show_problems(missing)
        if entry.get("url"):
            self.banner.say("info", "This entry has a `url`, which goes before host, port, user, "
                            "password and database.")  # fmt: skip
        else:
            self.banner.hide()

    def flush(self) -> None:
        self.form.commit()

    def leave(self) -> None:
        self.tables.stop()

    def _set(self, field: str, value: Any) -> None:
        path, entry = field.split("."), self.session.databases().get(self.name) or {}
        at: Any = entry
        for number, part in enumerate(path[:-1]):
            found = at.get(part)
            if not isinstance(found, dict):
                if value is None:
                    return
                # A block that is not there yet is written as a whole.
                for name in reversed(path[number + 1 :]):
                    value = {name: value}
                path = path[: number + 1]
                break
            at = found
        self.session.set_value(["databases", self.name, *path], value)

    def _put_secret(self, field: str, value: str, where: str) -> None:
        path = ["databases", self.name, *field.split(".")]
        name = variable(self.name, field.replace(".", "_"))
        self.session.put_secret(path, name, value, where)

    def _take(self, options: object, limit: int, name: str) -> None:
        assert isinstance(options, dict)
        self.rows_asked.emit(address_of(self.name, options), limit, name, False)

    def _captured(self, address: str, limit: int) -> None:
        self.rows_asked.emit(address, limit, "changes", True)
