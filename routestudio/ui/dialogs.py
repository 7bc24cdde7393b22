"""Dialogs: a new project, a new sink or function, an endpoint, an export, questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from routestudio.derive import catalog
from routestudio.ui.forms.fields import HIDDEN
from routestudio.ui.forms.form import Form
from routestudio.ui.icons import icon
from routestudio.ui.widgets.basics import Button, label

KINDS = (("routing", "Routing: where a message goes"), ("filter", "Filter: whether it goes"),
         ("transform", "Transform: what goes"))  # fmt: skip


class AskDialog(QDialog):
    """A small form with a title, a sentence and buttons."""

    def __init__(self, parent: QWidget, title: str, text: str, accept: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(460)
        column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 18)
        column.setSpacing(12)
        column.addWidget(label(title, "title"))
        column.addWidget(label(text, "muted", wrap=True))
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(10)
        column.addLayout(self.form)
        self.extra = QVBoxLayout()
        column.addLayout(self.extra)
        self.error = label("", "error", wrap=True)
        column.addWidget(self.error)
        buttons = QDialogButtonBox()
        self.accept_button = Button(accept, kind="primary", action=self.try_accept)
        buttons.addButton(self.accept_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(Button("Cancel", action=self.reject),
                          QDialogButtonBox.ButtonRole.ActionRole)  # fmt: skip
        self.accept_button.setDefault(True)
        column.addWidget(buttons)
        self.validate: Callable[[], str | None] = lambda: None

    def try_accept(self) -> None:
        """Accept when nothing is wrong; else say what."""
        text = self.validate()
        self.error.setText(text or "")
        if text is None:
            self.accept()


class NewProjectDialog(AskDialog):
    """Where, and with which sink type to start."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "New project", "A project is a folder with a sequin.yaml, a "
                         "starter function and samples.", "Create")  # fmt: skip
        self.folder = QLineEdit(str(Path.home() / "routes"))
        self.folder.setAccessibleName("Folder")
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(Button("Choose…", action=self._choose))
        self.form.addRow("Folder", row)
        self.type = type_box()
        self.form.addRow("Sink type", self.type)
        self.validate = self._problem

    def _choose(self) -> None:
        parent = str(Path(self.folder.text()).parent)
        found = QFileDialog.getExistingDirectory(self, "Folder of the project", parent)
        if found:
            self.folder.setText(found)

    def _problem(self) -> str | None:
        path = Path(self.folder.text())
        if not self.folder.text().strip():
            return "Name a folder."
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            return f"{path} is not an empty folder. Name a new one."
        return None


class AddSinkDialog(AskDialog):
    """Type and name of a new sink."""

    def __init__(self, parent: QWidget, taken: set[str]) -> None:
        super().__init__(parent, "Add sink", "A sink delivers messages to one service.", "Add")
        self.type = type_box()
        self.form.addRow("Sink type", self.type)
        self.about = label("", "muted", wrap=True)
        self.form.addRow("", self.about)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.form.addRow("Name", self.name)
        self._taken = taken
        self.type.currentIndexChanged.connect(lambda _: self._show())
        self.validate = lambda: name_problem(self.name.text(), taken)
        self._show()

    def _show(self) -> None:
        key = str(self.type.currentData())
        self.about.setText(catalog.describe_line(key))
        base = catalog.yaml_type(key).replace("_", "-") + "-sink"
        self.name.setText(free_name(base, self._taken))


class AddFunctionDialog(AskDialog):
    """Kind, sink type and name of a new function."""

    def __init__(
        self, parent: QWidget, taken: set[str], kind: str = "routing", sink_type: str | None = None
    ) -> None:
        super().__init__(parent, "Add function", "Functions are Python; they see one message and "
                         "can reach nothing else.", "Add")  # fmt: skip
        self.kind = QComboBox()
        self.kind.setAccessibleName("Kind")
        for value, text in KINDS:
            self.kind.addItem(text, value)
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))
        self.form.addRow("Kind", self.kind)
        self.type = type_box()
        if sink_type:
            self.type.setCurrentIndex(max(0, self.type.findData(sink_type)))
        self.form.addRow("Sink type", self.type)
        self.name = QLineEdit(free_name(f"{kind}-function", taken))
        self.name.setAccessibleName("Name")
        self.form.addRow("Name", self.name)
        self.kind.currentIndexChanged.connect(
            lambda _: self.type.setEnabled(self.kind.currentData() == "routing")
        )
        self.type.setEnabled(kind == "routing")
        self.validate = lambda: name_problem(self.name.text(), taken)


class ResourceDialog(AskDialog):
    """A resource such as an HTTP endpoint, by its derived form."""

    def __init__(
        self, parent: QWidget, resource: str, name: str, values: dict[str, Any], taken: set[str]
    ) -> None:
        title = resource.replace("_", " ").removesuffix("s").replace("http", "HTTP")
        super().__init__(parent, title, "Shared by the sinks that name it.", "Keep")
        self.name = QLineEdit(name)
        self.name.setAccessibleName("Name")
        self.name.setEnabled(not name)
        self.form.addRow("Name", self.name)
        self.fields = Form(catalog.resource_sections(resource))
        self.fields.show_values(values)
        self.extra.addWidget(self.fields)
        self.setMinimumWidth(620)
        self._old = dict(values)
        self.validate = lambda: None if name else name_problem(self.name.text(), taken)

    def changed_values(self) -> dict[str, Any]:
        """The plain values that differ from those that were shown."""
        found = {}
        for key, row in self.fields.rows.items():
            value = row.editor.value()
            if row.field.secret or value == self._old.get(key):
                continue
            if value is not None or key in self._old:
                found[key] = value
        return found

    def typed_secrets(self) -> dict[tuple[str, str], str]:
        """Secrets that were typed, by field and header name; references count as secrets too."""
        found = {}
        for key, row in self.fields.rows.items():
            if not row.field.secret:
                continue
            old = self._old.get(key)
            known = old if isinstance(old, dict) else {}
            for name, text in (row.editor.value() or {}).items():
                if text and text != HIDDEN and known.get(name) != text:
                    found[key, name] = text
        return found


class ExportDialog(AskDialog):
    """For whom to export, and where to."""

    def __init__(self, parent: QWidget, root: Path) -> None:
        super().__init__(parent, "Export", "Secrets are never written: an export keeps the "
                         "references.", "Export")  # fmt: skip
        self.target = QComboBox()
        self.target.setAccessibleName("For")
        self.target.addItem("a Sequin server: one sequin.yaml", "sequin")
        self.target.addItem("the headless runner: a self-contained folder", "routestudio")
        self.form.addRow("For", self.target)
        self.output = QLineEdit()
        self.output.setAccessibleName("Write to")
        row = QHBoxLayout()
        row.addWidget(self.output, 1)
        row.addWidget(Button("Choose…", action=self._choose))
        self.form.addRow("Write to", row)
        self._root = root
        self.target.currentIndexChanged.connect(lambda _: self._propose())
        self._propose()

    def _propose(self) -> None:
        folder = self._root.parent
        one_file = self.target.currentData() == "sequin"
        name = f"{self._root.name}-server.yaml" if one_file else f"{self._root.name}-export"
        self.output.setText(str(folder / name))

    def _choose(self) -> None:
        if self.target.currentData() == "sequin":
            found, _ = QFileDialog.getSaveFileName(self, "Export to", self.output.text())
        else:
            found = QFileDialog.getExistingDirectory(self, "Export to", self.output.text())
        if found:
            self.output.setText(found)


def type_box() -> QComboBox:
    """A choice of all sink types."""
    box = QComboBox()
    box.setAccessibleName("Sink type")
    for key in catalog.all_keys():
        box.addItem(icon(catalog.icon_name(key)), catalog.title(key), key)
    box.setCurrentIndex(max(0, box.findData("kafka")))
    return box


def name_problem(name: str, taken: set[str]) -> str | None:
    """What is wrong with a new name, or `None`."""
    if not name or any(not (c.isascii() and (c.isalnum() or c in "_-.")) for c in name):
        return "A name has letters, digits, `_`, `-` and `.` only."
    return f"`{name}` is taken. Choose another name." if name in taken else None


def free_name(base: str, taken: set[str]) -> str:
    """`base`, or `base` with the first free number."""
    if base not in taken:
        return base
    return next(f"{base}-{n}" for n in range(2, 10_000) if f"{base}-{n}" not in taken)


def ask_name(parent: QWidget, title: str, name: str) -> str | None:
    """Ask for a name; `None` when the person changed their mind."""
    found, accepted = QInputDialog.getText(parent, title, "Name", text=name)
    return found.strip() if accepted and found.strip() else None


def ask(parent: QWidget, title: str, text: str, yes: str, no: str = "Cancel") -> bool:
    """A question with two answers."""
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(text)
    button = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.exec()
    return box.clickedButton() is button


def ask_save(parent: QWidget, files: list[str]) -> str:
    """Before closing with unsaved edits: `save`, `discard` or `cancel`."""
    box = QMessageBox(parent)
    box.setWindowTitle("Unsaved changes")
    box.setText("Save the changes before closing?")
    box.setInformativeText("\n".join(files[:8]))
    save = box.addButton("Save", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Close without saving", QMessageBox.ButtonRole.DestructiveRole)
    box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    box.exec()
    clicked = box.clickedButton()
    return "save" if clicked is save else "discard" if clicked is keep else "cancel"
