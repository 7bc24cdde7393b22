"""Whether messages are still the same: by content, or by size and time of a large file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

_HASHED: Final = 4 << 20
"""Bytes of a file up to which its content is compared, and not its time."""


class FileStates:
    """States of files; a file that was not written since is not read again."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], str]] = {}

    def of(self, path: Path) -> str:
        """The state of a file. Raises `OSError`."""
        info = path.stat()
        stamp = (info.st_mtime_ns, info.st_size)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            small = info.st_size <= _HASHED
            state = _hash(path.read_bytes()) if small else f"{info.st_mtime_ns}:{info.st_size}"
            known = self._known[path] = (stamp, state)
        return known[1]


def hash_of(text: str) -> str:
    """The state of a text; an empty one has none."""
    return _hash(text.encode("utf-8", "surrogatepass")) if text else ""


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
