"""Processes on each system; the others' branches with the system's calls faked at the boundary."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from routestudio.system import current, posix, windows


class Kernel:
    """Windows' library: processes by number, each with its exit code (259 while it runs)."""

    def __init__(self, codes: dict[int, int]) -> None:
        self.codes = codes
        self.open: set[int] = set()

    def OpenProcess(self, right: int, inherit: bool, pid: int) -> int:
        assert (right, inherit) == (0x1000, False)
        if pid not in self.codes:
            return 0
        self.open.add(pid + 1000)
        return pid + 1000

    def GetExitCodeProcess(self, handle: ctypes.c_void_p, code: Any) -> int:
        assert handle.value is not None
        ctypes.cast(code, ctypes.POINTER(ctypes.c_ulong))[0] = self.codes[handle.value - 1000]
        return 1

    def CloseHandle(self, handle: ctypes.c_void_p) -> None:
        assert handle.value is not None
        self.open.remove(handle.value)


@pytest.mark.skipif(os.name != "posix", reason="signals of Unix")
def test_a_child_is_alive_until_it_is_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    processes = current.processes
    try:
        assert processes.alive(child.pid)
        processes.end(child.pid)
        assert child.wait(60) == -signal.SIGKILL
    finally:
        child.kill()
        assert child.stdin is not None
        child.stdin.close()
        child.wait(60)
    assert not processes.alive(child.pid)
    with pytest.raises(ProcessLookupError):
        processes.end(child.pid)


@pytest.mark.parametrize("pid", [0, -1])
def test_groups_of_processes_are_none(pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("asked the system"))
    assert not posix.Processes().alive(pid)
    assert not windows.Processes(Kernel({pid: 259})).alive(pid)


def test_a_process_of_somebody_else_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError(pid)

    monkeypatch.setattr(os, "kill", refuse)
    assert posix.Processes().alive(1)


def test_windows_asks_and_never_ends_what_it_asks_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("ended it"))
    kernel = Kernel({7: 259, 8: 0})
    processes = windows.Processes(kernel)
    assert [processes.alive(pid) for pid in (7, 8, 9)] == [True, False, False]
    assert kernel.open == set()


def test_windows_ends_a_process_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running = {7}

    def terminate(pid: int, number: int) -> None:
        if pid not in running:
            raise PermissionError(5, "Access is denied")
        assert number == signal.SIGTERM
        running.remove(pid)

    monkeypatch.setattr(os, "kill", terminate)
    windows.Processes().end(7)
    with pytest.raises(ProcessLookupError):
        windows.Processes().end(7)
