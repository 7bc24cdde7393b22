"""The files of a project as they were last read: what changed on disk since, and what may change.

Edits may come from another process or from a recovery journal, so each file that one concerns is
held against one rule: the YAML file, function files that it names, samples and route tests.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any, Final

from routestudio.errors import Place, ProjectError
from routestudio.project import sample_lines
from routestudio.project.files import inside, read_own

MAX_YAML: Final = 2 << 20
"""Largest YAML file, in bytes."""
MAX_FILE: Final = 20 << 20
"""Largest other file that is read as a whole, in bytes."""
FUNCTION_ENDINGS: Final = (".py", ".ex", ".exs", ".sql")
SAMPLE_ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".csv")
TEST_ENDINGS: Final = (".yaml", ".yml")


class Disk:
    """Reads files of one project, and knows what it read."""

    def __init__(self, root: Path, yaml: str) -> None:
        self.root = root
        self.yaml = yaml
        self._known: dict[str, str | None] = {}

    def text(self, relative: str) -> str | None:
        """The text of a file as it was when it was first asked for; `None` when it was not there.

        Raises `ProjectError` for one that the rule refuses.
        """
        if relative not in self._known:
            self._known[relative] = self.read(relative)
        return self._known[relative]

    def read(self, relative: str) -> str | None:
        """The text of a file as it is now."""
        if relative == self.yaml:
            return read_own(self.root, relative, limit=MAX_YAML)
        inside(self.root, relative)
        return read_own(self.root, relative, limit=MAX_FILE)

    def keep(self, relative: str, text: str | None) -> None:
        """Know the text that was written into a file."""
        self._known[relative] = text

    def forget(self, relative: str) -> None:
        """Read a file again when it is asked for."""
        self._known.pop(relative, None)

    @property
    def known(self) -> dict[str, str | None]:
        """What was read, by relative path."""
        return dict(self._known)

    def differing(self) -> dict[str, str | None]:
        """What the files that are not what they were when they were read hold now."""
        found: dict[str, str | None] = {}
        for path, text in self._known.items():
            if sample_lines.file_of(path) is None and (now := self.read(path)) != text:
                found[path] = now
        return found


def function_files(data: Any) -> set[str]:
    """The files that a YAML file's functions name."""
    found: set[str] = set()
    for key in ("functions", "transforms"):
        items = data.get(key) if isinstance(data, dict) else None
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict):
                for body in (item, item.get("function"), item.get("transform")):
                    if isinstance(body, dict) and isinstance(body.get("file"), str):
                        found.add(PurePosixPath(body["file"]).as_posix())
    return found


def code_file(root: Path, relative: str) -> Path:
    """The path of a function's file. Raises `ProjectError` for one that the rule refuses."""
    path = inside(root, relative)
    if not relative.endswith(FUNCTION_ENDINGS):
        raise ProjectError(
            "is not a function's file", place=Place(str(path)),
            hint=f"names end in {', '.join(FUNCTION_ENDINGS)}",
        )  # fmt: skip
    return path


def refuse_edit(root: Path, relative: str, named: Collection[str]) -> None:
    """Raise `ProjectError` for a file that no edit may concern. `named` are function files."""
    file = sample_lines.file_of(relative) or relative
    inside(root, file)
    top = PurePosixPath(file).parts[0]
    pure = PurePosixPath(file).as_posix()
    known = (
        (top == "samples" and file.endswith(SAMPLE_ENDINGS))
        or (top == "tests" and file.endswith(TEST_ENDINGS))
        or (pure in named and file.endswith(FUNCTION_ENDINGS))
    )
    if not known:
        raise ProjectError(
            "is not a file that an edit may change", place=Place(str(root / file)),
            hint="edits change the YAML file, function files that it names, samples and tests",
        )  # fmt: skip


def encodable(text: str) -> bool:
    """Whether a text can be written: it holds no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
