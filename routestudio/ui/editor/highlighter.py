"""Syntax colours: the whole text is lexed after a pause; spans per line in UTF-16 units."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from routestudio.ui.theme import Tokens, theme

PAUSE_MS = 15
Span = tuple[int, int, str]
"""Start and length in UTF-16 units, and the colour role."""

_ROLES = (
    ("Comment", "comment"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Function", "name_function"),
    ("Name.Builtin", "builtin"),
    ("Name.Class", "builtin"),
    ("Name.Exception", "builtin"),
    ("Name.Decorator", "number"),
    ("Name.Tag", "name_function"),
    ("Name.Variable", "number"),
    ("Name.Label", "number"),
)


def spans_of(text: str, language: str) -> list[list[Span]]:
    """Coloured spans of every line of `text`."""
    from pygments.lexers import get_lexer_by_name

    lexer: Any = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    lines: list[list[Span]] = [[]]
    column = 0
    for kind, value in lexer.get_tokens(text):
        role = _role(str(kind).removeprefix("Token."))
        pieces = value.split("\n")
        for index, piece in enumerate(pieces):
            if index:
                lines.append([])
                column = 0
            size = len(piece.encode("utf-16-le", "surrogatepass")) // 2
            if role and size:
                lines[-1].append((column, size, role))
            column += size
    return lines


def _role(kind: str) -> str | None:
    return next((role for prefix, role in _ROLES if kind.startswith(prefix)), None)


class Highlighter(QSyntaxHighlighter):
    """Applies the spans of the last lexing; colours follow the theme."""

    def __init__(self, document: QTextDocument, language: str) -> None:
        super().__init__(document)
        self.language = language
        self._lines: list[list[Span]] = []
        self._formats: dict[str, QTextCharFormat] = {}
        self._text: str | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.lex)
        document.contentsChange.connect(self._later)
        theme().changed.connect(self._recolour)
        self._recolour()

    def lex(self) -> None:
        """Lex the whole text now and repaint the lines whose spans changed."""
        text = self.document().toPlainText()
        if text == self._text:
            return
        self._text = text
        old, self._lines = self._lines, spans_of(text, self.language)
        for number, spans in enumerate(self._lines):
            if number >= len(old) or old[number] != spans:
                block = self.document().findBlockByNumber(number)
                if block.isValid():
                    self.rehighlightBlock(block)

    def highlightBlock(self, text: str) -> None:
        number = self.currentBlock().blockNumber()
        if number < len(self._lines):
            for start, length, role in self._lines[number]:
                self.setFormat(start, length, self._formats[role])

    def _later(self, position: int, removed: int, added: int) -> None:
        if removed or added:
            self._timer.start()

    def _recolour(self) -> None:
        self._formats = {role: _format(theme().tokens, role) for _, role in _ROLES}
        self.rehighlight()


def _format(tokens: Tokens, role: str) -> QTextCharFormat:
    found = QTextCharFormat()
    found.setForeground(QColor(getattr(tokens, role)))
    if role == "comment":
        found.setFontItalic(True)
    if role == "keyword":
        found.setFontWeight(QFont.Weight.DemiBold)
    return found
