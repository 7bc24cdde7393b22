"""Walking over tokens, and what is reported where they do not fit."""

from __future__ import annotations

from typing import Final

from routestudio.functions.elixir.escapes import SourceError
from routestudio.functions.elixir.lexer import BLOCKS, Token

_CLOSES: Final = {"(": ")", "[": "]", "{": "}", "<<": ">>", "do": "end", "fn": "end"}


def unbalanced(tokens: list[Token]) -> SourceError | None:
    """The first closing token that closes nothing, or something else than was opened last."""
    opened: list[Token] = []
    for token in tokens:
        if token.kind in _CLOSES:
            opened.append(token)
        elif token.kind in ("end", ")", "]", "}", ">>"):
            if not opened:
                word = "reserved word" if token.kind == "end" else "token"
                return SourceError(f"unexpected {word}: {token.kind}", token.place)
            last = opened.pop()
            if _CLOSES[last.kind] != token.kind:
                return SourceError(
                    f"unexpected token: {token.kind} (`{last.kind}` on line {last.line} is closed "
                    f"by `{_CLOSES[last.kind]}`)", token.place,
                )  # fmt: skip
    return None


class Reader:
    """A position in a list of tokens."""

    def __init__(self, tokens: list[Token], depth: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._token = tokens[0]
        self._depth = depth
        self._closed: tuple[int, int] = (1, 1)

    def _next(self) -> Token:
        token = self._token
        self._closed = token.end
        if self._at + 1 < len(self._tokens):
            self._at += 1
            self._token = self._tokens[self._at]
        return token

    def _peek(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def _skip_lines(self) -> None:
        while self._token.kind == "eol":
            self._next()

    def _skip_ends(self) -> None:
        while self._token.kind in ("eol", ";"):
            self._next()

    def _expect(self, kind: str, opened: Token | None = None) -> Token:
        if self._token.kind != kind:
            if self._token.kind == "eof" and opened is not None:
                raise SourceError(
                    f"missing terminator: {kind} (for `{opened.kind}` on line {opened.line})",
                    opened.place,
                )
            raise self._unexpected()
        return self._next()

    def _unexpected(self) -> SourceError:
        token = self._token
        if token.kind == "eof":
            return SourceError("unexpected end of the text", token.place)
        if token.kind in ("end", "do", *BLOCKS):
            return SourceError(f"unexpected reserved word: {token.kind}", token.place)
        if token.kind == "eol":
            return SourceError("syntax error before the end of the line", token.place)
        shown = token.value if isinstance(token.value, str) else token.kind
        hint = None
        if token.kind == "=>":
            hint = "`=>` stands in maps only: %{key => value}"
        elif token.kind == "," and token.newlines:
            hint = "put the comma at the end of the line before"
        elif token.value in ("then", "elsif", "elseif", "elif"):
            hint = "write `if condition do ... else ... end`, or `cond do ... end`"
        return SourceError(f"syntax error before: '{shown}'", token.place, hint)
