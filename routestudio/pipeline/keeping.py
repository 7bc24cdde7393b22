"""What deliveries have in common, in one process or in several: their checkpoint and their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

from routestudio.errors import Place, RouteStudioError
from routestudio.pipeline.checkpoint import Keeper, LowWater
from routestudio.pipeline.dead_letters import DeadLetter

log = logging.getLogger(__name__)

_PROGRESS_SECONDS: Final = 0.1
_CHECKPOINT_SECONDS: Final = 0.2
"""Seconds between two saves: what ended since the last one comes again after a crash."""

_CHECKPOINT_PAUSE: Final = 50
"""A slow disk is left alone for so many times the time that the last save took."""


class Letters(Protocol):
    """Where rejected messages are kept: a dead-letter file, or the process that has it."""

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Keep these, or raise `DeadLetterError`."""
        ...

    def sync(self) -> None:
        """Make sure that they survive a crash of the machine, or raise `DeadLetterError`."""
        ...


class Water(Protocol):
    """Who wants to know which positions are finished."""

    def finish(self, positions: Iterable[int]) -> None:
        """Positions that are delivered, filtered or rejected now; each is reported once."""
        ...


class Progressed:
    """Keeps a checkpoint near what is finished. Dead letters below it are on disk first."""

    def __init__(self, checkpoint: Keeper | None, letters: Letters | None) -> None:
        self._checkpoint = checkpoint
        self._letters = letters
        self.skip = checkpoint.position if checkpoint else 0
        self.done = checkpoint.finished if checkpoint else []
        self.water = LowWater(self.skip, self.done) if checkpoint else None

    def save(self) -> None:
        """Move the checkpoint up to what is finished. Raises `RouteStudioError`."""
        if self._checkpoint is None or self.water is None:
            return
        if self._letters is not None:
            self._letters.sync()
        try:
            self._checkpoint.save(self.water.mark, self.water.done)
        except OSError as error:
            text = f"the checkpoint cannot be written: {error.strerror or error}"
            place = Place(self._checkpoint.name)
            raise RouteStudioError(text, place=place, hint="free some space") from None

    async def watch(self, tell: Callable[[], None], clock: Callable[[], float]) -> None:
        """Report how far the run is, and keep the checkpoint near it, until it is cancelled."""
        due = clock() + _CHECKPOINT_SECONDS
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            tell()
            if (begun := clock()) >= due:
                self.save()
                ended = clock()
                due = ended + max(_CHECKPOINT_SECONDS, (ended - begun) * _CHECKPOINT_PAUSE)


async def guarded(
    work: Callable[[], Awaitable[None]], fail: Callable[[RouteStudioError], None]
) -> None:
    """Run a part of a delivery; its failure ends the whole run."""
    try:
        await work()
    except RouteStudioError as error:
        fail(error)
    except Exception as error:
        log.exception("a delivery failed")
        fail(fault_of(error))


def fault_of(error: Exception) -> RouteStudioError:
    """What is said of a failure that nobody expected."""
    return RouteStudioError(
        f"the delivery stopped because of a fault in RouteStudio ({type(error).__name__})",
        hint="the log has the details; unfinished messages were not delivered",
    )
