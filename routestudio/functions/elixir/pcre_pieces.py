"""What patterns of PCRE are made of: texts of errors, quantifiers, single characters."""

from __future__ import annotations

import re as std
from functools import lru_cache
from typing import Final

import regex

GAP: Final = r"[ \t]*"
QUANTIFIER: Final = std.compile(
    rf"\{{{GAP}(?:(\d+){GAP}(?:(,){GAP}(\d*))?|(,){GAP}(\d+)){GAP}\}}", std.ASCII
)
"""`{2}`, `{2,}`, `{2,3}`, and since OTP 28 `{,3}` and blanks, which older servers take as text."""

KINDS: Final = frozenset("dDsSwWhHvVRbBAZzGKNX")
TWICE: Final = "two named subpatterns have the same name (PCRE2_DUPNAMES not set)"
UNKNOWN_ESCAPE: Final = "unrecognized character follows \\"
PERL_ESCAPE: Final = "PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u"
INVALID_RANGE: Final = "invalid range in character class"
NO_TERMINATOR: Final = "syntax error in subpattern name (missing terminator?)"
NO_OCTAL: Final = "non-octal character in \\o{} (closing brace missing?)"
TOO_LARGE: Final = "character code point value in \\x{} or \\o{} is too large"
SIMPLE: Final = {"a": r"\x07", "e": r"\x1b", "f": r"\f", "n": r"\n", "r": r"\r", "t": r"\t"}


class PatternError(Exception):
    """The pattern is not valid: text and byte position, as `Regex.compile` reports."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@lru_cache(maxsize=64)
def bytes_with(name: str, negated: bool) -> str:
    """The bytes that have a property as Latin-1 characters, written as a set."""
    has = regex.compile(f"[\\p{{{name}}}]", regex.VERSION1)
    found = "".join(f"\\x{code:02x}" for code in range(256) if has.match(chr(code)))
    # `\x00-\xff` taken away from itself is the set without a member.
    shown = found or r"\x00-\xff--\x00-\xff"
    return f"[{'^' if negated else ''}{shown}]"


def character(code: int, at: int = 0) -> str:
    """One character, written so that it means itself everywhere."""
    if code > 0x10FFFF:
        raise PatternError(TOO_LARGE, at)
    char = chr(code)
    if char.isascii() and char.isalnum():
        return char
    return f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}"
