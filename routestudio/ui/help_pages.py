"""Pages of the documentation as the window shows them: which there are, and their text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from routestudio.paths import documentation

START: Final = "guides/getting-started.md"
HAZARDS: Final = "hazards.md"
GROUPS: Final = (
    ("Guides", "guides/*.md"), ("Look up", "*.md"), ("Sinks", "sinks/*.md"),
    ("Row formats", "formats/*.md"), ("Connection tests", "checks/*.md"),
)  # fmt: skip
"""Titles of the parts of the contents, and the pages in them."""
_NOT_LISTED: Final = {"index.md", "architecture.md", "release.md"}
_LEFT_OUT: Final = (
    re.compile(r"\A---\n.*?\n---\n", re.DOTALL),  # front matter
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"^</?div.*$", re.MULTILINE),
    re.compile(r"!\[[^\]]*\]\([^)]*\)(\{[^}\n]*\})?"),  # pictures
    re.compile(r"(?<=\))\{[^}\n]*\}"),  # classes of links
)
_MARKS: Final = re.compile(r"[`*_]|\[|\]\([^)]*\)")


def folder() -> Path | None:
    """The folder of pages."""
    found = documentation()
    return found.resolve() if found is not None else None


def page_of(address: str) -> Path | None:
    """The file of a page, by its place in the folder; `None` for what is not one of the pages."""
    root = folder()
    if root is None:
        return None
    path = (root / address).resolve()
    inside = path.is_relative_to(root) and path.suffix == ".md"
    return path if inside and path.is_file() else None


def text_of(path: Path) -> str:
    """The Markdown of a page, without what only the site shows."""
    text = path.read_text(encoding="utf-8")
    for pattern in _LEFT_OUT:
        text = pattern.sub("", text)
    return text


@cache
def contents() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Groups of pages: a title, and of each page its title and address."""
    root = folder()
    if root is None:
        return ()
    found = []
    for title, pattern in GROUPS:
        pages = [path for path in sorted(root.glob(pattern)) if path.name not in _NOT_LISTED]
        listed = tuple((title_of(path), path.relative_to(root).as_posix()) for path in pages)
        found.append((title, tuple(sorted(listed, key=lambda page: page[0].lower()))))
    return tuple(found)


def title_of(path: Path) -> str:
    """The first heading of a page."""
    lines = text_of(path).splitlines()
    head = next((line[2:] for line in lines if line.startswith("# ")), path.stem)
    return _MARKS.sub("", head).strip()


def anchor(heading: str) -> str:
    """The fragment by which links name a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
