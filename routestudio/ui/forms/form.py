"""A form: rows of label, editor, help and error, from a form spec and the values of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from routestudio.derive.form_spec import FormField, FormSection, visible
from routestudio.ui.forms.fields import FieldEditor, SecretField, editor_of
from routestudio.ui.widgets.basics import Collapsible, label
from routestudio.ui.widgets.tips import in_words

LABEL_WIDTH = 132
_RARE = "Advanced"
"""The part of a form that is folded until something in it is set or wrong."""

EditorFactory = Callable[[FormField], FieldEditor | None]


class FormRow(QWidget):
    """One field: label left, editor right, help and error under it."""

    def __init__(self, field: FormField, editor: FieldEditor) -> None:
        super().__init__()
        self.field, self.editor = field, editor
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(3)
        grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        grid.setColumnStretch(1, 1)
        name = label("" if field.kind == "flag" else field.label + (" *" if field.required else ""),
                     wrap=True)  # fmt: skip
        name.setFixedWidth(LABEL_WIDTH)
        name.setBuddy(editor.control())
        grid.addWidget(name, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(editor, 0, 1)
        self.help = label(field.help, "help", wrap=True)
        self.error = label("", "error", wrap=True)
        for index, item in enumerate((self.error, self.help)):
            item.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
            grid.addWidget(item, 1 + index, 1)
        self.error.hide()
        self.help.setVisible(bool(field.help))
        editor.show_tip()

    def show_problem(self, text: str) -> None:
        """Show what is wrong, or nothing."""
        self.error.setText(in_words(text))
        self.error.setVisible(bool(text))
        self.help.setVisible(bool(self.field.help) and not text)
        self.editor.mark(bool(text))


class Form(QWidget):
    """Fields of one panel. `edited` names a field and its new value."""

    edited = Signal(str, object)
    secret_typed = Signal(str, str, str)

    def __init__(
        self,
        sections: Iterable[FormSection] | Sequence[FormField],
        factory: EditorFactory | None = None,
    ) -> None:
        super().__init__()
        self.rows: dict[str, FormRow] = {}
        self._parts: dict[str, Collapsible] = {}
        self._factory = factory
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)
        for item in sections:
            if isinstance(item, FormField):
                self._column.addWidget(self._row(item))
                continue
            target = self._column
            if item.title:
                part = Collapsible(item.title, opened=item.title != _RARE)
                self._column.addWidget(part)
                target = part.body
                self._parts.update({field.name: part for field in item.fields})
            for field in item.fields:
                target.addWidget(self._row(field))

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show values by field name and hide fields that do not matter with them."""
        for name, row in self.rows.items():
            row.editor.show_value(values.get(name))
            if name in self._parts and values.get(name) not in (None, row.field.default):
                self._parts[name].set_open(True)
        shown = {n: values.get(n, r.field.default) for n, r in self.rows.items()}
        for row in self.rows.values():
            row.setVisible(visible(row.field, shown))

    def show_file(self, file: str) -> None:
        """Name the file that typed secrets are kept in."""
        for row in self.rows.values():
            if isinstance(row.editor, SecretField):
                row.editor.show_file(file)

    def commit(self) -> None:
        """Take what is being typed in any field as finished."""
        for row in self.rows.values():
            row.editor.commit()

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Mark fields with their problems; fields that are not named are fine."""
        for name, row in self.rows.items():
            row.show_problem(problems.get(name, ""))
            if name in problems and name in self._parts:
                self._parts[name].set_open(True)

    def _row(self, field: FormField) -> FormRow:
        editor = self._factory(field) if self._factory else None
        editor = editor or editor_of(field)
        editor.changed.connect(lambda: self.edited.emit(field.name, editor.value()))
        if isinstance(editor, SecretField):
            editor.stored.connect(
                lambda value, where: self.secret_typed.emit(field.name, value, where)
            )
        row = FormRow(field, editor)
        self.rows[field.name] = row
        return row
