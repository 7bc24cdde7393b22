"""Delivery of a source through the pipeline, for the Run button and for `routestudio run`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from routestudio.engine.messages import CHUNK, messages
from routestudio.engine.reading import DEFAULT, Reading, reader_summary
from routestudio.engine.run_control import RunControl
from routestudio.engine.sources import path_of
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import Place, UsageError
from routestudio.formats.reader import Row
from routestudio.pipeline.checkpoint import Checkpoint, Keeper
from routestudio.pipeline.dead_letters import DeadLetters
from routestudio.pipeline.ending import RunStoppedError
from routestudio.pipeline.report import Progress, RunSummary
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.run import Delivery, Finished
from routestudio.pipeline.tally import Tally

if TYPE_CHECKING:
    from routestudio.pipeline.shared import SharedDelivery


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Where a run writes, who watches and stops it, and how many processes deliver."""

    dead_letters: Path | None = None
    checkpoint: Path | None = None
    chunk: int = CHUNK
    control: RunControl | None = None
    workers: int = 1
    on_outcome: Callable[[Sequence[Finished]], None] | None = None
    """Told what became of messages; only of a run by one process."""


async def deliver(
    workspace: Workspace,
    prepared: PreparedSink,
    kind: str,
    value: str,
    options: RunOptions,
    emit: Callable[[str, dict[str, Any]], None],
    reading: Reading = DEFAULT,
) -> dict[str, Any]:
    """Deliver one source and return the summary as plain data.

    Raises `ConfigError` when the sink is not ready, `UsageError` for a bad source and
    `RunStoppedError` when the run cannot go on (its summary is emitted as `stopped`). Being
    cancelled ends the run within 100 ms; what was not delivered is not reported as delivered.
    """
    prepared.require_ready()
    if kind != "text" and value != "-":
        _keep_apart(path_of(workspace, kind, value), options)
    async with outfit(workspace, prepared, options, emit) as make:
        checkpoint = (
            _checkpoint(workspace, kind, value, options.checkpoint) if options.checkpoint else None
        )
        reader = reading.reader(workspace)
        chunk = options.chunk * options.workers
        rows = messages(workspace, kind, value, chunk=chunk, reading=reading, reader=reader)
        if options.control is not None:
            options.control.passed_over = lambda: reader.passed_over
        delivery = make(rows, checkpoint, None)
        summary = await perform(delivery, emit)
    return {**summary.as_json(), **reader_summary(reader)}


AnyDelivery = Union[Delivery, "SharedDelivery"]
MakeDelivery = Callable[[AsyncIterator[Sequence[Row]], Keeper | None, Tally | None], AnyDelivery]
"""From rows, what keeps their position, and counts to go on from, to a delivery under control."""


@asynccontextmanager
async def outfit(
    workspace: Workspace,
    prepared: PreparedSink,
    options: RunOptions,
    emit: Callable[[str, dict[str, Any]], None],
) -> AsyncIterator[MakeDelivery]:
    """Link or workers, and dead-letter file of a run, open for as long as it lasts."""
    control = options.control or RunControl()

    def tell(progress: Progress) -> None:
        if control.watch is not None:
            control.watch(progress)
        emit("progress", progress.as_json())

    async with AsyncExitStack() as stack:
        letters = (
            stack.enter_context(
                DeadLetters(options.dead_letters, prepared.spec.name, redact=workspace.redact)
            )
            if options.dead_letters
            else None
        )
        if options.workers > 1:
            from routestudio.engine import shared_runs

            crew = shared_runs.crew_of(prepared, options.workers)
            stack.push_async_callback(crew.close)
        else:
            link = prepared.link()
            stack.push_async_callback(link.close)

        def make(
            rows: AsyncIterator[Sequence[Row]], keeper: Keeper | None, tally: Tally | None
        ) -> AnyDelivery:
            delivery: AnyDelivery
            if options.workers > 1:
                delivery = shared_runs.delivery_of(
                    crew, prepared, rows, letters, keeper, tally, tell
                )
            else:
                delivery = Delivery(
                    prepared.stages,
                    link,
                    prepared.bound.limits,
                    rows,
                    policy=RetryPolicy.of(prepared.spec.max_retry_count),
                    dead_letters=letters,
                    checkpoint=keeper,
                    tally=tally,
                    on_progress=tell,
                    on_outcome=options.on_outcome,
                )
            control.take_on(delivery)
            return delivery

        yield make


async def perform(delivery: AnyDelivery, emit: Callable[[str, dict[str, Any]], None]) -> RunSummary:
    """Run a delivery; when it ends early, its summary is emitted first."""
    try:
        return await delivery.run()
    except asyncio.CancelledError:
        emit("cancelled", delivery.summary.as_json())
        raise
    except RunStoppedError as error:
        emit("stopped", error.summary.as_json())
        raise


def _keep_apart(source: Path, options: RunOptions) -> None:
    """Refuse to write into the file that is read."""
    for path, what in ((options.dead_letters, "dead-letter"), (options.checkpoint, "checkpoint")):
        if path is not None and path.exists() and path.samefile(source):
            raise UsageError(
                f"the {what} file is the file of messages itself",
                place=Place(str(path)),
                hint="name another file",
            )


def _checkpoint(workspace: Workspace, kind: str, value: str, path: Path) -> Checkpoint:
    """The checkpoint of a file, which it calls by its whole path; others have no name."""
    if kind == "text" or value == "-":
        return Checkpoint(path)
    source = path_of(workspace, kind, value).resolve()
    return Checkpoint(path, str(source), input=source)
