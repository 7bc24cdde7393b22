"""Rows of a table as text: for the clipboard, for files, and in the order that people expect."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

Rows = Iterable[Sequence[str]]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
_NUMBER: Final = re.compile(
    r"(?P<number>[+-]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>%|[a-zA-Z]*)"
)
_UNITS: Final = {"": 1.0, "%": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9,
                 "ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6}  # fmt: skip


def as_plain(heads: Sequence[str], rows: Rows) -> str:
    """Cells between tabs, without a head: what Ctrl+C gives."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


def as_csv(heads: Sequence[str], rows: Rows) -> str:
    """CSV with a head. What a spreadsheet would calculate gets an apostrophe in front."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow([unformula(name) for name in unique(heads)])
    writer.writerows([unformula(cell) for cell in row] for row in rows)
    return made.getvalue()


def as_json_lines(heads: Sequence[str], rows: Rows) -> str:
    """One object a row, with the titles of the columns as keys."""
    names = unique(heads)
    return "".join(
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n" for row in rows
    )


def as_markdown(heads: Sequence[str], rows: Rows) -> str:
    """A table in Markdown."""
    lines = [_line(unique(heads)), _line(["---"] * len(heads))]
    return "\n".join([*lines, *(_line(row) for row in rows)]) + "\n"


Write = Callable[[Sequence[str], Rows], str]
COPIES: Final[dict[str, tuple[str, Write]]] = {
    "csv": ("CSV", as_csv),
    "jsonl": ("JSON lines", as_json_lines),
    "md": ("Markdown", as_markdown),
    "txt": ("Plain text", as_plain),
}
"""Forms of a copy by key, with their titles. The keys are the endings of files."""
FILES: Final = ("csv", "jsonl", "md")
"""Forms of an exported file."""


def unformula(text: str) -> str:
    """A cell for CSV: a spreadsheet shows it and calculates nothing."""
    if text.startswith(_FORMULA) and not _number(text):
        return "'" + text
    return text


def _number(text: str) -> re.Match[str] | None:
    """A number, perhaps with a unit that is known."""
    found = _NUMBER.fullmatch(text)
    return found if found is not None and found["unit"] in _UNITS else None


def unique(heads: Sequence[str]) -> list[str]:
    """Titles of columns as keys: none is empty, and each is there once."""
    found: list[str] = []
    for number, title in enumerate(heads, 1):
        name = " ".join(title.split()) or f"Column {number}"
        while name in found:
            name = f"{name} ({number})"
        found.append(name)
    return found


def order_of(text: str) -> tuple[int, Any]:
    """What a cell is sorted by: numbers by size (also with units), texts without case, and
    empty cells last."""
    text = text.strip()
    if text in ("", "–", "…"):
        return 2, ""
    if found := _number(text):
        return 0, float(found["number"].replace(",", "")) * _UNITS[found["unit"]]
    return 1, text.casefold()


def _line(cells: Iterable[str]) -> str:
    shown = (" ".join(cell.split()).replace("\\", "\\\\").replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(shown) + " |"
