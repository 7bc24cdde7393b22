"""What editors of form fields have in common, and the plainest of them: a line of text."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from routestudio.derive.form_spec import FormField
from routestudio.ui.widgets.basics import restyle
from routestudio.ui.widgets.tips import plain_tip


class FieldEditor(QWidget):
    """Edits one value. `changed` is sent when a person finished a change."""

    changed = Signal()

    def __init__(self, field: FormField) -> None:
        super().__init__()
        self.field = field
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(6)

    @abstractmethod
    def value(self) -> Any:
        """The value as it goes into YAML; `None` for nothing."""

    @abstractmethod
    def show_value(self, value: Any) -> None:
        """Show a value without sending `changed`."""

    @abstractmethod
    def control(self) -> QWidget:
        """The widget that takes the focus."""

    def commit(self) -> None:
        """Take what is being typed as finished, as if the focus had left."""

    def show_tip(self) -> None:
        """Show help, limits and the example as a tool tip: narrow forms have no room for them."""
        field, control = self.field, self.control()
        tip = ". ".join(part for part in (field.help.rstrip("."), field.limits) if part)
        example = control.placeholderText() if isinstance(control, QLineEdit) else ""
        control.setToolTip(plain_tip("\n".join(part for part in (tip, example) if part)))
        control.setAccessibleDescription(tip)

    def mark(self, invalid: bool) -> None:
        """Show or hide the mark of a problem."""
        control, state = self.control(), "true" if invalid else "false"
        if control.property("invalid") != state:
            control.setProperty("invalid", state)
            restyle(control)


class TextField(FieldEditor):
    """A line of text."""

    def __init__(self, field: FormField) -> None:
        super().__init__(field)
        self.edit = QLineEdit()
        self.edit.setAccessibleName(field.label)
        shown = field.default if isinstance(field.default, str) else None
        if field.example:
            self.edit.setPlaceholderText(f"e.g. {field.example}")
        elif shown:
            self.edit.setPlaceholderText(shown)
        self._shown = ""
        self.edit.editingFinished.connect(self._finished)
        self.row.addWidget(self.edit)

    def value(self) -> Any:
        return self.edit.text() or None

    def show_value(self, value: Any) -> None:
        text = "" if value is None else str(value)
        self._shown = text
        if not self.edit.hasFocus() or not self.edit.isModified():
            self.edit.setText(text)

    def control(self) -> QWidget:
        return self.edit

    def commit(self) -> None:
        self._finished()

    def _finished(self) -> None:
        if self.edit.text() != self._shown:
            self._shown = self.edit.text()
            self.edit.setModified(False)
            self.changed.emit()
