"""Landlock of Linux: no file, no port and no other process for a function worker.

A ruleset without a single rule. It holds where a filter of system calls is not to be had, and once
more where it is. See landlock(7).
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Final

_CREATE, _RESTRICT = 444, 446
_VERSION: Final = 1
_RIGHTS: Final = ((1, 13), (2, 14), (3, 15), (5, 16))
"""Rights over files, by the first version that knows so many of them."""

_NETWORK_SINCE, _NETWORK = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11


def install(libc: ctypes.CDLL) -> int:
    """Give up all rights that the kernel's Landlock knows. Its version; 0 when there is none.

    The process must have given up new privileges before, and be able to open one descriptor.
    """
    version: int = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return 0
    rights = next(count for since, count in reversed(_RIGHTS) if version >= since)
    attributes = struct.pack(
        "QQQ",
        (1 << rights) - 1,
        _NETWORK if version >= _NETWORK_SINCE else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    )
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _NETWORK_SINCE else 8
    ruleset: int = libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return 0
    try:
        return version if libc.syscall(_RESTRICT, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)
