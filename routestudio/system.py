"""What systems do differently about processes: one implementation for each, chosen here.

docs/platforms.md shows which limits each system lacks.
"""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any, Protocol

_QUERY = 0x1000
"""PROCESS_QUERY_LIMITED_INFORMATION: the right to ask for the exit code, which all users have."""

_RUNNING = 259
"""STILL_ACTIVE: the exit code of a process that has none yet."""


class Processes(Protocol):
    """What a system can do with a process that is known by its number."""

    def alive(self, pid: int) -> bool:
        """Whether a process of that number runs, whoever started it."""
        ...

    def end(self, pid: int) -> None:
        """End it at once, without asking. Raises `ProcessLookupError` when there is none."""
        ...


class Posix:
    """Linux and macOS: by signals."""

    def alive(self, pid: int) -> bool:
        if pid <= 0:
            return False
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:
            return True  # somebody else's
        return True

    def end(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


class Windows:
    """Windows: by handles. There `os.kill` ends a process whatever the signal, 0 included."""

    def __init__(self, kernel: Any = None) -> None:
        self._kernel = kernel

    @property
    def kernel(self) -> Any:
        """The system's library of processes, loaded when it is asked for."""
        if self._kernel is None:
            self._kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
        return self._kernel

    def alive(self, pid: int) -> bool:
        if pid <= 0:
            return False
        handle = self.kernel.OpenProcess(_QUERY, False, pid)
        if not handle:
            return False
        code = ctypes.c_ulong()
        try:
            known = self.kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        finally:
            self.kernel.CloseHandle(handle)
        return bool(known) and code.value == _RUNNING

    def end(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGTERM)
        except PermissionError:
            # It has ended already and only its number is left.
            raise ProcessLookupError(pid) from None


def choose(name: str) -> Processes:
    """The implementation for a system, by the name that `os.name` has there."""
    return Windows() if name == "nt" else Posix()


processes = choose(os.name)
