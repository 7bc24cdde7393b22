"""Sample sets for previews: random access over files that stay on disk, and over typed text."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from routestudio.engine.reading import DEFAULT, Reading
from routestudio.engine.stored_rows import LineStore, SpooledStore, StoredRows, changed_row
from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError
from routestudio.formats.reader import Row, RowReader
from routestudio.model.rows import RawRow
from routestudio.project.sample_lines import ENDINGS, Changes
from routestudio.sources import files, lines

Kept = TypeVar("Kept")
Reader = RowReader

KEPT_BYTES = 4 << 20
"""Files up to this size are read once and kept while they do not change; larger ones are paged."""


LONGEST_LINE = 200_000
"""Characters of a message that is edited by its line."""


class ListRows:
    """Rows held in memory, for text that is being typed and for small files."""

    def __init__(self, items: Sequence[Row]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def read(self, start: int, count: int) -> Sequence[Row]:
        return self._items[start : start + count]


Rows = ListRows | StoredRows


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that is opened: its rows, and what was recognised of all of them.

    Of a large file only the beginning is known at first: `rows.grow` reads on.
    """

    rows: Rows
    reader: RowReader

    @property
    def stored(self) -> StoredRows | None:
        """The rows, where they are those of a large file."""
        return self.rows if isinstance(self.rows, StoredRows) else None

    def as_json(self) -> dict[str, Any]:
        """How many rows, whether that is all (`whole`) or how much was read (`fraction`), and what
        was recognised: messages by title (`None` where they are not counted: every line of a large
        file is one), and what is passed over by kind."""
        rows = self.rows
        if isinstance(rows, StoredRows):
            return {"rows": len(rows), "whole": rows.whole, "fraction": rows.fraction,
                    "recognised": rows.recognised, "passed_over": rows.passed_over}  # fmt: skip
        reader = self.reader
        return {"rows": len(rows), "whole": True, "fraction": 1.0,
                "recognised": dict(reader.counts.most_common()),
                "passed_over": dict(reader.passed_over.most_common())}  # fmt: skip


def with_changes(raws: Sequence[RawRow], changes: Changes, name: str) -> Sequence[RawRow]:
    """Raw rows, those of changed lines made of the new text."""
    if not changes:
        return raws
    return [raw if raw.line not in changes else changed_row(raw.line or 0, changes, name)
            for raw in raws]  # fmt: skip


async def count_all(workspace: Workspace, kind: str, value: str) -> int:
    """How many rows a source has; those of a large file are counted in a thread."""
    rows = opened(workspace, kind, value).rows
    while isinstance(rows, StoredRows) and not rows.whole:
        await asyncio.to_thread(rows.grow, 0.15)
    return len(rows)


def opened(workspace: Workspace, kind: str, value: str, reading: Reading = DEFAULT) -> Opened:
    """Random access to a source, with what was recognised. Raises `UsageError`."""
    reader = reading.reader(workspace)
    text = _text(workspace, kind, value)
    if text is not None:
        return Opened(ListRows(list(reader.read_all(files.read_text(*text)))), reader)
    path = path_of(workspace, kind, value)
    changes = changes_of(workspace, kind, value)
    key = (repr(reading), repr(workspace.project.project.tables), repr(sorted(changes.items())))
    return _kept(workspace, path, lambda: _open(path, reader, changes), "rows", key)


def raws_of(workspace: Workspace, kind: str, value: str) -> Iterator[RawRow]:
    """The raw rows of a source in order, as they come. Raises `UsageError` when it is read."""
    text = _text(workspace, kind, value)
    if text is not None:
        return iter(files.read_text(*text))
    path = path_of(workspace, kind, value)
    changes = changes_of(workspace, kind, value)
    raws = files.read_file(path)
    if not changes:
        return raws
    return (item for raw in raws for item in with_changes([raw], changes, path.name))


def _text(workspace: Workspace, kind: str, value: str) -> tuple[str, str] | None:
    """The text of a source that is not a file as it is, with the name of the file it is for."""
    if kind == "text":
        return value, "text"
    if kind == "sample":
        unsaved = workspace.project.unsaved_sample(value)
        if unsaved is not None:
            return unsaved, f"{value}.jsonl"
    return None


def _open(path: Path, reader: RowReader, changes: Changes) -> Opened:
    if path.stat().st_size <= KEPT_BYTES:
        raws = files.read_file(path)
        items = [row for raw in raws for one in with_changes([raw], changes, path.name)
                 for row in reader.read(one)]  # fmt: skip
        return Opened(ListRows(items), reader)
    lines_of = path.suffix in ENDINGS
    store = LineStore(path, changes) if lines_of else SpooledStore(path)
    return Opened(StoredRows(store, reader), reader)


def changes_of(workspace: Workspace, kind: str, value: str) -> Changes:
    """The changed lines of a sample file; none of other sources."""
    if kind != "sample":
        return {}
    path = workspace.project.sample_path(value)
    return workspace.project.changed_lines(path.relative_to(workspace.project.root).as_posix())


async def find_lines(workspace: Workspace, name: str) -> None:
    """Find the lines of a sample set in a thread, so that `sample_lines` need not do it."""
    if workspace.project.unsaved_sample(name) is None:
        path = workspace.project.sample_path(name)
        if path.suffix in ENDINGS:
            await asyncio.to_thread(_indexed, workspace, path)


def _indexed(workspace: Workspace, path: Path) -> lines.FileIndex:
    return _kept(workspace, path, lambda: lines.index_file(path), "index", ())


def _kept(
    workspace: Workspace, path: Path, read: Callable[[], Kept], what: str, more: tuple[str, ...]
) -> Kept:
    """What was read of a file, while the file stays as it is; one file is kept of each sort."""
    info = path.stat()
    key = (f"{what} {path} {more}", info.st_mtime_ns, info.st_size)
    if key not in workspace.kept_rows:
        for old in [old for old in list(workspace.kept_rows) if old[0].startswith(f"{what} ")]:
            workspace.kept_rows.pop(old, None)
        workspace.kept_rows[key] = read()
    kept: Kept = workspace.kept_rows[key]
    return kept


def read_some(
    workspace: Workspace, kind: str, value: str, count: int, reading: Reading = DEFAULT
) -> list[Row]:
    """The first `count` rows of a source."""
    reader = reading.reader(workspace)
    return list(islice(reader.read_all(raws_of(workspace, kind, value)), count))


def path_of(workspace: Workspace, kind: str, value: str) -> Path:
    """The file behind a sample name or an input path. Raises `UsageError` when there is none."""
    if kind == "sample":
        return workspace.project.sample_path(value)
    path = Path(value)
    if not path.is_file():
        raise UsageError(f"there is no file {value}", hint="name a file of rows, or an address")
    return path


def sample_text(workspace: Workspace, name: str, limit: int) -> str | None:
    """The text of a sample set; `None` when it is longer than `limit` or no JSON lines file."""
    unsaved = workspace.project.unsaved_sample(name)
    if unsaved is not None:
        return unsaved if len(unsaved) <= limit else None
    path = workspace.project.sample_path(name)
    if path.suffix != ".jsonl" or path.stat().st_size > limit:
        return None
    return path.read_text(encoding="utf-8-sig", errors="replace")


def sample_lines(
    workspace: Workspace, name: str, start: int, count: int, line: int | None = None
) -> dict[str, Any] | None:
    """Rows of a set of JSON lines as text, to be edited one by one; `None` for other files.

    `rows` is how many there are, `ending` the file's, `lines` has number of line (from 1), text
    and whether it can be edited here: what is longer than `LONGEST_LINE` characters or is not text
    is cut. With `line`, `start` is the row of that line.
    """
    unsaved = workspace.project.unsaved_sample(name)
    if unsaved is not None:
        texts = [(n, t) for n, t in enumerate(unsaved.split("\n"), 1) if t.strip()]
        start = _row_of([n for n, _ in texts], line, start)
        found = [(n, t.removesuffix("\r"), True) for n, t in texts[start : start + count]]
        total, ending = len(texts), ENDINGS[0]
    else:
        path = workspace.project.sample_path(name)
        if path.suffix not in ENDINGS:
            return None
        index = _indexed(workspace, path)
        start = _row_of(index.lines, line, start)
        changes = changes_of(workspace, "sample", name)
        found = [
            (number, changes[number][1], True) if number in changes else (number, *_text_of(data))
            for number, data in lines.read_lines(index, start, count)
        ]
        total, ending = len(index), path.suffix
    shown = [[number, text[:LONGEST_LINE], whole and len(text) <= LONGEST_LINE]
             for number, text, whole in found]  # fmt: skip
    return {"rows": total, "ending": ending, "start": start, "lines": shown}


def _text_of(data: bytes) -> tuple[str, bool]:
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode(errors="replace"), False


def _row_of(lines: Sequence[int], line: int | None, start: int) -> int:
    return start if line is None else max(0, min(bisect_left(lines, line), len(lines) - 1))
