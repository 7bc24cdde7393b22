"""What Linux and macOS have in common. It holds for other Unix systems, too."""

from __future__ import annotations

import contextlib
import importlib
import mmap
import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from routestudio.system.base import LIMITED, Board, System

if TYPE_CHECKING:
    from routestudio.system.posix_streams import Streaming


def _module(name: str) -> ModuleType | None:
    """A module of Unix; `None` where tests only look at it. Loaded at once: a worker that has
    shut its doors cannot load anything."""
    with contextlib.suppress(ImportError):
        return importlib.import_module(name)
    return None


FCNTL: Final = _module("fcntl")
RESOURCE: Final = _module("resource")


class Processes:
    """By signals."""

    def alive(self, pid: int) -> bool:
        if pid <= 0:
            return False
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:
            return True  # somebody else's
        return True

    def end(self, pid: int) -> None:
        os.kill(pid, signal.Signals(9))


class Workers:
    """Limits of the process itself; memory is shared by a descriptor."""

    options: Mapping[str, Any] = {}

    def __init__(self, resource: ModuleType | None = RESOURCE) -> None:
        self._resource: Any = resource

    def environment(self, *names: str) -> dict[str, str]:
        return {name: os.environ[name] for name in names if name in os.environ}

    def board(self, size: int) -> Board:
        handle = self.shared(size)
        try:
            memory = mmap.mmap(handle, size)
        except BaseException:
            os.close(handle)
            raise
        return Board(memory, str(handle), {"pass_fds": (handle,)}, lambda: os.close(handle))

    def shared(self, size: int) -> int:
        """A descriptor of memory that can be shared. Raises `OSError`."""
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            return os.dup(file.fileno())

    def open_board(self, name: str, size: int) -> mmap.mmap:
        return mmap.mmap(int(name), size)

    def end_with_owner(self, pipe: int) -> None:
        """It ends when it next reads: its input ends then."""

    def limit(self, memory: int, stack: int) -> int:
        resource = self._resource
        with contextlib.suppress(OSError, ValueError):
            # Deep recursion of Elixir functions passes through C, too.
            hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
            wanted = stack if hard == resource.RLIM_INFINITY else min(stack, hard)
            resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
        limits = [
            ("RLIMIT_AS", memory), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0), ("RLIMIT_NPROC", 0),
            ("RLIMIT_NOFILE", 0),
        ]  # fmt: skip
        for name, value in limits:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                resource.setrlimit(getattr(resource, name), (value, value))
        return LIMITED

    def tie_children(self) -> None:
        pass

    def memory(self, pid: int) -> int:
        return 0

    def processor(self, pid: int) -> float | None:
        return None

    def widen(self, *pipes: int) -> None:
        pass


class Files:
    """By descriptors and names in open folders."""

    no_follow: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    guarded: int = no_follow | getattr(os, "O_NONBLOCK", 0)
    folder: int = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
    by_handle: bool = os.open in os.supports_dir_fd

    def __init__(self, fcntl: ModuleType | None = FCNTL) -> None:
        self.fcntl: Any = fcntl

    def lock(self, handle: int) -> bool | None:
        try:
            self.fcntl.flock(handle, self.fcntl.LOCK_EX | self.fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True

    def sync(self, handle: int) -> None:
        os.fsync(handle)

    def sync_folder(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                self.sync(handle)
            finally:
                os.close(handle)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def set_mode(self, handle: int, mode: int) -> None:
        os.fchmod(handle, mode)

    def is_link(self, info: os.stat_result) -> bool:
        return stat.S_ISLNK(info.st_mode)

    def refused(self, name: str) -> str | None:
        return None

    def true_path(self, path: Path) -> str:
        return os.path.realpath(path)


class Desktop:
    """X11 and Wayland; secrets by the Secret Service."""

    secrets: str = "Secret Service"
    longest_secret: int | None = None

    def has_display(self, environ: Mapping[str, str]) -> bool:
        platform = environ.get("QT_QPA_PLATFORM", "")
        if platform.split(":")[0] in ("offscreen", "minimal", "vnc"):
            return True
        return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))

    def cloud_sdks(self, environ: Mapping[str, str]) -> tuple[Path, ...]:
        places = ("/usr/lib", "/usr/share", "/opt", environ.get("HOME", ""))
        found = [Path(place) / "google-cloud-sdk" for place in places if place]
        return (*found, Path("/snap/google-cloud-cli/current"))

    def script(self, path: str) -> str:
        return path


def streaming() -> Streaming:
    """Streams and signals; a function worker has no use for a loop, and does not load it."""
    from routestudio.system import posix_streams

    return posix_streams.Streaming()


def system() -> System:
    """A Unix."""
    return System("posix", Processes(), Workers(), Files(), Desktop(), streaming)
