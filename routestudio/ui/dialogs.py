"""Dialogs: a new project, a new sink or function, an endpoint, an export, questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from routestudio.derive import catalog
from routestudio.ui.forms.fields import HIDDEN
from routestudio.ui.forms.form import Form
from routestudio.ui.icons import icon
from routestudio.ui.preferences import sink_type
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import AskDialog, Message, Question, Scrolled
from routestudio.ui.widgets.inputs import ComboBox

KINDS = (("routing", "Routing: where a message goes"), ("filter", "Filter: whether it goes"),
         ("transform", "Transform: what goes"),
         ("enrichment", "Enrichment: a query that adds a row"))  # fmt: skip

LANGUAGES = (("python", "Python"), ("elixir", "Elixir (runs on a Sequin server as it is)"))


class FolderDialog(AskDialog):
    """Asks for a folder that is empty, or that is made."""

    def __init__(
        self, parent: QWidget | None, title: str, text: str, accept: str, folder: Path
    ) -> None:
        super().__init__(parent, title, text, accept)
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName("Folder")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(Button("Choose…", action=self._choose))
        self.form.addRow("Folder", row)
        self.validate = self._problem

    def _choose(self) -> None:
        parent = Path(self.folder.text()).parent
        start = next((p for p in (parent, *parent.parents) if p.is_dir()), Path.home())
        found = QFileDialog.getExistingDirectory(self, "Project folder", str(start))
        if found:
            self.folder.setText(found)

    def _problem(self) -> str | None:
        text = self.folder.text().strip()
        if not text:
            return "Name a folder."
        path = Path(text)
        if not path.is_absolute():
            return "Name the folder with its full path."
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            return f"{path} is not an empty folder. Name a new one."
        return None


class NewProjectDialog(FolderDialog):
    """Where, and with which sink type to start."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "New project", "A project is a folder with a sequin.yaml, a "
                         "starter function and samples.", "Create",
                         free_folder("routes"))  # fmt: skip
        self.type = type_box()
        self.type.setCurrentIndex(max(0, self.type.findData(sink_type())))
        self.form.addRow("Sink type", self.type)


class SaveAsDialog(FolderDialog):
    """Where a copy of the project goes."""

    def __init__(self, parent: QWidget | None, folder: Path) -> None:
        super().__init__(parent, "Save project as", "Writes the project with its unsaved edits to "
                         "another folder and goes on there.", "Save", folder)  # fmt: skip


class ImportDialog(FolderDialog):
    """Where the project of an imported configuration goes."""

    def __init__(self, parent: QWidget | None, source: Path) -> None:
        folder = free_folder(source.parent.name if source.stem == "sequin" else source.stem)
        super().__init__(parent, "Import sequin.yaml", f"Makes a project of {source.name}. Secrets "
                         "move to a .env file that git ignores.", "Import", folder)  # fmt: skip


class AddSinkDialog(AskDialog):
    """Type and name of a new sink."""

    def __init__(self, parent: QWidget | None, taken: set[str]) -> None:
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
    """Kind, language, sink type and name of a new function."""

    def __init__(
        self,
        parent: QWidget | None,
        taken: set[str],
        kind: str = "routing",
        sink_type: str | None = None,
    ) -> None:
        super().__init__(parent, "Add function", "A function sees one message at a time and can't "
                         "access anything else.", "Add")  # fmt: skip
        self._taken = taken
        self.kind = _box("Kind", KINDS)
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))
        self.form.addRow("Kind", self.kind)
        self.language = _box("Language", LANGUAGES)
        self.form.addRow("Language", self.language)
        self.type = type_box()
        if sink_type:
            self.type.setCurrentIndex(max(0, self.type.findData(sink_type)))
        self.form.addRow("Sink type", self.type)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.form.addRow("Name", self.name)
        self.kind.currentIndexChanged.connect(lambda _: self._show())
        self.validate = lambda: name_problem(self.name.text(), taken)
        self._show()

    def _show(self) -> None:
        kind = str(self.kind.currentData())
        self.form.setRowVisible(self.type, kind == "routing")
        self.form.setRowVisible(self.language, kind != "enrichment")
        if not self.name.isModified():
            self.name.setText(free_name(f"{kind}-function", self._taken))


class ResourceDialog(AskDialog):
    """A resource such as an HTTP endpoint, by its derived form."""

    def __init__(
        self,
        parent: QWidget | None,
        resource: str,
        name: str,
        values: dict[str, Any],
        taken: set[str],
    ) -> None:
        title = resource.replace("_", " ").removesuffix("s").replace("http", "HTTP")
        super().__init__(parent, title, "Shared by the sinks that name it.", "Save")
        self.name = QLineEdit(name)
        self.name.setAccessibleName("Name")
        self.name.setEnabled(not name)
        self.form.addRow("Name", self.name)
        self.fields = Form(catalog.resource_sections(resource))
        self.fields.show_values(values)
        self.extra.addWidget(Scrolled(self.fields, title))
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

    def __init__(self, parent: QWidget | None, root: Path) -> None:
        super().__init__(parent, "Export", "Secrets are never written: an export keeps the "
                         "references.", "Export")  # fmt: skip
        self.target = ComboBox()
        self.target.setAccessibleName("For")
        self.target.addItem("a Sequin server: one sequin.yaml", "sequin")
        self.target.addItem("the headless runner: a self-contained folder", "routestudio")
        self.form.addRow("For", self.target)
        self.output = QLineEdit()
        self.output.setAccessibleName("Write to")
        row = QHBoxLayout()
        row.setSpacing(8)
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


def _box(name: str, entries: Sequence[tuple[str, str]]) -> ComboBox:
    box = ComboBox()
    box.setAccessibleName(name)
    for value, text in entries:
        box.addItem(text, value)
    return box


def type_box() -> ComboBox:
    """A choice of all sink types."""
    box = ComboBox()
    box.setAccessibleName("Sink type")
    for key in catalog.all_keys():
        box.addItem(icon(catalog.icon_name(key)), catalog.title(key), key)
    box.setCurrentIndex(max(0, box.findData(catalog.proposed())))
    return box


def name_problem(name: str, taken: Collection[str]) -> str | None:
    """What is wrong with a new name, or `None`."""
    if not name or any(not (c.isascii() and (c.isalnum() or c in "_-.")) for c in name):
        return "A name has letters, digits, `_`, `-` and `.` only."
    return f"`{name}` is taken. Choose another name." if name in taken else None


def free_folder(name: str) -> Path:
    """A folder in the home folder that does not exist yet."""
    base = Path.home() / (name or "routes")
    return next(
        path
        for n in range(1, 10_000)
        if not (path := base if n == 1 else base.with_name(f"{base.name}-{n}")).exists()
    )


def free_name(base: str, taken: Collection[str]) -> str:
    """`base`, or `base` with the first free number."""
    if base not in taken:
        return base
    return next(f"{base}-{n}" for n in range(2, 10_000) if f"{base}-{n}" not in taken)


class NameDialog(AskDialog):
    """One name, checked while the dialog is open."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        name: str,
        *,
        accept: str,
        taken: Collection[str] = (),
    ) -> None:
        super().__init__(parent, title, "", accept)
        self.name = QLineEdit(name)
        self.name.setAccessibleName("Name")
        self.form.addRow("Name", self.name)
        self.validate = lambda: name_problem(self.name.text().strip(), taken)


def ask_name(
    parent: QWidget | None,
    title: str,
    name: str,
    *,
    accept: str = "OK",
    taken: Collection[str] = (),
) -> str | None:
    """Ask for a name that is not `taken`; `None` when the person changed their mind."""
    dialog = NameDialog(parent, title, name, accept=accept, taken=taken)
    found = dialog.name.text().strip() if dialog.exec() else None
    dialog.deleteLater()
    return found


def ask_text(
    parent: QWidget | None, title: str, name: str, text: str, *, accept: str = "OK"
) -> str | None:
    """Ask for a line of text; `None` when the person changed their mind."""
    dialog = AskDialog(parent, title, "", accept)
    edit = QLineEdit(text)
    edit.setAccessibleName(name)
    dialog.form.addRow(name, edit)
    dialog.validate = lambda: None if edit.text().strip() else f"{name} is empty."
    found = edit.text().strip() if dialog.exec() else None
    dialog.deleteLater()
    return found


def ask(
    parent: QWidget | None,
    title: str,
    text: str,
    yes: str,
    no: str = "Cancel",
    *,
    danger: bool = False,
) -> bool:
    """A question with two answers. With `danger`, Enter does not answer it with yes."""
    kind = "danger" if danger else "primary"
    return _answer(Question(parent, title, text, [("yes", yes, kind)], cancel=no)) == "yes"


def variables_text(items: Sequence[Mapping[str, str]]) -> str:
    """Which variables of the user go to which host, for a question (`engine.outside`)."""
    lines = [f"{item['variable']} to {item['host']}" for item in items[:12]]
    more = [f"and {len(items) - 12} more"] if len(items) > 12 else []
    return ("This project uses variables of your environment that are not in its .env, and sends "
            "their values:\n\n" + "\n".join(lines + more))  # fmt: skip


def ask_save(parent: QWidget | None, files: list[str], *, going: str = "closing") -> str:
    """Before leaving a project with unsaved edits: `save`, `discard` or `cancel`."""
    answers = [("discard", "Don't save", "danger"), ("save", "Save", "primary")]
    return _answer(Question(
        parent, "Unsaved changes", f"Save the changes before {going}?", answers, details=files
    ))  # fmt: skip


def ask_demo(parent: QWidget | None, *, going: str = "closing") -> str:
    """Before leaving a changed demo: `keep` (save a copy), `discard` or `cancel`."""
    text = ("The demo is in a temporary folder that is deleted. Save a copy of it, with your "
            f"changes, before {going}?")  # fmt: skip
    answers = [("discard", "Discard the demo", "danger"), ("keep", "Save a copy…", "primary")]
    return _answer(Question(parent, "Keep the changed demo?", text, answers))


def show_message(parent: QWidget | None, title: str, text: str, lines: Sequence[str] = ()) -> None:
    """Show something to read until it is closed; the window stays in use."""
    box = Message(parent, title, text, lines)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def _answer(question: Question) -> str:
    question.exec()
    question.deleteLater()
    return question.answer
