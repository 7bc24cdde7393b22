"""Patterns that servers on OTP 27 and older read otherwise: by PCRE instead of PCRE2.

docs/reference/elixir.md#regular-expressions
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from routestudio.functions.elixir.quoted import Node, children, is_node

_LETTERS: Final = re.compile(
    r"\\[wWbB]|\[\[:\^?(?:alnum|alpha|graph|lower|print|punct|upper|word):\]"
)
"""Classes that knew letters beyond ASCII as bytes."""
_QUANTIFIER: Final = re.compile(r"\{\s*,\s*\d+\s*\}|\{(?:\s+\d|\d+\s+[,}]|\d+,\s+\d|\d+,\d+\s)")
"""Repetitions that were plain text."""

CLASSES, COUNTS = "classes", "counts"
Place = tuple[str, str, int, int]


def places(body: Any) -> list[Place]:
    """Literal patterns in a quoted body: `classes` or `counts`, the part that is meant, line and
    column from 1."""
    found: list[Place] = []
    rest = [body]
    while rest:
        value = rest.pop()
        if is_node(value, "sigil_r") or is_node(value, "sigil_R"):
            found += _pattern(value)
        rest += reversed(children(value))
    return found


def _pattern(node: Node) -> Iterator[Place]:
    content, modifiers = node.args or (None, ())
    if type(content) is not Node:
        return
    text = "".join(part for part in content.args or () if type(part) is str)
    found = _QUANTIFIER.search(text)
    if found is not None:
        yield COUNTS, found[0], *node.place
    if ord("u") in modifiers:
        return
    found = _LETTERS.search(text)
    folded = ord("i") in modifiers and not text.isascii()
    if found is not None or folded:
        yield CLASSES, found[0] if found else "i", *node.place
