"""The scanner of ruamel.yaml, with time that grows with the file only, and a bound.

The parser asks many times what the next token is; between two tokens the answer stays the same.
Comments over many lines are joined once, not line by line.
"""

from __future__ import annotations

from typing import Any, Final

from ruamel.yaml import tokens
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scanner import RoundTripScanner

MAX_TOKENS: Final = 80_000
"""Most signs and values that a file may hold: reading them takes about two seconds."""

MAX_DEPTH: Final = 150
"""Most brackets and braces that may be open at a place: the parser's time grows with their
square."""

_CARRIERS: Final = (tokens.ScalarToken, tokens.ValueToken, tokens.FlowSequenceEndToken,
                    tokens.FlowMappingEndToken)  # fmt: skip
"""Tokens that take the comment behind them."""


class TooManyTokensError(YAMLError):
    """The text holds more than is read."""


class TooDeepError(YAMLError):
    """Too many brackets and braces are open, at `line` (from 0)."""

    def __init__(self, line: int) -> None:
        super().__init__("nested too deeply")
        self.line = line


class BoundedScanner(RoundTripScanner):
    """Gives the tokens that its parent gives."""

    local = True
    """Whether each part of the text means the same without the others: no anchors, aliases, tags,
    directives or marks of documents."""
    _settled: tuple[int, int] | None = None
    _fetched = 0

    def fetch_more_tokens(self) -> Any:
        self._fetched += 1
        if self._fetched > MAX_TOKENS:
            raise TooManyTokensError(f"holds more than {MAX_TOKENS:,} values and signs")
        return super().fetch_more_tokens()

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> Any:  # noqa: N803
        if self.flow_level >= MAX_DEPTH:
            raise TooDeepError(self.reader.line)
        return super().fetch_flow_collection_start(TokenClass, to_push)

    def fetch_anchor(self) -> Any:
        self.local = False
        return super().fetch_anchor()

    def fetch_alias(self) -> Any:
        self.local = False
        return super().fetch_alias()

    def fetch_tag(self) -> Any:
        self.local = False
        return super().fetch_tag()

    def fetch_directive(self) -> Any:
        self.local = False
        return super().fetch_directive()

    def fetch_document_indicator(self, TokenClass: Any) -> Any:  # noqa: N803
        self.local = False
        return super().fetch_document_indicator(TokenClass)

    def scan_to_next_token(self) -> Any:
        """Skip what is between two tokens, also tabs, which YAML allows there."""
        while True:
            comment = super().scan_to_next_token()
            if comment is not None or self.reader.peek() != "\t":
                return comment
            width = self._tabs()
            if not width:
                return comment
            self.reader.forward(width)

    def _tabs(self) -> int:
        """How many blanks and tabs are here; 0 where they indent what follows."""
        buffer, at = self.reader.buffer, self.reader.pointer
        end = at
        while buffer[end] in " \t":
            end += 1
        start = max(buffer.rfind("\n", 0, at), buffer.rfind("\r", 0, at)) + 1
        indents = not buffer[start:at].strip() and buffer[end] not in "\0\r\n#"
        return 0 if indents else end - at

    def check_token(self, *choices: Any) -> bool:
        self._settle()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def peek_token(self) -> Any:
        self._settle()
        return self.tokens[0] if self.tokens else None

    def get_token(self) -> Any:
        self._settle()
        if not self.tokens:
            return None
        first = self.tokens[0]
        if isinstance(first, _CARRIERS) and self._comment_follows():
            below = self.tokens[1].start_mark.line - first.end_mark.line
            if not below or isinstance(first, tokens.ScalarToken):
                first.add_post_comment(self._joined_comment(below))
        self.tokens_taken += 1
        return self.tokens.pop(0)

    def stale_possible_simple_keys(self) -> None:
        if self.possible_simple_keys:
            super().stale_possible_simple_keys()

    def _settle(self) -> None:
        """Fetch until the next token is known, with what belongs to it."""
        state = (self.tokens_taken, len(self.tokens))
        if state == self._settled:
            return
        while self.need_more_tokens():
            self.fetch_more_tokens()
        fetched = self._fetched
        self._gather_comments()
        if fetched == self._fetched:
            self._settled = (self.tokens_taken, len(self.tokens))

    def _comment_follows(self) -> bool:
        return len(self.tokens) > 1 and isinstance(self.tokens[1], tokens.CommentToken)

    def _joined_comment(self, below: int) -> Any:
        """The comment behind the next token, with the lines of it that follow."""
        comment = self.tokens.pop(1)
        self.tokens_taken += 1
        start = "\n" * below + " " * comment.start_mark.column if below else ""
        parts = [start, comment.value]
        self.fetch_more_tokens()
        while self._comment_follows():
            more = self.tokens.pop(1)
            self.tokens_taken += 1
            parts += [" " * more.start_mark.column, more.value]
            self.fetch_more_tokens()
        comment.value = "".join(parts)
        return comment
