"""Delivery through the whole pipeline against a bare client, in turns."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import orjson

from routestudio.formats.base import Raw
from routestudio.formats.reader import RowReader
from routestudio.functions.pool import FunctionPool
from routestudio.model.message import Message
from routestudio.pipeline.intake import Row
from routestudio.pipeline.run import Delivery
from routestudio.pipeline.stages import SinkFunctions, Stages
from routestudio.sinks import registry
from routestudio.sinks.binding import BoundSink, bind
from tests.benchmarks.harness import Measure, Options, chunked, rate

Bare = Callable[[Sequence[Any]], Awaitable[None]]
"""Sends prepared records (those that `encode` made) with the bare client."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A sink without settings."""

    actions: tuple[str, ...] = ("insert", "update", "delete")
    source: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    message_grouping: bool = True
    confine: dict[str, str] = field(default_factory=dict)
    timestamp_format: str = "iso8601"


def bound_sink(
    key: str, destination: dict[str, Any], batch_size: int, **resources: Any
) -> BoundSink:
    """A static sink of the registry."""
    return bind(registry.default().get(key), destination, dynamic=False, resources=resources,
                batch_size=batch_size)  # fmt: skip


async def compare(
    name: str, bound: BoundSink, messages: Sequence[Message], bare: Bare, bar: float | None,
    options: Options, *, raw: Sequence[Raw] = (),
) -> list[Measure]:  # fmt: skip
    """Deliver `messages` by both, `options.rounds` times in turns; the best of each counts.

    The bar is against a client that sends the very records, made beforehand. A second line
    compares with a client that also has to make them (stages without delivery). With `raw`, the
    rows that `messages` were made of, both sides read them as well: ours with everything that is
    known about them, the client as JSON.
    """
    pool = FunctionPool()
    stages = Stages(bound, Plain(), SinkFunctions(), pool)
    staged = await stages.apply(messages)
    records = [item.record for item in staged]
    del staged
    gc.collect()
    gc.freeze()  # the input stands for a file on disk: the collector need not walk it
    ours, theirs, made = [], [], []
    for _ in range(options.rounds):
        gc.collect()
        begun = perf_counter()
        for row in raw:
            orjson.loads(row.value)
        await bare(records)
        theirs.append(perf_counter() - begun)
        gc.collect()
        begun = perf_counter()
        for start in range(0, len(messages), 500):
            await stages.apply(messages[start : start + 500])
        made.append(perf_counter() - begun)
        gc.collect()
        ours.append(await _deliver(stages, bound, _read(raw) if raw else chunked(messages),
                                   len(messages)))  # fmt: skip
    gc.unfreeze()
    await pool.close()
    count, both = len(messages), min(theirs) + min(made)
    return [
        Measure(name, rate(count, min(ours)), rate(count, min(theirs)),
                min(theirs) / min(ours), bar, note="client sends records made beforehand"),
        Measure(f"{name}, client makes records", rate(count, min(ours)), rate(count, both),
                both / min(ours)),
    ]  # fmt: skip


async def _read(rows: Sequence[Raw]) -> AsyncIterator[Sequence[Row]]:
    """Raw rows as a source of the pipeline."""
    reader = RowReader()
    for start in range(0, len(rows), 500):
        yield [found for row in rows[start : start + 500] for found in reader.read(row)]


async def _deliver(
    stages: Stages, bound: BoundSink, source: AsyncIterator[Sequence[Row]], count: int
) -> float:
    link = bound.sink.connect(bound.config)
    try:
        begun = perf_counter()
        summary = await Delivery(stages, link, bound.limits, source).run()
        seconds = perf_counter() - begun
    finally:
        await link.close()
    assert summary.delivered == count, summary
    return seconds
