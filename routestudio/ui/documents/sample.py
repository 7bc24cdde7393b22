"""A sample set: as a table, and as text of one message a line, checked while it is typed.

A large set is a table alone, of which the engine gives the rows in sight.
"""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QStackedWidget

from routestudio.errors import RouteStudioError
from routestudio.model.function import Diagnostic
from routestudio.ui.documents.base import Document
from routestudio.ui.documents.sample_keys import TableKeys
from routestudio.ui.documents.sample_model import PAGE
from routestudio.ui.documents.sample_rows import SampleRows
from routestudio.ui.documents.sample_types import TableTypes
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.json_text import items_of, on_one_line
from routestudio.ui.mask_dialog import MaskDialog
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import (
    Button,
    ElidedLabel,
    EmptyState,
    IconLabel,
    Pill,
    Segments,
)
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.layout import column

SAVE_MS = 600
LARGEST = 2_000_000
"""Characters of a set that is edited as one text."""
ONE_BY_ONE = "This set is large: its messages are edited one by one"
_NEW = {"action": "insert", "record": {"id": 1}, "changes": None,
        "metadata": {"table_schema": "public", "table_name": "orders"}}  # fmt: skip


class SampleDocument(Document):
    """Edits a sample set. Of a large one, single messages are edited, a line of its file each."""

    kind = "sample"

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session, name)
        self._sent: str | None = None
        self._wanted: int | None = None
        self._view = "rows"
        self._large = False
        self._foreign = False
        self._unread = False
        self._ending = ""
        self._state = ""
        self._save = QTimer(self)
        self._save.setSingleShot(True)
        self._save.setInterval(SAVE_MS)
        self._save.timeout.connect(self.flush)
        body = column(self)
        row = CompactBar(tall=True)
        body.addWidget(row)
        row.add(IconLabel("sample", 20, "accent"), yields=5)
        row.add(ElidedLabel(name, "heading"), stretch=1)
        self.count = Pill("", "neutral")
        row.add(self.count, yields=4)
        self.problems = Pill("", "success")
        row.add(self.problems)
        self.views = Segments([("rows", "Table"), ("text", "Text")], "Messages as")
        self.views.choose("rows")
        self.views.chosen.connect(self.show_view)
        row.add(self.views)
        self._whole = [
            Button("Mask…", "eye-off", action=self.mask_columns),
            Button("Paste", "copy", action=self.paste_messages),
            Button("Add message", "add", action=self.add_message),
        ]
        for number, button in enumerate(self._whole):
            row.add(button, yields=3 - number)
        self.rows = SampleRows(name)
        self.types = TableTypes(session, self.rows, name)
        self._keys = TableKeys(session, self.rows, self.types.ask)
        self.rows.line_changed.connect(self._set_line)
        self.rows.refused.connect(
            lambda why: session.notice.emit("error", f"The message you left is not valid: {why}")
        )
        self.editor = CodeEdit(f"Messages of {name}")
        self.editor.edited.connect(self._typed)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.editor)
        self._stack.addWidget(
            EmptyState("sample", "These samples are not JSON lines",
                       "They are previewed and delivered as they are. To edit them here, import "
                       "the file: its messages become JSON lines.")
        )  # fmt: skip
        self._stack.addWidget(self.rows)
        body.addWidget(self._stack, 1)
        session.changed.connect(self.refresh)
        self.refresh()
        self._load()

    @property
    def icon_name(self) -> str:
        return "sample"

    def _load(self) -> None:
        before, state = self._sent, self._now()

        def done(text: str | None) -> None:
            # Typed or sent since: the answer to that edit brings the text again.
            if self._sent is None or (self._sent == before and not self._save.isActive()):
                self._state = state
                self._show(text)

        self.session.engine.run(
            self.session.request("sample_text", name=self.name, limit=LARGEST),
            owner=self, title="Read samples", done=done, failed=self._failed,
        )  # fmt: skip

    def _failed(self, error: RouteStudioError) -> None:
        """Read again when the project is told of next, as it is after the engine was started."""
        self._unread = True
        self.session.engine.failed.emit("Read samples", str(error))

    def _show(self, text: str | None) -> None:
        if text is None:
            self._show_large()
            return
        if self._large:
            return
        if text is not None:
            # Qt takes these for ends of lines; in JSON they stand in texts only.
            text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
            text = text.replace("\r\n", "\n")
        self._choose_page()
        if text != self._sent:
            self._sent = text
            self.editor.show_text(text)
            self._check()
            self.rows.show_text(text)
        if self._wanted is not None:
            self._go(self._wanted)
            self._wanted = None

    def _show_large(self) -> None:
        """Show a set by pages, from now on."""
        if not self._large:
            self._large, self._sent = True, None
            self._view = "rows"
            self.views.choose("rows")
            for control in (*self._whole, self.views):
                control.setEnabled(False)
                control.setToolTip(ONE_BY_ONE)
            self.problems.hide()
            self.rows.show_pages(self._fetch)
            self._fetch(0)
        else:
            self.rows.refetch()

    def _fetch(self, start: int, line: int | None = None) -> None:
        session = self.session

        def failed(error: RouteStudioError) -> None:
            if self.rows.paged is not None and line is None:
                self.rows.paged.lost(start)
            self._failed(error)

        session.engine.run(
            session.request("sample_lines", name=self.name, start=start, count=PAGE, line=line),
            owner=self, title="Read samples",
            done=lambda found: self._given(found, line is not None), failed=failed,
        )  # fmt: skip

    def _given(self, found: dict[str, Any] | None, go: bool) -> None:
        """Take a page; with `go`, only where a line is."""
        self._foreign = found is None
        self._choose_page()
        if found is None or self.rows.paged is None:
            return
        self._ending = found["ending"]
        if go:
            self.rows.choose(found["start"])
            return
        self.rows.paged.give(found["rows"], found["start"], found["lines"])
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._fetch(0, wanted)

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, as soon as the text is there."""
        if self._large:
            self._fetch(0, line)
        elif self._sent is None:
            self._wanted = line
        else:
            self._go(line)

    def _go(self, line: int) -> None:
        self.editor.go_to(line)
        if line - 1 in self.rows.model.lines:
            self.rows.choose(self.rows.model.lines.index(line - 1))

    def show_view(self, name: str) -> None:
        """Show the messages as `rows` of a table or as `text`."""
        if self._large:
            self.session.notice.emit("info", ONE_BY_ONE)
            return
        self.rows.commit()
        self.views.choose(name)
        self._view = name
        self._choose_page()

    def switch_view(self) -> None:
        """Show the other of the two."""
        self.show_view("text" if self._view == "rows" else "rows")

    def _choose_page(self) -> None:
        self._stack.setCurrentIndex(1 if self._foreign else 2 if self._view == "rows" else 0)

    def refresh(self) -> None:
        """Show the count of the snapshot; close when the set is gone."""
        found = next((s for s in self.session.samples() if s["name"] == self.name), None)
        if found is None:
            self.gone.emit()
            return
        self.count.show_status(f"{found['rows']:,} rows", "neutral")
        if found["state"] == self._state and not self._unread:
            return
        if self._large:
            self._state, self._unread = found["state"], False
            self.rows.refetch()
        elif not self._save.isActive() and (self._unread or self._sent is not None):
            self._unread = False
            self._load()

    def _now(self) -> str:
        """The state of the messages in the project: another one after they have changed."""
        found = next((s for s in self.session.samples() if s["name"] == self.name), None)
        return str(found["state"]) if found is not None else ""

    def flush(self) -> None:
        """Send the typed text to the project's journal."""
        self.rows.commit()
        self._save.stop()
        text = self.editor.toPlainText()
        if self._sent is not None and text != self._sent:
            self._sent = text
            self.session.apply({"op": "set_sample", "name": self.name, "text": text})

    def add_message(self) -> None:
        """Append a message to start from."""
        self._append(json.dumps(_NEW) + "\n")

    def duplicate_message(self) -> None:
        """Put a copy of the chosen message under it."""
        line = self._chosen_line()
        if line is None:
            return
        row = self.rows.row
        text = self.editor.document().findBlockByNumber(line).text()
        cursor = QTextCursor(self.editor.document().findBlockByNumber(line))
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        cursor.insertText("\n" + text)
        self._changed()
        self.rows.choose(row + 1)

    def delete_message(self) -> None:
        """Delete the chosen messages; undo brings them back."""
        line = self._chosen_line()
        if line is None:
            return
        row = self.rows.row
        lines = self.rows.lines if line in self.rows.lines else [line]
        edit = QTextCursor(self.editor.document())
        edit.beginEditBlock()
        for number in reversed(lines):
            cursor = QTextCursor(self.editor.document().findBlockByNumber(number))
            cursor.movePosition(
                QTextCursor.MoveOperation.NextBlock, QTextCursor.MoveMode.KeepAnchor
            ) or cursor.movePosition(
                QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor
            )
            cursor.removeSelectedText()
        edit.endEditBlock()
        self._changed()
        if self.rows.model.rowCount():
            self.rows.choose(min(row, self.rows.model.rowCount() - 1))

    def paste_messages(self) -> None:
        """Append what is on the clipboard: messages as they are, rows of any format as messages."""
        text = QGuiApplication.clipboard().text()
        found = pasted(text)
        if not found:
            self.session.notice.emit("info", "There are no messages on the clipboard")
            return
        bad = sum(_fault(line) is not None for line in found)
        if bad:
            why = next(filter(None, map(_fault, found)))
            self._append_rows(text, f"{bad} of {len(found)} clipboard rows are not messages: {why}")
            return
        self._append("".join(line + "\n" for line in found))

    def _append_rows(self, text: str, refusal: str) -> None:
        """Append rows of another format as messages; report `refusal` where not all can be read."""
        name = (self._keys.table or self.name).rpartition(".")[2]

        def done(made: dict[str, Any]) -> None:
            if made["skipped"] or not made["text"]:
                self.session.notice.emit("error", refusal)
            else:
                self._append(made["text"])

        engine = self.session.engine
        engine.run(
            engine.request("sample_of", text=text, name=name), owner=self, title="Paste messages",
            done=done, failed=lambda _: self.session.notice.emit("error", refusal),
        )  # fmt: skip

    def mark_key(self) -> None:
        """Ask for the key columns of the chosen message's table."""
        self._keys.ask()

    def name_types(self) -> None:
        """Ask for the types of the columns of the chosen message's table."""
        self.types.ask(self._keys.table)

    def mask_columns(self) -> None:
        """Ask for columns and replace their values in all rows."""
        self.rows.commit()
        if self._large:
            self.session.notice.emit("info", ONE_BY_ONE)
            return
        if self._sent is None or not self.rows.model.columns:
            self.session.notice.emit("info", "There are no columns here to mask")
            return
        dialog = MaskDialog(self, self.rows.model.columns)
        dialog.accepted.connect(lambda: self.mask_values(dialog.chosen))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def mask_values(self, columns: list[str]) -> None:
        """Replace the values of columns in all rows."""
        text = self.editor.toPlainText()
        engine = self.session.engine

        def done(new: str) -> None:
            if text == self.editor.toPlainText():
                self._replace(new)
                names = ", ".join(columns)
                self.session.notice.emit("success", f"Masked {names} in all rows")

        engine.run(
            engine.request("mask", text=text, columns=columns),
            owner=self, title="Mask columns", done=done,
        )  # fmt: skip

    def _chosen_line(self) -> int | None:
        """The line, from 0, of the chosen message, in the view that is shown."""
        self.rows.commit()
        if self._large:
            self.session.notice.emit("info", ONE_BY_ONE)
        if self._sent is None or self._large:
            return None
        if self._view == "rows":
            return self.rows.line
        line = self.editor.textCursor().blockNumber()
        if line in self.rows.model.lines:
            self.rows.choose(self.rows.model.lines.index(line))
            return line
        return None

    def _append(self, text: str) -> None:
        if self._large:
            self.session.notice.emit("info", ONE_BY_ONE)
        if self._sent is None or self._large:
            return
        self.rows.commit()
        cursor = self.editor.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        old = self.editor.toPlainText()
        cursor.insertText(("" if not old or old.endswith("\n") else "\n") + text)
        self.editor.setTextCursor(cursor)
        self._changed()
        self.rows.choose(self.rows.model.rowCount() - 1)
        if self._view == "rows":
            self.rows.edit()
        else:
            self.editor.setFocus()

    def _replace(self, text: str) -> None:
        cursor = QTextCursor(self.editor.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        self._changed()

    def _set_line(self, line: int, text: str) -> None:
        """Write a message that was edited beside the table into its line."""
        if self.rows.paged is not None:
            edit = {"op": "set_sample_line", "name": self.name, "path": str(line + 1),
                    "ending": self._ending, "line": line + 1, "old": self.rows.raw,
                    "text": text}  # fmt: skip
            self.rows.paged.put(line, text)
            self.session.apply(edit)
            return
        cursor = QTextCursor(self.editor.document().findBlockByNumber(line))
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        self._changed()

    def _changed(self) -> None:
        """Show a changed text in the table at once."""
        self.rows.show_text(self.editor.toPlainText())

    def _typed(self) -> None:
        self._save.start()
        self._check()
        if self._view == "text":
            self._changed()

    def _check(self) -> None:
        found: list[Diagnostic] = []
        for number, line in enumerate(self.editor.toPlainText().splitlines(), 1):
            if line.strip():
                text = _fault(line)
                if text:
                    found.append(Diagnostic(number, 1, "sample", text))
        self.editor.show_diagnostics(found)
        text = f"{len(found)} invalid lines" if found else "all lines valid"
        self.problems.show_status(text, "error" if found else "success")


def pasted(text: str) -> list[str]:
    """The lines of a pasted text: an array's items, one message over several lines, or lines."""
    body = text.strip()
    if not body:
        return []
    try:
        # What is valid as a whole is one message or an array; numbers stay as they are written.
        value = json.loads(body)
    except (ValueError, RecursionError):
        return [line.strip() for line in body.split("\n") if line.strip()]
    return items_of(body) if isinstance(value, list) else [on_one_line(body)]


def _fault(line: str) -> str | None:
    from routestudio.model.message import MessageError, message_from

    try:
        value: Any = json.loads(line)
        message_from(value)
    except (ValueError, RecursionError) as error:
        return str(error) if isinstance(error, MessageError) else f"not JSON: {error}"
    return None
