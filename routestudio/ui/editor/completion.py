"""Completion: columns of the samples, metadata, routed fields, the library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from routestudio.ui.editor.code_edit import CodeEdit, before_cursor
from routestudio.ui.icons import icon

_KEY = Qt.Key
_WORD = re.compile(r"[\w]*$")


@dataclass(frozen=True, slots=True)
class Item:
    """A proposal: `text` is inserted; `detail` is a signature or type; `doc` one sentence.

    `body`, if there is one, is inserted instead; the cursor ends at its `$0`.
    """

    text: str
    detail: str = ""
    doc: str = ""
    kind: str = "function"
    body: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that can be proposed for one function."""

    columns: Sequence[Item] = ()
    metadata: Sequence[Item] = ()
    routed: Sequence[Item] = ()
    library: Sequence[Item] = ()
    words: Sequence[Item] = ()


def proposals(vocabulary: Vocabulary, before: str) -> tuple[str, list[Item]]:
    """The part of a word that is typed, and what may follow, for the text before the cursor."""
    match = re.search(r"(?:record|changes)\[[\"'](\w*)$", before)
    if match:
        return match[1], _filter(vocabulary.columns, match[1])
    match = re.search(r"metadata(?:\.|\[[\"'])(\w*)$", before)
    if match:
        return match[1], _filter(vocabulary.metadata, match[1])
    match = re.search(r"\b([A-Za-z]\w*)\.(\w*)$", before)
    if match:
        space = match[1] + "."
        found = [
            Item(item.text.removeprefix(space), item.detail, item.doc, item.kind)
            for item in vocabulary.library
            if item.text.startswith(space)
        ]
        return match[2], _filter(found, match[2])
    match = re.search(r"[{,]\s*[\"'](\w*)$", before)
    if match:
        return match[1], _filter(vocabulary.routed, match[1])
    if before.count('"') % 2 or before.count("'") % 2 or "#" in before:
        return "", []
    found_word = _WORD.search(before)
    word = found_word[0] if found_word else ""
    names = [item for item in (*vocabulary.words, *vocabulary.library) if "." not in item.text]
    return word, _filter(names, word) if word else []


def _filter(items: Iterable[Item], word: str) -> list[Item]:
    lowered = word.lower()
    starts = [item for item in items if item.text.lower().startswith(lowered)]
    inside = [item for item in items if lowered in item.text.lower() and item not in starts]
    return [item for item in starts + inside if item.text != word][:60]


class Completion(QObject):
    """The list under the cursor. Shown while typing and with Ctrl+Space."""

    def __init__(self, editor: CodeEdit) -> None:
        super().__init__(editor)
        self.editor = editor
        self.vocabulary = Vocabulary()
        self._word = ""
        self.popup = QListWidget(editor)
        self.popup.setWindowFlags(Qt.WindowType.ToolTip)
        self.popup.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.popup.setAccessibleName("Completion")
        self.popup.itemClicked.connect(lambda _: self.accept())
        self.popup.hide()
        editor.installEventFilter(self)
        editor.edited.connect(self._typed)
        editor.cursorPositionChanged.connect(self._moved)
        self._typing = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self.popup.hide()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key = event.key()
        if key == _KEY.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.offer(force=True)
            return True
        self._typing = bool(event.text().strip()) or key == _KEY.Key_Backspace
        if not self.popup.isVisible():
            return False
        if key in (_KEY.Key_Down, _KEY.Key_Up):
            step = 1 if key == _KEY.Key_Down else -1
            self.popup.setCurrentRow((self.popup.currentRow() + step) % self.popup.count())
            return True
        if key in (_KEY.Key_Return, _KEY.Key_Enter, _KEY.Key_Tab):
            self.accept()
            return True
        if key == _KEY.Key_Escape:
            self.popup.hide()
            return True
        return False

    def offer(self, *, force: bool = False) -> None:
        """Show what fits at the cursor, or hide the list."""
        cursor = self.editor.textCursor()
        before = before_cursor(cursor)
        self._word, items = proposals(self.vocabulary, before)
        if force and not items:
            words = (*self.vocabulary.words, *self.vocabulary.library)
            items = _filter(words, self._word)
        if not items:
            self.popup.hide()
            return
        self.popup.clear()
        for item in items:
            row = QListWidgetItem(icon(_ICONS.get(item.kind, "function")),
                                  f"{item.text}   {item.detail}".rstrip())  # fmt: skip
            row.setData(Qt.ItemDataRole.UserRole, item.body or item.text)
            row.setToolTip(item.doc)
            self.popup.addItem(row)
        self.popup.setCurrentRow(0)
        width = min(460, self.popup.sizeHintForColumn(0) + 40)
        height = min(220, self.popup.sizeHintForRow(0) * len(items) + 12)
        self.popup.resize(max(220, width), height)
        corner = self.editor.cursorRect().bottomLeft() + QPoint(0, 4)
        self.popup.move(self.editor.viewport().mapToGlobal(corner))
        self.popup.show()

    def accept(self) -> None:
        """Insert the chosen proposal."""
        row = self.popup.currentItem()
        self.popup.hide()
        if row is None:
            return
        self._typing = False
        cursor = self.editor.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor,
                            len(self._word))  # fmt: skip
        self._insert(cursor, str(row.data(Qt.ItemDataRole.UserRole)))
        self.editor.setTextCursor(cursor)

    def _insert(self, cursor: QTextCursor, text: str) -> None:
        """Insert text with the line's indentation; the cursor goes to `$0`."""
        line = before_cursor(cursor)
        indent = line[: len(line) - len(line.lstrip(" "))]
        before, mark, after = text.replace("\n", f"\n{indent}").partition("$0")
        cursor.insertText(before + after)
        if mark:
            cursor.setPosition(cursor.position() - len(after))

    def _typed(self) -> None:
        if self._typing and self.editor.hasFocus():
            self.offer()

    def _moved(self) -> None:
        if not self._typing:
            self.popup.hide()


_ICONS = {"column": "sample", "metadata": "info", "routed": "destination", "function": "function",
          "snippet": "edit"}  # fmt: skip
