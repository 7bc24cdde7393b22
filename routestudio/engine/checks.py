"""Runs a check: the steps of a sink's link, with a deadline, for static and dynamic targets."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from contextlib import aclosing
from typing import Final

from routestudio.engine import enrichment
from routestudio.engine.previews import staged_of
from routestudio.engine.reading import MORE, cut_text
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.formats.reader import Row
from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep
from routestudio.pipeline.stages import Staged
from routestudio.sinks.base import Record, SinkRouting

DEADLINE: Final = 30.0
"""Seconds that a whole check may take."""

MAX_TARGETS: Final = 50
"""Most distinct destinations that one check proves."""


def targets_of(prepared: PreparedSink, staged: Sequence[Staged]) -> tuple[list[SinkRouting], int]:
    """The distinct destinations to prove, and how many more there are. Each knows its records.

    In static mode it is the one target as delivery would use it. In dynamic mode it is those of
    `staged`, one per batch key (per routing where batches mix destinations).
    """
    router = prepared.stages.router
    if not prepared.bound.dynamic:
        sample = message_from({"action": "insert", "record": {"id": 1}})
        source = [item.effective for item in staged if item.ok and item.effective][:1]
        effective = source[0] if source else router.route(sample)
        records = [item.record for item in staged if item.ok and item.record is not None]
        return ([router.instance(effective).with_sampled(records)] if effective.ok else []), 0
    found: dict[Hashable, SinkRouting] = {}
    records_of: dict[Hashable, list[Record]] = defaultdict(list)
    for item in staged:
        if item.ok and item.effective is not None:
            values = item.effective.values
            # Headers and the like differ per message, and are not where it goes.
            plain = (pair for pair in values.items() if not isinstance(pair[1], Mapping))
            key = item.effective.batch_key or tuple(sorted(map(str, plain)))
            found.setdefault(key, router.instance(item.effective))
            if item.record is not None:
                records_of[key].append(item.record)
    distinct = [routing.with_sampled(records_of[key]) for key, routing in found.items()]
    return distinct[:MAX_TARGETS], max(0, len(distinct) - MAX_TARGETS)


async def beside(
    workspace: Workspace, prepared: PreparedSink, rows: Sequence[Row]
) -> dict[str, list[SinkRouting]]:
    """Where the project's other sinks that share the service's memory of ids send the same rows."""
    found: dict[str, list[SinkRouting]] = {}
    shared = prepared.sink.shared_with(prepared.bound.config)
    for spec in workspace.project.project.sinks if shared is not None else ():
        if spec.type != prepared.spec.type or spec.name == prepared.spec.name:
            continue
        other = workspace.prepare(spec.name)
        enrichment.attach(workspace, other)
        if other.problems or other.sink.shared_with(other.bound.config) != shared:
            continue
        targets = [
            other.stages.router.instance(item.effective).with_sampled([item.record])
            for item in await staged_of(other, rows)
            if item.ok and item.effective is not None and item.record is not None
        ]
        if targets:
            found[spec.name] = targets
    return found


async def check(
    prepared: PreparedSink,
    staged: Sequence[Staged],
    others: Mapping[str, Sequence[SinkRouting]] | None = None,
    *,
    cut: int | None = None,
) -> AsyncIterator[CheckStep]:
    """The steps of checking one sink, as they finish. Raises only when cancelled.

    `staged` are evaluated samples; without any, dynamic mode proves service and credentials.
    `others` are what `beside` found. `cut` is the number of rows that were looked at, where there
    are more.
    """
    if prepared.problems:
        text = "; ".join(str(problem) for problem in prepared.problems)
        yield CheckStep("configuration", "failed", text, hint="correct the sink's configuration")
        return
    targets, more = targets_of(prepared, staged)
    if others:
        targets = [target.with_sampled(target.sampled, others) for target in targets]
    link = prepared.link()
    failed = False
    try:
        async with asyncio.timeout(DEADLINE), aclosing(link.check(targets)) as steps:  # type: ignore[type-var]
            async for step in steps:
                failed = failed or step.status == "failed"
                yield step
    except TimeoutError:
        yield CheckStep(
            "deadline", "failed", f"the check took longer than {DEADLINE:g} s", DEADLINE * 1000,
            hint="the service answers too slowly, or something between drops the connection",
        )  # fmt: skip
        return
    finally:
        await link.close()
    if not failed and prepared.bound.dynamic and not targets:
        yield CheckStep(
            "target", "skipped", "the routing function chooses the destination of each message",
            hint="preview samples first, and the destinations they produce are checked too",
        )  # fmt: skip
    if more:
        yield CheckStep("target", "skipped", f"{more} more destinations were not checked")
    if cut is not None:
        yield CheckStep("rows", "skipped", f"{cut_text(cut)} ({MORE})")
