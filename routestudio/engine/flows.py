"""Which way the samples' rows take through one sink: by table, function and destination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.engine.rows import destination_of
from routestudio.engine.workspace import PreparedSink
from routestudio.pipeline.stages import Staged, StageProblem

MOST_DESTINATIONS: Final = 2_000
"""Destinations of a sink that are counted apart."""

SINK: Final = "sink"
_ROLES: Final = {"enrich": "enrichment", "filter": "filter", "route": "routing",
                 "transform": "transform"}  # fmt: skip


@dataclass(slots=True)
class Loss:
    """Rows that fail in one place, with what is known of the first of them.

    `line` and `column` are places in the text of `function`, where the fault has one.
    """

    rows: int = 0
    message: str = ""
    function: str | None = None
    line: int | None = None
    column: int | None = None
    sample: str = ""


@dataclass(slots=True)
class Flow:
    """What became of the evaluated rows of one sink.

    `steps` are role and name of its functions in the order in which rows pass them. `tables` has
    the rows of each table that are for this sink, `skipped` how many are not, by its actions and
    its source. `failed` is by role, or `sink` for what no function did. `problem` is why nothing
    could be evaluated.
    """

    sink: str
    type: str | None = None
    title: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    tables: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    filtered: int = 0
    failed: dict[str, Loss] = field(default_factory=dict)
    destinations: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    """The sample set of the first row for each destination, and under "" of the first filtered."""
    uncounted: int = 0
    """Rows for destinations that are not counted apart."""
    problem: str | None = None

    @property
    def rows(self) -> int:
        """Rows that are for this sink."""
        return self.tables.total()

    @property
    def lost(self) -> int:
        """Rows that fail."""
        return sum(loss.rows for loss in self.failed.values())

    def passed(self) -> list[int]:
        """Rows that enter each step, then those that reach the sink."""
        count, found = self.rows, []
        for role, _ in self.steps:
            found.append(count)
            count -= self.failed[role].rows if role in self.failed else 0
            count -= self.filtered if role == "filter" else 0
        return [*found, count]

    def add(self, prepared: PreparedSink, staged: Sequence[Staged], sample: str) -> None:
        """Count evaluated messages of a sample set."""
        batch_by = prepared.sink.batch_by
        for item in staged:
            if item.filtered is not None and item.filtered != "filter":
                self.skipped += 1
                continue
            self.tables[table_of(item.message.metadata)] += 1
            if item.filtered is not None:
                self.filtered += 1
                self.samples.setdefault("", sample)
            elif item.problems:
                self._fail(item.problems[0], sample)
            else:
                values = item.effective.values if item.effective else {}
                name = destination_of(values, batch_by)
                if name in self.destinations or len(self.destinations) < MOST_DESTINATIONS:
                    self.destinations[name] += 1
                    self.samples.setdefault(name, sample)
                else:
                    self.uncounted += 1

    def _fail(self, problem: StageProblem, sample: str) -> None:
        role = _ROLES.get(problem.stage, SINK)
        if all(role != name for name, _ in self.steps):
            role = SINK
        loss = self.failed.get(role)
        if loss is None:
            loss = self.failed[role] = Loss(
                message=problem.message, function=problem.function, line=problem.line,
                column=problem.column, sample=sample,
            )  # fmt: skip
        loss.rows += 1


def flow_of(prepared: PreparedSink) -> Flow:
    """A flow that has seen no row yet."""
    functions = prepared.functions
    roles = (
        ("enrichment", functions.enrichment),
        ("filter", functions.filter),
        ("routing", functions.routing if prepared.bound.dynamic else None),
        ("transform", functions.transform),
    )
    steps = tuple((role, function.name) for role, function in roles if function is not None)
    return Flow(prepared.spec.name, prepared.sink.key, prepared.sink.title, steps)


def table_of(metadata: dict[str, Any]) -> str:
    """The table of a message's metadata as `schema.table`."""
    return f"{metadata['table_schema']}.{metadata['table_name']}"
