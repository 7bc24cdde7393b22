"""What every test is held to: quiet, and nothing left behind.

A test fails when, at its end, there is a task, a thread that keeps the process alive, a child
process or an open socket that was not there before; when the program logged a warning and the test
did not ask for it (`@pytest.mark.allow_log`); or when it reached for the network. Fixtures of a
wider scope are set up before the look, so what they own may stay.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import network

GRACE = 2.0
"""Seconds that threads, processes and sockets may take to end after a test."""
TURNS = 20
"""Turns of the loop that tasks may take to end after a test."""

_PROC = Path("/proc/self")
_WATCHED = ("routestudio", "asyncio")


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not _drain_was_cancelled(record):
            self.records.append(record)


def _drain_was_cancelled(record: logging.LogRecord) -> bool:
    """Tell asyncio's own noise: a writer's `drain` cancelled in the turn in which its pipe broke.

    The waiter inside gets the error, and nobody is left to look at it.
    """
    error = record.exc_info[1] if record.exc_info else None
    return (
        record.name == "asyncio"
        and record.getMessage().startswith("Future exception was never retrieved")
        and isinstance(error, (BrokenPipeError, ConnectionResetError))
    )


_records = _Records()


def pytest_configure(config: pytest.Config) -> None:
    """Start to listen to the log and to guard the network."""
    config.addinivalue_line("markers", "allow_log: the program may log warnings in this test")
    for name in _WATCHED:
        logging.getLogger(name).addHandler(_records)
    network.guard()


def sockets() -> set[str]:
    """Return the open sockets of this process, by their number in the kernel."""
    found: set[str] = set()
    if sys.platform != "linux":
        return found
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - at every test, so the fast way
        try:
            target = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def children() -> set[int]:
    """Return the child processes, alive or not waited for."""
    found: set[int] = set()
    if sys.platform != "linux":
        return found
    for thread in (_PROC / "task").iterdir():
        try:
            pids = (thread / "children").read_text().split()
        except OSError:
            continue
        found.update(map(int, pids))
    return found


def started() -> set[int]:
    """Return the child processes that the running test started, without the session's servers."""
    return children() - _at_start.children


def _command(pid: int) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "ended"
    return raw.replace(b"\0", b" ").decode(errors="replace").strip() or "ended, not waited for"


def threads() -> set[threading.Thread]:
    """Return the threads that would keep the process alive."""
    return {each for each in threading.enumerate() if not each.daemon}


class _Before:
    """What there was before a test, and the difference afterwards, as sentences."""

    def __init__(self) -> None:
        self.sockets, self.children, self._threads = sockets(), children(), threads()
        self._tasks = _program_tasks()

    def left(self) -> list[str]:
        lost = [f"task {each.get_name()}" for each in _program_tasks() - self._tasks]
        lost += [f"thread {each.name}" for each in threads() - self._threads]
        for pid in children() - self.children:
            command = _command(pid)
            if "multiprocessing.resource_tracker" not in command:
                lost.append(f"process {pid} ({command})")
        lost += [_describe(each) for each in sockets() - self.sockets]
        return lost


def _program_tasks() -> set[asyncio.Task[Any]]:
    module = sys.modules.get("routestudio.tasks")
    running: set[asyncio.Task[Any]] = getattr(module, "_running", set())
    return {task for task in running if not task.done()}


_at_start = _Before()


def adopt(*, process: int | None = None, descriptor: int | None = None) -> None:
    """Let a process or a socket stay after the running test: a wider fixture owns it now."""
    if process is not None:
        _at_start.children.add(process)
    if descriptor is not None and sys.platform == "linux":
        _at_start.sockets.add(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115


def _describe(number: str) -> str:
    inode = number.removeprefix("socket:[").removesuffix("]")
    for table in ("tcp", "tcp6"):
        for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
            parts = line.split()
            if parts[9] == inode:
                ends = [int(end.rsplit(":", 1)[1], 16) for end in parts[1:3]]
                return f"socket of port {ends[0]}, other end {ends[1] or 'none (it listens)'}"
    return f"socket {inode} (not TCP)"


def _left_after_grace(before: _Before) -> list[str]:
    lost = before.left()
    if lost:
        gc.collect()
    deadline = time.monotonic() + GRACE
    while (lost := before.left() if lost else []) and time.monotonic() < deadline:
        time.sleep(0.02)
    return lost


@pytest.fixture(autouse=True)
def _guards(request: pytest.FixtureRequest) -> Iterator[None]:
    global _at_start
    before = _at_start = _Before()
    _records.records.clear()
    network.attempts.clear()
    yield
    faults = [f"left behind: {each}" for each in _left_after_grace(before)]
    if request.node.get_closest_marker("allow_log") is None:
        faults += [
            f"logged: {each.levelname} {each.name}: {each.getMessage()}"
            for each in _records.records
        ]
    faults += [f"left the machine: {each}" for each in network.attempts]
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Look for tasks inside the loop of an asynchronous test, before the loop ends them."""
    function = getattr(item, "obj", None)
    if not inspect.iscoroutinefunction(function):
        return (yield)
    item.obj = _leaving_no_task(function)  # type: ignore[attr-defined]
    try:
        return (yield)
    finally:
        item.obj = function  # type: ignore[attr-defined]


def _leaving_no_task(
    function: Callable[..., Coroutine[Any, Any, None]],
) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(function)
    async def wrapped(*arguments: Any, **named: Any) -> None:
        before = asyncio.all_tasks()
        await function(*arguments, **named)
        for _ in range(TURNS):
            left = asyncio.all_tasks() - before
            if not left:
                return
            await asyncio.sleep(0)
        names = ", ".join(sorted(f"{task.get_name()} ({task.get_coro()})" for task in left))
        pytest.fail(f"left behind: tasks {names}", pytrace=False)

    return wrapped
