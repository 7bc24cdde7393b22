"""What `bench_memory` runs in a process of its own: a preview and a delivery of a large file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from routestudio.engine.previews import Preview
from routestudio.engine.stored_rows import LineStore, StoredRows
from routestudio.engine.workspace import PreparedSink
from routestudio.formats.reader import Row, RowReader
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.outcome import DELIVERED, Outcome
from routestudio.model.project import SinkSpec
from routestudio.pipeline.run import Delivery
from routestudio.pipeline.stages import SinkFunctions, Stages
from routestudio.sinks import registry
from routestudio.sinks.base import Link
from routestudio.sinks.binding import bind
from routestudio.sources import files
from tests.benchmarks.bench_routing import CODE


class Nowhere(Link):
    """Takes everything: what is measured is the pipeline's memory, not a server's speed."""

    async def check(self, targets: Any) -> Any:
        for target in targets:
            yield target

    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        return [DELIVERED] * len(batch)

    async def close(self) -> None:
        """Nothing to release."""


def _prepared(pool: FunctionPool) -> PreparedSink:
    sink = registry.default().get("kafka")
    spec = SinkSpec("bench", "kafka", "kafka", routing="route", batch_size=200)
    bound = bind(sink, {"hosts": "localhost:9092"}, dynamic=True, batch_size=200)
    route = Function("route", FunctionKind.ROUTING, Language.PYTHON, CODE)
    functions = SinkFunctions(routing=route)
    return PreparedSink(spec, sink, bound, functions, Stages(bound, spec, functions, pool), ())


def _indexed(path: Path) -> StoredRows:
    return StoredRows(LineStore(path, {}), RowReader())


async def preview(path: Path) -> int:
    """Preview every row; returns how many were evaluated."""
    pool = FunctionPool()
    try:
        totals = await Preview(_prepared(pool), _indexed(path)).run(lambda item: None)
        return totals.ok
    finally:
        await pool.close()


async def deliver(path: Path) -> int:
    """Deliver every row; returns how many were delivered."""
    pool = FunctionPool()
    prepared = _prepared(pool)
    try:
        run = Delivery(prepared.stages, Nowhere(), prepared.bound.limits, _rows(path))
        return (await run.run()).delivered
    finally:
        await pool.close()


async def _rows(path: Path) -> AsyncIterator[Sequence[Row]]:
    rows = iter(RowReader().read_all(files.read_file(path)))
    while items := list(islice(rows, 500)):
        yield items
