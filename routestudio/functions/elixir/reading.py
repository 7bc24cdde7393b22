"""Walking over tokens, and what is reported where they do not fit."""

from __future__ import annotations

from typing import Any, Final, Protocol

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
                    f"by `{_CLOSES[last.kind]}`)",
                    token.place,
                )
    return None


class Reader:
    """A position in a list of tokens. `closed` is where the last token ended."""

    def __init__(self, tokens: list[Token], depth: int) -> None:
        self.tokens = tokens
        self.at = 0
        self.token = tokens[0]
        self.depth = depth
        self.closed: tuple[int, int] = (1, 1)

    def next(self) -> Token:
        """The token here; the position moves on."""
        token = self.token
        self.closed = token.end
        if self.at + 1 < len(self.tokens):
            self.at += 1
            self.token = self.tokens[self.at]
        return token

    def peek(self) -> Token:
        """The token after this one."""
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def skip_lines(self) -> None:
        """Go past line ends."""
        while self.token.kind == "eol":
            self.next()

    def skip_ends(self) -> None:
        """Go past line ends and semicolons."""
        while self.token.kind in ("eol", ";"):
            self.next()

    def expect(self, kind: str, opened: Token | None = None) -> Token:
        """The token here, which must be of a kind; `opened` is what it closes."""
        if self.token.kind != kind:
            if self.token.kind == "eof" and opened is not None:
                raise SourceError(
                    f"missing terminator: {kind} (for `{opened.kind}` on line {opened.line})",
                    opened.place,
                )
            raise self.unexpected()
        return self.next()

    def unexpected(self) -> SourceError:
        """What to raise for the token here."""
        token = self.token
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


class Expressions(Protocol):
    """What reads expressions: brackets and texts hold some."""

    def expression(self, level: int = 0, *, no_do: bool = False) -> Any:
        """The expression that begins here, of operators that bind tighter than `level`."""
        ...

    def items(self, ends: tuple[str, ...]) -> list[Any]:
        """The expressions or clauses up to one of these tokens."""
        ...

    def head(self, values: list[Any]) -> list[Any]:
        """The parameters of a clause, with a guard around them when there is one."""
        ...

    def inner(self, tokens: list[Token], depth: int) -> Any:
        """The quoted form of an interpolation's tokens."""
        ...
