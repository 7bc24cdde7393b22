"""Runs and their dead letters of the open project (`api.runs`), one `RunDesk` behind both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from routestudio.api.calls import Tell, unheard
from routestudio.api.codec import Json, JsonMap
from routestudio.api.engine import RunsChanged
from routestudio.api.runs import (
    DeliveredBrief,
    DestinationPage,
    Letter,
    LetterGroups,
    LetterRow,
    Run,
    RunProgress,
    RunStarted,
)
from routestudio.api.sources import Source
from routestudio.engine.run_desk import RunDesk
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.model.limits import MOST_WORKERS
from routestudio.project_names import STATE_FOLDER


def _within(workers: int) -> int:
    return min(max(1, workers), MOST_WORKERS)


class Service(Protocol):
    """Who has a project open and prepares its sinks for delivery."""

    on_event: Callable[[object], object]

    @property
    def workspace(self) -> Workspace: ...

    def prepare_delivery(
        self, sink: str, standin: bool, confirmed: str | None = None
    ) -> Awaitable[PreparedSink]: ...


class Desks:
    """The desk of each project: it lives on when the project is opened again."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._desks: dict[Path, RunDesk] = {}

    @property
    def current(self) -> RunDesk:
        """The desk of the open project. Raises `UsageError` when there is none."""
        workspace = self._service.workspace
        root = workspace.project.root
        desk = self._desks.get(root)
        if desk is None:
            desk = self._desks[root] = RunDesk(
                workspace, root / STATE_FOLDER, self._service.prepare_delivery,
                lambda: self._service.on_event(RunsChanged()),
            )  # fmt: skip
        desk.workspace = workspace
        return desk


class RunMethods:
    """`RunApi` on the open project."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    @property
    def desk(self) -> RunDesk:
        """The desk of the open project."""
        return self._desks.current

    async def kept(self) -> Sequence[Run]:
        """As in `RunApi`."""
        return self.desk.runs()

    async def detail(self, run: str) -> Run:
        """As in `RunApi`."""
        return self.desk.detail(run)

    async def delete(self, run: str) -> None:
        """As in `RunApi`."""
        self.desk.delete(run)

    async def deliver(
        self,
        sink: str,
        source: Source,
        *,
        standin: bool = False,
        confirmed: str | None = None,
        workers: int = 1,
        tell: Tell[RunStarted | RunProgress] = unheard,
    ) -> Run:
        """As in `RunApi`; `confirmed`, here and below: `environments.require_writable`."""
        return await self.desk.start(sink, standin, source, tell, confirmed, _within(workers))

    async def resume(
        self,
        run: str,
        *,
        confirmed: str | None = None,
        workers: int | None = None,
        tell: Tell[RunStarted | RunProgress] = unheard,
    ) -> Run:
        """As in `RunApi`."""
        many = None if workers is None else _within(workers)
        return await self.desk.resume(run, tell, confirmed, many)

    async def retry(
        self,
        run: str,
        *,
        numbers: Sequence[int] | None = None,
        group: int | None = None,
        confirmed: str | None = None,
        tell: Tell[RunStarted | RunProgress] = unheard,
    ) -> Run:
        """As in `RunApi`."""
        return await self.desk.retry(run, numbers, group, tell, confirmed)

    async def stop(self, run: str) -> None:
        """As in `RunApi`."""
        self.desk.stop(run)

    async def destinations(self, run: str, start: int, count: int) -> DestinationPage:
        """As in `RunApi`."""
        return self.desk.destinations(run, start, count)

    async def recent(self, run: str) -> Sequence[DeliveredBrief]:
        """As in `RunApi`."""
        return self.desk.recent(run)

    async def delivered(self, run: str, number: int) -> JsonMap | None:
        """As in `RunApi`."""
        return self.desk.delivered(run, number)


class LetterMethods:
    """`LetterApi` on the open project."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    async def groups(self, run: str) -> LetterGroups:
        """As in `LetterApi`."""
        return await self._desks.current.letters(run)

    async def rows(
        self, run: str, start: int, count: int, group: int | None = None
    ) -> Sequence[LetterRow]:
        """As in `LetterApi`."""
        return await self._desks.current.letter_rows(run, group, start, count)

    async def letter(self, run: str, number: int) -> Letter:
        """As in `LetterApi`."""
        return await self._desks.current.letter(run, number)

    async def edit(self, run: str, changes: Mapping[str, Json]) -> Sequence[int]:
        """As in `LetterApi`."""
        return await self._desks.current.edit(run, changes)

    async def set_value(
        self, run: str, numbers: Sequence[int], path: Sequence[str], value: Json
    ) -> Sequence[int]:
        """As in `LetterApi`."""
        return await self._desks.current.set_value(run, numbers, path, value)

    async def export(self, run: str, output: str, group: int | None = None) -> int:
        """As in `LetterApi`."""
        return await self._desks.current.export(run, output, group)
