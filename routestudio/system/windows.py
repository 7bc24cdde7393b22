"""Windows: by handles, a Job object around each worker, threads where a loop cannot wait.

docs/platforms.md lists what of it has been run, and where.
"""

from __future__ import annotations

import ctypes
import importlib
import mmap
import os
import re
import secrets
import signal
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, cast

from routestudio.system.base import Board, System
from routestudio.system.windows_calls import Calls
from routestudio.system.windows_job import Job

if TYPE_CHECKING:
    from routestudio.system.windows_streams import Streaming

_QUERY: Final = 0x1000
"""PROCESS_QUERY_LIMITED_INFORMATION: the right to ask for the exit code, which all users have."""

_RUNNING: Final = 259
"""STILL_ACTIVE: the exit code of a process that has none yet."""

_NO_WINDOW: Final = 0x08000000
"""CREATE_NO_WINDOW: a child of a program with a window of its own gets no console."""

_FAR: Final = 0x7FFF0000
"""Byte that is locked: past the end of every file here, because others must be able to read."""

_SURROGATE: Final = 0x20000000
"""Bit of the reparse tags that stand for another place: symbolic links, junctions."""

_LOOK_SECONDS: Final = 0.02
_OWNER_SECONDS: Final = 0.5
_REPLACE_TRIES: Final = 25
_DEVICE: Final = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?")
_SHORT: Final = re.compile(r"(?s)[^~.]{1,6}~[0-9]+(\..{0,3})?")
_UNUSABLE: Final = frozenset('<>:"|?*')


class Processes(Calls):
    """By handles. Here `os.kill` ends a process whatever the signal, 0 included."""

    def alive(self, pid: int) -> bool:
        if pid <= 0:
            return False
        handle = ctypes.c_void_p(self.kernel.OpenProcess(_QUERY, False, pid))
        if not handle.value:
            return False
        code = ctypes.c_ulong()
        try:
            known = self.kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        finally:
            self.kernel.CloseHandle(handle)
        return bool(known) and code.value == _RUNNING

    def end(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGTERM)
        except PermissionError:
            # It has ended already and only its number is left.
            raise ProcessLookupError(pid) from None


class Workers(Calls):
    """Memory is shared by a name that cannot be guessed; a Job object holds the limits.

    A worker makes its Job itself: what starts it may be the launcher of an environment, and then
    the number that its owner knows is that of the launcher.
    """

    options: Mapping[str, Any] = {"creationflags": _NO_WINDOW}

    def __init__(
        self, kernel: Any = None, mapping: Any = None, msvcrt: ModuleType | None = None
    ) -> None:
        super().__init__(kernel)
        self._map: Any = mapping or mmap.mmap
        self._msvcrt = msvcrt
        self._jobs: list[Job] = []

    def environment(self, *names: str) -> dict[str, str]:
        # Without it neither sockets nor random bytes can be had.
        return {name: os.environ[name] for name in (*names, "SYSTEMROOT") if name in os.environ}

    def board(self, size: int) -> Board:
        name = f"RouteStudio-{secrets.token_hex(16)}"
        return Board(self._map(-1, size, tagname=name), name, {}, lambda: None)

    def open_board(self, name: str, size: int) -> mmap.mmap:
        return cast(mmap.mmap, self._map(-1, size, tagname=name))

    def end_with_owner(self, pipe: int) -> None:
        """A thread looks after the pipe: a function that hangs does not read its input."""
        msvcrt: Any = self._msvcrt or importlib.import_module("msvcrt")
        handle = msvcrt.get_osfhandle(pipe)

        def look() -> None:
            while self.waiting(handle) >= 0:
                time.sleep(_OWNER_SECONDS)
            os._exit(1)

        threading.Thread(target=look, name="owner", daemon=True).start()

    def limit(self, memory: int, stack: int) -> int:
        job = Job(self.kernel, memory=memory, processes=1)
        self._jobs.append(job)  # it ends with its last handle
        return job.hold_this_process()

    def tie_children(self) -> None:
        job = Job(self.kernel)
        self._jobs.append(job)
        job.hold_this_process()

    def memory(self, pid: int) -> int:
        return 0

    def processor(self, pid: int) -> float | None:
        return None

    def widen(self, *pipes: int) -> None:
        pass


class Files:
    """Names lead to files in more ways here, and who holds a file open can prevent its removal."""

    no_follow: int = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
    guarded: int = no_follow
    folder: int = os.O_RDONLY
    by_handle: bool = False

    def __init__(self, msvcrt: ModuleType | None = None) -> None:
        self._msvcrt = msvcrt

    def lock(self, handle: int) -> bool | None:
        msvcrt: Any = self._msvcrt or importlib.import_module("msvcrt")
        try:
            before = os.lseek(handle, 0, os.SEEK_CUR)
            os.lseek(handle, _FAR, os.SEEK_SET)
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(handle, before, os.SEEK_SET)
        except PermissionError:
            return False
        except OSError:
            return None
        return True

    def sync(self, handle: int) -> None:
        os.fsync(handle)

    def sync_folder(self, folder: Path) -> None:
        """NTFS writes names to its own journal."""

    def replace(self, source: Path, target: Path) -> None:
        """Virus scanners open new files for a moment: it is tried for half a second."""
        for left in reversed(range(_REPLACE_TRIES)):
            try:
                source.replace(target)
            except PermissionError:
                if not left:
                    raise
                time.sleep(_LOOK_SECONDS)
            else:
                return

    def set_mode(self, handle: int, mode: int) -> None:
        """A file has the rights of its folder."""

    def is_link(self, info: os.stat_result) -> bool:
        return stat.S_ISLNK(info.st_mode) or bool(getattr(info, "st_reparse_tag", 0) & _SURROGATE)

    def refused(self, name: str) -> str | None:
        if _DEVICE.fullmatch(name):
            return "has the name of a device"
        if _UNUSABLE & set(name) or name[-1:] in (".", " "):
            return "has a name that Windows does not know"
        if _SHORT.fullmatch(name):
            return "has a name that may be short for another one"
        return None

    def true_path(self, path: Path) -> str:
        return os.path.realpath(path)


class Desktop:
    """There is always a display; secrets by the Credential Manager."""

    secrets: str = "Credential Manager"
    longest_secret: int | None = 2560

    def has_display(self, environ: Mapping[str, str]) -> bool:
        return True

    def cloud_sdks(self, environ: Mapping[str, str]) -> tuple[Path, ...]:
        names = ("LOCALAPPDATA", "PROGRAMFILES", "PROGRAMFILES(X86)")
        return tuple(
            Path(environ[name]) / "Google" / "Cloud SDK" / "google-cloud-sdk"
            for name in names
            if environ.get(name)
        )

    def script(self, path: str) -> str:
        return f"{path}.bat"


def streaming() -> Streaming:
    """Streams and signals; a function worker has no use for a loop, and does not load it."""
    from routestudio.system import windows_streams

    return windows_streams.Streaming()


def system() -> System:
    """Windows."""
    return System("windows", Processes(), Workers(), Files(), Desktop(), streaming)
