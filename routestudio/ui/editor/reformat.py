"""Take a formatted text into an editor: one step of undo, the cursor where it was."""

from __future__ import annotations

from PySide6.QtGui import QTextCursor

from routestudio.ui.editor.code_edit import CodeEdit, utf16

_LOOSE = frozenset(" \t\r\n\"'(),\\;")
"""Characters that a formatter adds, removes or exchanges."""


def same_place(old: str, new: str, offset: int) -> int:
    """The offset in `new` that stands behind as many firm characters as `offset` in `old`."""
    wanted = sum(1 for character in old[:offset] if character not in _LOOSE)
    if not wanted:
        return 0
    seen = 0
    for position, character in enumerate(new):
        seen += character not in _LOOSE
        if seen == wanted:
            return position + 1
    return len(new)


def _common(one: str, other: str) -> int:
    """Number of characters with which both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def take(editor: CodeEdit, new: str) -> bool:
    """Replace what differs. Returns whether something did."""
    old = editor.toPlainText()
    if old == new:
        return False
    here = len(old.encode("utf-16-le")[: editor.textCursor().position() * 2].decode("utf-16-le"))
    there = same_place(old, new, here)
    start = _common(old, new)
    tail = _common(old[start:][::-1], new[start:][::-1])
    scroll = editor.verticalScrollBar().value()
    cursor = QTextCursor(editor.document())
    cursor.setPosition(utf16(old, start))
    cursor.setPosition(utf16(old, len(old) - tail), QTextCursor.MoveMode.KeepAnchor)
    cursor.insertText(new[start : len(new) - tail])
    cursor.setPosition(utf16(new, there))
    editor.setTextCursor(cursor)
    editor.verticalScrollBar().setValue(scroll)
    return True
