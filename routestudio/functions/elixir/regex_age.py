"""Patterns that servers on OTP 27 and older read otherwise: by PCRE instead of PCRE2.

docs/reference/elixir.md#regular-expressions
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from routestudio.functions.elixir import checker
from routestudio.functions.elixir.escapes import SourceError
from routestudio.functions.elixir.parser import parse
from routestudio.functions.elixir.quoted import Node, is_node

_LETTERS: Final = re.compile(
    r"\\[wWbB]|\[\[:\^?(?:alnum|alpha|graph|lower|print|punct|upper|word):\]"
)
"""Classes that knew letters beyond ASCII as bytes."""
_QUANTIFIER: Final = re.compile(r"\{\s*,\s*\d+\s*\}|\{(?:\s+\d|\d+\s+[,}]|\d+,\s+\d|\d+,\d+\s)")
"""Repetitions that were plain text."""

CLASSES, COUNTS = "classes", "counts"
Place = tuple[str, str, int, int]


def places(code: str) -> tuple[Place, ...]:
    """Literal patterns: `classes` or `counts`, the part that is meant, line and column from 1.

    Nothing is reported of a text that cannot be read.
    """
    try:
        return tuple(_walk(checker.unwrap(parse(code))))
    except (SourceError, checker.Rejected, RecursionError):
        return ()


def _walk(value: Any) -> Iterator[Place]:
    if is_node(value, "sigil_r") or is_node(value, "sigil_R"):
        yield from _pattern(value)
    if type(value) is Node:
        parts = [*([value.name] if type(value.name) is Node else []), *(value.args or ())]
    else:
        parts = list(value) if type(value) in (list, tuple) else []
    for part in parts:
        yield from _walk(part)


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
