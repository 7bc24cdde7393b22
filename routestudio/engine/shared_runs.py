"""Runs by several processes (`routestudio run --workers`), and sinks that need a single one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from routestudio.engine.workspace import PreparedSink
from routestudio.errors import UsageError
from routestudio.formats.reader import Row
from routestudio.pipeline.checkpoint import Keeper
from routestudio.pipeline.crew import Crew
from routestudio.pipeline.keeping import Letters
from routestudio.pipeline.planner import IN_FLIGHT, MAX_MESSAGES, PER_DESTINATION
from routestudio.pipeline.report import Progress
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.share_frames import Setup
from routestudio.pipeline.shared import SharedDelivery
from routestudio.pipeline.tally import Tally

_MESSAGES: Final = 1_000
_BYTES: Final = 16 << 20
"""Unfinished messages that a worker holds, and their bytes: it is to stay small. With large batches
they are more messages, so that as many of these are under way as without workers."""

_AHEAD: Final = 500
"""Rows that a worker has packed beside them, so that it does not wait for the next ones."""


def require_shareable(prepared: PreparedSink) -> None:
    """Raise `UsageError` for a sink whose messages must pass through one process."""
    why = prepared.sink.one_process
    if not why and prepared.functions.enrichment is not None:
        why = "its enrichment asks the database from one process"
    if why:
        raise UsageError(
            f"--workers: sink `{prepared.spec.name}` needs one process: {why}",
            hint="leave --workers out",
        )


def crew_of(prepared: PreparedSink, workers: int) -> Crew:
    """The worker processes of a run, not started yet: each delivers as one alone does."""
    require_shareable(prepared)
    return Crew(
        Setup(
            prepared.bound,
            prepared.spec,
            prepared.functions,
            RetryPolicy.of(prepared.spec.max_retry_count),
            in_flight=IN_FLIGHT,
            per_destination=PER_DESTINATION,
            max_messages=_most(prepared, workers),
            max_bytes=_BYTES,
            log_level=logging.getLogger("routestudio").getEffectiveLevel(),
        ),
        workers,
    )


def _most(prepared: PreparedSink, workers: int) -> int:
    """Unfinished messages that each worker holds."""
    under_way = PER_DESTINATION * prepared.bound.limits.messages
    return min(MAX_MESSAGES // workers, max(_MESSAGES, under_way))


def delivery_of(
    crew: Crew,
    prepared: PreparedSink,
    rows: AsyncIterator[Sequence[Row]],
    letters: Letters | None,
    keeper: Keeper | None,
    tally: Tally | None,
    tell: Callable[[Progress], None],
) -> SharedDelivery:
    """A delivery by a crew."""
    return SharedDelivery(
        crew,
        prepared.stages.router.group_id,
        rows,
        max_messages=_most(prepared, len(crew.members)) + _AHEAD,
        max_bytes=_BYTES,
        dead_letters=letters,
        checkpoint=keeper,
        tally=tally,
        on_progress=tell,
    )
