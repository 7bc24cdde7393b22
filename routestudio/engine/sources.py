"""Sample sets for previews: random access over files that stay on disk, and over typed text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError
from routestudio.model.message import Message
from routestudio.samples import reader
from routestudio.samples.reader import SampleFault

Item = Message | SampleFault

KEPT_BYTES = 4 << 20
"""Files up to this size are read once and kept while they do not change; larger ones are paged."""


class IndexedRows:
    """Rows of a JSON lines file by byte offsets; eight bytes of memory per row."""

    def __init__(self, path: Path) -> None:
        self._index = reader.index_file(path)

    def __len__(self) -> int:
        return len(self._index)

    def read(self, start: int, count: int) -> Sequence[Item]:
        return reader.read_rows(self._index, start, count)


class ListRows:
    """Rows held in memory, for text that is being typed and for small formats."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def read(self, start: int, count: int) -> Sequence[Item]:
        return self._items[start : start + count]


def open_rows(workspace: Workspace, kind: str, value: str) -> IndexedRows | ListRows:
    """Random access to a source. Raises `UsageError` for one that cannot be read."""
    if kind == "text":
        return ListRows(list(reader.read_text(value)))
    if kind == "sample":
        unsaved = workspace.project.unsaved_sample(value)
        if unsaved is not None:
            return ListRows(list(reader.read_text(unsaved)))
    path = path_of(workspace, kind, value)
    info = path.stat()
    key = (str(path), info.st_mtime_ns, info.st_size)
    if info.st_size > KEPT_BYTES and path.suffix in (".jsonl", ".ndjson"):
        return IndexedRows(path)
    if key not in workspace.kept_rows:
        workspace.kept_rows.clear()
        workspace.kept_rows[key] = ListRows(list(reader.read_file(path)))
    kept: ListRows = workspace.kept_rows[key]
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


def _type_of(value: object) -> str:
    names = {str: "text", bool: "true/false", int: "number", float: "number", dict: "map",
             list: "list"}  # fmt: skip
    return names.get(type(value), "")
