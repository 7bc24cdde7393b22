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
    if path.suffix in (".jsonl", ".ndjson"):
        return IndexedRows(path)
    return ListRows(list(reader.read_file(path)))


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
