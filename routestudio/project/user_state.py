"""What the user's own state folder knows of a project: its identity, and what was agreed to.

Nothing of it is in the project's folder, so nobody can ship it with a project. A project is known
by the place of its folder on this machine: a copy elsewhere is another one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from routestudio.system import current as system

_SMALL: Final = 1 << 20


def state_root() -> Path:
    """The user's folder for the state of RouteStudio."""
    import platformdirs

    return Path(platformdirs.user_state_dir("routestudio", appauthor=False))


class ProjectState:
    """The user's own folder for one project. Nothing is made before something is kept."""

    def __init__(self, root: Path) -> None:
        self.place = system.files.true_path(root)
        self.machine = platform.node()
        mark = hashlib.sha256(self.place.encode("utf-8", "surrogatepass")).hexdigest()
        self.folder = state_root() / "projects" / mark[:32]

    def make(self) -> Path:
        """The folder, made when missing, for the user alone. Raises `OSError`."""
        for folder in (self.folder.parent.parent, self.folder.parent, self.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder

    @property
    def identity(self) -> str | None:
        """A name that only this user knows for the project; `None` before one is needed."""
        known = self._read("project.json").get("identity")
        return known if isinstance(known, str) and known else None

    def identify(self) -> str | None:
        """The identity, made when there is none yet; `None` when it cannot be kept."""
        if self.identity is not None:
            return self.identity
        drawn = secrets.token_hex(16)
        return drawn if self._write("project.json", {"identity": drawn,
                                                     "folder": self.place}) else None  # fmt: skip

    def agreed(self) -> set[tuple[str, str]]:
        """Variables from outside of the project that may go to hosts, as the user knows."""
        kept = self._read("agreed.json").get("variables")
        pairs = kept if isinstance(kept, list) else []
        return {(str(p[0]), str(p[1])) for p in pairs if isinstance(p, list) and len(p) == 2}

    def agree(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Keep that the user knows of these variables and hosts, where that is possible."""
        known = sorted(self.agreed() | set(pairs))
        self._write("agreed.json", {"variables": [list(pair) for pair in known]})

    def _read(self, name: str) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            handle = os.open(self.folder / name, os.O_RDONLY | system.files.guarded)
            with os.fdopen(handle, "rb") as file:
                if stat.S_ISREG(os.fstat(handle).st_mode):
                    found = json.loads(file.read(_SMALL))
                    return found if isinstance(found, dict) else {}
        return {}

    def _write(self, name: str, value: dict[str, Any]) -> bool:
        """Whether a small file could be kept; another program's version is never half read."""
        try:
            folder = self.make()
            part = folder / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"
            handle = os.open(
                part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | system.files.guarded, 0o600
            )
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(value, file)
            system.files.replace(part, folder / name)
        except OSError:
            return False
        return True
