"""The light bulb beside the cursor's line, and the menu of quick fixes."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QPoint, QSize, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QMenu, QToolButton, QToolTip

from routestudio.ui.editor.code_edit import CodeEdit, utf16
from routestudio.ui.editor.fixes import Fix, fixes_for, line_of, read_branch
from routestudio.ui.icons import icon
from routestudio.ui.theme import theme


class QuickFixes(QObject):
    """Offers corrections where the cursor is; each is one step of undo."""

    def __init__(self, editor: CodeEdit, language: str) -> None:
        super().__init__(editor)
        self._editor, self.language = editor, language
        self.menu = QMenu(editor)
        self.menu.setAccessibleName("Quick fixes")
        self.bulb = QToolButton(editor)
        self.bulb.setAccessibleName("Quick fixes for this line")
        self.bulb.setToolTip("Quick fixes (Ctrl+.)")
        self.bulb.setObjectName("bulb")
        self.bulb.setAutoRaise(True)
        self.bulb.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.bulb.setIconSize(QSize(13, 13))
        self.bulb.setFixedSize(14, 18)
        self.bulb.setStyleSheet("QToolButton { padding: 0; border: none; }")
        self.bulb.clicked.connect(self.open_menu)
        self.bulb.hide()
        theme().changed.connect(self._draw)
        editor.cursorPositionChanged.connect(self._place)
        editor.diagnosed.connect(self._place)
        editor.updateRequest.connect(lambda *_: self._follow())
        self._draw()

    def at_cursor(self) -> list[Fix]:
        """Corrections for the cursor's line; those of the diagnostic at the cursor first."""
        cursor = self._editor.textCursor()
        line, code = cursor.blockNumber() + 1, self._editor.toPlainText()
        here = self._editor.diagnostic_at(cursor.position())
        items = [item for item in self._editor.diagnostics if item.line == line]
        found: list[Fix] = []
        for item in sorted(items, key=lambda item: item is not here):
            found += fixes_for(item, code, self.language)
        extra = read_branch(code, self.language)
        if extra is not None and line_of(extra, code) == line:
            found.append(extra)
        return list(dict.fromkeys(found))

    def apply(self, fix: Fix) -> None:
        """Do it: one step of undo."""
        text = self._editor.toPlainText()
        cursor = self._editor.textCursor()
        cursor.setPosition(utf16(text, fix.start))
        cursor.setPosition(utf16(text, fix.end), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(fix.text)
        self._editor.setTextCursor(cursor)
        self._editor.setFocus()

    def open_menu(self) -> None:
        """Show what can be done here, under the cursor; report it when nothing can."""
        fixes = self.at_cursor()
        at = self._editor.viewport().mapToGlobal(
            self._editor.cursorRect().bottomLeft() + QPoint(0, 4)
        )
        if not fixes:
            QToolTip.showText(at, "No quick fix here", self._editor)
            return
        self.menu.clear()
        for fix in fixes:
            self.menu.addAction(icon("bulb", "warning"), fix.title).triggered.connect(
                partial(self.apply, fix)
            )
        self.menu.popup(at)
        self.menu.setActiveAction(self.menu.actions()[0])

    def _place(self) -> None:
        self.bulb.setVisible(bool(self.at_cursor()) and not self._editor.isReadOnly())
        self._follow()

    def _follow(self) -> None:
        if not self.bulb.isHidden():
            area = self._editor.contentsRect()
            rect = self._editor.cursorRect()
            y = area.top() + rect.center().y() - self.bulb.height() // 2
            self.bulb.move(area.left(), y)
            self.bulb.raise_()

    def _draw(self) -> None:
        self.bulb.setIcon(icon("bulb", "warning"))
