"""What can be corrected at a place of a function's text without asking: plain text edits."""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from routestudio.model.function import Diagnostic

ROW_FAULT = "row_fault"
"""Code of diagnostics that come from rows of the preview."""

MISSING_COLUMN = "missing_column"
"""Code of diagnostics about columns that some rows of the preview do not have."""

READ_FAULT = "read_fault"
"""The same, for rows of a backfill."""

_GUESS = re.compile(r"did you mean `([^`]+)`")
_RENAME = re.compile(r"rename `(\w+)` to `(\w+)`")
_WRITE = re.compile(r"write `([^`]+)`")
_WORD = re.compile(r"[A-Za-z_][\w.]*[?!]?")
_LIKE = 0.5
LONGEST = 10_000
"""Characters of a text that is looked at here; longer functions are refused everywhere."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Replace the characters `start` to `end` (from 0) of the text by `text`."""

    title: str
    start: int
    end: int
    text: str

    def applied(self, code: str) -> str:
        """The corrected text."""
        return code[: self.start] + self.text + code[self.end :]


def fixes_for(item: Diagnostic, code: str, language: str) -> list[Fix]:
    """Corrections of one diagnostic of a text, the best first."""
    lines = _lines(code)
    if not 1 <= item.line <= len(lines):
        return []
    begin, text = lines[item.line - 1]
    start = begin + min(item.column - 1, len(text))
    end = begin + len(text)
    if item.end_column is not None and (item.end_line or item.line) == item.line:
        end = begin + min(item.end_column - 1, len(text))
    found = [
        _near(item, code, start, end),
        _import(item, lines),
        _hinted(item, code, start, end, begin, text),
        read_branch(code, language) if item.code == READ_FAULT else None,
    ]
    return [fix for fix in found if fix is not None and fix.applied(code) != code]


@lru_cache(maxsize=8)
def read_branch(code: str, language: str) -> Fix | None:
    """Let rows of a backfill (action `read`) take the branch of inserts; `None` if they have one.

    They are rows as they are in the table, so what is right for an insert is right for them.
    """
    if re.search(r"""["']read["']""", code):
        return None
    title = "Let action `read` (rows of a backfill) take the branch of `insert`"
    if language == "elixir":
        match = re.search(r'(?m)^[ \t]*("insert")[ \t]*->', code)
        if match:
            new = 'action when action in ["insert", "read"]'
            return Fix(title, match.start(1), match.end(1), new)
        match = re.search(r'action == "insert"', code)
        return match and Fix(title, *match.span(), 'action in ["insert", "read"]')
    return next((Fix(title, *edit) for edit in _python_branches(code)), None)


def line_of(fix: Fix, code: str) -> int:
    """The line, from 1, where a correction begins."""
    return code.count("\n", 0, fix.start) + 1


def row_faults(rows: Iterable[Mapping[str, Any]], name: str, code: str) -> list[Diagnostic]:
    """Problems of preview rows as warnings at their place in the function `name`, each once."""
    counts: dict[tuple[Any, ...], int] = {}
    for row in rows:
        for problem in row.get("problems") or ():
            told = problem.get("code") in ("invalid", "not_evaluated")
            if told or problem.get("function") not in (None, name):
                continue  # diagnostics of the text report it, or it is another function's
            names = ("line", "column", "field", "message", "hint")
            key = (*(problem.get(name) for name in names), row.get("action") == "read")
            counts[key] = counts.get(key, 0) + 1
    found = []
    for (line, column, field, message, hint, read), count in counts.items():
        place: tuple[int, int, int | None] | None = _key_place(field, code) if field else None
        if place is None and line is not None:
            place = (line, column or 1, None)
        if place is None:
            continue
        said = f"{field}: {message}" if field else message
        rows_said = "1 row" if count == 1 else f"{count} rows"
        found.append(
            Diagnostic(place[0], place[1], READ_FAULT if read else ROW_FAULT,
                       f"{said} ({rows_said} of the preview)", place[0], place[2],
                       severity="warning", hint=hint)
        )  # fmt: skip
    return found


def missing_columns(reads: Iterable[Mapping[str, Any]], name: str) -> list[Diagnostic]:
    """Reads of columns that some rows of the preview do not have, as warnings at their place."""
    return [
        Diagnostic(read["line"], read["column"], MISSING_COLUMN, read["message"],
                   severity="warning", hint="test whether it is there")
        for read in reads if read["function"] == name
    ]  # fmt: skip


def _near(item: Diagnostic, code: str, start: int, end: int) -> Fix | None:
    """Replace the word that is most like the guess of the hint."""
    guess = _GUESS.search(item.hint or "")
    if guess is None:
        return None
    wanted = guess[1].rsplit("/", 1)[0] if "/" in guess[1] else guess[1]
    words = list(_WORD.finditer(code, start, end))
    best = max(words, key=lambda m: _alike(m[0], wanted), default=None)
    if best is None or _alike(best[0], wanted) < _LIKE:
        return None
    return Fix(f"Replace `{best[0]}` by `{wanted}`", *best.span(), wanted)


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _import(item: Diagnostic, lines: Sequence[tuple[int, str]]) -> Fix | None:
    if not item.message.startswith("imports are not allowed"):
        return None
    last = item.line
    text = lines[item.line - 1][1]
    if not re.match(r"\s*(import|from)\b", text) or ";" in text:
        return None
    depth = text.count("(") - text.count(")")
    while (depth > 0 or lines[last - 1][1].endswith("\\")) and last < len(lines):
        last += 1
        depth += lines[last - 1][1].count("(") - lines[last - 1][1].count(")")
    begin = lines[item.line - 1][0]
    end = lines[last][0] if last < len(lines) else lines[last - 1][0] + len(lines[last - 1][1])
    return Fix("Remove the import", begin, end, "")


def _hinted(item: Diagnostic, code: str, start: int, end: int, begin: int, line: str) -> Fix | None:
    """Do what the hint suggests, where it names exactly what to write."""
    hint = item.hint or ""
    write = _WRITE.search(hint)
    if item.code == "record_attribute" and write and code[start - 1 : start] == ".":
        key = '["' + code[start:end] + '"]'
        return Fix(f"Write `{write[1]}`", start - 1, end, key)
    if item.code == "bare_except" and write:
        match = re.search(r"\bexcept\s*:", line)
        return match and Fix(f"Write `{write[1]}`", begin + match.start(), begin + match.end(),
                             write[1])  # fmt: skip
    if item.code == "parameters" and write:
        match = re.search(r"def\s+\w+\s*\(.*\)\s*(->.*)?:", line)
        return match and Fix(f"Write `{write[1]}`", begin + match.start(), begin + match.end(),
                             write[1])  # fmt: skip
    rename = _RENAME.search(hint)
    if rename is not None:
        match = re.search(rf"\bdef\s+({re.escape(rename[1])})\b", line)
        return match and Fix(f"Rename `{rename[1]}` to `{rename[2]}`", begin + match.start(1),
                             begin + match.end(1), rename[2])  # fmt: skip
    return None


def _python_branches(code: str) -> Iterator[tuple[int, int, str]]:
    """Places that decide by the action, and know `insert`: range and new text."""
    if len(code) > LONGEST:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines = _lines(code)

    def offset(line: int, column: int) -> int:
        begin, text = lines[line - 1]
        return begin + len(text.encode()[:column].decode(errors="replace"))

    def span(node: Any) -> tuple[int, int]:
        return (offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset))

    for node in ast.walk(tree):
        match node:
            case ast.Compare(ast.Name("action"), [ast.Eq()], [ast.Constant("insert")]):
                yield *span(node), 'action in ("insert", "read")'
            case ast.Compare(ast.Name("action"), [ast.In()], [ast.Tuple() | ast.List() as names]):
                if names.elts and any(_is(item, "insert") for item in names.elts):
                    _, end = span(names.elts[-1])
                    yield end, end, ', "read"'
            case ast.MatchValue(ast.Constant("insert")):
                yield *span(node), '"insert" | "read"'
            case ast.Dict(keys, values) if any(_is(key, "insert") for key in keys):
                value = next(v for k, v in zip(keys, values, strict=True) if _is(k, "insert"))
                _, end = span(values[-1])
                start, stop = span(value)
                yield end, end, f', "read": {code[start:stop]}'


def _is(node: ast.expr | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _key_place(field: str, code: str) -> tuple[int, int, int] | None:
    """Line, column and end of a returned key in the text, from 1; comments are left out."""
    name = re.escape(field.split(".")[0])
    pattern = re.compile(rf"""["']({name})["']|\b({name})\s*[:=](?!=)""")
    for number, (_, text) in enumerate(_lines(code), 1):
        for match in pattern.finditer(text):
            group = 1 if match[1] else 2
            if not re.match(r"\s*#", text):
                return number, match.start(group) + 1, match.end(group) + 1
    return None


def _lines(code: str) -> list[tuple[int, str]]:
    """Start and text of each line."""
    found, begin = [], 0
    for text in code.split("\n"):
        found.append((begin, text))
        begin += len(text) + 1
    return found
