"""What a function worker gives up before it sees any user's code, by operating system.

`docs/security.md` shows what holds where. Each step is tried alone: one that a system does not
have leaves the others standing, and the checker before them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final

from routestudio.functions import landlock, seccomp

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

LIMITS: Final = 1
"""No file can be opened or grow, no process begun; memory is limited."""

LANDLOCK: Final = 2
SECCOMP: Final = 4

STACK: Final = 32 << 20
"""Bytes of the worker's stack."""

_DEATH_SIGNAL: Final = 1
_KILL: Final = 9
_NO_NEW_PRIVILEGES: Final = 38


def shut(memory: int) -> int:
    """Shut every door that this system lets be shut: a sum of `LIMITS`, `LANDLOCK`, `SECCOMP`.

    `memory` is the most that the process may have, in bytes. What is loaded late is loaded before.
    """
    if not sys.platform.startswith("linux"):
        return _limit(memory)
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        libc.prctl(_DEATH_SIGNAL, _KILL, 0, 0, 0)  # never outlive us
        private = libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        held = LANDLOCK if private and landlock.install(libc) else 0
        held |= _limit(memory)
        return held | (SECCOMP if private and seccomp.install(libc, os.uname().machine) else 0)
    return _limit(memory)


def _limit(memory: int) -> int:
    if resource is None:
        return 0
    with contextlib.suppress(OSError, ValueError):
        # Deep recursion of Elixir functions passes through C, too.
        hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        wanted = STACK if hard == resource.RLIM_INFINITY else min(STACK, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    limits = [
        ("RLIMIT_AS", memory), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0), ("RLIMIT_NPROC", 0),
        ("RLIMIT_NOFILE", 0),
    ]  # fmt: skip
    for name, value in limits:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))
    return LIMITS
