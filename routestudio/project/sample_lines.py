"""Lines of a sample file that were changed and are not saved yet, kept beside the file.

A set may be too large to hold as one text. Its changed lines are: they are one more text of the
project, under the name that `beside` gives, so undo, journal and recovery treat them like any file.
Lines are numbered from 1 and have no line end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from routestudio.errors import Place, ProjectError, UsageError

ENDINGS: Final = (".jsonl", ".ndjson")
"""Files of which single lines can be changed."""
_MARK: Final = "#lines"
_BOM: Final = b"\xef\xbb\xbf"

Changes = dict[int, tuple[str, str]]
"""What stands in the file and what is to stand there, by number of line."""


def with_ends_of(old: str | None, new: str) -> str:
    """A text whose lines end as those of the one that it replaces: an editor has its own ends."""
    ends = old.count("\r\n") if old is not None else 0
    if old is None or not ends or ends != old.count("\n") or "\r" in new:
        return new
    return new.replace("\n", "\r\n")


def beside(relative: str) -> str:
    """The name under which the changed lines of a file are kept."""
    return relative + _MARK


def file_of(name: str) -> str | None:
    """The file whose changed lines are kept under a name; `None` for the name of a file."""
    return name.removesuffix(_MARK) if name.endswith(_MARK) else None


def changes_of(text: str | None) -> Changes:
    """The changes that a kept text holds."""
    found = {} if text is None else json.loads(text)
    return {int(line): (str(old), str(new)) for line, (old, new) in found.items()}


def text_of(changes: Mapping[int, tuple[str, str]]) -> str | None:
    """The text that is kept for changes; `None` for none."""
    kept = {str(line): [old, new] for line, (old, new) in sorted(changes.items()) if old != new}
    return json.dumps(kept, ensure_ascii=False) if kept else None


def changed(text: str | None, edit: Mapping[str, Any]) -> str | None:
    """The kept text after one more edit: `line`, its text before (`old`) and after (`text`).

    Raises `UsageError` for an edit that is not of one line.
    """
    line, old, new = edit["line"], str(edit["old"]), str(edit["text"])
    if not isinstance(line, int) or isinstance(line, bool) or line < 1 or "\n" in new + old:
        raise UsageError("one line is edited at a time")
    changes = changes_of(text)
    return text_of({**changes, line: (changes.get(line, (old, ""))[0], new)})


def rebased(text: str | None, saved: Mapping[int, tuple[str, str]]) -> str | None:
    """What means the same for a file into which `saved` was written."""
    changes = changes_of(text)
    found: Changes = {}
    for line in {*changes, *saved}:
        now = saved[line][1] if line in saved else changes[line][0]
        found[line] = (now, changes[line][1] if line in changes else saved[line][0])
    return text_of(found)


def with_line(text: str, line: int, new: str) -> str:
    """A text with another line. Raises `UsageError` when it has no such line."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        raise UsageError(f"there is no line {line}", hint="open the samples again")
    lines[line - 1] = new + ("\r" if lines[line - 1].endswith("\r") else "")
    return "\n".join(lines)


def lines_with(source: Path, changes: Mapping[int, tuple[str, str]]) -> Iterator[bytes]:
    """The lines of a file with their ends; only those of `changes` differ.

    Raises `ProjectError` when one of them is not what it was when it was changed.
    """
    left = dict(changes)
    try:
        with source.open("rb") as file:
            for number, data in enumerate(file, 1):
                change = left.pop(number, None)
                if change is None:
                    yield data
                    continue
                start = _BOM if number == 1 and data.startswith(_BOM) else b""
                body = data[len(start) :].rstrip(b"\r\n")
                if body != change[0].encode():
                    raise _moved(source, number)
                yield start + change[1].encode() + data[len(start) + len(body) :]
    except OSError as error:
        place = Place(str(source))
        raise ProjectError(f"cannot be read: {error.strerror}", place=place) from None
    if left:
        raise _moved(source, min(left))


def _moved(source: Path, line: int) -> ProjectError:
    return ProjectError(
        "was changed by another program since this line was edited",
        place=Place(str(source), line),
        hint="undo the edit, and make it again in the new file",
    )
