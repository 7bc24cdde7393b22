"""Small behaviours of the editor, one class each, joined to it as event filters."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor

from routestudio.ui.editor.code_edit import BRACKETS, CodeEdit, before_cursor, padded

_KEY = Qt.Key


class Behaviour(QObject):
    """Handles some keys of one editor; `press` returns whether it did."""

    def __init__(self, editor: CodeEdit) -> None:
        super().__init__(editor)
        self.editor = editor
        editor.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self.press(event)
        if event.type() == QEvent.Type.FocusIn:
            self.editor.setTabChangesFocus(False)
        return False

    def press(self, event: QKeyEvent) -> bool:
        """Handle one key, or leave it to the editor."""
        return False


class AutoIndent(Behaviour):
    """A new line starts where the last one did, deeper after `:` and opening brackets."""

    def press(self, event: QKeyEvent) -> bool:
        if event.key() not in (_KEY.Key_Return, _KEY.Key_Enter) or event.modifiers() not in (
            Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier,
        ):  # fmt: skip
            return False
        cursor = self.editor.textCursor()
        line = before_cursor(cursor)
        indent = line[: len(line) - len(line.lstrip())]
        cursor.insertText("\n" + self.next_indent(indent, line))
        self.editor.setTextCursor(cursor)
        self.editor.ensureCursorVisible()
        return True

    def next_indent(self, indent: str, line: str) -> str:
        """The spaces of the line after this one, which has that indentation."""
        stripped = line.split("#", 1)[0].rstrip()
        if stripped.endswith((":", "(", "[", "{", " do", "->")):
            return indent + self.editor.indent
        if stripped.lstrip().startswith(("return", "pass", "break", "continue", "raise")):
            return indent.removesuffix(self.editor.indent)
        return indent


class YamlIndent(AutoIndent):
    """A new line starts below the keys of the item before it, deeper after a key without value."""

    def next_indent(self, indent: str, line: str) -> str:
        text = line.lstrip()
        while text.startswith("- "):
            indent += "  "
            text = text[2:]
        if text.split(" #", 1)[0].rstrip().endswith((":", ": |", ": >")):
            indent += self.editor.indent
        return indent


class TabKeys(Behaviour):
    """Tab and Shift+Tab indent lines; Backspace removes a whole step in the indentation.

    After Esc the next Tab or Shift+Tab leaves the editor, as everywhere else in the window.
    """

    HELP = "Tab indents. Esc, then Tab or Shift+Tab, leaves the editor."

    def __init__(self, editor: CodeEdit) -> None:
        super().__init__(editor)
        editor.setAccessibleDescription(self.HELP)

    def press(self, event: QKeyEvent) -> bool:
        if event.key() in (_KEY.Key_Tab, _KEY.Key_Backtab) and self.editor.tabChangesFocus():
            return False
        if event.key() not in (_KEY.Key_Shift, _KEY.Key_Control, _KEY.Key_Alt, _KEY.Key_Meta):
            self.editor.setTabChangesFocus(event.key() == _KEY.Key_Escape)
        cursor, step = self.editor.textCursor(), self.editor.indent
        if event.key() == _KEY.Key_Backtab:
            self._lines(lambda text: text.removeprefix(step) if text.startswith(step)
                        else text.lstrip(" "))  # fmt: skip
            return True
        if event.key() == _KEY.Key_Tab and not event.modifiers():
            if cursor.hasSelection():
                self._lines(lambda text: step + text if text else text)
            else:
                size = len(step) - cursor.positionInBlock() % len(step)
                cursor.insertText(" " * size)
            return True
        if event.key() == _KEY.Key_Backspace and not cursor.hasSelection():
            before = before_cursor(cursor)
            if before and not before.strip() and len(before) % len(step) == 0:
                cursor.movePosition(QTextCursor.MoveOperation.Left,
                                    QTextCursor.MoveMode.KeepAnchor, len(step))  # fmt: skip
                cursor.removeSelectedText()
                return True
        return False

    def _lines(self, change: object) -> None:
        assert callable(change)
        for_lines(self.editor, lambda lines: [change(line) for line in lines])


class AutoClose(Behaviour):
    """An opening bracket or quote brings its closing one; typing that one steps over it."""

    PAIRS: ClassVar[dict[str, str]] = {**BRACKETS, '"': '"', "'": "'"}

    def press(self, event: QKeyEvent) -> bool:
        text = event.text()
        cursor = self.editor.textCursor()
        line = padded(cursor.block().text())
        position = cursor.positionInBlock()
        after = line[position : position + 1]
        before = line[position - 1 : position]
        if event.key() == _KEY.Key_Backspace and not cursor.hasSelection():
            if before and self.PAIRS.get(before) == after:
                cursor.deleteChar()
            return False
        if not text or cursor.hasSelection():
            return False
        if text in self.PAIRS.values() and after == text:
            cursor.movePosition(QTextCursor.MoveOperation.Right)
            self.editor.setTextCursor(cursor)
            return True
        quote = text in "\"'"
        if (
            text in self.PAIRS
            and (not after or after in " \t)]},:")
            and not (quote and (before.isalnum() or before == text))
        ):
            cursor.insertText(text + self.PAIRS[text])
            cursor.movePosition(QTextCursor.MoveOperation.Left)
            self.editor.setTextCursor(cursor)
            return True
        return False


class SmartHome(Behaviour):
    """Home goes to the first character of the line, then to its start."""

    def press(self, event: QKeyEvent) -> bool:
        if event.key() != _KEY.Key_Home or event.modifiers() not in (
            Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier,
        ):  # fmt: skip
            return False
        cursor = self.editor.textCursor()
        line = cursor.block().text()
        first = len(line) - len(line.lstrip())
        target = 0 if cursor.positionInBlock() == first else first
        keep = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        mode = QTextCursor.MoveMode
        cursor.setPosition(cursor.block().position() + target,
                           mode.KeepAnchor if keep else mode.MoveAnchor)  # fmt: skip
        self.editor.setTextCursor(cursor)
        return True


def toggle_comment(editor: CodeEdit) -> None:
    """Comment or uncomment the selected lines."""

    def change(lines: list[str]) -> list[str]:
        filled = [line for line in lines if line.strip()]
        if filled and all(line.lstrip().startswith("#") for line in filled):
            return [_uncommented(line) for line in lines]
        indent = min((len(x) - len(x.lstrip()) for x in filled), default=0)
        return [f"{x[:indent]}# {x[indent:]}" if x.strip() else x for x in lines]

    for_lines(editor, change)


def for_lines(editor: CodeEdit, change: object) -> None:
    """Replace the selected lines (or the current one) by what `change` makes of them."""
    assert callable(change)
    cursor = editor.textCursor()
    document = editor.document()
    first = document.findBlock(cursor.selectionStart())
    last = document.findBlock(cursor.selectionEnd())
    if last.position() == cursor.selectionEnd() and last != first:
        last = last.previous()
    lines = []
    block = first
    while block.isValid():
        lines.append(block.text())
        if block == last:
            break
        block = block.next()
    start, end = first.position(), last.position() + last.length() - 1
    selected = cursor.hasSelection()
    edit = QTextCursor(document)
    edit.setPosition(start)
    edit.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    text = "\n".join(change(lines))
    edit.insertText(text)
    if selected:
        again = editor.textCursor()
        again.setPosition(start)
        again.setPosition(start + len(padded(text)), QTextCursor.MoveMode.KeepAnchor)
        editor.setTextCursor(again)


def install(editor: CodeEdit, *, yaml: bool = False) -> None:
    """Give an editor all behaviours."""
    editor.indent = "  " if yaml else "    "
    for kind in (YamlIndent if yaml else AutoIndent, TabKeys, AutoClose, SmartHome):
        kind(editor)


def _uncommented(line: str) -> str:
    head, _, rest = line.partition("#")
    return head + rest.removeprefix(" ")
