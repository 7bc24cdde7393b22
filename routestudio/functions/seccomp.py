"""A seccomp filter of Linux: the system calls that are left to a function worker.

It is written as the kernel reads it, so that no library is needed. What is not listed fails with
EPERM, also what a later kernel adds. See seccomp(2) and bpf(2)'s classic instructions.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Final

_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS: Final = {
    # name: number on x86_64, number on aarch64
    "read": (0, 63),
    "write": (1, 64),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "futex": (202, 98),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "exit_group": (231, 94),
    "getrandom": (318, 278),
}
"""Reading and writing open pipes, memory, time, random bytes, the end; nothing with a name."""

_MMAP: Final = (9, 222)
_PROT_EXEC: Final = 4

_ALLOW: Final = 0x7FFF0000
_DENY: Final = 0x00050000 | 1  # EPERM
_KILL: Final = 0x80000000

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _THIRD = 0, 4, 32
"""Where the kernel puts the call's number, the architecture and the third argument's low half."""

_SET_SECCOMP: Final = 22
_FILTER: Final = 2


class _Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def numbers(machine: str) -> frozenset[int]:
    """The calls that pass, `mmap` among them; empty for a machine that is not known here."""
    if machine not in _ARCHITECTURES:
        return frozenset()
    place = list(_ARCHITECTURES).index(machine)
    return frozenset([_MMAP[place], *(pair[place] for pair in _CALLS.values())])


def program(machine: str) -> bytes:
    """The filter's instructions. `mmap` passes unless the memory could be executed."""
    place = list(_ARCHITECTURES).index(machine)
    plain = sorted(numbers(machine) - {_MMAP[place]})
    # After the list: deny, allow, and the two steps for `mmap`.
    found = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, len(plain) + 2, 0, _MMAP[place]),
        *((_EQUAL, len(plain) - at, 0, number) for at, number in enumerate(plain)),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _THIRD),
        (_ANY_BIT, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in found)


def install(libc: ctypes.CDLL, machine: str) -> bool:
    """Let only the listed calls pass from now on. Whether the kernel did it.

    The process must have given up new privileges before.
    """
    if machine not in _ARCHITECTURES:
        return False
    text = program(machine)
    held = ctypes.create_string_buffer(text, len(text))
    given = _Program(len(text) // 8, ctypes.addressof(held))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(given), 0, 0) == 0)
