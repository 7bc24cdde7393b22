"""Performs a delivery: reads, stages, batches, sends, retries, and accounts for every message."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from routestudio import tasks
from routestudio.errors import ConfigError, LinkError, Place, RouteStudioError
from routestudio.model.message import Message
from routestudio.pipeline.batching import Batch
from routestudio.pipeline.checkpoint import Checkpoint, LowWater
from routestudio.pipeline.dead_letters import DeadLetter, DeadLetters
from routestudio.pipeline.planner import (
    IN_FLIGHT,
    MAX_BYTES,
    MAX_MESSAGES,
    PER_DESTINATION,
    Job,
    Planner,
    Settled,
)
from routestudio.pipeline.report import Progress, RunSummary, Tally
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.stages import Staged, Stages
from routestudio.sinks.base import BatchLimits, Link

log = logging.getLogger(__name__)

_AHEAD: Final = 2
"""Chunks that are in the function worker while earlier ones are delivered."""

_PROGRESS_SECONDS: Final = 0.1
_CHECKPOINT_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 0.04
"""How long a cancelled run waits for answers that are about to come."""


class Fault(Protocol):
    """A row of the source that holds no message (`samples.reader.SampleFault`)."""

    @property
    def line(self) -> int | None: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one message, for `on_outcome`. `message` is `None` for an unreadable row."""

    message: Message | None
    status: Literal["delivered", "filtered", "rejected"]
    code: str = ""
    reason: str = ""
    attempts: int = 0


class RunStoppedError(RouteStudioError):
    """A run could not go on. `summary` counts what was done before; nothing is lost silently."""

    def __init__(
        self,
        message: str,
        summary: RunSummary,
        *,
        place: Place | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, place=place, hint=hint)
        self.summary = summary


Row = Message | Fault
_Chunk = tuple[Sequence[Row], asyncio.Task[list[Staged]] | None]


class Delivery:
    """One run of one sink over one source. Await `run` once; it closes neither link nor files.

    At most `max_messages` unfinished messages (and one chunk) are held; reading waits for the
    rest. `on_progress` is called at most ten times per second and once at the end, `on_outcome`
    with the messages that finished together. With `checkpoint`, rows that an earlier run
    finished are skipped.
    """

    def __init__(
        self,
        stages: Stages,
        link: Link,
        limits: BatchLimits,
        source: AsyncIterator[Sequence[Row]],
        *,
        policy: RetryPolicy | None = None,
        dead_letters: DeadLetters | None = None,
        checkpoint: Checkpoint | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_outcome: Callable[[Sequence[Finished]], None] | None = None,
        chunk: int = 500,
        in_flight: int = IN_FLIGHT,
        per_destination: int = PER_DESTINATION,
        max_messages: int = MAX_MESSAGES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if stages.bound.config is None:
            raise ConfigError("the sink's configuration is not valid")
        self._stages = stages
        self._link = link
        self._source = source
        self._letters = dead_letters
        self._checkpoint = checkpoint
        self._on_progress = on_progress
        self._on_outcome = on_outcome
        self._chunk = chunk
        self._clock = clock
        self._planner = Planner(
            limits,
            policy or RetryPolicy(),
            in_flight=in_flight,
            per_destination=per_destination,
            max_messages=max_messages,
            max_bytes=max_bytes,
        )
        self._tally = Tally()
        self._skip = checkpoint.position if checkpoint else 0
        self._position = 0
        self._water = LowWater(self._skip) if checkpoint else None
        self._begun = self._ended = clock()
        self._staged: asyncio.Queue[_Chunk | None] = asyncio.Queue(_AHEAD)
        self._room = asyncio.Event()
        self._end = asyncio.Event()
        self._senders: set[asyncio.Task[None]] = set()
        self._ahead: set[asyncio.Task[list[Staged]]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._fed = False
        self._closing = False
        self._cancelled = False
        self._failure: RouteStudioError | None = None

    @property
    def summary(self) -> RunSummary:
        """What has been done so far."""
        end = self._ended if self._end.is_set() else self._clock()
        return self._tally.summary(end - self._begun, cancelled=self._cancelled)

    @property
    def buffered(self) -> int:
        """Unfinished messages that are held."""
        return self._planner.buffered

    def cancel(self) -> None:
        """End the run within 100 ms; `run` then returns a summary that says `cancelled`."""
        self._cancelled = True
        self._end.set()

    async def run(self) -> RunSummary:
        """Deliver everything. Raises `RunStoppedError` when the run cannot go on.

        Cancelling the task that awaits this does the same as `cancel`, except that the
        cancellation goes on to the caller; `summary` then tells what was done.
        """
        self._begun = self._clock()
        workers: list[asyncio.Task[None]] = [
            tasks.spawn(self._guard(self._read()), name="delivery reader"),
            tasks.spawn(self._guard(self._feed()), name="delivery stages"),
            tasks.spawn(self._guard(self._tick()), name="delivery progress"),
        ]
        try:
            await self._end.wait()
        except asyncio.CancelledError:
            self._cancelled = True
            raise
        finally:
            await self._stop(workers)
        if self._failure is not None:
            failure = self._failure
            raise RunStoppedError(
                failure.message, self.summary, place=failure.place, hint=failure.hint
            ) from None
        return self.summary

    # --- reading and staging -----------------------------------------------------------------

    async def _read(self) -> None:
        """Source to stages: chunks in source order, some of them in the worker already."""
        source = self._source
        try:
            async for rows in source:
                rows = self._unskipped(rows)
                for start in range(0, len(rows), self._chunk):
                    part = rows[start : start + self._chunk]
                    await self._staged.put((part, self._evaluation(part)))
                await asyncio.sleep(0)
        except (RouteStudioError, OSError) as error:
            self._failure = _shown(error, "the source cannot be read on")
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
        await self._staged.put(None)

    def _unskipped(self, rows: Sequence[Row]) -> Sequence[Row]:
        left = self._skip - self._position
        if left <= 0:
            return rows
        skipped = min(left, len(rows))
        self._position += skipped
        return rows[skipped:]

    def _evaluation(self, rows: Sequence[Row]) -> asyncio.Task[list[Staged]] | None:
        if not self._stages.uses_pool:
            return None
        messages = [row for row in rows if isinstance(row, Message)]
        task = tasks.spawn(self._stages.apply(messages), name="delivery functions")
        self._ahead.add(task)
        task.add_done_callback(self._ahead.discard)
        return task

    async def _feed(self) -> None:
        """Stages to planner: waits while too much is unfinished."""
        planner = self._planner
        while (chunk := await self._staged.get()) is not None:
            rows, task = chunk
            if task is not None:
                staged = await task
            else:
                staged = await self._stages.apply([r for r in rows if isinstance(r, Message)])
            while not planner.room:
                self._room.clear()
                planner.expecting = False
                self._dispatch()
                await self._room.wait()
            planner.expecting = True
            self._take_in(rows, staged)
            self._dispatch()
            await asyncio.sleep(0)
        planner.expecting = False
        self._fed = True
        self._dispatch()

    def _take_in(self, rows: Sequence[Row], staged: Sequence[Staged]) -> None:
        """Sort one chunk: filtered, rejected, or on its way."""
        jobs: list[Job] = []
        letters: list[DeadLetter] = []
        finished: list[int] = []
        ended: list[Finished] = []
        told = self._on_outcome is not None
        position, filtered = self._position, 0
        items = iter(staged)
        for row in rows:
            if not isinstance(row, Message):
                letters.append(_unreadable(row))
                finished.append(position)
            else:
                item = next(items)
                if item.filtered is not None:
                    filtered += 1
                    finished.append(position)
                    if told:
                        ended.append(Finished(row, "filtered", item.filtered))
                elif item.record is not None and item.effective is not None:
                    record, effective = item.record, item.effective
                    jobs.append(
                        Job(
                            position,
                            row,
                            record,
                            record.size,
                            effective.batch_key,
                            effective.group_id,
                        )
                    )
                else:
                    letters.append(_undeliverable(row, item))
                    finished.append(position)
            position += 1
        self._tally.read += len(rows)
        self._position = position
        self._reject(letters)
        self._tally.filtered += filtered
        self._finish(finished, ended)
        self._planner.add(jobs, self._clock())

    # --- sending -----------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Send what may be sent now, and wake up when more may be."""
        if self._closing:
            return
        planner, now = self._planner, self._clock()
        while (batch := planner.take(now)) is not None:
            task = tasks.spawn(self._guard(self._send(batch)), name="delivery sender")
            self._senders.add(task)
            task.add_done_callback(self._senders.discard)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if planner.idle:
            if self._fed:
                self._end.set()
            return
        wake = planner.wake_at()
        if wake is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, wake - now), self._dispatch)

    async def _send(self, first: Batch[Job]) -> None:
        """Send batches one after the other, for as long as there is one."""
        batch: Batch[Job] | None = first
        while batch is not None:
            self._tally.batches += 1
            try:
                outcomes = await self._link.send([job.record for job in batch.jobs])
            except LinkError as error:
                settled = self._planner.lost(batch, error.message, self._clock())
                if settled.exhausted:
                    failures = self._planner.link_failures
                    raise LinkError(
                        f"the connection failed {failures} times in a row: {error.message}",
                        place=error.place,
                        hint=error.hint or "check the sink, then run again",
                    ) from None
            else:
                settled = self._planner.settle(batch, outcomes, self._clock())
            self._account(batch, settled)
            if self._closing:
                return
            batch = self._planner.take(self._clock())
            if batch is not None:
                self._dispatch()
        self._dispatch()

    def _account(self, batch: Batch[Job], settled: Settled) -> None:
        tally, told = self._tally, self._on_outcome is not None
        if settled.delivered:
            tally.deliver(batch.key, len(settled.delivered))
        if settled.retried:
            tally.retried += settled.retried
            if settled.last is not None:
                last = settled.last
                tally.reason("deliver", last.code, last.reason, settled.retried)
        ended = (
            [Finished(job.message, "delivered", attempts=job.attempts) for job in settled.delivered]
            if told
            else []
        )
        if settled.rejected:
            self._reject(
                [
                    DeadLetter(
                        item.job.message, "deliver", item.code, item.reason,
                        attempts=item.job.attempts,
                    )
                    for item in settled.rejected
                ]
            )  # fmt: skip
        finished = [item.job.position for item in settled.rejected] if self._water else []
        if self._water:
            finished += [job.position for job in settled.delivered]
        self._finish(finished, ended)
        if self._planner.room:
            self._room.set()

    def _reject(self, letters: Sequence[DeadLetter]) -> None:
        """Keep the letters first; only then count their messages as finished."""
        if not letters:
            return
        if self._letters is not None:
            self._letters.add(letters)
        self._tally.rejected += len(letters)
        for letter in letters:
            self._tally.reason(letter.stage, letter.code, letter.reason)
        if self._on_outcome is not None:
            self._on_outcome(
                [
                    Finished(le.message, "rejected", le.code, le.reason, le.attempts)
                    for le in letters
                ]
            )

    def _finish(self, positions: Sequence[int], ended: Sequence[Finished]) -> None:
        if self._water is not None and positions:
            self._water.finish(positions)
        if ended and self._on_outcome is not None:
            self._on_outcome(ended)

    # --- progress and the end ----------------------------------------------------------------

    async def _tick(self) -> None:
        """Tell how far the run is, and keep the checkpoint near it."""
        saved = self._clock()
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            self._tell()
            if self._clock() - saved >= _CHECKPOINT_SECONDS:
                self._save()
                saved = self._clock()

    def _tell(self) -> None:
        if self._on_progress is None:
            return
        planner = self._planner
        self._on_progress(
            self._tally.progress(
                self._clock(),
                self._begun,
                in_flight=planner.in_flight,
                waiting_retries=planner.waiting_retries,
                link_failures=planner.link_failures,
            )
        )

    def _save(self) -> None:
        """Move the checkpoint up to what is finished. Dead letters below it are on disk first."""
        if self._checkpoint is None or self._water is None:
            return
        if self._letters is not None:
            self._letters.sync()
        try:
            self._checkpoint.save(self._water.mark)
        except OSError as error:
            place = Place(str(self._checkpoint.path))
            text = f"the checkpoint cannot be written: {error.strerror or error}"
            raise RouteStudioError(text, place=place, hint="free some space") from None

    async def _guard(self, work: object) -> None:
        """Run a part of the delivery; its failure ends the whole run."""
        try:
            await work  # type: ignore[misc]
        except RouteStudioError as error:
            self._fail(error)
        except Exception as error:
            log.exception("a delivery failed")
            kind = type(error).__name__
            self._fail(
                RouteStudioError(
                    f"the delivery stopped because of a fault in RouteStudio ({kind})",
                    hint="the log says more; what is not finished was not delivered",
                )
            )

    def _fail(self, error: RouteStudioError) -> None:
        if self._failure is None or not self._end.is_set():
            self._failure = error
        self._end.set()

    async def _stop(self, workers: Sequence[asyncio.Task[None]]) -> None:
        """End all tasks; answers that come within a moment still count."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for worker in workers:
            worker.cancel()
        if self._senders:
            await asyncio.wait(set(self._senders), timeout=_GRACE_SECONDS)
        await tasks.stop(*workers, *self._senders, *self._ahead)
        self._ended = self._clock()
        self._end.set()
        try:
            self._save()
        except RouteStudioError as error:
            self._failure = self._failure or error
        self._tell()


def _unreadable(row: Fault) -> DeadLetter:
    column = getattr(row, "column", None)
    raw = getattr(row, "raw", None)
    return DeadLetter(
        None, "read", "unreadable", row.message, line=row.line, column=column,
        raw=raw if isinstance(raw, str) else None,
    )  # fmt: skip


def _undeliverable(message: Message, item: Staged) -> DeadLetter:
    problem = item.problems[0]
    reason = f"{problem.field}: {problem.message}" if problem.field else problem.message
    return DeadLetter(
        message, problem.stage, problem.code, reason,
        field=problem.field, line=problem.line, column=problem.column,
    )  # fmt: skip


def _shown(error: RouteStudioError | OSError, what: str) -> RouteStudioError:
    if isinstance(error, RouteStudioError):
        return error
    return RouteStudioError(f"{what}: {error.strerror or error}")
