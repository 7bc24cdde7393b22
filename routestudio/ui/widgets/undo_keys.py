"""Undo and redo in a field that has nothing to undo: the project's steps are meant then."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

_KEYS = QKeySequence.StandardKey


class UndoKeys(QObject):
    """Leaves the keys of undo and redo to the window while the field in front has no such step.

    A field of Qt takes these keys also when it has nothing to undo, and nothing would happen.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        cast(QApplication, QApplication.instance()).focusChanged.connect(self._follow)

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        if isinstance(old, QLineEdit | QPlainTextEdit):
            old.removeEventFilter(self)
        if isinstance(new, QLineEdit | QPlainTextEdit) and new.window() is self._window:
            new.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ShortcutOverride:
            return False
        undo, redo = _steps(watched)
        key = cast(QKeyEvent, event)
        if (key.matches(_KEYS.Undo) and not undo) or (key.matches(_KEYS.Redo) and not redo):
            event.ignore()
            return True
        return False


def _steps(field: QObject) -> tuple[bool, bool]:
    """Whether a field has something to undo and to redo."""
    if isinstance(field, QLineEdit):
        return field.isUndoAvailable(), field.isRedoAvailable()
    document = cast(QPlainTextEdit, field).document()
    return document.isUndoAvailable(), document.isRedoAvailable()
