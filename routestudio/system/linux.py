"""Linux: memory that cannot be shrunk, death with the owner, wide pipes."""

from __future__ import annotations

import contextlib
import os
import time
from types import ModuleType
from typing import Any, Final

from routestudio.system import posix
from routestudio.system.base import System

_DEATH_SIGNAL: Final = 1
_KILL: Final = 9
_PIPE_BYTES: Final = 1 << 20
_SCHEDULED: Final = 2
"""The clock of all that a process was scheduled for, to the nanosecond."""


class Workers(posix.Workers):
    """With what only this kernel has."""

    def __init__(
        self,
        resource: ModuleType | None = posix.RESOURCE,
        fcntl: ModuleType | None = posix.FCNTL,
        libc: Any = None,
    ) -> None:
        super().__init__(resource)
        self._fcntl: Any = fcntl
        self._libc = libc

    def shared(self, size: int) -> int:
        """A file in memory, sealed: no worker can change its size under its owner."""
        create = getattr(os, "memfd_create", None)
        if create is None:  # a C library older than 2.27 when Python was built
            return super().shared(size)
        handle: int = create("progress", 3)  # closed in other children; seals are allowed
        try:
            os.ftruncate(handle, size)
            fcntl = self._fcntl
            fcntl.fcntl(
                handle, fcntl.F_ADD_SEALS,
                fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
            )  # fmt: skip
        except BaseException:
            os.close(handle)
            raise
        return handle

    def end_with_owner(self, pipe: int) -> None:
        with contextlib.suppress(ImportError, OSError, AttributeError):
            self.libc.prctl(_DEATH_SIGNAL, _KILL, 0, 0, 0)

    def processor(self, pid: int) -> float | None:
        """Its clock has a number that is made of `pid`, as in `clock_getcpuclockid(3)`."""
        try:
            return time.clock_gettime(~pid << 3 | _SCHEDULED)
        except (AttributeError, OSError):  # another system's Python in a test; it has gone
            return None

    @property
    def libc(self) -> Any:
        """The C library of the process, loaded when it is asked for."""
        if self._libc is None:
            import ctypes

            self._libc = ctypes.CDLL(None, use_errno=True)
        return self._libc

    def widen(self, *pipes: int) -> None:
        with contextlib.suppress(ImportError, AttributeError, OSError):
            for pipe in pipes:
                self._fcntl.fcntl(pipe, self._fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def system() -> System:
    """Linux."""
    return System(
        "linux", posix.Processes(), Workers(), posix.Files(), posix.Desktop(), posix.streaming
    )
