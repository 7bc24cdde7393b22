"""Find and replace in the editor."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLineEdit

from routestudio.ui.editor.code_edit import CodeEdit
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
        start, end = next((p for p in places if p[0] >= here), places[0])
        cursor = self._editor.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)
        self._editor.ensureCursorVisible()

    def replace(self) -> None:
        """Replace the selected place and go to the next."""
        cursor = self._editor.textCursor()
        if (cursor.selectionStart(), cursor.selectionEnd()) in self._places():
            cursor.insertText(self.replacement.text())
        self._recount()
        self.find_next()

    def replace_all(self) -> None:
        """Replace every place as one undo step."""
        cursor = QTextCursor(self._editor.document())
        cursor.beginEditBlock()
        for start, end in reversed(self._places()):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(self.replacement.text())
        cursor.endEditBlock()
        self._recount()

    def _places(self) -> list[tuple[int, int]]:
        wanted = self.text.text()
        if not wanted:
            return []
        flags = re.NOFLAG if self.case.isChecked() else re.IGNORECASE
        try:
            found = re.compile(wanted if self.pattern.isChecked() else re.escape(wanted), flags)
        except re.error:
            return []
        text = self._editor.toPlainText()
        return [m.span() for m in found.finditer(text) if m.end() > m.start()]

    def _recount(self) -> None:
        found = len(self._places())
        self.count.setText(f"{found} found" if self.text.text() else "")
