"""How far a run has come: the place in the source below which every message is finished."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

from routestudio.errors import Place, ProjectError, UsageError
from routestudio.system import current as system

_BEGIN_BYTES: Final = 64 << 10
"""Bytes at the start of a file by which it is known again."""

Range = tuple[int, int]
"""Positions from the first number up to and without the second."""


class LowWater:
    """The lowest position that is not finished, when positions finish in any order.

    `done` are the ranges above `mark` that are finished too. Between two of them something is
    unfinished, so there are never more of them than unfinished messages, however many finished.
    """

    def __init__(self, start: int = 0, done: Iterable[Range] = ()) -> None:
        self.mark = start
        self._ends = dict(done)
        self._starts = {end: first for first, end in self._ends.items()}

    @property
    def done(self) -> list[Range]:
        """The finished ranges above `mark`, in order; they do not touch each other."""
        return sorted(self._ends.items())

    def finish(self, positions: Iterable[int]) -> None:
        """Positions that are delivered, filtered or rejected now; each is reported once."""
        starts, ends, mark = self._starts, self._ends, self.mark
        for position in positions:
            if position == mark:
                mark += 1
                if mark in ends:
                    mark = ends.pop(mark)
                    del starts[mark]
                continue
            first, end = starts.pop(position, position), position + 1
            if end in ends:
                end = ends.pop(end)
            ends[first] = end
            starts[end] = first
        self.mark = mark


class Keeper(Protocol):
    """Keeps how far a source is finished, for the next run: a file, or the source's own server.

    `position` and `finished` show where to begin; `name` is the place for error messages.
    """

    @property
    def name(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def finished(self) -> Sequence[Range]: ...

    def save(self, position: int, finished: Sequence[Range] = ()) -> None:
        """All rows below `position` are finished, and those of `finished` above it.

        Raises `OSError` when that cannot be kept.
        """
        ...


class Checkpoint:
    """A file with the position from which a later run continues.

    `position` counts rows of the source, unreadable ones included; `finished` are ranges of rows
    above it that need not be read again either. `source` names the source; a checkpoint of another
    one is refused, because skipping rows of it would lose them. So is one of an `input` file that
    begins otherwise than it did: it may have grown, but another file of the same name is another
    source. Raises `ProjectError` for a file that is not a checkpoint, `UsageError` for one of
    another source.
    """

    def __init__(self, path: Path, source: str | None = None, *, input: Path | None = None) -> None:
        self.path = path
        self.source = source
        self._input = input
        self._begin = None if input is None else _beginning(input, _BEGIN_BYTES)
        self.finished: list[Range] = []
        self.position = self._read()

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    def save(self, position: int, finished: Sequence[Range] = ()) -> None:
        """Replace the file atomically. Raises `OSError`; the old file then stays."""
        ranges = list(finished)
        if position == self.position and ranges == self.finished and self.path.exists():
            return
        data: dict[str, object] = {"position": position}
        if ranges:
            data["finished"] = ranges
        if self.source is not None:
            data["source"] = self.source
        if self._begin is not None:
            data["begin"] = {"bytes": self._begin[0], "sha256": self._begin[1]}
        # Always the same name: what a crash leaves behind is replaced by the next run.
        name = self.path.with_name(f".{self.path.name}.part")
        try:
            name.unlink(missing_ok=True)
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file)
                file.write("\n")
                file.flush()
                system.files.sync(file.fileno())
            system.files.replace(name, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                name.unlink(missing_ok=True)
            raise
        self.position, self.finished = position, ranges

    def _read(self) -> int:
        place = Place(str(self.path))
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            if not self.path.parent.is_dir():
                raise UsageError(
                    "the folder of the checkpoint file does not exist", place=place
                ) from None
            return 0
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ProjectError(
                f"the checkpoint file cannot be read: {reason}", place=place
            ) from None
        try:
            data = json.loads(text)
        except ValueError:
            data = None
        position = data.get("position") if isinstance(data, dict) else None
        ranges = _ranges(data.get("finished", []), position) if isinstance(data, dict) else None
        if type(position) is not int or position < 0 or ranges is None:
            raise ProjectError(
                "this is not a checkpoint file",
                place=place,
                hint="name another file, or remove it to start from the first row",
            )
        written = data.get("source")
        if self.source is not None and written is not None and written != self.source:
            raise UsageError(
                f"the checkpoint belongs to another source: {str(written)[:200]}",
                place=place,
                hint="use one checkpoint file per source",
            )
        self._compare(data.get("begin"), place)
        self.finished = ranges
        return position

    def _compare(self, begin: object, place: Place) -> None:
        """Refuse an input that does not begin with what it began with before."""
        count = begin.get("bytes") if isinstance(begin, dict) else None
        if self._input is None or not isinstance(begin, dict) or type(count) is not int:
            return
        if _beginning(self._input, count) != (count, begin.get("sha256")):
            raise UsageError(
                f"{self._input.name} is not the file that this checkpoint was written for",
                place=place,
                hint="remove the checkpoint to start from the first row",
            )


def _beginning(path: Path, count: int) -> tuple[int, str]:
    """How many of the first `count` bytes there are, and their hash. Raises `UsageError`."""
    try:
        with path.open("rb") as file:
            start = file.read(min(max(count, 0), _BEGIN_BYTES))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"the file cannot be read: {reason}", place=Place(str(path))) from None
    return len(start), hashlib.sha256(start).hexdigest()


def _ranges(value: object, after: object) -> list[Range] | None:
    """The ranges of a file, when they are in order, apart from each other and above `after`."""
    found: list[Range] = []
    if not isinstance(value, list) or type(after) is not int:
        return None
    for item in value:
        if not isinstance(item, list) or [type(number) for number in item] != [int, int]:
            return None
        first, end = item
        if not after < first < end:
            return None
        found.append((first, end))
        after = end
    return found
