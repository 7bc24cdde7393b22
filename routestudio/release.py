"""Which RouteStudio this is: the version, and the commit that it was built from."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from routestudio import __version__


def description() -> str:
    """The version, with the commit where it is known: `0.3.0 (commit 0123456789ab)`."""
    found = commit()
    return f"{__version__} (commit {found})" if found else __version__


def commit() -> str | None:
    """The commit's first digits: as the build noted it, or as git knows it in a checkout."""
    noted = files("routestudio").joinpath("_commit")
    if noted.is_file():
        return noted.read_text(encoding="utf-8").strip()[:12] or None
    root = Path(__file__).resolve().parent.parent
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    try:
        found = subprocess.run(
            [git, "-C", str(root), "rev-parse", "--verify", "HEAD"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()[:12] or None
