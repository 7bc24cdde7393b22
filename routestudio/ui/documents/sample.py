"""A sample set as text: one message a line, checked while it is typed."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget

from routestudio.model.function import Diagnostic
from routestudio.ui.documents.base import Document
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Button, EmptyState, IconLabel, Pill, label
from routestudio.ui.widgets.layout import bar, column

SAVE_MS = 600
LARGEST = 2_000_000
_NEW = {"action": "insert", "record": {"id": 1}, "changes": None,
        "metadata": {"table_schema": "public", "table_name": "orders"}}  # fmt: skip


class SampleDocument(Document):
    """Edits a sample set of moderate size; larger ones are paged by the preview only."""

    kind = "sample"

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session, name)
        self._sent: str | None = None
        self._wanted: int | None = None
        self._save = QTimer(self)
        self._save.setSingleShot(True)
        self._save.setInterval(SAVE_MS)
        self._save.timeout.connect(self.flush)
        body = column(self)
        row = bar(body, tall=True)
        row.addWidget(IconLabel("sample", 20, "accent"))
        row.addWidget(label(name, "heading"))
        self.count = Pill("", "neutral")
        row.addWidget(self.count)
        self.problems = Pill("", "success")
        row.addWidget(self.problems)
        row.addStretch(1)
        row.addWidget(label("one message a line: action, record, changes, metadata", "muted"))
        row.addWidget(Button("Add message", "add", action=self.add_message))
        self.editor = CodeEdit(f"Messages of {name}")
        self.editor.edited.connect(self._typed)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.editor)
        self._stack.addWidget(
            EmptyState("sample", "This sample set is large",
                       "It is read row by row where it is previewed and delivered; change its file "
                       "with another program.")
        )  # fmt: skip
        body.addWidget(self._stack, 1)
        session.changed.connect(self.refresh)
        self.refresh()
        self._load()

    @property
    def icon_name(self) -> str:
        return "sample"

    def _load(self) -> None:
        engine = self.session.engine
        engine.run(
            engine.request("sample_text", name=self.name, limit=LARGEST),
            owner=self, title="Read samples", done=self._show,
        )  # fmt: skip

    def _show(self, text: str | None) -> None:
        self._stack.setCurrentIndex(1 if text is None else 0)
        if text is not None and text != self._sent:
            self._sent = text
            self.editor.show_text(text)
            self._check()
        if text is not None and self._wanted is not None:
            self.editor.go_to(self._wanted)
            self._wanted = None

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, as soon as the text is there."""
        if self._sent is None:
            self._wanted = line
        else:
            self.editor.go_to(line)

    def refresh(self) -> None:
        """Show the count of the snapshot; close when the set is gone."""
        found = next((s for s in self.session.samples() if s["name"] == self.name), None)
        if found is None:
            self.gone.emit()
            return
        self.count.show_status(f"{found['rows']:,} rows", "neutral")
        if not self._save.isActive() and self._sent is not None:
            self._load()

    def flush(self) -> None:
        """Send the typed text to the project's journal."""
        self._save.stop()
        text = self.editor.toPlainText()
        if self._sent is not None and text != self._sent:
            self._sent = text
            self.session.apply({"op": "set_sample", "name": self.name, "text": text})

    def add_message(self) -> None:
        """Append a message to start from."""
        cursor = self.editor.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        before = "" if not self.editor.toPlainText() or self.editor.toPlainText().endswith("\n") \
            else "\n"  # fmt: skip
        cursor.insertText(before + json.dumps(_NEW) + "\n")
        self.editor.setTextCursor(cursor)
        self.editor.setFocus()

    def _typed(self) -> None:
        self._save.start()
        self._check()

    def _check(self) -> None:
        found: list[Diagnostic] = []
        for number, line in enumerate(self.editor.toPlainText().splitlines(), 1):
            if line.strip():
                text = _fault(line)
                if text:
                    found.append(Diagnostic(number, 1, "sample", text))
        self.editor.show_diagnostics(found)
        text = f"{len(found)} bad lines" if found else "all lines are messages"
        self.problems.show_status(text, "error" if found else "success")


def _fault(line: str) -> str | None:
    from routestudio.model.message import MessageError, message_from

    try:
        value: Any = json.loads(line)
        message_from(value)
    except (ValueError, RecursionError) as error:
        return str(error) if isinstance(error, MessageError) else f"not JSON: {error}"
    return None
