"""An open project for a command, with no more than the command needs.

Each layer imports what it does: `Engine` opens, `Runner` previews and delivers, and
`engine.service.EngineService` is all of it for the window. What a command imports is most of what
it costs to start.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError
from routestudio.functions.pool import FunctionPool
from routestudio.sinks import registry
from routestudio.sinks.registry import Registry


class Engine:
    """One open project. Close it, or use it as an async context manager."""

    def __init__(
        self,
        *,
        sinks: Registry | None = None,
        workers: int = 1,
        pool: FunctionPool | None = None,
    ) -> None:
        self.registry = sinks or registry.default()
        self.pool = pool or FunctionPool(size=workers)
        self.shown: Callable[[list[dict[str, str]]], None] | None = None
        self._workspace: Workspace | None = None

    def open_project(self, path: str, environment: str | None = None) -> Workspace:
        """Open a project folder or `sequin.yaml`, with the variables of an environment.

        Raises `ProjectError`, and `UsageError` for an environment that is not there.
        """
        self._workspace = Workspace.open(Path(path), self.registry, self.pool, environment)
        if self.shown is not None:
            self._workspace.shown = self.shown
        return self._workspace

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the function workers, and leave databases."""
        if self._workspace is not None and self._workspace.queries:
            from routestudio.engine import enrichment

            await enrichment.close(self._workspace)
        await self.pool.close()

    @property
    def workspace(self) -> Workspace:
        """The open project. Raises `UsageError` when there is none."""
        if self._workspace is None:
            raise UsageError("no project is open", hint="open a project first")
        return self._workspace

    def redact(self, text: str) -> str:
        """`text` without the secrets of the open project."""
        return self._workspace.redact(text) if self._workspace else text
