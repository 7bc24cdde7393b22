"""What pyproject.toml cannot state: resources go into the package, and so does the commit.

The folder `resources` stays beside the package for whoever works on it. A wheel has a copy of it as
`routestudio/_resources`, and the commit that it was built from as `routestudio/_commit`. A source
archive has the commit too, because its own wheel is built where there is no version control.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
COMMIT = Path("routestudio") / "_commit"
RESOURCES = Path("routestudio") / "_resources"


def commit() -> str:
    """The commit of this tree: as the environment says, as an archive says, as git says; or ''."""
    if named := os.environ.get("ROUTESTUDIO_COMMIT"):
        return named
    if (ROOT / COMMIT).is_file():
        return (ROOT / COMMIT).read_text(encoding="utf-8").strip()
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return ""
    command = ["git", "-C", str(ROOT), "rev-parse", "--verify", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


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
        write_commit(library)


class SourceArchive(sdist):
    """The archive of what is under version control, and its commit."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        write_commit(Path(base_dir))


setup(cmdclass={"build_py": BuildPackage, "sdist": SourceArchive})
