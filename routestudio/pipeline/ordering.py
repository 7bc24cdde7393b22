"""Order per group, in one of two ways: one message of a group is out at a time (`OneByOne`), or
those of one batch (`Together`), for sinks whose batches keep their order.

Both hand messages to the batcher when they may go, and to the retry queue when they failed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from routestudio.pipeline.batching import Batcher, Sized
from routestudio.pipeline.retry import RetryQueue

T = TypeVar("T")


class Lanes(Generic[T]):
    """One lane per group id. A message keeps its lane while it is in flight or being retried.

    Delivered and rejected messages leave; only then the next one of the group may go. So no
    message overtakes an earlier one of its group, and none waits behind one that was given up.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, deque[T] | None] = {}
        self.waiting = 0

    def __len__(self) -> int:
        """Number of groups with an unfinished message."""
        return len(self._lanes)

    def enter(self, group: str, item: T) -> bool:
        """True when `item` may go now; else it waits until `leave` hands it out."""
        lanes = self._lanes
        if group not in lanes:
            lanes[group] = None
            return True
        lane = lanes[group]
        if lane is None:
            lanes[group] = deque((item,))
        else:
            lane.append(item)
        self.waiting += 1
        return False

    def leave(self, group: str) -> T | None:
        """The message of `group` that was out is finished; the next one, which may go now."""
        lane = self._lanes[group]
        if lane is None:
            del self._lanes[group]
            return None
        item = lane.popleft()
        if not lane:
            self._lanes[group] = None
        self.waiting -= 1
        return item


class Grouped(Sized, Protocol):
    """A job with its group, if it has one."""

    @property
    def group(self) -> str | None: ...


G = TypeVar("G", bound=Grouped)


class OneByOne(Generic[G]):
    """At most one message of a group is out: waiting for a batch, in flight, or being retried."""

    def __init__(self, batcher: Batcher[G], retries: RetryQueue[G]) -> None:
        self._lanes: Lanes[G] = Lanes()
        self._batcher = batcher
        self._retries = retries

    def add(self, jobs: Sequence[G], now: float) -> None:
        """Messages in source order: those that may go are batched, the others wait."""
        enter = self._lanes.enter
        self._batcher.add([job for job in jobs if job.group is None or enter(job.group, job)], now)

    def due(self, jobs: Sequence[G], now: float) -> None:
        """The time of these has come: they were in the retry queue."""
        self._batcher.add(jobs, now)

    def again(self, jobs: Sequence[tuple[G, float]]) -> None:
        """Jobs of one batch, in its order, that failed, with the time of the next attempt."""
        for job, due in jobs:
            self._retries.add(job, due)

    def finish(self, jobs: Sequence[G], now: float) -> None:
        """Jobs of one batch that are finished; `again` was called for the rest of it."""
        leave = self._lanes.leave
        following = [leave(job.group) for job in jobs if job.group is not None]
        if free := [job for job in following if job is not None]:
            self._batcher.add(free, now)


class _Convoy(Generic[G]):
    """The unfinished messages of one group.

    `out` of them wait for the batch with the number `parcel` or are in flight in it; or one is out,
    in the retry queue, and `parcel` is 0. The others wait, in order.
    """

    __slots__ = ("out", "parcel", "waiting")

    def __init__(self) -> None:
        self.out = self.parcel = 0
        self.waiting: deque[G] | None = None


class Together(Generic[G]):
    """What is out of a group travels in one batch; what comes later waits until all of that is
    finished, or has been put back in its order.

    A message joins the batch of its predecessor while that still fills. Of those that failed, the
    first is tried again and the others wait behind it, so that they can join its batch.
    """

    def __init__(self, batcher: Batcher[G], retries: RetryQueue[G]) -> None:
        self._convoys: dict[str, _Convoy[G]] = {}
        self._batcher = batcher
        self._retries = retries

    def __len__(self) -> int:
        """Number of groups with an unfinished message."""
        return len(self._convoys)

    def add(self, jobs: Sequence[G], now: float) -> None:
        """Messages in source order: those that may go are batched, the others wait."""
        convoys, batcher = self._convoys, self._batcher
        for job in jobs:
            group = job.group
            if group is None:
                batcher.put(job, now)
                continue
            convoy = convoys.get(group)
            if convoy is None:
                convoy = convoys[group] = _Convoy()
            elif convoy.waiting or not batcher.joins(job, convoy.parcel):
                if convoy.waiting is None:
                    convoy.waiting = deque()
                convoy.waiting.append(job)
                continue
            convoy.out += 1
            batcher.put(job, now)
            convoy.parcel = job.parcel

    def due(self, jobs: Sequence[G], now: float) -> None:
        """The time of these has come: they were in the retry queue."""
        for job in jobs:
            self._batcher.put(job, now)
            if job.group is not None:
                convoy = self._convoys[job.group]
                convoy.parcel = job.parcel
                self._follow(convoy, now)

    def again(self, jobs: Sequence[tuple[G, float]]) -> None:
        """Jobs of one batch, in its order, that failed, with the time of the next attempt."""
        behind: list[G] = []
        heads: set[str] = set()
        for job, due in jobs:
            if job.group is None:
                self._retries.add(job, due)
            elif job.group in heads:
                behind.append(job)
            else:
                heads.add(job.group)
                self._convoys[job.group].parcel = 0
                self._retries.add(job, due)
        for job in reversed(behind):
            assert job.group is not None
            convoy = self._convoys[job.group]
            convoy.out -= 1
            if convoy.waiting is None:
                convoy.waiting = deque()
            convoy.waiting.appendleft(job)

    def finish(self, jobs: Sequence[G], now: float) -> None:
        """Jobs of one batch that are finished; `again` was called for the rest of it."""
        convoys = self._convoys
        for job in jobs:
            if job.group is None:
                continue
            convoy = convoys[job.group]
            convoy.out -= 1
            if convoy.out:
                continue
            if not convoy.waiting:
                del convoys[job.group]
                continue
            convoy.out = 1
            following = convoy.waiting.popleft()
            self._batcher.put(following, now)
            convoy.parcel = following.parcel
            self._follow(convoy, now)

    def _follow(self, convoy: _Convoy[G], now: float) -> None:
        """Let those that wait join the batch of the one that may go."""
        waiting, batcher = convoy.waiting, self._batcher
        while waiting and batcher.joins(waiting[0], convoy.parcel):
            convoy.out += 1
            batcher.put(waiting.popleft(), now)
        if not waiting:
            convoy.waiting = None
