"""Plain text in every label and tool tip: names come from messages and may look like HTML."""

from __future__ import annotations

import html
import re
import secrets
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QAbstractItemView, QLabel, QToolTip, QWidget

from routestudio.model import wording

_MARK: Final = f"<!--{secrets.token_hex(8)}-->"
"""Begins the rich texts of this program, and no text that comes from elsewhere."""
_ENDS: Final = re.compile(r"[./_](?=\w|<)")
_TICKS: Final = re.compile(r"`([^`\n]+)`")


def in_words(text: str) -> str:
    """A sentence of this program for people: names between backticks get quotation marks."""
    return wording.in_words(text)


def breakable(text: str) -> str:
    """A text whose long names may go over two lines, after a dot, a slash or an underscore."""
    return _ENDS.sub(lambda found: found[0] + "\u200b", text)


def in_html(text: str) -> str:
    """A sentence of this program as HTML: names between backticks become code."""
    return _TICKS.sub(r"<code>\1</code>", html.escape(text))


def plain_tip(text: str) -> str:
    """A text for a tool tip that is shown as it is: values of samples may look like HTML."""
    if "<" not in text:
        return text
    return f'{_MARK}<p style="white-space: pre-wrap">{html.escape(text)}</p>'


def rich_tip(text: str) -> str:
    """HTML of this program's own for a tool tip; what is not its own is escaped in it."""
    return _MARK + text


class PlainTexts(QObject):
    """Shows what would be guessed to be rich text as it is; texts that are marked as rich stay."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Polish and isinstance(watched, QLabel):
            if watched.textFormat() == Qt.TextFormat.AutoText:
                watched.setTextFormat(Qt.TextFormat.PlainText)
        elif kind == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = _tip_of(watched, event)
            if text and "<" in text and not text.startswith(_MARK):
                QToolTip.showText(event.globalPos(), plain_tip(text))
                return True
        return False


def _tip_of(watched: QObject, event: QHelpEvent) -> str:
    """The tool tip that a widget, or the item of a view under the pointer, would show."""
    parent = watched.parent()
    if isinstance(parent, QAbstractItemView) and watched is parent.viewport():
        found = parent.indexAt(event.pos()).data(Qt.ItemDataRole.ToolTipRole)
        if isinstance(found, str):
            return found
    return watched.toolTip() if isinstance(watched, QWidget) else ""
