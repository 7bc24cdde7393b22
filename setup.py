"""What pyproject.toml cannot state: resources, pages and the commit go into the package.

The folder `resources` stays beside the package for whoever works on it. A wheel has a copy of it as
`routestudio/_resources`, the texts of `docs` as `routestudio/_docs` for the window's help, and the
commit that it was built from as `routestudio/_commit`. A source
archive has the commit too, because its own wheel is built where there is no version control.

The same commit gives the same bytes: every time is the commit's, and no name, right or number of
the person who builds goes into an archive.
"""

from __future__ import annotations

import gzip
import os
import runpy
import shutil
import subprocess
import tarfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
COMMIT = Path("routestudio") / "_commit"
RESOURCES = Path("routestudio") / "_resources"
PAGES = Path("routestudio") / "_docs"
LEFT_OUT = ("images", "assets", "*.json", "*.css")
"""What of the documentation the window does not show."""


def told_by_git(*question: str) -> str:
    """What git answers about this tree; or '' where there is none."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return ""
    command = ["git", "-C", str(ROOT), *question]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def moment() -> int:
    """The commit's time: as the environment says, as an archive's files say, as git says; or 0."""
    if named := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(named)
    if (ROOT / COMMIT).is_file():
        return int((ROOT / COMMIT).stat().st_mtime)
    return int(told_by_git("log", "-1", "--format=%ct") or 0)


def commit() -> str:
    """The commit of this tree: as the environment says, as an archive says, as git says; or ''."""
    if named := os.environ.get("ROUTESTUDIO_COMMIT"):
        return named
    if (ROOT / COMMIT).is_file():
        return (ROOT / COMMIT).read_text(encoding="utf-8").strip()
    found: str = runpy.run_path(str(ROOT / "routestudio" / "release.py"))["head"](ROOT)
    return found


def write_commit(folder: Path) -> None:
    """Put the commit, when it is known, where the program looks for it."""
    if found := commit():
        (folder / COMMIT).write_text(found + "\n", encoding="utf-8", newline="\n")


class BuildPackage(build_py):
    """Copies modules, then resources; an editable installation reads both where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        library = Path(self.build_lib)
        shutil.rmtree(library / RESOURCES, ignore_errors=True)
        shutil.copytree(
            ROOT / "resources", library / RESOURCES, ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.rmtree(library / PAGES, ignore_errors=True)
        if (ROOT / "docs").is_dir():  # an installation for a server is built without
            left_out = shutil.ignore_patterns(*LEFT_OUT)
            shutil.copytree(ROOT / "docs", library / PAGES, ignore=left_out)
        write_commit(library)
        for path in library.rglob("*"):
            path.chmod(mode_of(path))


class SourceArchive(sdist):
    """The archive of what is under version control, and its commit."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        write_commit(Path(base_dir))

    def make_archive(self, base_name: str, format: str, *_: object, **more: object) -> str:
        """The archive without what differs between machines."""
        if format != "gztar":
            raise SystemExit("source archives are of the kind gztar")
        folder, target = Path(str(more["base_dir"])), Path(f"{base_name}.tar.gz")
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            target.open("wb") as file,
            gzip.GzipFile("", "wb", 9, file, mtime=moment()) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in sorted([folder, *folder.rglob("*")]):
                archive.add(path, path.as_posix(), recursive=False, filter=plain)
        return str(target)


def mode_of(path: Path) -> int:
    """The rights of a file in an archive: everybody may read it, and start a program."""
    return 0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644


def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """An entry without owner, with the commit's time."""
    entry.mtime = moment()
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


os.umask(0o022)
if moment():
    os.environ["SOURCE_DATE_EPOCH"] = str(moment())

setup(cmdclass={"build_py": BuildPackage, "sdist": SourceArchive})
