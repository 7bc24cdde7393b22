"""Plain English: the worst patterns stay out of strings, docstrings and pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "docs", "resources")
PREDICATE = r"(?<![Tt]here )(?<!is there )(?<!be )\b(?:is|are|was|were) no "
EVERYWHERE = {
    r"\b[Aa]new\b": "again",
    r"\b[Tt]he very\b": "exactly the, or nothing",
    PREDICATE + r"(?!longer|more|such|larger|deeper|network)\w": "is not a, are not",
    r"\bof (?:its|their|our|your|one's) own\b(?! \w)": "its own X, or nothing",
    r"\ball the same\b": "anyway, nevertheless",
    r"\bshall\b": "is to, will, or nothing",
    r"\(s\)(?!\\)": "a plural that fits the number",
    r"\b[Tt]old apart\b": "distinguished",
    r"\b(?:tells?|told) (?:whether|what|which|how|why|where)\b": "shows, reports",
    r"\bsays (?:whether|what|which|how|why|where|so)\b": "shows, explains, reports",
}
TO_USERS = {
    r"\b(?:[Ss]ays?|[Ss]aid|[Tt]ells?|[Tt]old)\b": "shows, reports, names",
    r"\bholds? no message": "is not a message",
    r"\bends? (?:elsewhere|otherwise)\b": "has a different destination",
    r"\bgo(?:es)? on:": "is in progress",
    r"\binvented message": "generated message",
    r"\bLight or dark\b": "Toggle dark theme",
    r"\bgive it up\b": "stop",
}
NOT_SHOWN = ("prelude", "python_helpers")
"""Modules whose strings are code of a user's language."""


def strings(text: str) -> Iterator[tuple[int, str, bool]]:
    """Texts of a module, with whether each is a docstring. Text that is split over lines is one."""
    tree = ast.parse(text)
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            shown = [str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values]
            yield node.lineno, "".join(shown), False
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        ):
            yield node.lineno, node.value, id(node) in docs


@cache
def corpus() -> tuple[tuple[str, str, bool], ...]:
    """Place, text, and whether a user may see it."""
    found = []
    for path in sorted((ROOT / "routestudio").rglob("*.py")):
        for line, text, doc in strings(path.read_text(encoding="utf-8")):
            visible = not doc and " " in text.strip() and path.stem not in NOT_SHOWN
            found.append((f"{path.relative_to(ROOT)}:{line}", " ".join(text.split()), visible))
    for name in PAGES:
        base = ROOT / name
        for path in [base] if base.is_file() else sorted(base.rglob("*")):
            if path.suffix in (".md", ".yaml"):
                text = path.read_text(encoding="utf-8")
                for number, part in enumerate(re.split(r"\n\s*\n", text), 1):
                    place = f"{path.relative_to(ROOT)}, paragraph {number}"
                    found.append((place, " ".join(part.split()), True))
    return tuple(found)


def faults(pattern: str, texts: tuple[tuple[str, str, bool], ...], users: bool) -> list[str]:
    """Places whose text has the pattern; with `users`, only of texts that a user may see."""
    return [
        f"{place}: …{text[max(0, match.start() - 40) : match.end() + 40]}…"
        for place, text, visible in texts
        if visible or not users
        for match in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("pattern", EVERYWHERE)
def test_no_text_has_it(pattern: str) -> None:
    found = faults(pattern, corpus(), users=False)
    assert found == [], f"better: {EVERYWHERE[pattern]}"


@pytest.mark.parametrize("pattern", TO_USERS)
def test_no_text_for_users_has_it(pattern: str) -> None:
    found = faults(pattern, corpus(), users=True)
    assert found == [], f"better: {TO_USERS[pattern]}"


BAD = '''
"""A module whose rules
are no rules."""

def f(name, count):
    """Read it anew; `name` tells whether it may be read."""
    print(f"`{name}` is no sink, and " "of its own.")
    print("the server says "
          "nothing")
    return f"{count} row(s) end elsewhere"
'''
GOOD = '''
"""There is no rule here; a server's own rules are no longer read."""

def f(name):
    print(f"`{name}` is not a sink; there are no others")
'''


@pytest.mark.parametrize(("pattern", "users"), [
    (PREDICATE + r"(?!longer|more|such|larger|deeper|network)\w", False),
    (r"\b[Aa]new\b", False),
    (r"\b(?:tells?|told) (?:whether|what|which|how|why|where)\b", False),
    (r"\bof (?:its|their|our|your|one's) own\b(?! \w)", False),
    (r"\(s\)(?!\\)", False),
    (r"\b(?:[Ss]ays?|[Ss]aid|[Tt]ells?|[Tt]old)\b", True),
    (r"\bends? (?:elsewhere|otherwise)\b", True),
])  # fmt: skip
def test_the_patterns_find_what_they_are_for(pattern: str, users: bool) -> None:
    assert pattern in (TO_USERS if users else EVERYWHERE)

    def read(source: str) -> tuple[tuple[str, str, bool], ...]:
        return tuple(
            (f"x:{line}", " ".join(text.split()), not doc) for line, text, doc in strings(source)
        )

    assert faults(pattern, read(BAD), users)
    assert not faults(pattern, read(GOOD), users)


def test_the_corpus_is_not_empty() -> None:
    assert sum(visible for _, _, visible in corpus()) > 5000
    assert any(place.startswith("docs/guides/") for place, _, _ in corpus())
