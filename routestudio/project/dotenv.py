"""The text of a `.env` file: its content, and one variable set in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from routestudio.errors import Place, UsageError

_ENTRY: Final = re.compile(
    r"""[ \t\r\n]*+(?:\#[^\n]*+|
    (?:export[ \t]++)?(?P<name>[A-Za-z_][A-Za-z0-9_]*+)[ \t]*+=(?P<gap>[ \t]*+)
    (?:(?:"(?P<double>(?:[^"\\]|\\.)*+)"|'(?P<single>[^']*+)')
       (?:[ \t]++\#[^\n]*+|[ \t\r]*+)(?=\n|\Z)
    |(?P<bare>[^\n]*+)))""",
    re.VERBOSE | re.DOTALL,
)
"""A comment or a variable of a `.env` file; quoted values may have several lines.

Nothing in it is tried twice, so the time grows with the text only.
"""

_BLANK: Final = re.compile(r"\s*+")
_COMMENT: Final = re.compile(r"[ \t]\#")
MAX_ENV: Final = 1 << 20
"""Largest `.env` file, in bytes."""


def parse_env(text: str, name: str) -> dict[str, str]:
    """The variables of a `.env` file. Raises `UsageError` with the line of what is wrong."""
    return {match["name"]: _value(match) for match in _entries(text, name) if match["name"]}


def _entries(text: str, name: str) -> Iterator[re.Match[str]]:
    """Comments and variables, which together are the whole text."""
    at = 1 if text.startswith("\ufeff") else 0
    blank = _BLANK.match(text, at)
    while blank is not None and (start := blank.end()) < len(text):
        match = _ENTRY.match(text, at)
        if match is None:
            place = Place(name, text.count("\n", 0, start) + 1)
            raise UsageError("expected NAME=value", place=place)
        yield match
        at = match.end()
        blank = _BLANK.match(text, at)


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        table = {"n": "\n", "t": "\t", "r": "\r"}
        return re.sub(r"(?s)\\(.)", lambda m: table.get(m[1], m[1]), match["double"])
    if match["single"] is not None:
        return match["single"]
    comment = _COMMENT.search(match["bare"])
    bare = match["bare"][: comment.start() if comment else None].strip()
    return "" if bare.startswith("#") and match["gap"] else bare


def with_variables(text: str, values: Mapping[str, str], file: str) -> str:
    """A text in which variables are set, each once; the others and comments stay.

    Raises `UsageError` for a text that cannot be read, or whose open quote would take in what is
    written behind it.
    """
    written = _written(text, values, file)
    before = parse_env(text, file)
    wanted = {**before, **values}
    try:
        found = parse_env(written, file)
    except UsageError:
        found = {}
    if found != wanted:
        name = next((name for name in before if found.get(name) != wanted[name]), None)
        names = [match for match in _entries(text, file) if match["name"]]
        lines = (text.count("\n", 0, match.start("name")) + 1
                 for match in names if name in (None, match["name"]))  # fmt: skip
        raise UsageError("a quote is opened and not closed", place=Place(file, next(lines, 1)),
                         hint="close it, then set the variable")  # fmt: skip
    return written


def without_variable(text: str, name: str, file: str) -> str:
    """A text in which a variable is not set any more; the others and comments stay.

    Raises `UsageError` for a text that cannot be read.
    """
    kept = [match[0] for match in _entries(text, file) if match["name"] != name]
    body = "".join(kept).removeprefix("\n" if not text.startswith("\n") else "")
    body += "" if not body or body.endswith("\n") else "\n"
    wanted = {key: value for key, value in parse_env(text, file).items() if key != name}
    if parse_env(body, file) != wanted:
        raise UsageError(f"`{name}` cannot be taken out of the file", place=Place(file),
                         hint="open the file in an editor")  # fmt: skip
    return body


def _written(text: str, values: Mapping[str, str], file: str) -> str:
    parts: list[str] = []
    left = dict(values)
    replaced = False
    for match in _entries(text, file):
        name = match["name"]
        if name not in values:
            parts.append(match[0])
            replaced = False
        elif name in left:
            line = f"{name}={_quoted(left.pop(name))}"
            parts.append(f"\n{line}" if parts else line)
            replaced = True
    body = "".join(parts)
    if (replaced or (left and body.strip())) and not body.endswith("\n"):
        body += "\n"
    return body + "".join(f"{name}={_quoted(value)}\n" for name, value in left.items())


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w./:@%+,=-]+", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'
