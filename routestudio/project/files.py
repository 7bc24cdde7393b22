"""Reading and writing files so that nothing is lost: atomic, with clear errors."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from routestudio.errors import Place, ProjectError


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Replace `path` by `text` (UTF-8) atomically: a crash leaves the old file or the new one.

    Keeps the mode of an existing file. Raises `ProjectError`.
    """
    write_parts(path, (text.encode("utf-8", "surrogatepass"),), mode=mode)


def write_parts(path: Path, parts: Iterable[bytes], *, mode: int | None = None) -> None:
    """The same for a file that need not fit into memory; `parts` may be read from the old one."""
    target = path.resolve() if path.is_symlink() else path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        kept = mode if mode is not None else _mode_of(target)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(kept)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise ProjectError(
            f"cannot be written: {error.strerror}", place=Place(str(path)), hint="nothing was lost"
        ) from None


def remove_file(path: Path) -> None:
    """Remove a file, if it is there. Raises `ProjectError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ProjectError(f"cannot be removed: {error.strerror}", place=Place(str(path))) from None


def inside(root: Path, relative: str) -> Path:
    """The path of a project's file. Raises `ProjectError` for one that leads out of the folder.

    Links are followed, so a project cannot name files of the machine that opens it.
    """
    place = Place(str(root / relative) if "\0" not in relative else str(root))
    try:
        found = (root / relative).resolve()
        leads_out = not found.is_relative_to(root.resolve())
        found.is_file()  # names that the system refuses
    except (OSError, ValueError, RuntimeError) as error:
        raise ProjectError(f"is not a path: {_reason(error)}", place=place) from None
    if leads_out:
        raise ProjectError(
            "is outside of the project folder", place=place, hint="move the file into it"
        )
    return root / relative


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "it cannot be used"


def read_text(path: Path, *, limit: int) -> str:
    """The text of a file, line ends and byte-order mark kept. Raises `ProjectError`."""
    place = Place(str(path))
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise ProjectError("is not a file", place=place)
        if info.st_size > limit:
            size = info.st_size >> 20
            raise ProjectError(f"is {size} MB; at most {limit >> 20} MB are read", place=place)
        data = path.read_bytes()
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", place=place) from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProjectError(
            "is not text in UTF-8", place=Place(str(path), line),
            hint="convert it to UTF-8, or choose another file",
        ) from None  # fmt: skip


def _mode_of(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o7777
    except OSError:
        return 0o644


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
