"""What systems do differently, by duty; each system has an implementation of all of it.

`routestudio/system/__init__.py` chooses. Nothing else in the program asks which system it is on.
docs/platforms.md lists what each of them lacks.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

if TYPE_CHECKING:
    import asyncio
    import contextlib

LIMITED: Final = 1
"""A worker can open no file, let none grow, and begin no process; its memory is limited."""

IN_JOB: Final = 8
"""A worker can begin no process, and its memory is limited; files can be opened."""


class Processes(Protocol):
    """What a system can do with a process that is known by its number."""

    def alive(self, pid: int) -> bool:
        """Whether a process of that number runs, whoever started it."""
        ...

    def end(self, pid: int) -> None:
        """End it at once, without asking. Raises `ProcessLookupError` when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Board:
    """A piece of memory that a worker and its owner share, and that neither can shrink.

    `name` is what the worker opens it by, `options` what its start needs for that.
    """

    memory: mmap.mmap
    name: str
    options: Mapping[str, Any]
    release: Callable[[], None]

    def close(self) -> None:
        """Give it back. May be called more than once."""
        if not self.memory.closed:
            self.memory.close()
            self.release()


class Workers(Protocol):
    """How a child process is started, shared with, and held to its limits."""

    options: Mapping[str, Any]
    """Arguments of `subprocess` that every child process gets."""

    def environment(self, *names: str) -> dict[str, str]:
        """The environment of a child: these variables, and what no program can be without."""
        ...

    def board(self, size: int) -> Board:
        """A new shared piece of memory. Raises `OSError`."""
        ...

    def open_board(self, name: str, size: int) -> mmap.mmap:
        """The owner's piece of memory, in the worker. Raises `OSError`."""
        ...

    def end_with_owner(self, pipe: int) -> None:
        """In the worker: end when its owner does, whatever the worker does then.

        `pipe` is what the owner writes to.
        """
        ...

    def limit(self, memory: int, stack: int) -> int:
        """In the worker: take its rights away. Gives what holds then: `LIMITED`, `IN_JOB`, 0."""
        ...

    def tie_children(self) -> None:
        """In a child that starts processes: let them end when it does, where it must be asked."""
        ...

    def memory(self, pid: int) -> int:
        """What a worker has, in bytes, where its owner must look; 0 where the system does."""
        ...

    def processor(self, pid: int) -> float | None:
        """Seconds of processor time that a worker has used; `None` where that is not known."""
        ...

    def widen(self, *pipes: int) -> None:
        """Let more pass a pipe at once, where that can be chosen."""
        ...


class Files(Protocol):
    """Opening files without surprises, locks, and saving so that nothing is lost."""

    no_follow: int
    """Flags to open a file by its own name, not through a link, and as it is."""

    guarded: int
    """The same, and without waiting for what is not a file."""

    folder: int
    """Flags to open a folder itself, to look names up in it."""

    by_handle: bool
    """Whether names can be looked up in an open folder."""

    def lock(self, handle: int) -> bool | None:
        """Whether the lock of an open file could be taken; `None` where it cannot be known.

        It is held until the handle is closed or the process ends. Others can read the file.
        """
        ...

    def sync(self, handle: int) -> None:
        """Have written what an open file has, so that it survives a crash. Raises `OSError`."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """The same for the names in a folder, where a system lets that be asked for."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Put a file in another one's place in one step. Raises `OSError`; both stay then."""
        ...

    def set_mode(self, handle: int, mode: int) -> None:
        """Say who may read an open file, where a file has a mode."""
        ...

    def is_link(self, info: os.stat_result) -> bool:
        """Whether what `lstat` found leads elsewhere."""
        ...

    def refused(self, name: str) -> str | None:
        """Why a part of a path may mean something else than it spells, or cannot be used."""
        ...

    def true_path(self, path: Path) -> str:
        """A path without links, spelled as the disk has it, also where case does not count."""
        ...


Sent = Callable[[bytes], None]
"""Gives bytes on; never waits."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The standard streams of a process that serves: `read` gives `b""` at the end."""

    read: Callable[[], Awaitable[bytes]]
    write: Sent
    close: Callable[[], None]


class Streaming(Protocol):
    """The loop of a process, its standard streams and signals."""

    def loop(self) -> asyncio.AbstractEventLoop:
        """A new loop for a process that delivers: the quickest there is. To be closed."""
        ...

    async def serve(self, read: BinaryIO, write: BinaryIO) -> Streams:
        """Streams that a loop reads and writes. Raises `OSError`."""
        ...

    def patient(self, number: int, unwanted: Callable[[], bool]) -> BinaryIO | None:
        """A file to read a descriptor by, in a thread, that ends once it is not wanted.

        Without it (`None`) the descriptor can only be read until something comes.
        """
        ...

    def on_stop(
        self, loop: asyncio.AbstractEventLoop, told: Callable[[str], None]
    ) -> contextlib.AbstractContextManager[None]:
        """While entered, `told` gets the name of each signal that asks the program to stop."""
        ...


class Desktop(Protocol):
    """What is around a program on somebody's desk."""

    secrets: str
    """How people call the place where the system keeps secrets."""

    longest_secret: int | None
    """Most bytes of one in UTF-16, where there is a limit."""

    def has_display(self, environ: Mapping[str, str]) -> bool:
        """Whether a window can be shown. Asked before Qt is touched, which would abort."""
        ...

    def cloud_sdks(self, environ: Mapping[str, str]) -> tuple[Path, ...]:
        """Where the Google Cloud SDK is usually installed."""
        ...

    def script(self, path: str) -> str:
        """The name of a script of such an SDK that is started by hand."""
        ...


@dataclass(frozen=True)
class System:
    """One operating system. What has to do with loops is loaded when it is asked for."""

    name: str
    processes: Processes
    workers: Workers
    files: Files
    desktop: Desktop
    load_streaming: Callable[[], Streaming]

    @cached_property
    def streaming(self) -> Streaming:
        """Standard streams and signals."""
        return self.load_streaming()
