"""Values in words, for messages about them."""

from __future__ import annotations

import re
from typing import Final

from routestudio.model.function import Identifier

_TICKS: Final = re.compile(r"`([^`\n]+)`")


def _is_scalar(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text_hint(value: object) -> str | None:
    """What to do about a value that should be text."""
    if type(value) is Identifier:
        return f'write it as text: "{value}"'
    return "convert it to text with str(...)" if _is_scalar(value) else None


def kind_of(value: object) -> str:
    """What a value is, for people who do not know the language's types."""
    if value is None:
        return "null"
    if type(value) is Identifier:
        return f"the atom :{value}"
    names = {bool: "true/false", int: "a number", float: "a number", str: "text"}
    return names.get(type(value)) or (
        "a map"
        if isinstance(value, dict)
        else "a list"
        if isinstance(value, (list, tuple))
        else type(value).__name__
    )


def short(value: object) -> str:
    """A value in at most 40 characters."""
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def in_words(text: str) -> str:
    """A sentence of this program for people: names between backticks get quotation marks."""
    return _TICKS.sub(r"“\1”", text)


def counted(count: int, word: str) -> str:
    """A number with its noun: `1 message`, `2,000 messages`, `3 batches`, `2 queries`."""
    if count == 1:
        return f"1 {word}"
    stem, ending = word, "s"
    if word.endswith(("s", "x", "ch", "sh")):
        ending = "es"
    elif word.endswith("y") and not word.endswith(("ay", "ey", "oy", "uy")):
        stem, ending = word[:-1], "ies"
    return f"{count:,} {stem}{ending}"
