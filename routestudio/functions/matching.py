"""Places in a text that somebody looks for: a literal, or a regular expression, line by line.

A literal takes time in proportion to the text. A regular expression may take for ever, so it is
matched in a worker, which is stopped after its time (`functions.desk`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from routestudio.errors import UsageError

Found = tuple[int, int, int]
"""Line, from 0, and where the first match in it begins and ends, in characters."""

LONGEST: Final = 1_000
"""Characters of what is looked for."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: `pattern` makes `text` a regular expression, `word` wants whole words."""

    text: str
    case: bool = False
    word: bool = False
    pattern: bool = False


def places(query: Query, text: str, most: int) -> list[Found]:
    """The first match in each line that has one; of at most so many lines. Raises `UsageError`."""
    find = _by_line if query.pattern else _by_place
    return find(compiled(query).finditer, text, most)


def compiled(query: Query) -> re.Pattern[str]:
    """The expression of a query. Raises `UsageError`, which explains what is wrong with it."""
    if len(query.text) > LONGEST:
        raise UsageError(f"the text to find has more than {LONGEST:,} characters")
    body = query.text if query.pattern else re.escape(query.text)
    if query.word:
        body = rf"(?<!\w)(?:{body})(?!\w)"
    try:
        return re.compile(body, 0 if query.case else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"the regular expression is not valid: {error}") from None


_Matches = Callable[[str], Iterator[re.Match[str]]]


def _by_place(find: _Matches, text: str, most: int) -> list[Found]:
    """Matches that have no line end; lines are counted where there is a match."""
    found: list[Found] = []
    line = counted = 0
    ends = -1
    for match in find(text):
        if match.start() < ends:
            continue  # in a line that has one
        start = text.rfind("\n", 0, match.start()) + 1
        line += text.count("\n", counted, start)
        counted = start
        ends = text.find("\n", match.end())
        ends = len(text) if ends < 0 else ends
        found.append((line, match.start() - start, match.end() - start))
        if len(found) == most:
            break
    return found


def _by_line(find: _Matches, text: str, most: int) -> list[Found]:
    found: list[Found] = []
    for number, line in enumerate(text.split("\n")):
        match = next((item for item in find(line) if item.end() > item.start()), None)
        if match is not None:
            found.append((number, match.start(), match.end()))
            if len(found) == most:
                break
    return found
