"""The recovery journal: edits that are not saved yet, one JSON line each, beside the project."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from routestudio.errors import Place, ProjectError
from routestudio.project.environment import ignore

FOLDER: Final = ".routestudio"
MAX_JOURNAL: Final = 256 << 20
"""Largest journal that is read back, in bytes."""


class Journal:
    """Appends edits to a file that only its owner may read; it is untrusted when read back.

    `pending` are the edits of an earlier run, until they are taken or discarded.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._path = root / FOLDER / f"recovery-{name}.jsonl"
        self._started = False
        self.pending = _read(self._path)

    def append(self, edit: Mapping[str, Any]) -> None:
        """Write one edit; it is with the system on return. Raises `ProjectError`."""
        line = json.dumps({"time": time.strftime("%Y-%m-%d %H:%M:%S"), "edit": dict(edit)})
        # A line that a crash cut off must not swallow the first one after it.
        start = "" if self._started else "\n"
        try:
            if not self._path.parent.exists():
                self._path.parent.mkdir(mode=0o700, parents=True)
                ignore(self._path.parent, "*")
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            handle = os.open(self._path, flags, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(f"{start}{line}\n")
        except OSError as error:
            raise ProjectError(
                f"the recovery journal cannot be written: {error.strerror}",
                place=Place(str(self._path)), hint="save now; the edit itself is kept",
            ) from None  # fmt: skip
        self._started = True

    def saved(self) -> None:
        """Forget this run's edits; those of an earlier run stay until taken or discarded."""
        self.clear() if not self.pending else self._rewrite()

    def take(self) -> list[dict[str, Any]]:
        """The pending edits, which belong to this run from now on."""
        taken, self.pending = self.pending, []
        return [entry["edit"] for entry in taken]

    def clear(self) -> None:
        """Forget everything. A journal that cannot be removed stays."""
        self.pending = []
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _rewrite(self) -> None:
        text = "".join(json.dumps(entry) + "\n" for entry in self.pending)
        with contextlib.suppress(OSError):
            self._path.write_text(text, encoding="utf-8")


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        if not path.is_file() or path.stat().st_size > MAX_JOURNAL:
            return []
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and isinstance(entry.get("edit"), dict):
            found.append(entry)
    return found


def patch_of(path: str, old: str | None, new: str | None) -> dict[str, Any]:
    """What makes `new` of `old`: so many characters kept at both ends, and the text between."""
    if old is None or new is None:
        return {"path": path, "of": _mark(old), "text": new}
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    middle = new[head : len(new) - tail]
    return {"path": path, "of": _mark(old), "head": head, "tail": tail, "text": middle}


def patched(old: str | None, patch: Mapping[str, Any]) -> str | None:
    """Undo of `patch_of`. Raises `ValueError` when `old` is not what it was made of."""
    if patch["of"] != _mark(old):
        raise ValueError("the file changed meanwhile")
    if "head" not in patch or old is None:
        return None if patch["text"] is None else str(patch["text"])
    head, tail = int(patch["head"]), int(patch["tail"])
    return old[:head] + str(patch["text"]) + old[len(old) - tail :]


def _mark(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
