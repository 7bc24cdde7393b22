"""How a run of a delivery begins and ends: done, cancelled, failed, or out of patience."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from routestudio import tasks
from routestudio.errors import Place, RouteStudioError
from routestudio.pipeline.garbage import collected_rarely
from routestudio.pipeline.keeping import Progressed, guarded
from routestudio.pipeline.report import RunSummary
from routestudio.pipeline.tally import Tally


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


class Ending:
    """Knows when one run began, whether it has to end, and why. `reached` is set at its end."""

    def __init__(self, clock: Callable[[], float], tally: Tally) -> None:
        self._clock = clock
        self._tally = tally
        self.reached = asyncio.Event()
        self.begun = self._ended = clock()
        self.cancelled = False
        self.failure: RouteStudioError | None = None
        self._patience: tasks.Alarm | None = None

    @property
    def summary(self) -> RunSummary:
        """What has been done so far."""
        end = self._ended if self.reached.is_set() else self._clock()
        return self._tally.summary(end - self.begun, cancelled=self.cancelled)

    @property
    def draining(self) -> bool:
        """Whether it has a limited time to finish in."""
        return self._patience is not None

    def cancel(self) -> None:
        """End it, unfinished."""
        self.cancelled = True
        self.reached.set()

    def fail(self, error: RouteStudioError) -> None:
        """End it for an error. What happens after the end does not replace the reason."""
        if self.failure is None or not self.reached.is_set():
            self.failure = error
        self.reached.set()

    def within(self, seconds: float) -> bool:
        """Cancel it after `seconds`. False when it was draining already: that can only be
        shortened."""
        first = self._patience is None
        if self._patience is None:
            self._patience = tasks.Alarm(self.cancel)
        self._patience.within(seconds)
        return first

    def guarded(self, work: Callable[[], Awaitable[None]]) -> Coroutine[Any, Any, None]:
        """Work whose errors end the run."""
        return guarded(work, self.fail)

    def watched(self, place: Progressed, tell: Callable[[], None]) -> asyncio.Task[None]:
        """The task that reports progress and keeps the checkpoint."""
        watch = partial(place.watch, tell, self._clock)
        return tasks.spawn(self.guarded(watch), name="delivery progress")

    async def wait(
        self,
        workers: Sequence[asyncio.Task[None]],
        stop: Callable[[Sequence[asyncio.Task[None]]], Awaitable[None]],
        reading: Callable[[], RouteStudioError | None],
    ) -> RunSummary:
        """Wait for the end and stop the workers. Raises `RunStoppedError` for a failure, of its own
        or of the reader; a cancellation goes on to the caller."""
        try:
            with collected_rarely():
                await self.reached.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        finally:
            if self._patience is not None:
                self._patience.cancel()
            await stop(workers)
        failure = self.failure or reading()
        if failure is not None:
            raise RunStoppedError(
                failure.message, self.summary, place=failure.place, hint=failure.hint
            ) from None
        return self.summary

    def over(self, place: Progressed, tell: Callable[[], None]) -> None:
        """Everything has stopped: keep the checkpoint, and report the last progress."""
        self._ended = self._clock()
        self.reached.set()
        try:
            place.save()
        except RouteStudioError as error:
            self.failure = self.failure or error
        tell()
