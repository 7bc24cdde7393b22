"""Checks of sinks and databases, and what their stand-ins took (`api.checks`)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final, Protocol

from routestudio.api.calls import Tell, unheard
from routestudio.api.checks import Arrived, FailingRows, Finding, Standin, Step
from routestudio.api.sources import Source
from routestudio.engine import databases, enrichment
from routestudio.engine.checks import beside, check
from routestudio.engine.environments import name_of
from routestudio.engine.lint import lint
from routestudio.engine.messages import rows_of_check
from routestudio.engine.previews import evaluate_rows, staged_of
from routestudio.engine.sources import read_some
from routestudio.engine.stands import Standins
from routestudio.engine.workspace import Workspace
from routestudio.errors import RouteStudioError
from routestudio.formats.reader import Row
from routestudio.model.outcome import CheckStep
from routestudio.sinks.registry import Registry

CHECK_SAMPLES: Final = 1_000
"""Rows that a check evaluates to find the destinations of a dynamic route."""


class Service(Protocol):
    """Who has a project open and stand-ins for it."""

    standins: Standins
    registry: Registry

    @property
    def workspace(self) -> Workspace: ...


class CheckMethods:
    """`CheckApi` on the open project."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def sink(
        self,
        sink: str,
        *,
        standin: bool = False,
        sample: str | None = None,
        source: Source | None = None,
        tell: Tell[Step] = unheard,
    ) -> Sequence[Step]:
        """As in `CheckApi`; raises `UsageError` for an unknown sink."""
        workspace = self._service.workspace
        kind = self._service.registry.get(workspace.spec(sink).type)
        address = await self._service.standins.address(kind) if standin else None
        prepared = workspace.prepare(sink, standin=address, for_delivery=not standin)
        enrichment.attach(workspace, prepared)
        rows: list[Row] = []
        cut: int | None = None
        if not prepared.problems:
            given = source.params() if source is not None else {}
            rows, cut = await rows_of_check(workspace, given, sample, CHECK_SAMPLES)
        staged = await staged_of(prepared, rows)
        others = await beside(workspace, prepared, rows) if rows and not standin else {}
        steps = []
        async for item in check(prepared, staged, others, cut=cut):
            steps.append(_step(workspace, item, sink=sink))
            tell(steps[-1])
        return steps

    async def database(self, database: str, *, tell: Tell[Step] = unheard) -> Sequence[Step]:
        """As in `CheckApi`."""
        workspace = self._service.workspace
        steps = []
        async for item in databases.check(workspace, database):
            steps.append(_step(workspace, item, database=database))
            tell(steps[-1])
        return steps

    async def lint(self) -> Sequence[Finding]:
        """As in `CheckApi`."""
        return await lint(self._service.workspace)

    async def failing_rows(self, sink: str) -> FailingRows:
        """As in `CheckApi`; sample sets that cannot be read are left out."""
        workspace = self._service.workspace
        prepared = workspace.prepare(sink)
        enrichment.attach(workspace, prepared)
        failed = rows = 0
        for name in workspace.project.project.samples:
            with contextlib.suppress(RouteStudioError):
                items = read_some(workspace, "sample", name, CHECK_SAMPLES)
                found = await evaluate_rows(prepared, items, 0)
                rows += len(found)
                failed += sum(not row["ok"] and not row["filtered"] for row in found)
        return FailingRows(rows, failed)

    async def arrived(self, sink: str, limit: int = 10_000) -> Sequence[Arrived]:
        """As in `CheckApi`; nothing where the stand-in does not run."""
        kind = self._service.registry.get(self._service.workspace.spec(sink).type).standin
        return [] if kind is None else await self._service.standins.arrived(kind, limit)

    async def standins(self) -> Sequence[Standin]:
        """As in `CheckApi`."""
        return self._service.standins.status()


def _step(
    workspace: Workspace, step: CheckStep, *, sink: str | None = None, database: str | None = None
) -> Step:
    return Step(
        environment=name_of(workspace), sink=sink, database=database, step=step.step,
        status=step.status, detail=workspace.redact(step.detail), ms=round(step.ms, 1),
        hint=step.hint, target=step.target,
    )  # fmt: skip
