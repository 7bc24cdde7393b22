"""Performs a delivery: reads, stages, batches, sends, retries, and accounts for every message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from routestudio import tasks
from routestudio.errors import ConfigError, LinkError
from routestudio.model.message import Message
from routestudio.pipeline.batching import Batch
from routestudio.pipeline.checkpoint import Keeper
from routestudio.pipeline.dead_letters import DeadLetter
from routestudio.pipeline.ending import Ending
from routestudio.pipeline.intake import Intake, Row, sort
from routestudio.pipeline.keeping import Letters, Progressed, Water
from routestudio.pipeline.planner import (
    IN_FLIGHT,
    MAX_BYTES,
    MAX_MESSAGES,
    PER_DESTINATION,
    Duplicate,
    Job,
    Planner,
    Rejection,
    Settled,
    records_of,
)
from routestudio.pipeline.report import Progress, RunSummary
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.stages import Staged, Stages
from routestudio.pipeline.tally import Tally
from routestudio.sinks.base import BatchLimits, Link

_CHUNK: Final = 500
"""Messages that go through the stages together: enough to be worth the way to the worker."""

_SMALL_CHUNK: Final = 200
"""The same where no function runs: what one step made is still near when the next one comes."""

_GRACE_SECONDS: Final = 0.02
"""How long a cancelled run waits for answers that are about to come."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of one message, for `on_outcome`. `message` is `None` for an unreadable row.

    `held`: whether the service was seen to hold the same message as a duplicate.
    """

    message: Message | None
    status: Literal["delivered", "filtered", "rejected", "duplicate"]
    code: str = ""
    reason: str = ""
    attempts: int = 0
    held: bool | None = None


class Delivery:
    """One run of one sink over one source. Await `run` once; it closes neither link nor files.

    At most `max_messages` unfinished messages (and one chunk) are held; reading waits for the
    rest. `on_progress` is called at most ten times per second and once at the end, `on_outcome`
    with the messages that finished together. With `checkpoint`, rows that an earlier run
    finished are skipped. With `tally`, the counts go on from those of an earlier delivery. Without
    a checkpoint, `water` hears of what is finished. `soon` shows that the source is about to yield.
    """

    def __init__(
        self,
        stages: Stages,
        link: Link,
        limits: BatchLimits,
        source: AsyncIterator[Sequence[Row]],
        *,
        policy: RetryPolicy | None = None,
        dead_letters: Letters | None = None,
        checkpoint: Keeper | None = None,
        water: Water | None = None,
        tally: Tally | None = None,
        soon: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] | None = None,
        on_outcome: Callable[[Sequence[Finished]], None] | None = None,
        chunk: int | None = None,
        in_flight: int = IN_FLIGHT,
        per_destination: int = PER_DESTINATION,
        max_messages: int = MAX_MESSAGES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if stages.bound.config is None:
            raise ConfigError("the sink's configuration is not valid")
        self._link = link
        self._letters = dead_letters
        self._soon = soon
        self._on_progress = on_progress
        self._on_outcome = on_outcome
        self._clock = clock
        policy = policy or RetryPolicy()
        self._planner = Planner(
            limits,
            policy,
            in_flight=in_flight,
            per_destination=per_destination,
            max_messages=max_messages,
            max_bytes=max_bytes,
        )
        self._tally = tally or Tally(policy.max_attempts)
        self._place = Progressed(checkpoint, dead_letters)
        self._water: Water | None = self._place.water or water
        self._intake = Intake(
            source,
            stages,
            chunk=chunk or (_CHUNK if stages.uses_pool else _SMALL_CHUNK),
            skip=self._place.skip,
            finished=self._place.done,
        )
        self._ending = Ending(clock, self._tally)
        self._room = asyncio.Event()
        self._senders: set[asyncio.Task[None]] = set()
        self._alarm = tasks.Alarm(self._dispatch)
        self._takers: list[asyncio.Task[None]] = []
        self._fed = False
        self._closing = False

    @property
    def summary(self) -> RunSummary:
        """What has been done so far."""
        return self._ending.summary

    @property
    def tally(self) -> Tally:
        """The counters, destinations and last delivered messages; only to be read."""
        return self._tally

    @property
    def buffered(self) -> int:
        """Unfinished messages that are held."""
        return self._planner.buffered

    def cancel(self) -> None:
        """End the run within 100 ms; `run` then returns a summary with `cancelled` set."""
        self._ending.cancel()

    def drain(self, seconds: float) -> None:
        """Take in nothing more, finish what was taken in, and end.

        What is not finished after `seconds` is given up: it is neither delivered nor counted, the
        summary has `cancelled` set, and the source has it again. A later call can only shorten
        that.
        """
        if self._closing or not self._takers or not self._ending.within(seconds):
            return
        for task in self._takers:
            task.cancel()
        self._planner.expect(False)
        self._fed = True
        self._dispatch()

    async def run(self) -> RunSummary:
        """Deliver everything. Raises `RunStoppedError` when the run cannot go on.

        Cancelling the task that awaits this does the same as `cancel`, except that the
        cancellation goes on to the caller; `summary` then shows what was done.
        """
        self._ending.begun = self._clock()
        guarded = self._ending.guarded
        self._takers = [
            tasks.spawn(guarded(self._intake.read), name="delivery reader"),
            tasks.spawn(guarded(self._feed), name="delivery stages"),
        ]
        workers = [*self._takers, self._ending.watched(self._place, self._tell)]
        return await self._ending.wait(workers, self._stop, lambda: self._intake.failure)

    # --- taking in ---------------------------------------------------------------------------

    async def _feed(self) -> None:
        """Intake to planner: waits while too much is unfinished."""
        planner = self._planner
        while (chunk := await self._intake.next()) is not None:
            while not planner.room:
                self._room.clear()
                planner.expect(False)
                self._dispatch()
                await self._room.wait()
            planner.expect(True, soon=self._intake.more or self._soon())
            self._take_in(*chunk)
            self._dispatch()
            await asyncio.sleep(0)
        planner.expect(False)
        self._fed = True
        self._dispatch()

    def _take_in(self, position: int, rows: Sequence[Row], staged: Sequence[Staged]) -> None:
        """Account for a chunk: filtered and rejected messages are finished, the rest is to send."""
        chunk = sort(rows, staged, position)
        self._tally.read += len(rows)
        self._reject(chunk.letters)
        self._tally.filtered += len(chunk.filtered)
        if self._water is not None:
            self._water.finish(chunk.finished)
        if self._on_outcome is not None and chunk.filtered:
            self._on_outcome([Finished(m, "filtered", why) for m, why in chunk.filtered])
        self._planner.add(chunk.jobs, self._clock())

    # --- sending -----------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Send what may be sent now, and wake up when more may be."""
        if self._closing:
            return
        planner, now = self._planner, self._clock()
        while (batch := planner.take(now)) is not None:
            task = tasks.spawn(
                self._ending.guarded(partial(self._send, batch)), name="delivery sender"
            )
            self._senders.add(task)
            task.add_done_callback(self._senders.discard)
        if planner.idle:
            if self._fed:
                self._ending.reached.set()
            return
        wake = planner.wake_at(now)
        if wake is not None:
            self._alarm.within(wake - now)

    async def _send(self, first: Batch[Job]) -> None:
        """Send batches one after the other, for as long as there is one."""
        batch: Batch[Job] | None = first
        while batch is not None:
            self._tally.batches += 1
            sent = self._clock()
            try:
                outcomes = await self._link.send(records_of(batch.jobs))
                if all(outcome.unreachable for outcome in outcomes):
                    raise LinkError(outcomes[0].reason)
            except LinkError as error:
                self._tally.link_lost(error.message, self._clock())
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
                if self._planner.open_until is None:
                    self._tally.link_works()
            self._account(batch, settled, self._clock() - sent)
            await asyncio.sleep(0)  # a link that answers at once must not hold up the loop
            if self._closing:
                return
            batch = self._planner.take(self._clock())
            if batch is not None and not self._planner.full:
                self._dispatch()
        self._dispatch()

    def _account(self, batch: Batch[Job], settled: Settled, seconds: float) -> None:
        delivered = settled.delivered
        self._tally.settle(batch.key, settled, seconds, self._clock())
        if self._water is not None:
            self._water.finish(job.position for job in delivered)
        if delivered and self._on_outcome is not None:
            self._on_outcome(
                [Finished(job.message, "delivered", attempts=job.attempts) for job in delivered]
            )
        if settled.duplicates:
            self._know(settled.duplicates)
        if settled.rejected:
            self._give_up(settled.rejected)
        if self._planner.room:
            self._room.set()

    def _give_up(self, rejected: Sequence[Rejection]) -> None:
        """Messages that the service refused become dead letters, and are finished."""
        self._reject(
            [
                DeadLetter(
                    item.job.message, "deliver", item.code, item.reason, attempts=item.job.attempts
                )
                for item in rejected
            ]
        )
        if self._water is not None:
            self._water.finish(item.job.position for item in rejected)

    def _know(self, duplicates: Sequence[Duplicate]) -> None:
        """The service did not store these, because it knows their ids: they are finished."""
        if self._water is not None:
            self._water.finish(item.job.position for item in duplicates)
        if self._on_outcome is not None:
            self._on_outcome(
                [
                    Finished(d.job.message, "duplicate", d.code, d.reason, d.job.attempts, d.held)
                    for d in duplicates
                ]
            )

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

    # --- progress and the end ----------------------------------------------------------------

    def _tell(self) -> None:
        if self._on_progress is None:
            return
        self._on_progress(self._tally.progress(self._clock(), self._ending.begun, self._planner))

    async def _stop(self, workers: Sequence[asyncio.Task[None]]) -> None:
        """End all tasks; answers that come within a moment still count."""
        self._closing = True
        self._alarm.cancel()
        for worker in workers:
            worker.cancel()
        if self._senders:
            await asyncio.wait(set(self._senders), timeout=_GRACE_SECONDS)
        await tasks.stop(*workers, *self._senders)
        await self._intake.close()
        self._ending.over(self._place, self._tell)
