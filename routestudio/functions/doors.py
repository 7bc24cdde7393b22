"""What a function worker gives up before it sees any user's code, by operating system.

`docs/security.md` shows what holds where. Each step is tried alone: one that a system does not
have leaves the others standing, and the checker before them.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

from routestudio.functions import landlock, seccomp
from routestudio.system import current as system
from routestudio.system.base import IN_JOB, LIMITED

LIMITS: Final = LIMITED
"""No file can be opened or grow, no process begun; memory is limited."""

LANDLOCK: Final = 2
SECCOMP: Final = 4

JOB: Final = IN_JOB
"""On Windows: no process can be begun; memory is limited."""

STACK: Final = 32 << 20
"""Bytes of the worker's stack."""

_NO_NEW_PRIVILEGES: Final = 38


def shut(memory: int, owner: int) -> int:
    """Shut every door that this system lets be shut: a sum of the constants above.

    `memory` is the most that the process may have, in bytes; `owner` the pipe that its owner
    writes to. What is loaded late is loaded before.
    """
    system.workers.end_with_owner(owner)
    if system.name != "linux":
        return system.workers.limit(memory, STACK)
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        private = libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        held = LANDLOCK if private and landlock.install(libc) else 0
        held |= system.workers.limit(memory, STACK)
        return held | (SECCOMP if private and seccomp.install(libc, os.uname().machine) else 0)
    return system.workers.limit(memory, STACK)
