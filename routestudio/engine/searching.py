"""Search through the texts of a project: its YAML file, functions, route tests and samples.

Texts are searched as they are now, with unsaved edits; a large sample is read piece by piece.
Files of variables are not among them, and lines are searched as they may be shown, so a secret
that is written into a file cannot be found either.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from routestudio.api.calls import Tell
from routestudio.api.finding import FileBegun, FileFound, FoundLine, NotSearched, SearchEnd
from routestudio.engine import route_tests
from routestudio.engine.sources import changes_of
from routestudio.engine.workspace import Workspace
from routestudio.errors import RouteStudioError, UsageError
from routestudio.functions import matching
from routestudio.functions.matching import Found, Query
from routestudio.project.redaction import MARGIN
from routestudio.sources import lines

Target = tuple[str, str, int]
"""Kind, name and line of a place that can be opened; of a route test, its file and its index."""

MOST: Final = 2_000
"""Lines that are found before a search ends."""
MOST_OF_FILE: Final = 500
LARGEST: Final = 256 << 20
"""Bytes of a sample that are searched."""
PIECE: Final = 1 << 17
"""Characters of a text that are searched at a time."""
EXCERPT: Final = 240
_BEFORE: Final = 60
_WITH_CODE: Final = ("functions", "transforms")


@dataclass(frozen=True, slots=True)
class Source:
    """One file: pieces of whole lines, each with the number of its first, and where a line is
    opened. `note` explains afterwards what of it was not read."""

    file: str
    kind: str
    pieces: Callable[[], Iterator[tuple[int, str]]]
    target: Callable[[int], Target]
    notes: list[str] = field(default_factory=list)


class Search:
    """One search of one project."""

    def __init__(
        self, workspace: Workspace, query: Query, tell: Tell[FileBegun | FileFound]
    ) -> None:
        self._workspace = workspace
        self._query = query
        self._tell = tell
        self._total = self._files = 0
        self._skipped: list[NotSearched] = []

    async def run(self) -> SearchEnd:
        """Reports each file that is being read, and the lines of each that has some.

        Returns how much was found, and what was not searched, with the reason. Raises `UsageError`
        for an expression that is not valid, or takes too long.
        """
        if not self._query.text:
            raise UsageError("there is nothing to find", hint="type a text")
        if not self._query.pattern:
            matching.compiled(self._query)
        for source in sources(self._workspace):
            if self._total >= MOST:
                self._skip(source, f"the search ended after {MOST:,} lines")
                continue
            self._tell(FileBegun(source.file))
            await self._search(source)
        return SearchEnd(self._total, self._files, self._skipped)

    def _skip(self, source: Source, why: str) -> None:
        self._skipped.append(NotSearched(source.file, why))

    async def _search(self, source: Source) -> None:
        found: list[FoundLine] = []
        pieces = source.pieces()
        try:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                first, text = piece
                room = min(MOST_OF_FILE, MOST - self._total) - len(found)
                places = await self._places(source.file, first, text, room + 1)
                rows = text.split("\n") if places else []
                found += [self._row(source, first + at, rows[at], begin, end)
                          for at, begin, end in places[:room]]  # fmt: skip
                if len(places) > room:
                    self._skip(source, f"the rest after line {found[-1].line:,}: too many lines "
                               "match" if found else "too many lines match")  # fmt: skip
                    break
        except UsageError:
            raise
        except (RouteStudioError, OSError) as error:
            self._skip(source, str(error))
        for note in source.notes:
            self._skip(source, note)
        if found:
            self._total += len(found)
            self._files += 1
            self._tell(FileFound(source.file, source.kind, found))

    async def _places(self, file: str, first: int, text: str, most: int) -> list[Found]:
        if not self._query.pattern:
            return await asyncio.to_thread(matching.places, self._query, text, most)
        try:
            return await self._workspace.pool.places(self._query, text, most)
        except UsageError as error:
            if "was stopped" not in error.message:
                raise
            raise UsageError(
                f"the regular expression takes too long in {file}, line {first:,} and after",
                hint="a repetition inside of a repetition, such as (a+)+, can take for ever",
            ) from None

    def _row(self, source: Source, line: int, text: str, begin: int, end: int) -> FoundLine:
        kind, name, at = source.target(line)
        start = max(0, begin - _BEFORE)
        shown = text[start : start + EXCERPT]
        row = FoundLine(line, begin + 1, end - begin, shown, begin - start,
                        min(end - start, len(shown)), kind, name, at)  # fmt: skip
        around = text[max(0, start - MARGIN) : start + EXCERPT + MARGIN]
        if self._workspace.redact(around) == around:
            return row
        safe = self._workspace.redact(text)[:EXCERPT]
        return replace(row, text=safe, start=0, end=0)


def sources(workspace: Workspace) -> Iterator[Source]:
    """What is searched, in order."""
    project = workspace.project
    seen = set()
    for function in project.project.functions:
        if function.file and function.file not in seen:
            seen.add(function.file)
            target = _constant("function", function.name)
            yield _text(workspace, function.file, "function", function.code, target)
    yaml = project.project.file.name
    yield _text(workspace, yaml, "yaml", project.document.text, _yaml_target(workspace, yaml))
    for path in route_tests.files(project):
        yield _text(
            workspace, path, "test", project.read(path) or "", _test_target(workspace, path)
        )
    for name in project.project.samples:
        yield _sample(workspace, name)


def _constant(kind: str, name: str) -> Callable[[int], Target]:
    return lambda line: (kind, name, line)


def _text(
    workspace: Workspace, file: str, kind: str, text: str, target: Callable[[int], Target]
) -> Source:
    """A text that is held as a whole, as it may be shown."""

    def pieces() -> Iterator[tuple[int, str]]:
        yield 1, "\n".join(workspace.redact(line) for line in text.split("\n"))

    return Source(file, kind, pieces, target)


def _sample(workspace: Workspace, name: str) -> Source:
    target = _constant("sample", name)
    unsaved = workspace.project.unsaved_sample(name)
    if unsaved is not None:
        return Source(f"samples/{name}.jsonl", "sample", lambda: _parted(unsaved), target)
    try:
        path = workspace.project.sample_path(name)
    except UsageError as error:
        return Source(f"samples/{name}", "sample", lambda: iter(()), target, [error.message])
    changes = changes_of(workspace, "sample", name)
    notes: list[str] = []

    def read() -> Iterator[tuple[int, str]]:
        """The lines of the file; changed ones are as they will be saved."""
        size, rest = path.stat().st_size, LARGEST
        try:
            for start, line, data in lines.walk(path):
                if start + len(data) > rest:
                    notes.append(
                        f"only the first {start >> 20:,} of {size >> 20:,} MB were searched"
                    )
                    return
                if len(data) > lines.MAX_LINE:
                    notes.append(f"only the beginning of line {line:,} was searched")
                body = data.removeprefix(lines.BOM) if line == 1 else data
                text = body.decode(errors="replace").rstrip("\r\n")
                yield line, changes[line][1] if line in changes else text
        except (UsageError, OSError) as error:
            notes.append(getattr(error, "message", "") or "it cannot be read")

    return Source(f"samples/{path.name}", "sample", lambda: _joined(read()), target, notes)


def _parted(text: str) -> Iterator[tuple[int, str]]:
    return _joined(enumerate(text.split("\n"), 1))


def _joined(rows: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines as pieces, each with the number of its first line."""
    kept: list[str] = []
    first = size = 0
    for line, text in rows:
        if not kept:
            first = line
        kept.append(text)
        size += len(text) + 1
        if size >= PIECE:
            yield first, "\n".join(kept)
            kept, size = [], 0
    if kept:
        yield first, "\n".join(kept)


def _yaml_target(workspace: Workspace, file: str) -> Callable[[int], Target]:
    """Where a line of the project file is edited: the text of a function, else the file itself."""
    document = workspace.project.document
    plain = document.plain() or {}
    marks: list[tuple[int, str, int]] = []
    for section, items in plain.items() if isinstance(plain, Mapping) else ():
        marks.append((document.position((str(section),))[0], "", 0))
        for item in items if isinstance(items, list) else ():
            name = item.get("name") if isinstance(item, Mapping) else None
            if isinstance(name, str):
                begin = document.position((str(section), name))[0]
                inside = "code" in item and section in _WITH_CODE
                code = document.position((str(section), name, "code"))[0] if inside else 0
                marks.append((begin, name, code))
    marks.sort(key=lambda mark: mark[0])
    starts = [mark[0] for mark in marks]

    def target(line: int) -> Target:
        at = bisect_right(starts, line) - 1
        _, name, code = marks[at] if at >= 0 else (0, "", 0)
        return ("function", name, line - code) if code and line > code else ("file", file, line)

    return target


def _test_target(workspace: Workspace, path: str) -> Callable[[int], Target]:
    """Where a line of a file of tests is shown: at its test; or where the file as a whole is."""
    try:
        tests = [t for t in route_tests.load(workspace.project) if t.file == path]
    except RouteStudioError:
        tests = []

    def target(line: int) -> Target:
        at = bisect_right([test.line for test in tests], line) - 1
        return ("test", path, tests[at].index) if at >= 0 else ("file", path, line)

    return target
