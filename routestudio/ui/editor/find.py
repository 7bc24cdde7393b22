"""Find and replace in the editor."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLineEdit

from routestudio.ui.editor.code_edit import CodeEdit, utf16
from routestudio.ui.widgets.basics import Button, IconButton, label


class FindBar(QFrame):
    """A bar over the editor: text or pattern, count, replace one or all."""

    def __init__(self, editor: CodeEdit) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._editor = editor
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 8, 6)
        row.setSpacing(6)
        self.text = QLineEdit()
        self.text.setPlaceholderText("Find")
        self.text.setAccessibleName("Find")
        self.replacement = QLineEdit()
        self.replacement.setPlaceholderText("Replace with")
        self.replacement.setAccessibleName("Replace with")
        self.replacement.setToolTip("Replace with")
        self.case = QCheckBox("Aa")
        self.case.setToolTip("Match upper and lower case")
        self.case.setAccessibleName("Match case")
        self.pattern = QCheckBox(".*")
        self.pattern.setToolTip("Regular expression")
        self.pattern.setAccessibleName("Regular expression")
        self.count = label("", "muted")
        for item in (self.text, self.replacement, self.case, self.pattern, self.count):
            row.addWidget(item)
        row.addWidget(Button("Next", kind="link", action=self.find_next))
        row.addWidget(Button("Replace", kind="link", action=self.replace))
        row.addWidget(Button("All", kind="link", action=self.replace_all))
        row.addStretch(1)
        row.addWidget(IconButton("close", "Close", self.close_bar))
        self.text.textChanged.connect(lambda _: self._recount())
        self.text.returnPressed.connect(self.find_next)
        self.replacement.textChanged.connect(lambda _: self._recount())
        for box in (self.case, self.pattern):
            box.toggled.connect(lambda _: self._recount())
        self.hide()

    def open_bar(self) -> None:
        """Show the bar with the selected text."""
        selected = self._editor.textCursor().selectedText()
        if selected and "\u2029" not in selected:
            self.text.setText(selected)
        self.show()
        self.text.setFocus()
        self.text.selectAll()
        self._recount()

    def close_bar(self) -> None:
        """Hide the bar and go back to the text."""
        self.hide()
        self._editor.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
            return
        super().keyPressEvent(event)

    def find_next(self) -> None:
        """Select the next place, from the cursor, around the end."""
        places = self._places()
        if not places:
            return
        here = self._editor.textCursor().selectionEnd()
        start, end, _ = next((p for p in places if p[0] >= here), places[0])
        cursor = self._editor.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)
        self._editor.ensureCursorVisible()

    def replace(self) -> None:
        """Replace the selected place and go to the next."""
        cursor = self._editor.textCursor()
        chosen = (cursor.selectionStart(), cursor.selectionEnd())
        for start, end, text in self._places():
            if (start, end) == chosen:
                cursor.insertText(text)
        self._recount()
        self.find_next()

    def replace_all(self) -> None:
        """Replace every place as one undo step."""
        cursor = QTextCursor(self._editor.document())
        cursor.beginEditBlock()
        for start, end, text in reversed(self._places()):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(text)
        cursor.endEditBlock()
        self._recount()

    def _places(self) -> list[tuple[int, int, str]]:
        """Start and end of each place in UTF-16 units, as Qt counts, and what replaces it."""
        try:
            return self._matches()
        except (re.error, IndexError):
            return []

    def _matches(self) -> list[tuple[int, int, str]]:
        wanted, instead = self.text.text(), self.replacement.text()
        if not wanted:
            return []
        pattern = self.pattern.isChecked()
        flags = re.MULTILINE if self.case.isChecked() else re.MULTILINE | re.IGNORECASE
        found = re.compile(wanted if pattern else re.escape(wanted), flags)
        text = self._editor.toPlainText()
        places = []
        before = units = 0
        for match in found.finditer(text):
            if match.end() == match.start():
                continue
            start = units + _units(text[before : match.start()])
            before, units = match.end(), start + _units(match[0])
            places.append((start, units, match.expand(instead) if pattern else instead))
        return places

    def _recount(self) -> None:
        try:
            found = len(self._matches())
        except (re.error, IndexError):
            self.count.setText("not a pattern")
            return
        self.count.setText(f"{found} found" if self.text.text() else "")


def _units(text: str) -> int:
    return utf16(text, len(text))
