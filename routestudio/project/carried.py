"""The last wall of exports: nothing that is written may hold a secret's value."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Any, Final

from routestudio.errors import FieldProblem
from routestudio.project.yamldata import texts_of

_SHORTEST: Final = 4
_WORD: Final = re.compile(r"[a-z]{1,11}")


class Carried:
    """Looks for the values of secret variables in texts that leave the project.

    A value that is a plain word (`postgres`) is looked for in code only: it may well be the name
    of a user or a table, too.
    """

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        self._names: dict[str, str] = {}
        self._words: dict[str, str] = {}
        for name, value in secrets:
            for needle in _needles(value):
                words = _WORD.fullmatch(needle) is not None
                (self._words if words else self._names).setdefault(needle, name)
        self._pattern = _pattern(self._names)
        self._in_code = _pattern(self._names, self._words)

    def in_yaml(self, text: str, data: Any) -> list[FieldProblem]:
        """Where a YAML text holds one; `data` is the text's content."""
        if self._pattern is None and self._in_code is None:
            return []
        found = [
            self._problem(".".join(path), name)
            for path, part in texts_of(data)
            if (name := self._found(part, code=path[-1:] == ("code",)))
        ]
        if not found and (name := self._found(text, code=False)):
            at = self._pattern.search(text) if self._pattern else None
            line = text.count("\n", 0, at.start()) + 1 if at else 1
            found = [self._problem(f"line {line}", name)]
        return found

    def in_lines(self, place: str, lines: Iterable[str], *, code: bool) -> list[FieldProblem]:
        """The first line of a file that holds one."""
        for number, line in enumerate(lines, 1):
            name = self._found(line, code=code)
            if name is not None:
                return [self._problem(f"{place} line {number}", name)]
        return []

    def _found(self, text: str, *, code: bool) -> str | None:
        pattern = self._in_code if code else self._pattern
        match = pattern.search(text) if pattern else None
        return None if match is None else self._names.get(match[0]) or self._words[match[0]]

    @staticmethod
    def _problem(place: str, name: str) -> FieldProblem:
        return FieldProblem(
            place, f"holds the value of `{name}`, and exports never hold secrets",
            "write a reference like ${" + name + "}, or take the value out",
        )  # fmt: skip


def _pattern(names: Iterable[str], words: Iterable[str] = ()) -> re.Pattern[str] | None:
    parts = [re.escape(name) for name in sorted(names, key=len, reverse=True)]
    parts += [rf"(?<!\w){word}(?!\w)" for word in words]
    return re.compile("|".join(parts)) if parts else None


def _needles(value: str) -> Iterator[str]:
    """A value as a file may hold it, and the password of a URL by itself."""
    info = re.match(r"[A-Za-z][\w+.-]*://[^/?#@]*:([^/?#]*)@", value)
    for text in (value, info[1] if info else ""):
        for form in {text, urllib.parse.unquote(text), json.dumps(text)[1:-1]}:
            if len(form) >= _SHORTEST:
                yield form
