"""macOS: written after Apple's manuals and the published source of its kernel; not yet run there.

The kernel takes `RLIMIT_AS` and does not keep it, so the owner of a worker looks at its memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import secrets
import select
import struct
import threading
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from routestudio.system import posix
from routestudio.system.base import System

_USAGE: Final = struct.Struct("=16s10Q")
"""`rusage_info_v0` of `sys/resource.h`: an identity, then ten counters."""

_FOOTPRINT: Final = 8
"""Place of `ri_phys_footprint`, the memory that a process is accountable for."""

_PATH_MAX: Final = 1024


class Workers(posix.Workers):
    """With shared memory objects, and a look at what a worker takes."""

    def __init__(
        self,
        resource: ModuleType | None = posix.RESOURCE,
        shm: ModuleType | None = None,
        library: Any = None,
        watching: Any = None,
    ) -> None:
        super().__init__(resource)
        self._shm = shm
        self._library = library
        self._watching = watching

    def shared(self, size: int) -> int:
        """A shared memory object without a name. Its size can be set once only, so no worker can
        shrink it under its owner."""
        shm = self._shm or importlib.import_module("_posixshmem")
        name = f"/rs-{secrets.token_hex(8)}"  # at most 31 characters
        handle: int = shm.shm_open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600)
        try:
            shm.shm_unlink(name)
            os.ftruncate(handle, size)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def end_with_owner(self, pipe: int) -> None:
        """A thread waits for the owner's end: a function that hangs does not read its input."""
        watching = self._watching or select
        owner = os.getppid()
        try:
            queue = watching.kqueue()
            event = watching.kevent(
                owner, filter=watching.KQ_FILTER_PROC, flags=watching.KQ_EV_ADD,
                fflags=watching.KQ_NOTE_EXIT,
            )  # fmt: skip
            queue.control([event], 0, 0)
        except ProcessLookupError:
            os._exit(1)
        except (AttributeError, OSError):
            return  # it ends when it next reads, then

        def wait() -> None:
            with contextlib.suppress(OSError):
                if queue.control(None, 1, None):
                    os._exit(1)

        threading.Thread(target=wait, name="owner", daemon=True).start()

    def memory(self, pid: int) -> int:
        """The footprint of a process; 0 when it has gone."""
        if self._library is None:
            self._library = ctypes.CDLL("/usr/lib/libproc.dylib")
        found = ctypes.create_string_buffer(_USAGE.size)
        if self._library.proc_pid_rusage(pid, 0, found) != 0:
            return 0
        return int(_USAGE.unpack(found.raw)[_FOOTPRINT])


class Files(posix.Files):
    """Where `fsync` leaves data in the drive's own memory, and names may differ in case only."""

    def sync(self, handle: int) -> None:
        try:
            self.fcntl.fcntl(handle, self.fcntl.F_FULLFSYNC)
        except OSError:  # a network drive, a pipe
            os.fsync(handle)

    def refused(self, name: str) -> str | None:
        # HFS+ passes over such characters when it compares names, so `.env` has more spellings.
        if any(unicodedata.category(char) == "Cf" for char in name):
            return "has a character in its name that cannot be seen"
        return None

    def true_path(self, path: Path) -> str:
        found = super().true_path(path)
        with contextlib.suppress(OSError, ValueError):
            handle = os.open(found, os.O_RDONLY | self.guarded)
            try:
                told = self.fcntl.fcntl(handle, self.fcntl.F_GETPATH, bytes(_PATH_MAX))
            finally:
                os.close(handle)
            return os.fsdecode(told.split(b"\0", 1)[0])
        return found


class Desktop(posix.Desktop):
    """There is always a display, unless somebody came in by ssh; Qt reports it then."""

    secrets: str = "Keychain"

    def has_display(self, environ: Mapping[str, str]) -> bool:
        return True

    def cloud_sdks(self, environ: Mapping[str, str]) -> tuple[Path, ...]:
        brewed = ("/opt/homebrew/share", "/usr/local/share")
        return (
            *super().cloud_sdks(environ),
            *(Path(place) / "google-cloud-sdk" for place in brewed),
        )


def system() -> System:
    """macOS."""
    return System("macos", posix.Processes(), Workers(), Files(), Desktop(), posix.streaming)
