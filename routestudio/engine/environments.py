"""Which environment an open project speaks of, and the guard before anything is written there.

Every way to a real service asks `require_writable` first: runs, resumed runs, dead letters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routestudio.engine.variables import variables_of
from routestudio.engine.workspace import Opened, Workspace
from routestudio.errors import UsageError
from routestudio.project import environments
from routestudio.project.files import write_own

Emit = Callable[[str, dict[str, Any]], None]


def environment_of(workspace: Workspace) -> dict[str, Any] | None:
    """The environment in use as plain data; `None` for the shared variables alone."""
    mark = environments.current(workspace.project)
    return None if mark is None else environments.as_json(mark)


def name_of(workspace: Workspace) -> str:
    """The name of the environment in use; empty for none."""
    return workspace.project.environment.name or ""


def require_writable(workspace: Workspace, confirmed: str | None) -> None:
    """Raise `UsageError` unless the environment in use may be written to.

    `confirmed` is the name of the environment that somebody typed, or that a question named
    (empty: no environment); it must be the one in use. One that is read-only needs it.
    """
    mark = environments.current(workspace.project)
    name = mark.name if mark is not None else ""
    if confirmed is not None and confirmed != name:
        asked = f"environment `{confirmed}`" if confirmed else "no environment"
        used = f"environment `{name}`" if name else "none"
        raise UsageError(f"{asked} was confirmed, and {used} is in use", hint="confirm that one")
    if mark is not None and mark.read_only and confirmed is None:
        raise UsageError(f"environment `{name}` is read-only: check and preview only",
                         hint=f"to deliver to it, confirm its name: --confirm {name}")  # fmt: skip


class EnvironmentMethods:
    """Requests about environments and their variables."""

    def __init__(self, service: Opened) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "use_environment": self.use_environment, "add_environment": self.add_environment,
            "variables": self.variables, "set_variable": self.set_variable,
            "remove_variable": self.remove_variable,
        }  # fmt: skip

    async def use_environment(
        self, name: str | None = None, *, emit: Emit | None = None
    ) -> dict[str, Any]:
        """Take variables from another environment; the snapshot as it is then."""
        environments.use(self._service.workspace.project, name)
        return self._service.snapshot()

    async def add_environment(self, name: str, *, emit: Emit | None = None) -> dict[str, Any]:
        """Make the empty file of a new environment, which git ignores, and use it."""
        project = self._service.workspace.project
        environments.refuse_name(name)
        if name in environments.found(project.root):
            raise UsageError(f"there is an environment `{name}` already", hint="choose it")
        project.environment.store.ignore_file(environments.file_of(name))
        write_own(project.root, environments.file_of(name), "", mode=0o600)
        return await self.use_environment(name)

    async def variables(self, *, emit: Emit | None = None) -> list[dict[str, Any]]:
        """Every variable with its value (those of secrets are not shown), origin and places."""
        return variables_of(self._service.workspace)

    async def set_variable(
        self, name: str, value: str, where: str = "env", shared: bool = False, *,
        emit: Emit | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Set a variable of the environment in use, or the one that all share."""
        environment = self._service.workspace.project.environment
        store = environment.store
        with store.of(None if shared else environment.name):
            store.put(name, value, where=where)
        environment.forget(name)
        return await self._changed()

    async def remove_variable(
        self, name: str, place: str, *, emit: Emit | None = None
    ) -> dict[str, Any]:
        """Take a variable out of the place where it is set."""
        environment = self._service.workspace.project.environment
        environment.store.remove(name, place)
        environment.forget(name)
        return await self._changed()

    async def _changed(self) -> dict[str, Any]:
        self._service.workspace.project.reread()
        return self._service.snapshot()
