"""What macOS does in its own way, with its calls faked at the boundary."""

from __future__ import annotations

import os
import struct
import tempfile
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from routestudio.system import macos, posix
from routestudio.system.base import LIMITED

unix = pytest.mark.skipif(os.name != "posix", reason="the fakes stand on files of Unix")


class SharedMemory(ModuleType):
    """`_posixshmem` over files; names are gone once they are unlinked."""

    def __init__(self, folder: Path) -> None:
        super().__init__("_posixshmem")
        self.folder = folder
        self.made: list[str] = []

    def shm_open(self, name: str, flags: int, *, mode: int) -> int:
        assert len(name) <= 31
        self.made.append(name)
        return os.open(self.folder / name[1:], flags, mode)

    def shm_unlink(self, name: str) -> None:
        (self.folder / name[1:]).unlink()


class Fcntl(ModuleType):
    """`fcntl` with what macOS has."""

    F_FULLFSYNC = 51
    F_GETPATH = 50

    def __init__(self, answer: Any = 0) -> None:
        super().__init__("fcntl")
        self.answer = answer
        self.asked: list[int] = []

    def fcntl(self, handle: int, command: int, argument: Any = 0) -> Any:
        self.asked.append(command)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


@unix
def test_the_board_has_no_name_and_two_sides(tmp_path: Path) -> None:
    shm = SharedMemory(tmp_path)
    workers = macos.Workers(shm=shm)
    board = workers.board(8)
    try:
        assert list(tmp_path.iterdir()) == []
        assert board.options == {"pass_fds": (int(board.name),)}
        with workers.open_board(board.name, 8) as other:
            other[0] = 7
            assert board.memory[0] == 7
    finally:
        board.close()
    board.close()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(int(board.name))


def test_the_owner_looks_at_the_memory_of_a_worker() -> None:
    """`ri_phys_footprint` is the eighth counter of `rusage_info_v0`."""

    def usage(pid: int, flavour: int, found: Any) -> int:
        assert flavour == 0
        if pid != 7:
            return -1
        found.raw = struct.pack("=16s10Q", b"", 1, 2, 3, 4, 5, 6, 7, 300 << 20, 9, 10)
        return 0

    workers = macos.Workers(library=SimpleNamespace(proc_pid_rusage=usage))
    assert workers.memory(7) == 300 << 20
    assert workers.memory(8) == 0


class Watching:
    """`select` with the queue of kernel events of macOS: the owner ends when it is told to."""

    KQ_FILTER_PROC, KQ_EV_ADD, KQ_NOTE_EXIT = -5, 1, 0x80000000

    def __init__(self, gone: bool = False) -> None:
        self.gone = gone
        self.ends = threading.Event()
        self.watched: list[int] = []

    def kevent(self, ident: int, *, filter: int, flags: int, fflags: int) -> int:
        assert (filter, flags, fflags) == (-5, 1, 0x80000000)
        return ident

    def kqueue(self) -> Any:
        return self

    def control(self, changes: Any, count: int, timeout: Any) -> list[str]:
        if changes:
            if self.gone:
                raise ProcessLookupError
            self.watched += changes
            return []
        self.ends.wait(60)
        return ["exit"]


def ending(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    ended = threading.Event()

    def end(code: int) -> None:
        assert code == 1
        ended.set()
        if threading.current_thread() is threading.main_thread():
            raise SystemExit

    monkeypatch.setattr(os, "_exit", end)
    return ended


def test_a_worker_ends_with_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, watching = ending(monkeypatch), Watching()
    macos.Workers(watching=watching).end_with_owner(0)
    assert watching.watched == [os.getppid()]
    assert not ended.is_set()
    watching.ends.set()
    assert ended.wait(60)


def test_a_worker_whose_owner_has_gone_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = ending(monkeypatch)
    with pytest.raises(SystemExit):
        macos.Workers(watching=Watching(gone=True)).end_with_owner(0)
    assert ended.is_set()


def test_a_system_without_such_a_queue_is_no_fault() -> None:
    macos.Workers(watching=SimpleNamespace()).end_with_owner(0)


def test_data_are_written_through_the_drives_own_memory() -> None:
    fcntl = Fcntl()
    macos.Files(fcntl).sync(-1)
    assert fcntl.asked == [51]


@unix
def test_a_drive_that_cannot_is_asked_for_what_it_can() -> None:
    with tempfile.TemporaryFile() as file:
        handle = file.fileno()
        macos.Files(Fcntl(OSError(45, "not supported"))).sync(handle)
    with pytest.raises(OSError, match="descriptor"):
        macos.Files(Fcntl(OSError(45, "not supported"))).sync(handle)


@unix
def test_a_folder_is_known_by_the_spelling_that_the_disk_has(tmp_path: Path) -> None:
    told = os.fsencode(tmp_path / "Shop") + b"\0" * 9
    (tmp_path / "shop").mkdir()
    assert macos.Files(Fcntl(told)).true_path(tmp_path / "shop") == str(tmp_path / "Shop")
    refused = macos.Files(Fcntl(OSError(1, "no")))
    assert refused.true_path(tmp_path / "shop") == str(tmp_path / "shop")
    assert macos.Files(Fcntl(told)).true_path(tmp_path / "gone") == str(tmp_path / "gone")


def test_names_with_characters_that_cannot_be_seen_are_refused() -> None:
    assert macos.Files().refused("\u200c.env")
    assert macos.Files().refused("se\u200dquin.yaml")
    assert macos.Files().refused("naïve.yaml") is None


class Resource(ModuleType):
    """`resource` of a system that takes some limits only."""

    RLIM_INFINITY = -1
    RLIMIT_STACK, RLIMIT_AS, RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_NPROC = range(5)

    def __init__(self) -> None:
        super().__init__("resource")
        self.set: dict[int, tuple[int, int]] = {}

    def getrlimit(self, which: int) -> tuple[int, int]:
        return (8 << 20, 64 << 20)

    def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
        if which == self.RLIMIT_CORE:
            raise ValueError("not this one")
        self.set[which] = limits


def test_a_limit_that_a_system_lacks_leaves_the_others() -> None:
    resource = Resource()
    assert posix.Workers(resource).limit(100, 32 << 20) == LIMITED
    assert resource.set == {
        resource.RLIMIT_STACK: (32 << 20, 64 << 20), resource.RLIMIT_AS: (100, 100),
        resource.RLIMIT_FSIZE: (0, 0), resource.RLIMIT_NPROC: (0, 0),
    }  # fmt: skip
