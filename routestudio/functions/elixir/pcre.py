"""Regular expressions of PCRE, as Erlang uses it, in the dialect of the `regex` package.

Without the modifier `u` PCRE works on bytes: the pattern and the subject are then handed over as
Latin-1 text of their UTF-8 bytes, with the byte classes written out
(docs/reference/elixir.md#regular-expressions).
"""

from __future__ import annotations

from typing import Any, Final

import regex

from routestudio.functions.elixir.errors import NotEvaluated
from routestudio.functions.elixir.pcre_pieces import PatternError
from routestudio.functions.elixir.pcre_translate import Translator
from routestudio.functions.elixir.values import bytes_of

_WORDS: Final = {
    "missing )": "missing closing parenthesis",
    "unbalanced parenthesis": "unmatched closing parenthesis",
    "nothing to repeat": "quantifier does not follow a repeatable item",
    "multiple repeat": "quantifier does not follow a repeatable item",
    "bad character range": "range out of order in character class",
    "unknown property": "unknown property after \\P or \\p",
    "missing group name": "subpattern name expected",
    "invalid group reference": "reference to non-existent subpattern",
    "unknown group": "reference to non-existent subpattern",
}
"""PCRE2's messages, by those of the `regex` package."""


class Pattern:
    """A compiled pattern; `wide` when it works on characters instead of bytes."""

    def __init__(self, source: str, options: frozenset[str]) -> None:
        self.wide = "unicode" in options
        text = source if self.wide else bytes_of(source).decode("latin-1")
        # Bytes are not letters beyond ASCII on OTP 28: neither in classes nor for `i`.
        flags = regex.VERSION1 | (0 if self.wide else regex.ASCII)
        if "caseless" in options:
            flags |= regex.IGNORECASE
        if "dotall" in options:
            flags |= regex.DOTALL
        if "multiline" in options:
            flags |= regex.MULTILINE
        if "firstline" in options:
            raise NotEvaluated("the modifier f of regular expressions")
        try:
            translated = Translator(text, self.wide, options).translate()
            self.compiled = regex.compile(translated, flags)
        except regex.error as error:
            raise PatternError(_WORDS.get(error.msg, error.msg), error.pos or 0) from None
        except (RecursionError, OverflowError, ValueError) as error:
            raise PatternError(str(error), 0) from None
        self.names: list[str] = sorted(self.compiled.groupindex)

    def subject(self, text: str) -> str:
        """The subject in the form that the pattern works on."""
        if self.wide or text.isascii():
            return text
        return bytes_of(text).decode("latin-1")


def compile_pattern(source: str, options: list[Any]) -> Pattern:
    """A pattern with options by name (`caseless`, `unicode` ...). Raises `PatternError`."""
    return Pattern(source, frozenset(getattr(option, "name", "") for option in options))
