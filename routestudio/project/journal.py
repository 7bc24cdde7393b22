"""The recovery journal: edits that are not saved yet, one JSON line each.

It is kept in the user's own state folder (`project.user_state`), one file for each process, so
nobody can ship one with a project and two windows do not share one. The file is locked while its
program runs: edits of another program are offered only when that has ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from routestudio.errors import Place, ProjectError
from routestudio.project.files import alive
from routestudio.project.user_state import ProjectState
from routestudio.system import current as system

MAX_JOURNAL: Final = 256 << 20
"""Largest journal that is read back, in bytes."""
_STARTED: Final = time.time_ns()
_GUARDS: Final = system.files.guarded
_HELD: Final[dict[Path, int]] = {}
"""The journals of this process, each locked until it ends."""


class Journal:
    """Appends edits to a file that only its owner may read; it is untrusted when read back.

    `pending` are the edits of earlier programs that have ended (and of an earlier opening in this
    one), until they are taken or discarded.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._state = ProjectState(root)
        self._name = name
        self._stem = f"recovery-{hashlib.sha256(name.encode()).hexdigest()[:8]}-"
        self._path = self._state.folder / f"{self._stem}{os.getpid()}-{_STARTED}.jsonl"
        self._started = False
        self._mine = _read(self._path, self._header)
        self.pending = [entry for _, found in self._orphans() for entry in found] + self._mine

    def append(self, edit: Mapping[str, Any]) -> None:
        """Write one edit; it is with the system on return. Raises `ProjectError`."""
        entry = {"time": time.strftime("%Y-%m-%d %H:%M:%S"), "edit": dict(edit)}
        # A line that a crash cut off must not swallow the first one after it.
        self._write(("" if self._started else "\n") + json.dumps(entry) + "\n")
        self._started = True

    def saved(self) -> None:
        """Forget this run's edits; those of earlier ones stay until taken or discarded."""
        self._forget_own()
        if self._mine:
            with contextlib.suppress(ProjectError):
                self._write("".join(json.dumps(entry) + "\n" for entry in self._mine))

    def take(self) -> list[dict[str, Any]]:
        """The pending edits, which belong to this run from now on. Raises `ProjectError`.

        What another program took meanwhile is not among them.
        """
        taken: list[dict[str, Any]] = []
        for path, found in self._orphans():
            self._write("".join(json.dumps(entry) + "\n" for entry in found))
            _remove(path)
            taken += found
        taken += self._mine
        self.pending, self._mine = [], []
        return [entry["edit"] for entry in taken]

    def drop(self) -> None:
        """Forget this run's edits, and what it took; unanswered ones of others stay."""
        self._mine = []
        self._forget_own()

    def discard(self) -> None:
        """Forget the pending edits of earlier programs; a file that cannot be removed stays."""
        for path, _ in self._orphans():
            _remove(path)
        if self._mine:
            kept = _read(self._path, self._header)[len(self._mine) :]
            self._mine = []
            self._forget_own()
            if kept:
                with contextlib.suppress(ProjectError):
                    self._write("".join(json.dumps(entry) + "\n" for entry in kept))
        self.pending = []

    @property
    def _header(self) -> dict[str, Any]:
        """The content of the first line: whose journal it is."""
        return {"project": self._state.place, "file": self._name, "machine": self._state.machine}

    def _orphans(self) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
        """The journals of programs that have ended, oldest first."""
        try:
            found = [path for path in self._state.folder.glob(f"{self._stem}*.jsonl")
                     if path != self._path]  # fmt: skip
        except OSError:
            return
        for path in sorted(found, key=_start_of):
            if _abandoned(path):
                entries = _read(path, self._header)
                if entries:
                    yield path, entries

    def _forget_own(self) -> None:
        held = _HELD.pop(self._path, None)
        if held is not None:
            os.close(held)
        _remove(self._path)
        self._started = False

    def _write(self, text: str) -> None:
        try:
            handle = _HELD.get(self._path)
            if handle is not None and not self._path.exists():
                os.close(_HELD.pop(self._path))
                handle = None
            if handle is None:
                handle = _HELD[self._path] = self._opened()
            _write_all(handle, text.encode())
        except OSError as error:
            raise ProjectError(
                f"the recovery journal cannot be written: {error.strerror}",
                place=Place(str(self._path)), hint="save now; the edit itself is kept",
            ) from None  # fmt: skip

    def _opened(self) -> int:
        self._state.make()
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _GUARDS, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(0, "it is not a file")
            system.files.lock(handle)
            if os.fstat(handle).st_size == 0:
                _write_all(handle, (json.dumps(self._header) + "\n").encode())
        except OSError:
            os.close(handle)
            raise
        return handle


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _start_of(path: Path) -> tuple[int, str]:
    start = path.stem.rpartition("-")[2]
    return (int(start) if start.isdecimal() else 0), path.name


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _abandoned(path: Path) -> bool:
    """Whether the program that wrote a journal has ended."""
    try:
        handle = os.open(path, os.O_RDONLY | _GUARDS)
    except OSError:
        return False
    try:
        free = system.files.lock(handle)
    finally:
        os.close(handle)
    if free is None:
        pid = path.stem.split("-")[-2]
        return pid.isdecimal() and not alive(int(pid))
    return free


def _read(path: Path, header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The edits of a journal; none when it belongs to another project or machine."""
    try:
        handle = os.open(path, os.O_RDONLY | _GUARDS)
        with os.fdopen(handle, "rb") as file:
            info = os.fstat(handle)
            if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_JOURNAL:
                return []
            lines = file.read().split(b"\n")
    except OSError:
        return []
    found = [entry for line in lines if isinstance(entry := _line(line), dict)]
    if not found or found[0] != header:
        return []
    return [entry for entry in found[1:] if isinstance(entry.get("edit"), dict)]


def _line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


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
