"""Regular expressions that mean the same to Python and to Elixir."""

from __future__ import annotations

import re
from typing import Any, Final

try:
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - before Python 3.11
    import sre_parse as parser

_NAMES: Final = """
LITERAL NOT_LITERAL ANY IN BRANCH SUBPATTERN MAX_REPEAT MIN_REPEAT AT ASSERT ASSERT_NOT RANGE NEGATE
CATEGORY MAXREPEAT MIN_UNTIL MAX_UNTIL
"""
_KNOWN: Final = frozenset(_NAMES.split())
_ODD: Final = re.compile(r"\\[bBuUN0-9]|\[\[?:|\{,|\(\?(?![:=!]|<[=!]|P<)")
FLAGS: Final = {"IGNORECASE": "i", "MULTILINE": "m", "DOTALL": "s"}


class UnequalError(Exception):
    """A pattern may mean something else in the other language; the text shows what."""


def regex(pattern: str, flags: str, *, where: str = "search") -> str:
    """A Python pattern as a sigil. Raises `UnequalError`."""
    odd = _ODD.search(pattern)
    if odd is not None:
        raise UnequalError(f"`{odd[0]}` in a pattern may mean something else in Elixir")
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError) as error:
        raise UnequalError(f"the pattern is not valid: {error}") from None
    _walk(tree)
    if where in ("match", "fullmatch"):
        pattern = f"\\A(?:{pattern})" + ("\\z" if where == "fullmatch" else "")
    text = pattern.replace("\\Z", "\\z").replace("/", "\\/").replace("\\\\/", "\\/")
    if "\n" in text or "\r" in text or "\\\\/" in text:
        raise UnequalError("a pattern on several lines has no short equal form")
    return f"~r/{text.replace('#{', '[#]{')}/u{flags}"


def can_be_empty(pattern: str) -> bool:
    """Whether a valid pattern also matches no characters at all."""
    return bool(parser.parse(pattern).getwidth()[0] == 0)


def groups(pattern: str) -> int:
    """How many groups a valid pattern has."""
    return int(re.compile(pattern).groups)


def _walk(item: Any) -> None:
    if isinstance(item, (list, tuple, parser.SubPattern)):
        for part in item:
            _walk(part)
    elif type(item).__name__ == "_NamedIntConstant":
        name = item.name
        if name in ("CATEGORY_SPACE", "CATEGORY_NOT_SPACE", "CATEGORY_WORD", "CATEGORY_NOT_WORD"):
            mark = "\\s" if name.endswith("SPACE") else "\\w"
            raise UnequalError(
                f"`{mark}` in a pattern counts other characters in the other language"
            )
        known = name in _KNOWN or name.startswith(("AT_", "CATEGORY_"))
        if name.isupper() and not known:
            raise UnequalError(f"`{name}` in a pattern may mean something else there")
