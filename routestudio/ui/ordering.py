"""Requests about one project in order: edits one after the other, questions after the edits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from routestudio.api.calls import Hear
from routestudio.api.client import EngineLost, OnEvent
from routestudio.api.engine import EngineApi, engine_client
from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Engine

Snapshot = dict[str, Any]


class Order:
    """What was done first reaches the engine first, also an engine that was started again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self._holder = 0
        """Process id of the engine that has the project open."""
        self.api: EngineApi = engine_client(self._call)
        """The engine's methods, each asked after all changes so far (`ask`)."""
        self.path: Path | None = None
        """The open project's folder or file."""
        self.environment: str | None = None
        """The environment that it is open in."""

    async def change(self, method: str, **params: Any) -> Snapshot:
        """Open a project, or change it after the changes before; returns the new snapshot."""
        async with self._lock:
            result: Snapshot
            if method in ("open", "create"):
                result = await self._engine.request(method, **params)
                self._holder = self._engine.process_id
                return result
            await self._restore()
            try:
                result = await self._engine.request(method, **params)
            except EngineLost:  # it died over the edit: once more, in the next one
                await self._restore()
                result = await self._engine.request(method, **params)
            return result

    async def ask(self, method: str, *, on_event: OnEvent | None = None, **params: Any) -> Any:
        """Ask about the project as every change so far has left it."""
        async with self._lock:
            await self._restore()
        return await self._engine.request(method, on_event=on_event, **params)

    async def _call(self, method: str, params: Mapping[str, object], hear: Hear | None) -> object:
        return await self.ask(method, on_event=hear, **params)

    async def settled(self) -> None:
        """Wait until all changes so far are answered."""
        async with self._lock:
            return

    async def reopen(self) -> Snapshot | None:
        """Open the project in an engine that was started again; `None` when an edit did so."""
        async with self._lock:
            return await self._restore()

    async def _restore(self) -> Snapshot | None:
        """Open the project, with its unsaved edits, in an engine that does not have it."""
        await self._engine.ready()
        if self.path is None or self._holder == self._engine.process_id:
            return None
        opened = await self._open(str(self.path))
        if (opened.get("recoverable") or {}).get("count"):
            opened = await self._engine.request("recover")
        self._holder = self._engine.process_id
        return opened

    async def _open(self, path: str) -> Snapshot:
        """Open it in its environment, or in none when that is not there any more."""
        opened: Snapshot
        try:
            opened = await self._engine.request("open", path=path, environment=self.environment)
        except EngineLost:
            raise
        except RouteStudioError:
            if self.environment is None:
                raise
            self.environment = None
            opened = await self._engine.request("open", path=path)
        return opened
