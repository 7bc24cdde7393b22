"""Numbers and code points in Elixir's text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from routestudio.functions.elixir.escapes import SourceError, unescape

MAX_DIGITS: Final = 4_000
"""Longest number in a text: Python reads no longer ones."""

Place = Callable[[int], tuple[int, int]]
"""Line and column of a position in the text."""

Part = tuple[str, Any, int]
"""Kind, value and end of a token."""

_NUMBER: Final = re.compile(
    r"0x([0-9A-Fa-f]+(?:_[0-9A-Fa-f]+)*)|0b([01]+(?:_[01]+)*)|0o([0-7]+(?:_[0-7]+)*)"
    r"|([0-9]+(?:_[0-9]+)*)(\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?)?"
)
_CHAR_ESCAPES: Final = "0abdefnrstv"


def number(text: str, at: int, place: Place) -> Part:
    """The number at a position. Raises `SourceError`."""
    found = _NUMBER.match(text, at)
    assert found is not None
    end = found.end()
    following = text[end : end + 1]
    if following.isalnum() or following == "_":
        raise SourceError(f"invalid character {following!r} after number {found[0]}", place(at))
    hexa, binary, octal, digits, fraction = found.groups()
    for part, base in ((hexa, 16), (binary, 2), (octal, 8)):
        if part is not None:
            return "int", int(part.replace("_", ""), base), end
    if len(found[0]) > MAX_DIGITS:
        problem = "a number of more than 4,000 digits is not evaluated here"
        raise SourceError(problem, place(at))
    if fraction is None:
        return "int", int(digits.replace("_", "")), end
    value = float(found[0].replace("_", ""))
    if value in (float("inf"), float("-inf")):
        raise SourceError(f"invalid float number {found[0]}", place(at))
    return "float", value, end


def code_point(text: str, at: int, place: Place) -> Part:
    """`?a`, an integer. Raises `SourceError`."""
    if text[at + 1] != "\\":
        return "int", ord(text[at + 1]), at + 2
    if at + 2 >= len(text):
        raise SourceError("unexpected token: ?\\", place(at))
    escaped = text[at + 2]
    if escaped in "xu":
        found = re.compile(
            r"\\(?:x\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{1,2}|u\{[0-9A-Fa-f]{1,6}\}"
            r"|u[0-9A-Fa-f]{4})"
        ).match(text, at + 1)
        if found:
            return "int", int(re.sub(r"[^0-9A-Fa-f]", "", found[0][2:]), 16), found.end()
    if escaped in _CHAR_ESCAPES:
        return "int", ord(unescape("\\" + escaped, place(at))), at + 3
    return "int", ord(escaped), at + 3
