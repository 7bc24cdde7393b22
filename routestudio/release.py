"""Which RouteStudio this is: the version, and the commit that it was built from."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path


def description() -> str:
    """The version, with the commit where it is known: `0.3.0 (commit 0123456789ab)`."""
    from routestudio import __version__

    found = commit()
    return f"{__version__} (commit {found})" if found else __version__


def commit() -> str | None:
    """The commit's first digits: as the build noted it, or as git knows it in a checkout."""
    noted = files("routestudio").joinpath("_commit")
    if noted.is_file():
        return noted.read_text(encoding="utf-8").strip()[:12] or None
    return head(Path(__file__).resolve().parent.parent)[:12] or None


def head(root: Path) -> str:
    """The commit of a checkout: as git names it, or as its files do where git is not installed.

    Empty where it is not a checkout. setup.py asks it, too, before anything is installed.
    """
    git = shutil.which("git")
    if not (root / ".git").exists():
        return ""
    if git is None:
        return _read(root / ".git")
    try:
        found = subprocess.run(
            [git, "-C", str(root), "rev-parse", "--verify", "HEAD"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return _read(root / ".git")
    return found.stdout.strip()


def _read(folder: Path) -> str:
    """The commit that a folder of git is at: its number, or a reference kept alone or packed."""
    try:
        found = (folder / "HEAD").read_text(encoding="utf-8").strip()
        if not found.startswith("ref: "):
            return found
        name = found.removeprefix("ref: ")
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8").strip()
        for line in (folder / "packed-refs").read_text(encoding="utf-8").splitlines():
            number, _, packed = line.partition(" ")
            if packed == name:
                return number
    except (OSError, UnicodeDecodeError):
        pass
    return ""
