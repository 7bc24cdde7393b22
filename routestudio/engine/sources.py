"""Sample sets for previews: random access over files that stay on disk, and over typed text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError
from routestudio.model.message import Message
from routestudio.project.sample_lines import ENDINGS, Changes
from routestudio.samples import reader
from routestudio.samples.reader import SampleFault

Item = Message | SampleFault
Rows = TypeVar("Rows")

KEPT_BYTES = 4 << 20
"""Files up to this size are read once and kept while they do not change; larger ones are paged."""


LONGEST_LINE = 200_000
"""Characters of a message that is edited by its line."""


class IndexedRows:
    """Rows of a JSON lines file by byte offsets; eight bytes of memory per row."""

    def __init__(self, path: Path) -> None:
        self.index = reader.index_file(path)

    def __len__(self) -> int:
        return len(self.index)

    def read(self, start: int, count: int) -> Sequence[Item]:
        return reader.read_rows(self.index, start, count)


class ListRows:
    """Rows held in memory, for text that is being typed and for small formats."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def read(self, start: int, count: int) -> Sequence[Item]:
        return self._items[start : start + count]


class ChangedRows:
    """Rows of a file with lines that are changed and not saved yet."""

    def __init__(self, rows: IndexedRows | ListRows, changes: Changes) -> None:
        self._rows = rows
        self._changes = changes

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, start: int, count: int) -> Sequence[Item]:
        return with_changes(self._rows.read(start, count), self._changes)


def with_changes(items: Sequence[Item], changes: Changes) -> Sequence[Item]:
    """Rows, those of changed lines read from the new text."""
    return [item if item.line not in changes else _changed(item, changes) for item in items]


def _changed(item: Item, changes: Changes) -> Item:
    line = item.line or 0
    found = reader.parse_line(changes[line][1].encode() + b"\n", line, item.index)
    return found or SampleFault(line, "the line is empty", index=item.index)


def open_rows(workspace: Workspace, kind: str, value: str) -> IndexedRows | ListRows | ChangedRows:
    """Random access to a source. Raises `UsageError` for one that cannot be read."""
    if kind == "text":
        return ListRows(list(reader.read_text(value)))
    if kind == "sample":
        unsaved = workspace.project.unsaved_sample(value)
        if unsaved is not None:
            return ListRows(list(reader.read_text(unsaved)))
    path = path_of(workspace, kind, value)
    size = path.stat().st_size
    rows: IndexedRows | ListRows
    if size > KEPT_BYTES and path.suffix in ENDINGS:
        rows = _indexed(workspace, path)
    else:
        rows = _kept(workspace, path, lambda: ListRows(list(reader.read_file(path))))
    changes = changes_of(workspace, kind, value)
    return ChangedRows(rows, changes) if changes else rows


def changes_of(workspace: Workspace, kind: str, value: str) -> Changes:
    """The changed lines of a sample file; none of other sources."""
    if kind != "sample":
        return {}
    path = workspace.project.sample_path(value)
    return workspace.project.changed_lines(path.relative_to(workspace.project.root).as_posix())


def _indexed(workspace: Workspace, path: Path) -> IndexedRows:
    return _kept(workspace, path, lambda: IndexedRows(path), "index")


def _kept(workspace: Workspace, path: Path, read: Callable[[], Rows], what: str = "rows") -> Rows:
    """What was read of a file, while the file stays as it is; one file is kept of each sort."""
    info = path.stat()
    key = (f"{what} {path}", info.st_mtime_ns, info.st_size)
    if key not in workspace.kept_rows:
        for old in [old for old in workspace.kept_rows if old[0].startswith(f"{what} ")]:
            del workspace.kept_rows[old]
        workspace.kept_rows[key] = read()
    kept: Rows = workspace.kept_rows[key]
    return kept


def read_some(workspace: Workspace, kind: str, value: str, count: int) -> list[Item]:
    """The first `count` rows of a source."""
    rows = open_rows(workspace, kind, value)
    return list(islice(rows.read(0, count), count))


def path_of(workspace: Workspace, kind: str, value: str) -> Path:
    """The file behind a sample name or an input path. Raises `UsageError` when there is none."""
    if kind == "sample":
        return workspace.project.sample_path(value)
    path = Path(value)
    if not path.is_file():
        raise UsageError(f"there is no file {value}", hint="name a file of messages, one per line")
    return path


def columns_of(workspace: Workspace, rows: int = 200) -> list[list[str]]:
    """Names and types of the columns in the first rows of each sample set, sorted by name."""
    found: dict[str, str] = {}
    for name in workspace.project.project.samples:
        try:
            items = read_some(workspace, "sample", name, rows)
        except UsageError:
            continue
        for item in items:
            if isinstance(item, Message):
                for column, value in item.record.items():
                    if value is not None or column not in found:
                        found[column] = _type_of(value)
    return [[name, found[name]] for name in sorted(found)]


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
    and whether it can be edited here: what is longer than `LONGEST_LINE` characters or is no text
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
        index = _indexed(workspace, path).index
        start = _row_of(index.lines, line, start)
        changes = changes_of(workspace, "sample", name)
        found = [
            (number, changes[number][1], True) if number in changes else (number, *_text_of(data))
            for number, data in reader.read_lines(index, start, count)
        ]
        total, ending = len(index), path.suffix
    lines = [[number, text[:LONGEST_LINE], whole and len(text) <= LONGEST_LINE]
             for number, text, whole in found]  # fmt: skip
    return {"rows": total, "ending": ending, "start": start, "lines": lines}


def _text_of(data: bytes) -> tuple[str, bool]:
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode(errors="replace"), False


def _row_of(lines: Sequence[int], line: int | None, start: int) -> int:
    return start if line is None else max(0, min(bisect_left(lines, line), len(lines) - 1))


def _type_of(value: object) -> str:
    names = {str: "text", bool: "true/false", int: "number", float: "number", dict: "map",
             list: "list"}  # fmt: skip
    return names.get(type(value), "")
