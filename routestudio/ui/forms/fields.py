"""Editors of single form fields, by the kind of their rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from routestudio.derive.form_spec import FormField
from routestudio.ui.forms.base import FieldEditor, TextField
from routestudio.ui.widgets.basics import Button, IconButton, label
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.table_tools import TableTools


class IntegerField(TextField):
    """A whole number, or a `${VAR}` reference."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.edit.setMaximumWidth(160)
        if field.default is not None:
            self.edit.setPlaceholderText(f"{field.default}")
        if field.unit:
            self.row.addWidget(label(field.unit, "muted"))
        self.row.addStretch(1)

    def value(self) -> Any:
        text = self.edit.text().strip()
        state = QIntValidator().validate(text, 0)
        valid = isinstance(state, tuple) and state[0] == QIntValidator.State.Acceptable
        return int(text) if valid or text.isdigit() else text or None


class ChoiceField(FieldEditor):
    """One of a few values; an empty entry where nothing is a choice."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.combo = ComboBox()
        self.combo.setAccessibleName(field.label)
        if field.optional:
            self.combo.addItem("None", None)
        labels = field.labels or field.choices
        for value, text in zip(field.choices, labels, strict=True):
            self.combo.addItem(text, value)
        self.combo.setMinimumWidth(180)
        self.combo.activated.connect(lambda _: self.changed.emit())
        self.row.addWidget(self.combo)
        self.row.addStretch(1)

    def value(self) -> Any:
        return self.combo.currentData()

    def show_value(self, value: Any) -> None:
        index = self.combo.findData(self.field.default if value is None else value)
        if index < 0 and value is not None:
            self.combo.addItem(str(value), value)
            index = self.combo.count() - 1
        self.combo.setCurrentIndex(max(0, index))

    def control(self) -> QWidget:
        return self.combo


class FlagField(FieldEditor):
    """On or off."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.box = QCheckBox(field.label)
        self.box.setAccessibleName(field.label)
        self.box.clicked.connect(lambda _: self.changed.emit())
        self.row.addWidget(self.box)
        self.row.addStretch(1)

    def value(self) -> Any:
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        shown = self.field.default if value is None else value
        self.box.setChecked(str(shown).lower() == "true")

    def control(self) -> QWidget:
        return self.box


class ChoicesField(FieldEditor):
    """Several of a few values."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.boxes: dict[str, QCheckBox] = {}
        for value in field.choices:
            box = QCheckBox(value)
            box.setAccessibleName(f"{field.label}: {value}")
            box.clicked.connect(lambda _: self.changed.emit())
            self.boxes[value] = box
            self.row.addWidget(box)
        self.row.addStretch(1)

    def value(self) -> Any:
        return [value for value, box in self.boxes.items() if box.isChecked()]

    def show_value(self, value: Any) -> None:
        chosen = self.field.default if value is None else value
        for name, box in self.boxes.items():
            box.setChecked(name in chosen)

    def control(self) -> QWidget:
        return next(iter(self.boxes.values()))


class SecretField(FieldEditor):
    """A secret: typed hidden, stored outside of the project, shown as its reference."""

    stored = Signal(str, str)
    """Value and place (`env` or `keyring`) of a typed secret."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.edit = QLineEdit()
        self.edit.setAccessibleName(field.label)
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.eye = IconButton("eye", f"Show {field.label}", self._toggle)
        self.place = ComboBox()
        self.place.setAccessibleName(f"Where to keep {field.label}")
        self.place.addItem("in .env", "env")
        self.place.addItem("in the keyring", "keyring")
        self.place.setToolTip("Where a typed secret is kept; the project file holds a reference.")
        self.row.addWidget(self.edit, 1)
        self.row.addWidget(self.eye)
        self.row.addWidget(self.place)
        self._reference: str | None = None
        self.edit.editingFinished.connect(self._finished)

    def value(self) -> Any:
        return self._reference

    def show_value(self, value: Any) -> None:
        self._reference = value if isinstance(value, str) else None
        self.edit.clear()
        if isinstance(value, dict):
            self.edit.setPlaceholderText("written in the file; type it again to move it out")
        elif value:
            self.edit.setPlaceholderText(f"kept as {value}")
        else:
            self.edit.setPlaceholderText("not set")
        self.show_tip()

    def show_file(self, file: str) -> None:
        """Name the file that a typed secret is kept in."""
        self.place.setItemText(0, f"in {file}")

    def control(self) -> QWidget:
        return self.edit

    def commit(self) -> None:
        self._finished()

    def _toggle(self) -> None:
        self._hide(self.edit.echoMode() != QLineEdit.EchoMode.Password)

    def _hide(self, hidden: bool) -> None:
        mode = QLineEdit.EchoMode
        self.edit.setEchoMode(mode.Password if hidden else mode.Normal)
        self.eye.show_icon("eye" if hidden else "eye-off")

    def _finished(self) -> None:
        text = self.edit.text()
        if not text:
            return
        self.edit.clear()
        self._hide(True)
        if text.startswith("${"):
            self._reference = text
            self.changed.emit()
        else:
            self.stored.emit(text, str(self.place.currentData()))


HIDDEN = "••••"
"""Stands for a secret that is written in the file and not shown."""


class HeadersField(FieldEditor):
    """A table of names and texts; a value of dots stands for one that stays as it is."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.table = QTableWidget(0, 2)
        self.table.setAccessibleName(field.label)
        self.table.setHorizontalHeaderLabels(["Name", "Value"])
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().hide()
        self.table.setFixedHeight(116)
        self.table.itemChanged.connect(lambda _: self.changed.emit())
        TableTools(self.table)
        column.addWidget(self.table)
        buttons = QHBoxLayout()
        buttons.addWidget(Button("Add header", "add", kind="link", action=self._add))
        buttons.addWidget(Button("Remove", "remove", kind="link", action=self._remove))
        buttons.addStretch(1)
        column.addLayout(buttons)
        self.row.addWidget(holder)

    def value(self) -> Any:
        found = {}
        for row in range(self.table.rowCount()):
            name, text = self.table.item(row, 0), self.table.item(row, 1)
            if name is not None and name.text():
                found[name.text()] = _as_given(text)
        return found or None

    def show_value(self, value: Any) -> None:
        if isinstance(value, list):
            value = {str(item.get("key")): item.get("value") for item in value}
        items = value.items() if isinstance(value, dict) else ()
        self.table.blockSignals(True)
        self.table.setRowCount(0)
        for name, text in items:
            if name == "$secret":
                continue
            row = self.table.rowCount()
            self.table.insertRow(row)
            self.table.setItem(row, 0, QTableWidgetItem(str(name)))
            cell = QTableWidgetItem(HIDDEN if isinstance(text, dict) else _as_text(text))
            cell.setData(Qt.ItemDataRole.UserRole, None if isinstance(text, dict) else text)
            self.table.setItem(row, 1, cell)
        self.table.blockSignals(False)

    def control(self) -> QWidget:
        return self.table

    def _add(self) -> None:
        row = self.table.rowCount()
        self.table.blockSignals(True)
        self.table.insertRow(row)
        first = QTableWidgetItem("")
        self.table.setItem(row, 0, first)
        self.table.setItem(row, 1, QTableWidgetItem(""))
        self.table.blockSignals(False)
        self.table.setCurrentCell(row, 0)
        self.table.editItem(first)

    def _remove(self) -> None:
        if self.table.currentRow() >= 0:
            self.table.removeRow(self.table.currentRow())
            self.changed.emit()


class MapField(TextField):
    """A map as JSON in a line; what is not JSON stays text, which its rule refuses."""

    def value(self) -> Any:
        text = self.edit.text()
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text

    def show_value(self, value: Any) -> None:
        as_json = isinstance(value, (dict, list))
        super().show_value(json.dumps(value, ensure_ascii=False) if as_json else value)


class NamedField(FieldEditor):
    """The name of something in the project: a function or a resource, with buttons beside it."""

    edit_asked = Signal(str)
    new_asked = Signal()

    def __init__(self, field: FormField, names: Callable[[], list[str]], what: str) -> None:
        super().__init__(field)
        self._names = names
        self.combo = ComboBox()
        self.combo.setAccessibleName(field.label)
        self.combo.setMinimumWidth(180)
        self.combo.activated.connect(lambda _: self.changed.emit())
        self.row.addWidget(self.combo, 1)
        edit = IconButton("edit", f"Edit this {what}", self._edit)
        self.row.addWidget(edit)
        self.row.addWidget(IconButton("add", f"New {what}", self.new_asked.emit))

    def value(self) -> Any:
        return self.combo.currentData()

    def show_value(self, value: Any) -> None:
        self.combo.clear()
        if self.field.optional or value is None:
            self.combo.addItem("None", None)
        for name in self._names():
            self.combo.addItem(name, name)
        if value is not None and self.combo.findData(value) < 0:
            self.combo.addItem(f"{value} (missing)", value)
        self.combo.setCurrentIndex(max(0, self.combo.findData(value)))

    def control(self) -> QWidget:
        return self.combo

    def _edit(self) -> None:
        if self.combo.currentData():
            self.edit_asked.emit(str(self.combo.currentData()))


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_given(cell: QTableWidgetItem | None) -> Any:
    """What a cell holds; a number or flag stays one while its text is not changed."""
    if cell is None:
        return ""
    given, text = cell.data(Qt.ItemDataRole.UserRole), cell.text()
    return given if given is not None and _as_text(given) == text else text


_SIMPLE: dict[str, type[FieldEditor]] = {
    "text": TextField,
    "secret": SecretField,
    "integer": IntegerField,
    "choice": ChoiceField,
    "choices": ChoicesField,
    "flag": FlagField,
    "headers": HeadersField,
    "map": MapField,
}


def editor_of(field: FormField) -> FieldEditor:
    """The editor of a field whose kind needs nothing from the project. Raises `KeyError`."""
    return _SIMPLE[field.kind](field)


def known_kinds() -> frozenset[str]:
    """All kinds of fields that forms can show."""
    return frozenset(_SIMPLE) | {"ref", "function"}


__all__ = ["FieldEditor", "MapField", "NamedField", "SecretField", "TextField", "editor_of",
           "known_kinds"]  # fmt: skip
