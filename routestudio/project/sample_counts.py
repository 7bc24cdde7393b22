"""How many rows the sample sets of a project have, counted again only when a file changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from routestudio.errors import RouteStudioError
from routestudio.sources import files


class Samples(Protocol):
    """Where sample sets are: in a file, or in a text that is not saved yet."""

    def unsaved_sample(self, name: str) -> str | None: ...
    def sample_path(self, name: str) -> Path: ...


class SampleCounts:
    """Remembers what was counted of each file."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], int]] = {}

    def of(self, name: str, samples: Samples) -> dict[str, Any]:
        """`rows`, and whether they are an estimate (`about`): large files are not counted."""
        unsaved = samples.unsaved_sample(name)
        if unsaved is not None:
            rows = sum(1 for _ in files.read_text(unsaved, f"{name}.jsonl"))
            return {"rows": rows, "about": False}
        try:
            path = samples.sample_path(name)
            info = path.stat()
            stamp = (info.st_mtime_ns, info.st_size)
            if self._known.get(name, (None, 0))[0] != stamp:
                self._known[name] = (stamp, files.rows_about(path))
            return {"rows": self._known[name][1], "about": info.st_size > files.COUNTED}
        except (RouteStudioError, OSError):
            return {"rows": 0, "about": False}
