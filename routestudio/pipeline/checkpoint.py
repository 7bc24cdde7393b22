"""How far a run has come: the place in the source below which every message is finished."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from routestudio.errors import Place, ProjectError, UsageError


class LowWater:
    """The lowest position that is not finished, when positions finish in any order."""

    def __init__(self, start: int = 0) -> None:
        self.mark = start
        self._above: set[int] = set()

    def finish(self, positions: Iterable[int]) -> None:
        """Positions that are delivered, filtered or rejected now."""
        above = self._above
        above.update(positions)
        mark = self.mark
        while mark in above:
            above.discard(mark)
            mark += 1
        self.mark = mark


class Checkpoint:
    """A file with the position from which a later run continues.

    `position` counts rows of the source, unreadable ones included. `source` names the source; a
    checkpoint of another one is refused, because skipping rows of it would lose them. Raises
    `ProjectError` for a file that is no checkpoint, `UsageError` for one of another source.
    """

    def __init__(self, path: Path, source: str | None = None) -> None:
        self.path = path
        self.source = source
        self.position = self._read()

    def save(self, position: int) -> None:
        """Replace the file atomically. Raises `OSError`; the old file then stays."""
        if position == self.position and self.path.exists():
            return
        data: dict[str, object] = {"position": position}
        if self.source is not None:
            data["source"] = self.source
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        self.position = position

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
        if type(position) is not int or position < 0:
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
        return position
