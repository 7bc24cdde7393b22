"""Text between quotes: escape sequences, heredoc indentation, sigil contents."""

from __future__ import annotations

import re
from typing import Any, Final

from routestudio.functions.elixir.values import text_of, whole


class SourceError(Exception):
    """The text is not Elixir: what is wrong, and where (line and column from 1)."""

    def __init__(self, message: str, place: tuple[int, int], hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint
        self.others: list[SourceError] = []


SIMPLE: Final = {
    "0": "\0", "a": "\x07", "b": "\b", "d": "\x7f", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r",
    "s": " ", "t": "\t", "v": "\v", "\n": "",
}  # fmt: skip
REGEX: Final = {"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "a": "\x07", "\n": ""}
"""What `~r` replaces itself; everything else is left to the regular expression."""

_ESCAPE: Final = re.compile(
    r"\\(?:x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]{1,6})\}"
    r"|u([0-9A-Fa-f]{4})|(.)|$)",
    re.DOTALL,
)


def unescape(text: str, place: tuple[int, int]) -> str:
    """The text with escape sequences replaced. Raises `SourceError` for a broken one."""
    if "\\" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        wide, byte, braced, four, other = match.groups()
        digits = wide or braced or four
        if digits is not None:
            code = int(digits, 16)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise SourceError("invalid or reserved Unicode code point", place)
            return chr(code)
        if byte is not None:
            return text_of(bytes([int(byte, 16)]))
        if other in ("x", "u"):
            raise SourceError(f"invalid escape sequence \\{other}: digits are missing", place)
        return SIMPLE.get(other or "", other or "\\")

    return whole(_ESCAPE.sub(replace, text.replace("\\\r\n", "\\\n")))


def unescape_regex(text: str) -> str:
    """What `~r` itself makes of its text."""
    return re.sub(
        r"\\(.)", lambda m: REGEX.get(m[1], m[0]), text.replace("\\\r\n", "\\\n"), flags=re.DOTALL
    )


def dedent(parts: list[Any], width: int) -> list[Any]:
    """The parts of a heredoc without their indentation; parts that are not text are kept."""
    if not width:
        return parts
    pattern = re.compile(rf"\n[ \t]{{0,{width}}}")
    result: list[Any] = []
    for part in parts:
        if isinstance(part, str):
            if not result:
                part = re.sub(rf"\A[ \t]{{0,{width}}}", "", part)
            part = pattern.sub("\n", part)
        result.append(part)
    return result
