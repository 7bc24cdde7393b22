"""Job objects of Windows: limits around a process, which its children cannot leave.

See "Job Objects" in Microsoft's documentation of the Windows API.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from routestudio.system.base import IN_JOB

_EXTENDED: Final = 9
"""JobObjectExtendedLimitInformation."""

_ACTIVE_PROCESSES: Final = 0x8
_PROCESS_MEMORY: Final = 0x100
_DIE_QUIETLY: Final = 0x400
_KILL_ON_CLOSE: Final = 0x2000


class _Basic(ctypes.Structure):
    _fields_ = (
        ("process_time", ctypes.c_longlong), ("job_time", ctypes.c_longlong),
        ("flags", ctypes.c_uint32), ("smallest_set", ctypes.c_size_t),
        ("largest_set", ctypes.c_size_t), ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t), ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    )  # fmt: skip


class ExtendedLimits(ctypes.Structure):
    """`JOBOBJECT_EXTENDED_LIMIT_INFORMATION`."""

    _fields_ = (
        ("basic", _Basic), ("transfers", ctypes.c_ulonglong * 6),
        ("process_memory", ctypes.c_size_t), ("job_memory", ctypes.c_size_t),
        ("peak_process", ctypes.c_size_t), ("peak_job", ctypes.c_size_t),
    )  # fmt: skip


class Job:
    """A Job object. What it holds ends when the program that made it does.

    `memory` is the most bytes of one process, `processes` how many may run at once.
    """

    def __init__(self, kernel: Any, *, memory: int = 0, processes: int = 0) -> None:
        self._kernel = kernel
        self.limits = ExtendedLimits()
        self.limits.basic.flags = _KILL_ON_CLOSE | _DIE_QUIETLY
        if memory:
            self.limits.basic.flags |= _PROCESS_MEMORY
            self.limits.process_memory = memory
        if processes:
            self.limits.basic.flags |= _ACTIVE_PROCESSES
            self.limits.basic.processes = processes
        self._handle = ctypes.c_void_p(kernel.CreateJobObjectW(None, None))

    def hold_this_process(self) -> int:
        """Put this process into the Job: `IN_JOB`, or 0 where the system refuses."""
        kernel, handle = self._kernel, self._handle
        if not handle.value:
            return 0
        size = ctypes.sizeof(self.limits)
        if not kernel.SetInformationJobObject(handle, _EXTENDED, ctypes.byref(self.limits), size):
            return 0
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        return IN_JOB if kernel.AssignProcessToJobObject(handle, process) else 0
