"""Reading and writing files so that nothing is lost, and a project's files under one rule.

A project may come from anyone. Its files are reached through no link, are regular files inside of
its folder, and no name that the project gives may be hidden (begin with a dot). What RouteStudio
keeps there itself (`.env`, `.gitignore`, `.routestudio`) is named by RouteStudio only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from routestudio.errors import Place, ProjectError
from routestudio.project_names import STATE_FOLDER
from routestudio.system import current as system

SAVING: Final = f"{STATE_FOLDER}/saving"
"""Where a file of a project is written before it takes its place; git does not see it."""

_LINK: Final = "is a link, which may lead outside of the project folder"


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Replace `path` by `text` (UTF-8) atomically: a crash leaves the old file or the new one.

    For files that the user named. Keeps the mode of an existing file. Raises `ProjectError`.
    """
    write_parts(path, (text.encode("utf-8", "surrogatepass"),), mode=mode)


def write_parts(path: Path, parts: Iterable[bytes], *, mode: int | None = None) -> None:
    """The same for a file that need not fit into memory; `parts` may be read from the old one."""
    target = path.resolve() if path.is_symlink() else path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        kept = mode if mode is not None else _mode_of(target)
        import tempfile

        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            _filled(handle, parts, kept)
            system.files.replace(Path(name), target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        system.files.sync_folder(target.parent)
    except OSError as error:
        raise _unwritable(error, path) from None


# --- files of a project ----------------------------------------------------------------------


def inside(root: Path, relative: str) -> Path:
    """The path of a file that a project names. Raises `ProjectError` when the rule refuses it.

    The file need not be there.
    """
    place = _place(root, relative)
    pure = PurePosixPath(relative)
    unusable = not relative.strip() or "\\" in relative or any(ord(char) < 32 for char in relative)
    if unusable or not pure.parts:
        raise ProjectError("is not a path of a project's file", place=place)
    if pure.is_absolute() or ".." in pure.parts or Path(relative).is_absolute():
        raise ProjectError(
            "is outside of the project folder", place=place, hint="move the file into it"
        )
    if any(part.startswith(".") for part in pure.parts):
        raise ProjectError(
            "is hidden, and a project cannot name hidden files", place=place,
            hint="choose a name that does not begin with a dot",
        )  # fmt: skip
    for part in pure.parts:
        if why := system.files.refused(part):
            raise ProjectError(why, place=place, hint="rename the file")
    return own(root, pure.as_posix())


def own(root: Path, relative: str) -> Path:
    """The path of a file that RouteStudio itself names in a project, hidden or not.

    Raises `ProjectError` when it is a link, behind a link, or not a regular file.
    """
    path, parts = root, PurePosixPath(relative).parts
    for number, part in enumerate(parts, 1):
        path = path / part
        try:
            info = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return root / relative
        except (OSError, ValueError) as error:
            place = _place(root, relative)
            raise ProjectError(f"is not a path: {_reason(error)}", place=place) from None
        last = number == len(parts)
        mode = info.st_mode
        if system.files.is_link(info):
            raise ProjectError(
                _LINK, place=Place(str(path)), hint="put the file itself in its place"
            )
        if not (stat.S_ISREG(mode) if last else stat.S_ISDIR(mode)):
            what = "a file" if last else "a folder"
            raise ProjectError(f"is not {what}", place=Place(str(path)))
    return root / relative


def read_own(root: Path, relative: str, *, limit: int) -> str | None:
    """The text of a project's file (see `own`); `None` when it is not there.

    It is opened without following links and without waiting for it. Raises `ProjectError`.
    """
    path = own(root, relative)
    try:
        with _folder(root, PurePosixPath(relative).parent) as folder:
            handle = _opened(folder, path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(error, path) from None
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise ProjectError("is not a file", place=Place(str(path)))
        _refuse_size(info.st_size, limit, path)
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise _unreadable(error, path) from None
    _refuse_size(len(data), limit, path)
    return _decoded(data, path)


def write_own(
    root: Path, relative: str, parts: str | Iterable[bytes], *, mode: int | None = None
) -> None:
    """Replace a project's file (see `own`) atomically. Raises `ProjectError`.

    It is written in a folder that git does not see. A link in its place is refused.
    """
    path = own(root, relative)
    data = (parts.encode("utf-8", "surrogatepass"),) if isinstance(parts, str) else parts
    kept = mode if mode is not None else _mode_of(path)
    try:
        root.mkdir(parents=True, exist_ok=True)
        prepared = state_folder(root, SAVING)
        name = f"{path.name[:100]}.{os.getpid()}.{secrets.token_hex(4)}"
        with _folder(root, PurePosixPath(relative).parent, make=0o777) as folder, \
                _folder(root, PurePosixPath(SAVING)) as saving:  # fmt: skip
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            handle = _opened(saving, prepared / name, flags)
            try:
                _filled(handle, data, kept)
                _take_place(saving, prepared / name, folder, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    (prepared / name).unlink()
                raise
            system.files.sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(error, path) from None


def remove_own(root: Path, relative: str) -> None:
    """Remove a project's file, if it is there. Raises `ProjectError`."""
    remove_file(own(root, relative))


def state_folder(root: Path, relative: str = STATE_FOLDER) -> Path:
    """A folder of RouteStudio's own in a project, made when missing; only the user may look into
    it, and git does not. Raises `ProjectError` and `OSError`."""
    _make_folder(root, relative)
    top = PurePosixPath(relative).parts[0]
    ignored = root / top / ".gitignore"
    with (
        _folder(root, PurePosixPath(top)) as folder,
        contextlib.suppress(FileExistsError),
    ):
        handle = _opened(folder, ignored, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("*\n")
    return root / relative


def _make_folder(root: Path, relative: str) -> None:
    with _folder(root, PurePosixPath(relative), make=0o700):
        pass


def listed(root: Path, folder: str, *, depth: int = 8) -> Iterator[str]:
    """Relative paths of the files in a folder of a project, without hidden ones.

    Links are among them, so that whoever reads one can be refused by name; what is behind a linked
    folder is not.
    """
    try:
        entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        if (root / folder).is_symlink():
            return
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield f"{folder}/{entry.name}"
        elif depth and entry.is_dir(follow_symlinks=False):
            yield from listed(root, f"{folder}/{entry.name}", depth=depth - 1)


def sweep(root: Path) -> None:
    """Remove what interrupted saves left, once their program is gone."""
    folder = root / SAVING
    if folder.parent.is_symlink() or folder.is_symlink():
        return
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            writer = path.name.split(".")[-2:-1]
            if writer and writer[0].isdecimal() and not alive(int(writer[0])):
                path.unlink(missing_ok=True)
    for part in ("", "functions", "samples", "tests"):
        _sweep_older(root / part)


def _sweep_older(folder: Path) -> None:
    """Those of versions that wrote beside the file: `.NAME.` and eight characters, 0600."""
    with contextlib.suppress(OSError):
        if folder.is_symlink():
            return
        for path in folder.glob(".*.????????"):
            name, _, mark = path.name[1:].rpartition(".")
            info = path.lstat()
            mine = stat.S_ISREG(info.st_mode) and stat.S_IMODE(info.st_mode) == 0o600
            drawn = re.fullmatch(r"(?=.*[0-9_])[a-z0-9_]{8}", mark) is not None
            known = name == ".env" or (name and (folder / name).is_file())
            if mine and drawn and known:
                path.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether a process of that number runs, on whichever system."""
    return system.processes.alive(pid)


@contextlib.contextmanager
def _folder(root: Path, relative: PurePosixPath, *, make: int | None = None) -> Iterator[int]:
    """A handle of a folder of a project, reached without following links (-1 where the system
    knows no such handles). With `make`, missing ones are made with that mode."""
    path = root
    if not system.files.by_handle:
        for part in relative.parts:
            path = path / part
            if make is not None and not path.exists():
                path.mkdir(mode=make)
            own(root, (path / "_").relative_to(root).as_posix())
        yield -1
        return
    handle = os.open(root, system.files.folder)
    try:
        for part in relative.parts:
            path = path / part
            if make is not None:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, make, dir_fd=handle)
            try:
                inner = os.open(part, system.files.folder | system.files.no_follow, dir_fd=handle)
            except OSError as error:
                if path.is_symlink():
                    raise ProjectError(_LINK, place=Place(str(path))) from None
                raise error
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _opened(folder: int, path: Path, flags: int) -> int:
    flags |= system.files.guarded
    if folder < 0:
        return os.open(path, flags, 0o600)
    return os.open(path.name, flags, 0o600, dir_fd=folder)


def _take_place(saving: int, written: Path, folder: int, path: Path) -> None:
    """Rename a written file to its name, without following a link in its place."""
    if folder < 0:
        system.files.replace(written, path)
        return
    try:
        os.replace(written.name, path.name, src_dir_fd=saving, dst_dir_fd=folder)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another file system is mounted there: write beside the file.
        write_parts(path, (written.read_bytes(),), mode=_mode_of(written))
        written.unlink()


def _filled(handle: int, parts: Iterable[bytes], mode: int) -> None:
    with os.fdopen(handle, "wb") as file:
        file.writelines(parts)
        file.flush()
        system.files.sync(file.fileno())
        system.files.set_mode(file.fileno(), mode)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there. Raises `ProjectError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ProjectError(f"cannot be removed: {error.strerror}", place=Place(str(path))) from None


def read_text(path: Path, *, limit: int) -> str:
    """The text of a file that the user named, line ends and byte-order mark kept.

    Raises `ProjectError`.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise ProjectError("is not a file", place=Place(str(path)))
        _refuse_size(info.st_size, limit, path)
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(error, path) from None
    return _decoded(data, path)


def _refuse_size(size: int, limit: int, path: Path) -> None:
    if size > limit:
        shown = f"{size / (1 << 20):.1f}".removesuffix(".0")
        raise ProjectError(
            f"is {shown} MB; at most {limit >> 20} MB are read", place=Place(str(path))
        )


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProjectError(
            "is not text in UTF-8", place=Place(str(path), line),
            hint="convert it to UTF-8, or choose another file",
        ) from None  # fmt: skip


def _place(root: Path, relative: str) -> Place:
    return Place(str(root / relative) if "\0" not in relative else str(root))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "it cannot be used"


def _unreadable(error: OSError, path: Path) -> ProjectError:
    if error.errno == errno.ELOOP:
        return ProjectError(_LINK, place=Place(str(path)))
    return ProjectError(f"cannot be read: {error.strerror}", place=Place(str(path)))


def _unwritable(error: OSError, path: Path) -> ProjectError:
    return ProjectError(
        f"cannot be written: {error.strerror}", place=Place(str(path)), hint="nothing was lost"
    )


def _mode_of(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o7777
    except OSError:
        return 0o644
