"""The text area: line numbers, current line, diagnostics as waves and in the gutter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip, QWidget

from routestudio.model.function import Diagnostic
from routestudio.ui.editor.coverage import ROLES, Mark
from routestudio.ui.editor.notes import paint_notes
from routestudio.ui.theme import colour, mono_font, theme
from routestudio.ui.widgets.tips import plain_tip

BRACKETS = {"(": ")", "[": "]", "{": "}"}
_WIDE = re.compile("[\U00010000-\U0010ffff]")
_CLOSING = {close: opening for opening, close in BRACKETS.items()}


class CodeEdit(QPlainTextEdit):
    """A code editor. `edited` is sent for each change by a person; Tab adds `indent`."""

    edited = Signal()
    diagnosed = Signal()
    """Other diagnostics are shown."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName("code")
        self.setAccessibleName(name)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(False)
        self.indent = "    "
        self._size, self._text = 10.0, ""
        self._diagnostics: list[Diagnostic] = []
        self._coverage: Mapping[int, Mark] = {}
        self._outdated, self._headroom = False, 0
        self.help: Callable[[str, int], str] = lambda line, column: ""
        """Help for a column (from 0) of a line of code, for the mouse."""
        self._lines_covered, self._gutter = 0, _Gutter(self)
        self.blockCountChanged.connect(self._layout_gutter)
        self.updateRequest.connect(self._scroll_gutter)
        self.cursorPositionChanged.connect(self._mark)
        self.textChanged.connect(self._changed)
        theme().changed.connect(self._restyle)
        self.viewport().installEventFilter(self)
        self._restyle()

    # --- text --------------------------------------------------------------------------------

    def toPlainText(self) -> str:
        """The text as it is: Qt's own makes spaces of no-break spaces."""
        return self.document().toRawText().replace("\u2029", "\n")

    def show_text(self, text: str) -> None:
        """Replace the text without `edited`; keeps cursor, scroll position and undo."""
        text = text.replace("\r\n", "\n")
        if text == self.toPlainText():
            return
        self.blockSignals(True)
        position = self.textCursor().position()
        bar = self.verticalScrollBar().value()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        cursor.endEditBlock()
        again = self.textCursor()
        again.setPosition(min(position, self.document().characterCount() - 1))
        self.setTextCursor(again)
        self.verticalScrollBar().setValue(bar)
        self.blockSignals(False)
        self._text = self.toPlainText()
        self._layout_gutter()
        self._mark()

    def _changed(self) -> None:
        """Qt reports new colours as it reports new text; only text counts."""
        text = self.toPlainText()
        if text != self._text:
            self._text = text
            self.edited.emit()

    def insert_at_cursor(self, text: str) -> None:
        """Insert text where the cursor is, as one undo step."""
        self.textCursor().insertText(text)
        self.setFocus()

    def go_to(self, line: int, column: int = 1, length: int = 0) -> None:
        """Put the cursor at a line and column, both from 1; select so many characters."""
        block = self.document().findBlockByNumber(max(0, line - 1))
        if not block.isValid():
            return
        cursor = QTextCursor(block)
        text = block.text()
        start = min(len(text), max(0, column - 1))
        for at, mode in ((start, "MoveAnchor"), (start + length, "KeepAnchor")):
            units = utf16(text, min(len(text), at))
            cursor.setPosition(block.position() + units, QTextCursor.MoveMode[mode])
        self.setTextCursor(cursor)
        self.centerCursor()
        self.setFocus()

    def zoom(self, step: float) -> None:
        """Larger or smaller code font."""
        self._size = min(28.0, max(7.0, self._size + step))
        self._restyle()

    # --- diagnostics -------------------------------------------------------------------------

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """The diagnostics that are shown."""
        return self._diagnostics

    def show_diagnostics(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Underline the ranges and mark the lines of diagnostics."""
        self._diagnostics = list(diagnostics)
        self._mark()
        self._gutter.update()
        self.diagnosed.emit()

    def diagnostic_at(self, position: int) -> Diagnostic | None:
        """The diagnostic whose range holds a text position."""
        for item in self._diagnostics:
            start, end = self._range(item)
            if start <= position <= end:
                return item
        return None

    def next_problem(self, step: int = 1) -> None:
        """Move the cursor to the next (or previous) diagnostic."""
        places = {self._range(d)[0]: (d.line, d.column) for d in self._diagnostics}
        if not places:
            return
        here = self.textCursor().position()
        if step > 0:
            target = min((p for p in places if p > here), default=min(places))
        else:
            target = max((p for p in places if p < here), default=max(places))
        self.go_to(*places[target])

    def _range(self, item: Diagnostic) -> tuple[int, int]:
        block = self.document().findBlockByNumber(item.line - 1)
        if not block.isValid():
            return (0, 0)
        text = block.text()
        start = block.position() + utf16(text, item.column - 1)
        end = block.position() + utf16(text, len(text))
        if item.end_column is not None and (item.end_line or item.line) == item.line:
            end = block.position() + utf16(text, item.end_column - 1)
        return start, max(end, start + 1)

    def _mark(self) -> None:
        marks: list[QTextEdit.ExtraSelection] = [self._current_line()]
        for item in self._diagnostics:
            start, end = self._range(item)
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.document())
            last = max(0, self.document().characterCount() - 1)
            mark.cursor.setPosition(min(start, last))
            mark.cursor.setPosition(min(end, last), QTextCursor.MoveMode.KeepAnchor)
            style = QTextCharFormat()
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            style.setUnderlineColor(colour("danger" if item.severity == "error" else "warning"))
            mark.format = style
            marks.append(mark)
        marks += self._brackets()
        self.setExtraSelections(marks)

    def _current_line(self) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        mark.cursor = self.textCursor()
        mark.cursor.clearSelection()
        style = QTextCharFormat()
        style.setBackground(colour("raised"))
        style.setProperty(QTextFormat.Property.FullWidthSelection, True)
        mark.format = style
        return mark

    def _brackets(self) -> list[QTextEdit.ExtraSelection]:
        text = padded(self.toPlainText())
        position = self.textCursor().position()
        for at in (position - 1, position):
            if 0 <= at < len(text) and (text[at] in BRACKETS or text[at] in _CLOSING):
                other = matching(text, at)
                if other is not None:
                    return [_bracket(self.document(), place) for place in (at, other)]
        return []

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain_tip(self.help_at(event.pos())), self)
            return True
        return super().eventFilter(watched, event)  # type: ignore[arg-type]

    # --- coverage ----------------------------------------------------------------------------

    @property
    def coverage(self) -> Mapping[int, Mark]:
        """The marks that are shown, by line from 1."""
        return self._coverage

    def show_coverage(self, marks: Mapping[int, Mark]) -> None:
        """Mark lines in the gutter; no marks end it."""
        self._coverage, self._outdated = marks, False
        self._lines_covered = self.blockCount()
        self._gutter.update()
        self.viewport().update()

    def outdate_coverage(self) -> None:
        """The text changed: marks are pale until new ones come, and go when lines moved."""
        if self._coverage and self.blockCount() != self._lines_covered:
            self._coverage = {}
        self._outdated = True
        self._gutter.update()
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        paint_notes(self, {} if self._outdated else self._coverage)

    def gutter_help(self, line: int) -> str:
        """What the gutter shows for a line, from 1; empty for most lines."""
        texts = [item.message for item in self._diagnostics if item.line == line]
        mark = self._coverage.get(line)
        if mark is not None and not self._outdated:
            texts.append(mark.text)
        return "\n".join(texts)

    def help_at(self, place: QPoint) -> str:
        """The diagnostic at a place of the viewport, or help for the name there; else empty."""
        cursor = self.cursorForPosition(place)
        item = self.diagnostic_at(cursor.position())
        if item is not None:
            return item.message + (f"\n→ {item.hint}" if item.hint else "")
        rect = self.cursorRect(cursor)
        column = cursor.positionInBlock() - (place.x() < rect.left())
        text = cursor.block().text()
        if column < 0 or place.x() > self.cursorRect(_at_end(cursor)).right():
            return ""
        return self.help(text, len(_prefix(text, column)))

    # --- gutter ------------------------------------------------------------------------------

    def gutter_width(self) -> int:
        """Width of the line numbers in pixels."""
        digits = max(2, len(str(self.blockCount())))
        return 26 + self.fontMetrics().horizontalAdvance("9") * digits

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout_gutter()

    def paint_gutter(self, event: QPaintEvent) -> None:
        """Paint line numbers, the dots of lines with diagnostics and the bars of coverage."""
        painter = QPainter(self._gutter)
        painter.fillRect(event.rect(), colour("surface"))
        painter.setFont(self.font())
        worst = {item.line: item.severity for item in reversed(self._diagnostics)}
        block = self.firstVisibleBlock()
        number = block.blockNumber()
        top = round(self.blockBoundingGeometry(block).translated(self.contentOffset()).top())
        height = round(self.blockBoundingRect(block).height())
        current = self.textCursor().blockNumber()
        while block.isValid() and top <= event.rect().bottom():
            if block.isVisible():
                role = "text" if number == current else "muted"
                painter.setPen(colour(role))
                painter.drawText(0, top, self._gutter.width() - 12, height,
                                 Qt.AlignmentFlag.AlignRight, str(number + 1))  # fmt: skip
                if number + 1 in worst:
                    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                    painter.setPen(Qt.PenStyle.NoPen)
                    error = worst[number + 1] == "error"
                    painter.setBrush(colour("danger" if error else "warning"))
                    painter.drawEllipse(QPoint(7, top + height // 2), 3, 3)
                if number + 1 in self._coverage:
                    role = ROLES[self._coverage[number + 1].kind]
                    bar = QRect(self._gutter.width() - 6, top + 1, 3, height - 2)
                    painter.fillRect(bar, colour("border" if self._outdated else role))
            block = block.next()
            top += height
            number += 1
        painter.end()

    def set_headroom(self, height: int) -> None:
        """Leave room over the text, for a bar."""
        self._headroom = height
        self._layout_gutter()

    def _layout_gutter(self) -> None:
        area = self.contentsRect().adjusted(0, self._headroom, 0, 0)
        self.setViewportMargins(self.gutter_width(), self._headroom, 0, 0)
        self._gutter.setGeometry(QRect(area.topLeft(), QSize(self.gutter_width(), area.height())))

    def _scroll_gutter(self, area: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, area.y(), self._gutter.width(), area.height())

    def _restyle(self) -> None:
        font = mono_font(self._size)
        self.setFont(font)
        self.setStyleSheet(
            f"font-family: '{font.family()}'; font-size: {font.pointSizeF():g}pt;"
            f"background: {QColor(colour('surface')).name()};"
        )
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self._layout_gutter()
        self._mark()
        self._gutter.update()


def _bracket(document: QTextDocument, position: int) -> QTextEdit.ExtraSelection:
    mark = QTextEdit.ExtraSelection()
    cursor = QTextCursor(document)
    cursor.setPosition(position)
    cursor.setPosition(position + 1, QTextCursor.MoveMode.KeepAnchor)
    mark.cursor = cursor
    style = QTextCharFormat()
    style.setBackground(colour("selected"))
    mark.format = style
    return mark


class _Gutter(QWidget):
    def __init__(self, editor: CodeEdit) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._editor.paint_gutter(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self._editor.cursorForPosition(QPoint(0, event.pos().y()))
            text = self._editor.gutter_help(at.blockNumber() + 1)
            QToolTip.showText(event.globalPos(), plain_tip(text), self)
            return True
        return super().event(event)


def utf16(text: str, characters: int) -> int:
    """UTF-16 units of the first `characters` characters of a text, as Qt counts columns."""
    return len(text[:characters].encode("utf-16-le", "surrogatepass")) // 2


def _prefix(text: str, units: int) -> str:
    """The characters in the first UTF-16 units of a text."""
    data = text.encode("utf-16-le", "surrogatepass")[: units * 2]
    return data.decode("utf-16-le", "replace")


def _at_end(cursor: QTextCursor) -> QTextCursor:
    end = QTextCursor(cursor)
    end.movePosition(QTextCursor.MoveOperation.EndOfBlock)
    return end


_FAR = 20_000
"""Characters after which a bracket is not searched any further: a row may have a megabyte."""


def padded(text: str) -> str:
    """`text` with one character per UTF-16 unit, so that Qt's positions are indexes."""
    return _WIDE.sub("\ue000\ue000", text)


def before_cursor(cursor: QTextCursor) -> str:
    """The part of the cursor's line that is left of it, one character per UTF-16 unit."""
    return padded(cursor.block().text())[: cursor.positionInBlock()]


def matching(text: str, at: int) -> int | None:
    """The position of the bracket that matches the one at `at`; `None` where it is far away."""
    character = text[at]
    step = 1 if character in BRACKETS else -1
    other = BRACKETS[character] if step > 0 else _CLOSING[character]
    depth = 0
    position = at
    while 0 <= position < len(text) and abs(position - at) <= _FAR:
        if text[position] == character:
            depth += 1
        elif text[position] == other:
            depth -= 1
            if depth == 0:
                return position
        position += step
    return None
