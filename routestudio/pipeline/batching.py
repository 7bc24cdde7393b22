"""Batches per destination: filled up to the sink's limits, handed out fairly, some in flight."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic, Protocol, TypeVar

from routestudio.sinks.base import BatchLimits

PATIENCE: Final = 10
MOST_SECONDS: Final = 0.05
"""How long a batch that is not full may go on filling, see `Batcher`."""


class Sized(Protocol):
    """What is batched: `key` is its batch key, `size` its bytes.

    `parcel` is written by the batcher: the number of the batch that it will travel in.
    """

    @property
    def key(self) -> Hashable: ...
    @property
    def size(self) -> int: ...

    parcel: int


J = TypeVar("J", bound=Sized)


@dataclass(slots=True, eq=False)
class Batch(Generic[J]):
    """Jobs of one batch key that travel together. `mark` belongs to the circuit."""

    key: Hashable
    jobs: list[J]
    mark: int = 0


class _Queue(Generic[J]):
    """What waits for one batch key. `ripe`: may leave although it is not full."""

    __slots__ = ("bytes", "count", "due", "items", "key", "last", "listed", "out", "parcel", "ripe",
                 "size", "until", "waited")  # fmt: skip

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.items: deque[J] = deque()
        self.size = 0
        self.due = 0.0
        self.last = 0.0
        self.until = 0.0
        self.out = 0
        self.ripe = False
        # Its time has come, but it goes on filling, until `last` at most.
        self.waited = False
        self.listed = False
        # The batch that still fills: its number (0: none), messages and bytes.
        self.parcel = self.count = self.bytes = 0


class Batcher(Generic[J]):
    """Forms batches. A batch is ready when it is full (messages or bytes) or has waited enough.

    Enough is the limit's `wait`. While another batch of its destination is out, a batch that is not
    full waits for that one to come back, and while `busy` shows that more is about to be added, it
    waits for that: up to `PATIENCE` times as long (`MOST_SECONDS` at most). A busy stream so gets
    fewer, fuller batches, and a quiet one waits no longer than before.

    Ready destinations take turns. At most `in_flight` batches are out, `per_key` of them for one
    destination; while they are, batches go on filling. All times come from the caller's clock.

    What is added with `put` knows its batch at once (`parcel`); a batcher is used with either `put`
    or `add`.
    """

    def __init__(self, limits: BatchLimits, *, in_flight: int, per_key: int) -> None:
        self._limits = limits
        self._most = max(limits.wait, min(limits.wait * PATIENCE, MOST_SECONDS))
        self._in_flight = in_flight
        self._per_key = per_key
        self._queues: dict[Hashable, _Queue[J]] = {}
        self._ring: deque[_Queue[J]] = deque()
        self._timers: list[tuple[float, int, _Queue[J]]] = []
        self._order = count()
        self._parcels = count(1)
        self.out = 0
        self.waiting = 0
        self.busy = False

    def __len__(self) -> int:
        """Number of destinations with something waiting or in flight."""
        return len(self._queues)

    def add(self, jobs: Sequence[J], now: float) -> None:
        """Let each of `jobs` wait for the next batch of its key."""
        # One loop without calls: it runs for every message.
        messages, size = self._limits.messages, self._limits.size
        for job in jobs:
            queue = self._queues.get(job.key)
            if queue is None:
                queue = self._queues[job.key] = _Queue(job.key)
            items = queue.items
            if not items:
                self._arm(queue, now)
            items.append(job)
            queue.size += job.size
            if not queue.listed and (
                len(items) >= messages or (size is not None and queue.size >= size)
            ):
                self._list(queue)
        self.waiting += len(jobs)

    def put(self, job: J, now: float) -> None:
        """Let one job wait for the next batch of its key, and note which that is."""
        limits = self._limits
        queue = self._queues.get(job.key)
        if queue is None:
            queue = self._queues[job.key] = _Queue(job.key)
        if not queue.items:
            self._arm(queue, now)
        if not self._fits(queue, job):
            queue.parcel, queue.count, queue.bytes = next(self._parcels), 0, 0
        job.parcel = queue.parcel
        queue.count += 1
        queue.bytes += job.size
        queue.items.append(job)
        queue.size += job.size
        self.waiting += 1
        if not queue.listed and (
            len(queue.items) >= limits.messages
            or (limits.size is not None and queue.size >= limits.size)
        ):
            self._list(queue)

    def joins(self, job: J, parcel: int) -> bool:
        """Whether `job`, if it were put now, would travel in that batch."""
        queue = self._queues.get(job.key)
        return queue is not None and queue.parcel == parcel and self._fits(queue, job)

    def _fits(self, queue: _Queue[J], job: J) -> bool:
        """Whether a job has room in the batch that still fills."""
        limits = self._limits
        return (
            queue.parcel != 0
            and queue.count < limits.messages
            and (limits.size is None or queue.bytes + job.size <= limits.size)
        )

    @property
    def full(self) -> bool:
        """Whether no batch can be taken until one is done."""
        return self.out >= self._in_flight

    def take(self, now: float) -> Batch[J] | None:
        """The next batch that may be sent now, if any; it counts as in flight until `done`."""
        self._ripen_due(now)
        if self.full:
            return None
        ring = self._ring
        while ring:
            queue = ring.popleft()
            queue.listed = False
            if not queue.items or queue.out >= self._per_key:
                continue
            if queue.until > now:
                continue
            batch = Batch(queue.key, self._cut(queue))
            queue.out += 1
            self.out += 1
            self.waiting -= len(batch.jobs)
            queue.ripe = False
            if queue.items:
                self._arm(queue, now)
                if self._full(queue):
                    self._list(queue)
            return batch
        return None

    def done(self, key: Hashable, now: float) -> None:
        """A batch of `key` is no longer in flight."""
        queue = self._queues[key]
        queue.out -= 1
        self.out -= 1
        if queue.items:
            if queue.waited and not queue.out and not self.busy:
                queue.ripe = True
            if queue.ripe or self._full(queue):
                self._list(queue)
        elif queue.out == 0 and queue.until <= now:
            del self._queues[key]

    def pause(self, key: Hashable, until: float) -> None:
        """Send nothing to `key` before `until` (the service asked for it)."""
        queue = self._queues.get(key)
        if queue is not None and until > queue.until:
            queue.until = until
            heapq.heappush(self._timers, (until, next(self._order), queue))

    def ripen(self) -> None:
        """Let every batch leave that is not full: nothing can join it any more."""
        for queue in self._queues.values():
            if queue.items:
                queue.ripe = True
                self._list(queue)

    def next_due(self) -> float | None:
        """When a waiting batch becomes ready by time; `None` when only `done` can change that."""
        if self.full:
            return None
        timers = self._timers
        while timers and not self._expected(*timers[0]):
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def _full(self, queue: _Queue[J]) -> bool:
        limits = self._limits
        return len(queue.items) >= limits.messages or (
            limits.size is not None and queue.size >= limits.size
        )

    def _arm(self, queue: _Queue[J], now: float) -> None:
        queue.ripe = queue.waited = False
        if self._limits.messages == 1:
            return  # it is full, and listed at once
        queue.due = now + self._limits.wait
        queue.last = now + self._most
        heapq.heappush(self._timers, (queue.due, next(self._order), queue))

    def _list(self, queue: _Queue[J]) -> None:
        if not queue.listed and queue.out < self._per_key:
            queue.listed = True
            self._ring.append(queue)

    def _expected(self, time: float, _: int, queue: _Queue[J]) -> bool:
        if time == queue.until:
            return bool(queue.items) or queue.out == 0
        return bool(queue.items) and not queue.ripe and time == queue.due

    def _ripen_due(self, now: float) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now:
            time, _, queue = heapq.heappop(timers)
            if not queue.items:
                if queue.out == 0 and queue.until <= now and self._queues.get(queue.key) is queue:
                    del self._queues[queue.key]
                continue
            if time == queue.due and not queue.ripe:
                if (queue.out or self.busy) and not queue.waited and now < queue.last:
                    queue.waited = True
                    queue.due = queue.last
                    heapq.heappush(timers, (queue.due, next(self._order), queue))
                else:
                    queue.ripe = True
            if queue.ripe or self._full(queue):
                self._list(queue)

    def _cut(self, queue: _Queue[J]) -> list[J]:
        limits, items = self._limits, queue.items
        if queue.parcel:
            return self._parcel(queue)
        if limits.size is None or queue.size <= limits.size:
            if len(items) <= limits.messages:
                jobs = list(items)
                items.clear()
                queue.size = 0
                return jobs
            jobs = [items.popleft() for _ in range(limits.messages)]
            queue.size -= sum(job.size for job in jobs)
            return jobs
        jobs = [items.popleft()]
        size = jobs[0].size
        while items and len(jobs) < limits.messages and size + items[0].size <= limits.size:
            jobs.append(items.popleft())
            size += jobs[-1].size
        queue.size -= size
        return jobs

    def _parcel(self, queue: _Queue[J]) -> list[J]:
        """The first of the batches that were made by `put`."""
        items = queue.items
        number = items[0].parcel
        if number == queue.parcel:
            jobs = list(items)
            items.clear()
            queue.parcel = queue.size = 0
            return jobs
        jobs = []
        while items[0].parcel == number:
            jobs.append(items.popleft())
            queue.size -= jobs[-1].size
        return jobs
