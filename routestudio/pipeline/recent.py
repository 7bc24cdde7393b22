"""The last delivered messages of a run, with the routing that was used for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from routestudio.pipeline.planner import Job

KEPT: Final = 200
"""Delivered messages that are kept."""

MAX_BYTES: Final = 4 << 20
"""Bytes of their records; with larger ones fewer are kept."""

_PER_BATCH: Final = 20
"""Messages of one batch that are kept, so that other destinations stay visible too."""


@dataclass(frozen=True, slots=True, eq=False)
class Delivered:
    """One delivered message. `number` counts the kept ones; `seconds` took its last attempt."""

    number: int
    destination: str
    job: Job
    seconds: float


class Recent:
    """A ring of the last delivered messages, bounded by count and bytes."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, Job, float]] = deque()
        self._bytes = 0
        self._first = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, destination: str, jobs: Sequence[Job], seconds: float) -> None:
        """The service took `jobs` `seconds` after they were sent."""
        kept, size = self._kept, self._bytes
        for job in jobs[-_PER_BATCH:]:
            kept.append((destination, job, seconds))
            size += job.size
        while len(kept) > KEPT or (size > MAX_BYTES and len(kept) > 1):
            size -= kept.popleft()[1].size
            self._first += 1
        self._bytes = size

    def latest(self) -> list[Delivered]:
        """The kept ones, newest first."""
        return [Delivered(self._first + n, *item) for n, item in enumerate(self._kept)][::-1]

    def get(self, number: int) -> Delivered | None:
        """One by its number; `None` when newer ones took its place."""
        place = number - self._first
        if not 0 <= place < len(self._kept):
            return None
        return Delivered(number, *self._kept[place])
