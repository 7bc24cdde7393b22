"""The library of Windows that most is asked of."""

from __future__ import annotations

import ctypes
from typing import Any


def load_kernel() -> Any:
    """The system's library of processes and files, with handles as wide as pointers."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    for name in ("OpenProcess", "CreateJobObjectW", "GetCurrentProcess"):
        getattr(kernel, name).restype = ctypes.c_void_p
    return kernel


class Calls:
    """What asks the system's library, which is loaded when it is asked for."""

    def __init__(self, kernel: Any = None) -> None:
        self._kernel = kernel

    @property
    def kernel(self) -> Any:
        """The library."""
        if self._kernel is None:
            self._kernel = load_kernel()
        return self._kernel

    def waiting(self, handle: int) -> int:
        """Bytes that wait in a pipe; -1 when its other end is closed."""
        found = ctypes.c_ulong()
        asked = self.kernel.PeekNamedPipe(
            ctypes.c_void_p(handle), None, 0, None, ctypes.byref(found), None
        )
        return found.value if asked else -1
