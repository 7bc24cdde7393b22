"""Performs a delivery with several processes: reads, shares rows out, and keeps the books.

One summary, one checkpoint, one dead-letter file. A worker that dies is replaced, and its successor
is handed what it had not finished, in order (decision 0036).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from routestudio import tasks
from routestudio.errors import RouteStudioError, WorkerError
from routestudio.pipeline import share_frames as frames
from routestudio.pipeline.checkpoint import Keeper
from routestudio.pipeline.crew import Crew, Member
from routestudio.pipeline.ending import Ending
from routestudio.pipeline.intake import Intake, Row
from routestudio.pipeline.keeping import Letters, Progressed, guarded
from routestudio.pipeline.report import Progress, RunSummary
from routestudio.pipeline.sharing import GroupOf, Outstanding, Shares, packed
from routestudio.pipeline.tally import Tally

log = logging.getLogger(__name__)

_CHUNK: Final = 500
_DEATHS: Final = 5
"""Deaths of a worker in a row, without anything finished between them, that end a run."""

_CANCEL_SECONDS: Final = 0.08
"""How long a cancelled run waits for its workers' last reports."""


class Lane:
    """What one worker has of a delivery, whichever process that is at the moment."""

    def __init__(
        self,
        member: Member,
        report: Callable[[frames.Report, list[int]], bool],
        failed: Callable[[RouteStudioError], None],
        changed: Callable[[], None],
    ) -> None:
        self.left = Outstanding()
        self.state = frames.State()
        self.ended = self.closing = False
        self._member = member
        self._report = report
        self._failed = failed
        self._changed = changed
        self._fed = self._begun = self._soon = self._refused = False
        self._deaths = 0
        self._starting: asyncio.Task[None] | None = None
        member.heard, member.died = self._heard, self._died

    def begin(self) -> None:
        """The process runs, and a delivery begins."""
        if not self._begun and self._starting is None:
            self._begun = True
            self._member.send(frames.frame(frames.BEGIN))

    def hand(self, positions: Sequence[int], rows: Sequence[Row], soon: bool) -> None:
        """Rows to deliver. While the process starts they wait for it."""
        payload = packed(rows)
        self.left.hand(positions, payload)
        if self._starting is None:
            if soon != self._soon:
                self._soon = soon
                self._member.send(frames.frame(frames.MORE, b"1" if soon else b"0"))
            self._member.send(frames.frame(frames.ROWS, payload))

    def feed_ends(self) -> None:
        """No more rows will come."""
        self._fed = True
        if self._starting is None:
            self._member.send(frames.frame(frames.END))

    def cancel(self) -> None:
        """End now; what is not finished stays so."""
        self.closing = True
        self._member.send(frames.frame(frames.CANCEL))

    async def close(self) -> None:
        """The delivery is over. A process that still has something to do for it is ended."""
        self.closing = True
        await tasks.stop(self._starting)
        if not self.ended:
            self._member.kill()

    def _heard(self, kind: int, value: Any) -> None:
        if kind == frames.STATE:
            self.state = value
        elif kind == frames.REPORT:
            if self._refused:  # what follows in its groups must come again, too
                return
            finished = self.left.finish(value.finished)
            if finished:
                self._deaths = 0
            self._refused = not self._report(value, finished)
            if value.letters and not self._refused:
                self._member.send(frames.frame(frames.KEPT))
        elif kind == frames.ENDED:
            self.ended = True
            self.state = frames.State()
            failure = value.failure
            if failure is None and len(self.left) and not self.closing:
                failure = WorkerError("a worker process ended before its rows were finished")
            if failure is not None:
                self._failed(failure)
            self._changed()

    def _died(self, how: str) -> None:
        self.state = frames.State()
        done = self._fed and not len(self.left)
        if self.closing or self.ended or done:
            self.ended = True
            self._changed()
            return
        self._deaths += 1
        number = self._member.number + 1
        if self._deaths >= _DEATHS:
            text = f"worker process {number} ended {self._deaths} times in a row ({how})"
            hint = "look for what ends it: the machine's memory, or a limit of the container"
            self._failed(WorkerError(text, hint=hint))
            return
        log.warning("worker process %d ended (%s); another one takes its %d unfinished rows",
                    number, how, len(self.left))  # fmt: skip
        self._starting = tasks.spawn(guarded(self._replace, self._failed), name="new worker")

    async def _replace(self) -> None:
        """A successor gets all that is unfinished, in order."""
        await self._member.start()
        self._begun, self._soon = True, False
        self._member.send(frames.frame(frames.BEGIN))
        for payload in self.left.renew():
            self._member.send(frames.frame(frames.ROWS, payload))
        self._starting = None
        if self._fed:
            self.feed_ends()


class SharedDelivery:
    """One run of one sink over one source, by the processes of a crew. Await `run` once.

    It is to its starter what `pipeline.run.Delivery` is.
    """

    def __init__(
        self,
        crew: Crew,
        group_of: GroupOf,
        source: AsyncIterator[Sequence[Row]],
        *,
        max_messages: int,
        max_bytes: int,
        dead_letters: Letters | None = None,
        checkpoint: Keeper | None = None,
        tally: Tally | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._crew = crew
        self._shares = Shares(len(crew.members), group_of)
        self._letters = dead_letters
        self._on_progress = on_progress
        self._clock = clock
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._tally = tally or Tally()
        self._place = Progressed(checkpoint, dead_letters)
        self._chunk = _CHUNK * len(crew.members)
        self._intake = Intake(
            source,
            None,
            chunk=self._chunk,
            skip=self._place.skip,
            finished=self._place.done,
        )
        self._ending = Ending(clock, self._tally)
        self._lanes: list[Lane] = []
        self._takers: list[asyncio.Task[None]] = []
        self._moved = asyncio.Event()
        self._running = self._fed = False

    @property
    def summary(self) -> RunSummary:
        """What has been done so far."""
        return self._ending.summary

    @property
    def tally(self) -> Tally:
        """The counters of all workers; only to be read."""
        return self._tally

    def cancel(self) -> None:
        """End the run within 100 ms; `run` then returns a summary with `cancelled` set."""
        self._ending.cancel()

    def drain(self, seconds: float) -> None:
        """Hand out nothing more, finish what was handed out, and end: as `Delivery.drain`."""
        if self._ending.reached.is_set() or not self._ending.within(seconds):
            return
        for task in self._takers:
            task.cancel()
        if self._running:
            self._feed_ends()

    async def run(self) -> RunSummary:
        """Deliver everything. Raises `RunStoppedError` when the run cannot go on."""
        self._ending.begun = self._clock()
        guarded = self._ending.guarded
        self._lanes = [
            Lane(member, self._report, self._ending.fail, self._changed)
            for member in self._crew.members
        ]
        await self._crew.start()
        for lane in self._lanes:
            lane.begin()
        self._running = True
        if not self._ending.draining:
            self._takers = [
                tasks.spawn(guarded(self._intake.read), name="delivery reader"),
                tasks.spawn(guarded(self._feed), name="delivery shares"),
            ]
        else:  # it was drained while its processes started
            self._feed_ends()
        workers = [*self._takers, self._ending.watched(self._place, self._tell)]
        return await self._ending.wait(workers, self._stop, lambda: self._intake.failure)

    # --- handing out -------------------------------------------------------------------------

    async def _feed(self) -> None:
        while (chunk := await self._intake.next_rows()) is not None:
            shares = self._shares.split(*chunk)
            soon = len(chunk[1]) >= self._chunk  # a full one: the source has more
            for lane, (positions, rows) in zip(self._lanes, shares, strict=True):
                if not rows:
                    continue
                while not self._room(lane):
                    self._moved.clear()
                    await self._moved.wait()
                lane.hand(positions, rows, soon)
                self._tally.read += len(rows)
            await asyncio.sleep(0)
        self._feed_ends()

    def _room(self, lane: Lane) -> bool:
        return len(lane.left) < self._max_messages and lane.left.size < self._max_bytes

    def _feed_ends(self) -> None:
        self._fed = True
        for lane in self._lanes:
            lane.feed_ends()
        self._changed()

    # --- what workers say --------------------------------------------------------------------

    def _report(self, report: frames.Report, finished: Sequence[int]) -> bool:
        """Keep the letters first; only then count their messages as finished. False when they
        cannot be kept: nothing of the report counts then."""
        try:
            if self._letters is not None and report.letters:
                self._letters.add(report.letters)
        except RouteStudioError as error:
            self._ending.fail(error)
            return False
        self._tally.join(report.part)
        if self._place.water is not None:
            self._place.water.finish(finished)
        self._moved.set()
        return True

    def _changed(self) -> None:
        """A lane ended: with all of them, the delivery has."""
        self._moved.set()
        if self._fed and all(lane.ended for lane in self._lanes):
            self._ending.reached.set()

    # --- progress and the end ----------------------------------------------------------------

    def _tell(self) -> None:
        if self._on_progress is None:
            return
        held = _Held(self._lanes)
        progress = self._tally.progress(self._clock(), self._ending.begun, held)
        states = [lane.state for lane in self._lanes]
        waits = tuple(wait for state in states for wait in state.waits)
        circuit = next((state.circuit for state in states if state.circuit is not None), None)
        self._on_progress(replace(progress, waits=waits, circuit=circuit))

    async def _stop(self, takers: Sequence[asyncio.Task[None]]) -> None:
        """End all tasks, and what workers do; reports that come within a moment still count."""
        for task in takers:
            task.cancel()
        for lane in self._lanes:
            if not lane.ended:
                lane.cancel()
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                while not all(lane.ended for lane in self._lanes):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            pass
        await tasks.stop(*takers)
        await asyncio.gather(*(lane.close() for lane in self._lanes))
        await self._intake.close()
        self._ending.over(self._place, self._tell)


class _Held:
    """What all lanes together have not finished."""

    open_until = None

    def __init__(self, lanes: Sequence[Lane]) -> None:
        states = [lane.state for lane in lanes]
        self.buffered = sum(len(lane.left) for lane in lanes)
        self.in_flight = sum(state.in_flight for state in states)
        self.waiting_retries = sum(state.waiting_retries for state in states)
        self.link_failures = max((state.link_failures for state in states), default=0)
