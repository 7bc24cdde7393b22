"""Dialogs about environments: a new one, its name typed to confirm, a variable's value."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from PySide6.QtWidgets import QLineEdit, QWidget

from routestudio.ui.widgets.dialog import AskDialog
from routestudio.ui.widgets.inputs import ComboBox


class AddEnvironmentDialog(AskDialog):
    """The name of a new environment."""

    def __init__(self, parent: QWidget | None, taken: Collection[str]) -> None:
        super().__init__(parent, "Add environment", "An environment is a file .env.NAME, which git "
                         "ignores. Its variables come before those of .env.", "Add")  # fmt: skip
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.name.setPlaceholderText("staging")
        self.form.addRow("Name", self.name)
        self._taken = taken
        self.validate = self._problem

    def _problem(self) -> str | None:
        name = self.name.text().strip()
        if not name or any(not (c.isascii() and (c.islower() or c.isdigit() or c in "_-"))
                           for c in name):  # fmt: skip
            return "A name has lower-case letters, digits, `_` and `-` only."
        return f"`{name}` is taken. Choose another name." if name in self._taken else None


def confirm_by_name(parent: QWidget | None, name: str, text: str, yes: str) -> bool:
    """Whether a person typed the name of an environment that is read-only."""
    dialog = AskDialog(parent, f"Write to {name}", text, yes)
    edit = QLineEdit()
    edit.setAccessibleName(f"Type {name} to confirm")
    dialog.form.addRow(f"Type {name} to confirm", edit)

    def problem() -> str | None:
        return None if edit.text().strip() == name else f"Type {name}, or cancel."

    dialog.validate = problem
    agreed = bool(dialog.exec())
    dialog.deleteLater()
    return agreed


class VariableDialog(AskDialog):
    """The value of a variable, and where it is kept."""

    def __init__(
        self, parent: QWidget | None, variable: dict[str, Any] | None, environment: str | None
    ) -> None:
        name = str(variable["name"]) if variable else ""
        title = f"Set {name}" if variable else "Add variable"
        super().__init__(parent, title, "It is kept outside of the project file, at once and "
                         "without undo.", "Set")  # fmt: skip
        self.name = QLineEdit(name)
        self.name.setAccessibleName("Name")
        self.name.setEnabled(variable is None)
        self.form.addRow("Name", self.name)
        secret = variable is not None and variable["secret"]
        self.value = QLineEdit("" if secret else str((variable or {}).get("value") or ""))
        self.value.setAccessibleName("Value")
        if secret:
            self.value.setEchoMode(QLineEdit.EchoMode.Password)
        self.form.addRow("Value", self.value)
        self.place = ComboBox()
        self.place.setAccessibleName("Where it is kept")
        if environment is not None:
            self.place.addItem(f"in .env.{environment}", ("env", False))
            self.place.addItem(f"in the keyring, for {environment}", ("keyring", False))
        others = "all environments" if environment is not None else "without environment"
        self.place.addItem(f"in .env, for {others}", ("env", True))
        self.place.addItem(f"in the keyring, for {others}", ("keyring", True))
        self.form.addRow("Kept", self.place)
        self.validate = self._problem

    @property
    def kept(self) -> tuple[str, bool]:
        """Where it is kept (`env` or `keyring`), and whether all environments share it."""
        where, shared = self.place.currentData()
        return str(where), bool(shared)

    def _problem(self) -> str | None:
        name = self.name.text().strip()
        good = name.isascii() and name.isidentifier()
        return None if good else "A variable has letters, digits and `_` only, no digit first."
