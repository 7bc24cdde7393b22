"""Requests about the project's files: saving, what other programs changed, copies elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routestudio.errors import UsageError
from routestudio.project.copying import write_copy

if TYPE_CHECKING:
    from routestudio.engine.service import EngineService

Emit = Callable[[str, dict[str, Any]], None]


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class SavingMethods:
    """A file that another program changed is never overwritten, or dropped, without being asked."""

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "save": self.save,
            "outside": self.outside,
            "take_outside": self.take_outside,
            "compare_file": self.compare_file,
            "save_as": self.save_as,
        }

    async def save(
        self, *, overwrite: bool = False, ask: bool = False, emit: Emit = _ignore
    ) -> dict[str, Any]:
        """Write every changed file atomically; `written` lists them.

        When another program changed or removed one of them: with `ask` nothing is written and
        `conflicts` lists these files as `outside` does; without, `ProjectError` is raised. With
        `overwrite` the project's text is written anyway.
        """
        project = self._service.workspace.project
        found = [] if overwrite or not ask else self._conflicts()
        if found:
            return {**self._service.snapshot(), "written": [], "conflicts": found}
        written = [str(path) for path in project.save(overwrite=overwrite)]
        return {**self._service.snapshot(), "written": written, "conflicts": []}

    async def outside(self, *, emit: Emit = _ignore) -> dict[str, Any]:
        """What other programs changed: files without unsaved edits are read again at once.

        The snapshot, with `taken` (paths that were read again) and `conflicts`:
        `{"path", "state": "changed" | "removed", "edited"}` for each file that has to be decided.
        """
        project = self._service.workspace.project
        edited = set(project.dirty)
        taken = [
            path
            for path, text in project.changed_outside().items()
            if text is not None and path not in edited
        ]
        if taken:
            project.take_outside(taken)
        else:
            project.reread()
        return {**self._service.snapshot(), "taken": taken, "conflicts": self._conflicts()}

    async def take_outside(self, *, paths: list[str], emit: Emit = _ignore) -> dict[str, Any]:
        """Read files again and drop their unsaved edits."""
        self._service.workspace.project.take_outside(paths)
        return self._service.snapshot()

    async def compare_file(self, *, path: str, emit: Emit = _ignore) -> dict[str, Any]:
        """A file as it is on the disk (`disk`), and as the project has it (`here`)."""
        project = self._service.workspace.project
        found = project.changed_outside()
        if path not in found:
            raise UsageError(f"{path} is the same on the disk", hint="nothing has to be decided")
        return {"path": path, "disk": found[path], "here": project.texts()[path]}

    async def save_as(self, *, path: str, emit: Emit = _ignore) -> dict[str, Any]:
        """Write the project, with its unsaved edits, to a new folder, and open it there."""
        project = self._service.workspace.project
        file = write_copy(project, Path(path))
        snapshot = await self._service.open(str(file), project.environment.name)
        project.discard_recovery(own=True)
        return {**snapshot, "path": str(file)}

    def _conflicts(self) -> list[dict[str, Any]]:
        project = self._service.workspace.project
        edited = set(project.dirty)
        return [
            {"path": path, "state": "removed" if text is None else "changed",
             "edited": path in edited}
            for path, text in project.changed_outside().items()
            if text is None or path in edited
        ]  # fmt: skip
