"""Words that a user reads are plain English: the worst patterns stay out of the window."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "routestudio"
FOLDERS = ("ui", "derive")
PATTERNS = {
    "anew": "again",
    r"\bthe very\b": "exactly the, or nothing",
    r"\bis no (?!longer|more|such|network)\w": "is not a",
    r"\bholds no message": "is not a message",
    r"\bend otherwise": "have a different destination",
    r"\ball the same\b": "anyway",
    r"\bof its own\b": "its own",
    r"\bshall be\b": "is, or will be",
    r"\bgo(es)? on:": "is in progress",
    r"Light or dark": "Toggle dark theme",
    r"\(s\)": "a plural that fits the number",
}


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Literals of a module that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_text_of_the_window_has_it(pattern: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text[:80]}"
        for folder in FOLDERS
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        for line, text in strings(path)
        if re.search(pattern, text)
    ]
    assert found == [], f"better: {PATTERNS[pattern]}"
