"""The editor of a dead letter: its message as a form or as JSON, with why it was refused."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from routestudio.api.runs import Letter
from routestudio.model.message import ACTIONS, MessageError, message_from
from routestudio.ui.theme import follow_mono
from routestudio.ui.widgets.basics import Banner, Button, Segments, label
from routestudio.ui.widgets.dialog import AskDialog, Dialog
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.table_tools import TableTools

_PARTS = ("record", "changes", "metadata")


class LetterEditor(Dialog):
    """Edits one message. `message` holds the outcome; `retry` means that it is to be sent now."""

    def __init__(self, parent: QWidget | None, letter: Letter) -> None:
        super().__init__(parent, "Correct a dead letter")
        self.resize(760, 560)
        self.retry = False
        self._quiet = False
        column = self.body
        reason = letter.reason
        self.reason = Banner()
        where = f"line {reason.line}: " if reason.line else ""
        self.reason.say("error", f"{reason.stage}: {where}{reason.message}")
        column.addWidget(self.reason)
        row = QHBoxLayout()
        row.addWidget(label("Action", "muted"))
        self.action = ComboBox()
        self.action.addItems(list(ACTIONS))
        self.action.setAccessibleName("Action of the message")
        row.addWidget(self.action)
        row.addStretch(1)
        self.view = Segments([("form", "Form"), ("json", "JSON")], "Edit as")
        row.addWidget(self.view)
        column.addLayout(row)
        self.form = QTableWidget(0, 2)
        self.form.setHorizontalHeaderLabels(["Field", "Value"])
        self.form.setAccessibleName("Fields of the message")
        self.form.verticalHeader().hide()
        self.form.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.form.horizontalHeader().resizeSection(0, 240)
        self.form.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.form.setShowGrid(False)
        self.form.setAlternatingRowColors(True)
        TableTools(self.form)
        self.text = QPlainTextEdit()
        follow_mono(self.text, 9.5)
        self.text.setAccessibleName("The message as JSON")
        self.pages = QStackedWidget()
        self.pages.addWidget(self.form)
        self.pages.addWidget(self.text)
        column.addWidget(self.pages, 1)
        self.help = label("Text is written as it is; numbers, true, false, null, lists and maps "
                          "are JSON. Quotes make text of what would be a number.", "help",
                          wrap=True)  # fmt: skip
        column.addWidget(self.help)
        self.problem = label("", "error", wrap=True)
        column.addWidget(self.problem)
        self._add_buttons()
        self._check = QTimer(self)
        self._check.setSingleShot(True)
        self._check.setInterval(150)
        self._check.timeout.connect(self.check)
        self.text.textChanged.connect(self._typed)
        self.action.currentTextChanged.connect(self._action_chosen)
        self.form.cellChanged.connect(self._form_changed)
        self.view.chosen.connect(self._switch)
        self._begin(letter)

    def _add_buttons(self) -> None:
        self.save_button = Button("Save", "save", action=lambda: self._end(False))
        self.save_button.setToolTip("Save the corrected message in the list")
        self.retry_button = Button(
            "Save and send", "run", kind="primary", action=lambda: self._end(True)
        )
        self.foot(Button("Cancel", action=self.reject), self.save_button, self.retry_button)

    def _begin(self, letter: Letter) -> None:
        message = letter.message
        if isinstance(message, dict):
            order = {key: message[key] for key in ("action", *_PARTS) if key in message}
            self.text.setPlainText(json.dumps({**order, **message}, indent=2, ensure_ascii=False))
            self._switch("form")
        else:
            self.text.setPlainText(letter.raw or "")
            self._switch("json")
        self.check()

    @property
    def message(self) -> dict[str, Any] | None:
        """The edited message, `None` while it is not one."""
        try:
            value = json.loads(self.text.toPlainText())
            message_from(value)
        except (ValueError, RecursionError):
            return None
        found: dict[str, Any] = value
        return found

    def check(self) -> None:
        """Show what is wrong with the text, if anything."""
        self._check.stop()
        problem = ""
        try:
            message_from(json.loads(self.text.toPlainText()))
        except MessageError as error:
            problem = str(error)
        except (ValueError, RecursionError) as error:
            problem = f"This is not JSON: {error}"
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        for button in (self.save_button, self.retry_button):
            button.setEnabled(not problem)
        self.view.button("form").setEnabled(not problem)

    def _switch(self, view: str) -> None:
        message = self.message
        form = view == "form" and message is not None
        if form:
            assert message is not None
            self._fill(message)
        self.view.choose("form" if form else "json")
        self.pages.setCurrentIndex(0 if form else 1)
        self.action.setEnabled(message is not None)
        self.help.setVisible(form)
        if message is not None:
            self._quiet = True
            self.action.setCurrentText(str(message["action"]))
            self._quiet = False

    def _fill(self, message: dict[str, Any]) -> None:
        self._quiet = True
        rows = [(part, key, value) for part in _PARTS
                for key, value in (message.get(part) or {}).items()]  # fmt: skip
        self.form.setRowCount(len(rows))
        for number, (part, key, value) in enumerate(rows):
            name = QTableWidgetItem(f"{part}.{key}")
            name.setFlags(name.flags() & ~Qt.ItemFlag.ItemIsEditable)
            name.setData(Qt.ItemDataRole.UserRole, (part, key))
            self.form.setItem(number, 0, name)
            item = QTableWidgetItem(written(value))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{part}.{key}: {written(value)}")
            self.form.setItem(number, 1, item)
        self._quiet = False

    def _form_changed(self, row: int, column: int) -> None:
        message, item, name = self.message, self.form.item(row, 1), self.form.item(row, 0)
        if self._quiet or column != 1 or message is None or item is None or name is None:
            return
        part, key = name.data(Qt.ItemDataRole.UserRole)
        message[part][key] = value_of(item.text())
        self._show(message)

    def _action_chosen(self, action: str) -> None:
        message = self.message
        if not self._quiet and message is not None:
            self._show({**message, "action": action})

    def _show(self, message: dict[str, Any]) -> None:
        self.text.setPlainText(json.dumps(message, indent=2, ensure_ascii=False))
        self.check()

    def _typed(self) -> None:
        self._check.start()

    def _end(self, retry: bool) -> None:
        # What is being typed in a cell is taken before the message is.
        self.form.setCurrentIndex(QModelIndex())
        self.check()
        if self.message is not None:
            self.retry = retry
            self.accept()


class SetValueDialog(AskDialog):
    """Sets one field of several messages to the same value."""

    def __init__(self, parent: QWidget | None, fields: list[str], count: int) -> None:
        super().__init__(
            parent, "Set a field", f"Sets a field of {count:,} selected dead letters. Text is "
            "written as it is; numbers, true, false, null, lists and maps are JSON.",
            "Save and send",
        )  # fmt: skip
        self.retry = False
        self.field = ComboBox()
        self.field.setEditable(True)
        self.field.addItems(fields)
        self.field.setAccessibleName("Field")
        self.form.addRow("Field", self.field)
        self.value = ComboBox()
        self.value.setEditable(True)
        self.value.addItems(["", "null", "true", "false"])
        self.value.setAccessibleName("Value, as text or JSON")
        self.form.addRow("Value", self.value)
        for box in (self.field, self.value):
            completer = box.completer()
            if completer is not None:  # one that completes in the line would take Enter
                completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.keep_button = Button("Save", "save", action=lambda: self._end(False))
        self.buttons.insertWidget(self.buttons.count() - 1, self.keep_button)
        self.validate = self._problem

    @property
    def path(self) -> list[str]:
        """The field as keys, such as `record`, `region`."""
        return self.field.currentText().strip().split(".", 1)

    def _problem(self) -> str | None:
        if len(self.path) == 2 and self.path[0] in _PARTS:
            return None
        return f"Name a field such as record.id: one of {', '.join(_PARTS)}, a dot and its key."

    def try_accept(self) -> None:
        """Save and send, when the field is one."""
        self._end(True)

    def _end(self, retry: bool) -> None:
        self.retry = retry
        super().try_accept()


def fields_of(message: Any) -> list[str]:
    """The fields of a message as `SetValueDialog` names them."""
    if not isinstance(message, dict):
        return []
    parts = ((part, message.get(part)) for part in _PARTS)
    return [f"{part}.{key}" for part, value in parts if isinstance(value, dict) for key in value]


def written(value: Any) -> str:
    """A value as the form shows it: text as it is unless that would read as something else."""
    if isinstance(value, str) and value_of(value) == value and value == value.strip():
        return value
    return json.dumps(value, ensure_ascii=False)


def value_of(text: str) -> Any:
    """What was meant by a text of the form."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
