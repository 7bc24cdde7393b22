"""What Windows does in its own way, with its calls faked at the boundary."""

from __future__ import annotations

import asyncio
import ctypes
import io
import os
import signal
import stat
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from routestudio.system import windows, windows_streams
from routestudio.system.base import IN_JOB
from routestudio.system.windows_job import ExtendedLimits


class Kernel:
    """Windows' library for Job objects and pipes."""

    def __init__(self, *, refuses: str = "", waiting: int = 0, kind: int = 3) -> None:
        self.refuses = refuses
        self.waiting = [waiting]
        self.kind = kind
        self.limits: dict[int, ExtendedLimits] = {}
        self.held: list[tuple[int, int]] = []

    def CreateJobObjectW(self, rights: None, name: None) -> int:
        return 0 if self.refuses == "create" else 70 + len(self.limits)

    def SetInformationJobObject(self, job: Any, kind: int, given: Any, size: int) -> int:
        assert (kind, size) == (9, ctypes.sizeof(ExtendedLimits))
        copy = ExtendedLimits.from_buffer_copy(
            ctypes.cast(given, ctypes.POINTER(ExtendedLimits)).contents
        )
        self.limits[job.value] = copy
        return int(self.refuses != "set")

    def GetCurrentProcess(self) -> int:
        return 2**64 - 1

    def AssignProcessToJobObject(self, job: Any, process: Any) -> int:
        self.held.append((job.value, process.value))
        return int(self.refuses != "assign")

    def PeekNamedPipe(
        self, handle: Any, buffer: None, size: int, read: None, found: Any, left: None
    ) -> int:
        count = self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0]
        ctypes.cast(found, ctypes.POINTER(ctypes.c_ulong))[0] = max(count, 0)
        return int(count >= 0)

    def GetFileType(self, handle: Any) -> int:
        return self.kind


class Locking(ModuleType):
    """The C library's locks of bytes, over a table of what is locked."""

    LK_NBLCK = 2

    def __init__(self, taken: bool = False, error: OSError | None = None) -> None:
        super().__init__("msvcrt")
        self.taken = taken
        self.error = error
        self.at: list[int] = []

    def locking(self, handle: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1)
        self.at.append(os.lseek(handle, 0, os.SEEK_CUR))
        if self.error:
            raise self.error
        if self.taken:
            raise PermissionError(13, "Permission denied")

    def get_osfhandle(self, number: int) -> int:
        return number + 1000


def test_the_structure_of_limits_has_the_size_that_windows_expects() -> None:
    """144 bytes on 64 bits, as Microsoft's headers give it."""
    assert ctypes.sizeof(ExtendedLimits) == (144 if ctypes.sizeof(ctypes.c_void_p) == 8 else 112)


def test_a_worker_puts_itself_into_a_job_with_its_limits() -> None:
    kernel = Kernel()
    workers = windows.Workers(kernel)
    assert workers.limit(512 << 20, 0) == IN_JOB
    (job,) = kernel.limits
    limits = kernel.limits[job]
    assert (limits.process_memory, limits.basic.processes) == (512 << 20, 1)
    assert limits.basic.flags == 0x2000 | 0x400 | 0x100 | 0x8
    assert kernel.held == [(job, 2**64 - 1)]


@pytest.mark.parametrize("step", ["create", "set", "assign"])
def test_what_the_system_refuses_is_not_claimed(step: str) -> None:
    assert windows.Workers(Kernel(refuses=step)).limit(1 << 20, 0) == 0


def test_a_job_of_children_limits_nothing_but_their_life() -> None:
    kernel = Kernel()
    windows.Workers(kernel).tie_children()
    (limits,) = kernel.limits.values()
    assert limits.basic.flags == 0x2000 | 0x400
    assert len(kernel.held) == 1


def test_a_worker_ends_when_the_pipe_of_its_owner_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, code = threading.Event(), []

    def end(given: int) -> None:
        code.append(given)
        ended.set()

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(windows, "_OWNER_SECONDS", 0.001)
    kernel = Kernel()
    kernel.waiting = [0, 3, 0, -1]
    windows.Workers(kernel, msvcrt=Locking()).end_with_owner(4)
    assert ended.wait(60)
    assert (code, kernel.waiting) == ([1], [-1])


def test_the_board_is_shared_by_a_name_that_cannot_be_guessed() -> None:
    made: dict[str, bytearray] = {}

    def mapping(number: int, size: int, *, tagname: str) -> Any:
        assert number == -1
        memory = made.setdefault(tagname, bytearray(size))
        return SimpleNamespace(memory=memory, closed=False, close=lambda: None)

    workers = windows.Workers(mapping=mapping)
    one, two = workers.board(8), workers.board(8)
    assert one.name != two.name
    assert len(one.name) > 32
    assert dict(one.options) == {}
    assert workers.open_board(one.name, 8).memory is one.memory.memory  # type: ignore[attr-defined]


def test_a_child_has_what_no_program_can_be_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEMROOT", r"C:\Windows")
    monkeypatch.setenv("SECRET", "x")
    workers = windows.Workers()
    assert workers.environment() == {"SYSTEMROOT": r"C:\Windows"}
    assert workers.environment("SECRET", "GONE") == {"SECRET": "x", "SYSTEMROOT": r"C:\Windows"}
    assert workers.options == {"creationflags": 0x08000000}


@pytest.mark.parametrize(
    ("msvcrt", "answer"),
    [(Locking(), True), (Locking(taken=True), False), (Locking(error=OSError(22, "odd")), None)],
)
def test_a_lock_leaves_the_file_readable(
    tmp_path: Path, msvcrt: Locking, answer: bool | None
) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"header\n")
    handle = os.open(path, os.O_RDWR)
    try:
        os.lseek(handle, 3, os.SEEK_SET)
        assert windows.Files(msvcrt).lock(handle) is answer
        assert msvcrt.at[0] > 1 << 30
        assert os.lseek(handle, 0, os.SEEK_CUR) == 3
    finally:
        os.close(handle)


def test_a_save_waits_for_who_holds_the_file_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "_LOOK_SECONDS", 0)
    source, target = tmp_path / "new", tmp_path / "old"
    source.write_text("new")
    target.write_text("old")
    really, refusals = Path.replace, [PermissionError(13, "in use")] * 3

    def replace(self: Path, to: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return really(self, to)

    monkeypatch.setattr(Path, "replace", replace)
    windows.Files().replace(source, target)
    assert (target.read_text(), source.exists(), refusals) == ("new", False, [])


def test_a_save_that_stays_refused_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_LOOK_SECONDS", 0)
    asked = []

    def refuse(self: Path, to: Path) -> Path:
        asked.append(to)
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        windows.Files().replace(tmp_path / "new", tmp_path / "old")
    assert 10 < len(asked) < 100


@pytest.mark.parametrize(
    ("mode", "tag", "link"),
    [(stat.S_IFREG, 0, False), (stat.S_IFLNK, 0xA000000C, True),
     (stat.S_IFDIR, 0xA0000003, True), (stat.S_IFREG, 0x9000001A, False)],
    ids=["file", "link", "junction", "file of a cloud drive"],
)  # fmt: skip
def test_what_leads_elsewhere(mode: int, tag: int, link: bool) -> None:
    info: Any = SimpleNamespace(st_mode=mode, st_reparse_tag=tag)
    assert windows.Files().is_link(info) is link


@pytest.mark.parametrize(
    "name",
    ["CON", "con.yaml", "Aux ", "nul .txt", "COM1", "lpt9.x", "CONIN$", "COM\u00b9", "a:b",
     "a.yaml:stream", "sequin.yaml.", "functions ", "what?", "ENV~1", "SEQUIN~2.YAM"],
)  # fmt: skip
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    assert windows.Files().refused(name)


@pytest.mark.parametrize(
    "name", ["sequin.yaml", "console.py", "com10.txt", "a~b.py", "naïve.ex", "backup~1long.yaml"]
)
def test_other_names_are_not(name: str) -> None:
    assert windows.Files().refused(name) is None


# --- streams and signals ----------------------------------------------------------------------


async def test_threads_carry_what_a_loop_cannot_wait_for() -> None:
    there, here = os.pipe()
    back, out = os.pipe()
    with (
        os.fdopen(there, "rb", 0) as read, os.fdopen(here, "wb", 0) as give,
        os.fdopen(back, "rb", 0) as answers, os.fdopen(out, "wb", 0) as write,
    ):  # fmt: skip
        streams = await windows_streams.Streaming().serve(read, write)
        asked = asyncio.ensure_future(streams.read())
        await asyncio.sleep(0)
        assert not asked.done()
        give.write(b"question")
        assert await asked == b"question"
        streams.write(b"one ")
        streams.write(b"two")
        give.close()
        assert await streams.read() == b""
        streams.close()
        write.close()
        assert answers.read() == b"one two"


@pytest.mark.parametrize("kind", [1, 2])
def test_only_a_pipe_can_be_read_with_patience(kind: int) -> None:
    streaming = windows_streams.Streaming(Kernel(kind=kind), Locking())
    assert streaming.patient(0, lambda: False) is None


def test_a_pipe_is_read_when_something_waits_and_left_when_nobody_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows_streams, "_LOOK_SECONDS", 0.001)
    read, write = os.pipe()
    kernel, unwanted = Kernel(), False
    try:
        os.write(write, b"one\ntwo\n")
        kernel.waiting = [0, 8, 0]
        file = windows_streams.Streaming(kernel, Locking()).patient(read, lambda: unwanted)
        assert isinstance(file, io.BufferedReader)
        assert file.readline() == b"one\n"
        unwanted = True
        assert file.read() == b"two\n"
        kernel.waiting = [-1]
        unwanted = False
        assert file.read() == b""
    finally:
        os.close(read)
        os.close(write)


async def test_signals_reach_the_loop_and_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[Any, Any] = {signal.SIGINT: "python's"}

    def install(number: Any, handler: Any) -> Any:
        before = handlers.get(number)
        handlers[number] = handler
        return before

    monkeypatch.setattr(signal, "signal", install)
    told: list[str] = []
    with windows_streams.Streaming().on_stop(asyncio.get_running_loop(), told.append):
        handlers[signal.SIGINT](int(signal.SIGINT), None)
        assert told == []  # a handler may interrupt anything; the loop calls
        await asyncio.sleep(0)
    assert told == ["SIGINT"]
    assert handlers[signal.SIGINT] == "python's"
