"""The rows of one assignment of Kafka's partitions, and the offsets that are finished of them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from routestudio.errors import RouteStudioError
from routestudio.model.rows import RawRow
from routestudio.sources.base import MAX_UNFINISHED

AHEAD: Final = 3
"""Chunks that are read and not yet asked for."""

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What may be committed when a row is finished: its offset."""

    place: Place
    offset: int


class KafkaSession:
    """Made and filled by the source's thread, read by the loop."""

    def __init__(
        self, name: str, loop: asyncio.AbstractEventLoop, partitions: Sequence[Place]
    ) -> None:
        self.partitions = set(partitions)
        self.name = name
        self.released = False
        self.on_release: Callable[[float], None] = lambda seconds: None
        self.at_end: set[Place] = set()
        self.behind: dict[Place, int] = {}
        self._loop = loop
        self._queue: asyncio.Queue[Sequence[RawRow] | RouteStudioError | None] = asyncio.Queue()
        self.slots = threading.Semaphore(AHEAD)
        self._done = asyncio.Event()
        self._lock = threading.Lock()
        self._marks: deque[Mark] = deque()
        self._mark = 0
        self._due: dict[Place, int] = {}
        self._changed: set[Place] = set()

    # --- in the loop ---------------------------------------------------------------------------

    async def chunks(self) -> AsyncIterator[Sequence[RawRow]]:
        """Rows until the end, or until the session is released."""
        while not self.released:
            item = await self._queue.get()
            if item is None:
                return
            if isinstance(item, RouteStudioError):
                raise item
            self.slots.release()
            yield item

    def save(self, position: int) -> None:
        """Note the offsets that may be committed."""
        with self._lock:
            while self._mark < position:
                mark = self._marks.popleft()
                self._may_commit(mark.place, mark.offset)
                self._mark += 1

    async def finish(self) -> None:
        """The rows are worked off, or given up."""
        self.released = True
        self._done.set()

    async def release(self, seconds: float) -> None:
        """Have the work ended within `seconds`, and wait for that."""
        self.released = True
        self._queue.put_nowait(None)
        self.on_release(seconds)
        await self._done.wait()

    # --- in the thread -------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether so much is unfinished that nothing more is read."""
        with self._lock:
            return len(self._marks) >= MAX_UNFINISHED

    def give(self, rows: Sequence[RawRow], marks: Sequence[Mark]) -> None:
        """Hand over rows with the mark of each."""
        with self._lock:
            self._marks.extend(marks)
        self._loop.call_soon_threadsafe(self._queue.put_nowait, rows)

    def end(self, error: RouteStudioError | None = None) -> None:
        """There are no more rows."""
        self._loop.call_soon_threadsafe(self._queue.put_nowait, error)

    def take_due(self, *, everything: bool = False) -> dict[Place, int]:
        """Offsets to commit: those that changed since the last call, or all of them, because it
        is not known whether earlier commits arrived."""
        with self._lock:
            changed, self._changed = self._changed, set()
            return dict(self._due) if everything else {p: self._due[p] for p in changed}

    def _may_commit(self, place: Place, offset: int) -> None:
        self._due[place] = offset + 1
        self._changed.add(place)
