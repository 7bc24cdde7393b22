"""The request for the picture of the project; a sink is evaluated again only when it is stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, Protocol

from routestudio.engine import enrichment
from routestudio.engine.flows import Flow, Loss, flow_of, table_of
from routestudio.engine.picture import Shown, picture
from routestudio.engine.previews import staged_of
from routestudio.engine.sources import read_some
from routestudio.engine.workspace import Workspace
from routestudio.errors import RouteStudioError
from routestudio.formats.reader import Row
from routestudio.model.message import Message
from routestudio.model.project import SinkSpec
from routestudio.model.rows import Fault

MOST_ROWS: Final = 200
"""First rows of each sample set that are evaluated."""
LEAST_ROWS: Final = 20
EVALUATIONS: Final = 120_000
"""Rows times sinks that a picture may take, where there are many sinks."""
_EVERY_SECONDS: Final = 0.2

Emit = Callable[[str, dict[str, Any]], None]
Samples = Mapping[str, Sequence[Row]]


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class Opened(Protocol):
    """Who has a project open."""

    @property
    def workspace(self) -> Workspace:
        """The open project. Raises `UsageError` when there is none."""
        ...


class PictureMethods:
    """Keeps what is known of each sink's rows, as long as nothing changes on which it depends."""

    def __init__(self, service: Opened) -> None:
        self._service = service
        self._flows: dict[str, tuple[Any, Flow]] = {}
        self._samples: tuple[Any, Samples] = (None, {})
        self.evaluated = 0
        """Sinks that were evaluated so far."""
        self.methods: dict[str, Callable[..., Any]] = {"picture": self.picture}

    async def picture(
        self, *, only: str = "", pages: Mapping[str, int] | None = None, emit: Emit = _ignore
    ) -> dict[str, Any]:
        """The picture of the open project (`engine.picture`), of the first rows of its samples.

        `only` is a text that a name must contain, `pages` how far nodes that stand for several
        are opened. Emits `progress` with how many sinks are `done`. `first` is how many rows of
        each sample set are evaluated at most, `rows` how many that are, `sets` of how many sets;
        `cut` is whether some set has more.
        """
        workspace = self._service.workspace
        specs = workspace.project.project.sinks
        first = rows_of_each(len(specs), len(workspace.project.project.samples))
        samples, cut = self._read(first)
        project = workspace.project
        around = (id(workspace), self._samples[0], project.environment.token,
                  project.project.http_endpoints, frozenset(workspace.agreed))  # fmt: skip
        last, flows = monotonic(), []
        for number, spec in enumerate(specs):
            if monotonic() - last > _EVERY_SECONDS:
                last = monotonic()
                emit("progress", {"done": number, "sinks": len(specs)})
            flows.append(await self._flow(spec, samples, around))
        self._flows = {name: kept for name, kept in self._flows.items()
                       if name in {spec.name for spec in specs}}  # fmt: skip
        tables, unreadable = _tables(samples)
        drawn = picture(flows, tables, unreadable, Shown(only, dict(pages or {})))
        found: dict[str, Any] = workspace.redact_data(drawn)
        rows = sum(len(items) for items in samples.values())
        return {**found, "first": first, "rows": rows, "sets": len(samples), "cut": cut}

    async def _flow(self, spec: SinkSpec, samples: Samples, around: Any) -> Flow:
        workspace = self._service.workspace
        names = {spec.enrichment, spec.filter, spec.routing, spec.transform}
        used = [f for f in workspace.project.project.functions if f.name in names]
        state = (spec, used, around)
        kept = self._flows.get(spec.name)
        if kept is not None and kept[0] == state:
            return kept[1]
        self.evaluated += 1
        flow = await self._evaluated(spec, samples)
        self._flows[spec.name] = (state, flow)
        return flow

    async def _evaluated(self, spec: SinkSpec, samples: Samples) -> Flow:
        workspace = self._service.workspace
        try:
            prepared = workspace.prepare(spec.name)
        except RouteStudioError as error:
            return Flow(spec.name, spec.type, problem=workspace.redact(error.message))
        enrichment.attach(workspace, prepared)
        flow = flow_of(prepared)
        for sample, items in samples.items():
            flow.add(prepared, await staged_of(prepared, items), sample)
        return flow

    def _read(self, first: int) -> tuple[Samples, bool]:
        """The first rows of every sample set; one that cannot be read has none."""
        workspace = self._service.workspace
        project = workspace.project
        names = project.project.samples
        state = (first, [(name, project.sample_state(name)) for name in names],
                 project.project.tables)  # fmt: skip
        if self._samples[0] != state:
            found: dict[str, Sequence[Row]] = {}
            for name in names:
                try:
                    found[name] = list(read_some(workspace, "sample", name, first + 1))
                except RouteStudioError as error:
                    found[name] = [Fault(0, workspace.redact(error.message))]
            self._samples = (state, found)
        every = self._samples[1]
        cut = any(len(items) > first for items in every.values())
        return {name: items[:first] for name, items in every.items()}, cut


def rows_of_each(sinks: int, sets: int) -> int:
    """How many first rows of each sample set are evaluated."""
    share = EVALUATIONS // max(1, sinks * sets)
    return max(LEAST_ROWS, min(MOST_ROWS, share))


def _tables(samples: Samples) -> tuple[dict[str, dict[str, Any]], Loss | None]:
    """The tables of the rows, with the place of the first row, and the lines without a message."""
    tables: dict[str, dict[str, Any]] = {}
    unreadable = Loss()
    for sample, items in samples.items():
        for item in items:
            if isinstance(item, Message):
                place = {"rows": 0, "sample": sample, "line": item.line}
                tables.setdefault(table_of(item.metadata), place)["rows"] += 1
            else:
                unreadable.rows += 1
                if unreadable.rows == 1:
                    unreadable.message, unreadable.sample = item.message, sample
                    unreadable.line = item.line or None
    return tables, unreadable if unreadable.rows else None
