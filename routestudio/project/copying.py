"""A copy of an open project in another folder, with its unsaved edits."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from routestudio.errors import Place, ProjectError
from routestudio.project import environments, sample_lines
from routestudio.project.dotenv import MAX_ENV
from routestudio.project.files import inside, read_own, write_parts, write_text

if TYPE_CHECKING:
    from routestudio.project.store import OpenProject

_FOLDERS: Final = ("functions", "samples", "tests")


def write_copy(project: OpenProject, target: Path) -> Path:
    """Write the project to an empty or new folder; returns its YAML file there.

    What the project holds in memory is written even when its own folder is gone. Raises
    `ProjectError`.
    """
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ProjectError(
            "is not an empty folder", place=Place(str(target)), hint="choose a new folder"
        )
    project.refuse_draft("no copy was made")
    for path in _FOLDERS:
        if (project.root / path).is_dir():
            for relative in project.files(path):
                _copy(project, relative, target)
    for relative in project.texts():
        if sample_lines.file_of(relative) is None and not (target / relative).exists():
            _copy(project, relative, target)
    files = [environments.file_of(name) for name in (None, *environments.found(project.root))]
    for name in (*files, ".gitignore"):
        text = read_own(project.root, name, limit=MAX_ENV)
        if text is not None:
            write_text(target / name, text, mode=0o600 if name in files else None)
    return target / project.file.relative_to(project.root)


def _copy(project: OpenProject, relative: str, target: Path) -> None:
    changes = project.changed_lines(relative)
    source = project.root / relative
    if changes:
        write_parts(target / relative, sample_lines.lines_with(source, changes))
        return
    text = project.texts().get(relative)
    if text is not None:
        write_text(target / relative, text)
        return
    with contextlib.suppress(FileNotFoundError):
        inside(project.root, relative)
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / relative)
