"""What to send next: ordering, batching and retry as one state machine without clock or I/O.

The caller passes the time with every event and performs what `take` hands out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.model.message import Message
from routestudio.model.outcome import DELIVERED, Outcome, retry
from routestudio.pipeline.batching import Batch, Batcher
from routestudio.pipeline.ordering import OneByOne, Together
from routestudio.pipeline.retry import Circuit, RetryPolicy, RetryQueue
from routestudio.routing import Effective
from routestudio.sinks.base import BatchLimits, InOrder, Record

IN_FLIGHT: Final = 32
"""Batches in flight at most, over all destinations."""

PER_DESTINATION: Final = 16
"""Batches in flight at most for one batch key."""

MAX_MESSAGES: Final = 10_000
MAX_BYTES: Final = 64 << 20
"""Unfinished messages held at most, and the bytes of their records, before reading pauses."""

_ENOUGH: Final = 4_000
_ENOUGH_BATCHES: Final = 8
"""So many messages, and batches, keep one destination busy. More of them only wait, and what waits
long has left the processor's caches when its turn comes: that took a fifth of all time."""


@dataclass(slots=True, eq=False)
class Job:
    """A message on its way. `position` is its place in the source; `attempts` those that ended.

    `effective` is the routing that its record was made with. `perhaps`: an attempt whose answer
    was lost may have been written. `parcel` is the number of its batch, where several messages of
    a group may travel together.
    """

    position: int
    message: Message
    record: Record
    size: int
    key: Hashable
    group: str | None
    attempts: int = 0
    effective: Effective | None = None
    perhaps: bool = False
    parcel: int = 0


def records_of(jobs: Sequence[Job]) -> list[Any]:
    """The records of a batch: `InOrder` where a group has several of them."""
    records = [job.record for job in jobs]
    groups = [job.group for job in jobs if job.group is not None]
    if len(set(groups)) == len(groups):
        return records
    return InOrder(records, [job.group for job in jobs])


@dataclass(frozen=True, slots=True)
class Rejection:
    """A job that is given up, with the service's last word."""

    job: Job
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A job that the service did not store, because it knows its id; see `Outcome.held`."""

    job: Job
    code: str
    reason: str
    held: bool | None


@dataclass(slots=True)
class Settled:
    """What became of a batch. `retried` jobs wait for their next attempt; `last` explains why.

    `due` is when the last of them is tried again, after `attempts` that failed.
    """

    delivered: list[Job] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    retried: int = 0
    last: Outcome | None = None
    due: float = 0.0
    attempts: int = 0
    exhausted: bool = False


class Planner:
    """Holds every unfinished message. Not thread-safe.

    `expecting` shows whether more messages may come; when none can and nothing is in flight,
    batches leave although they are not full. `chance` gives numbers in 0..1 for the jitter.
    """

    def __init__(
        self,
        limits: BatchLimits,
        policy: RetryPolicy,
        *,
        in_flight: int = IN_FLIGHT,
        per_destination: int = PER_DESTINATION,
        max_messages: int = MAX_MESSAGES,
        max_bytes: int = MAX_BYTES,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy
        self._max_messages = max_messages
        self._batch = limits.messages
        self._enough = max(_ENOUGH, _ENOUGH_BATCHES * limits.messages)
        self._max_bytes = max_bytes
        self._chance = chance
        self._batcher: Batcher[Job] = Batcher(limits, in_flight=in_flight, per_key=per_destination)
        self._retries: RetryQueue[Job] = RetryQueue()
        kind = Together if limits.keeps_order and limits.messages > 1 else OneByOne
        self._groups: OneByOne[Job] | Together[Job] = kind(self._batcher, self._retries)
        self._circuit = Circuit(policy, chance)
        self.expecting = True
        self.buffered = 0
        self.buffered_bytes = 0
        self.in_flight = 0

    @property
    def room(self) -> bool:
        """Whether more messages may be added without passing the limits of the buffer.

        With each further destination that has something waiting or in flight, a batch more.
        """
        enough = self._enough + self._batch * len(self._batcher)
        return (
            self.buffered < min(enough, self._max_messages)
            and self.buffered_bytes < self._max_bytes
        )

    @property
    def idle(self) -> bool:
        """Whether every message that was added is finished."""
        return self.buffered == 0

    @property
    def full(self) -> bool:
        """Whether `take` gives nothing until a batch comes back."""
        return self._batcher.full

    def expect(self, more: bool, *, soon: bool = False) -> None:
        """Whether more messages may come; `soon`: some are about to, and batches wait a little."""
        self.expecting = more
        self._batcher.busy = soon

    @property
    def waiting_retries(self) -> int:
        """Messages that wait for their next attempt."""
        return len(self._retries)

    @property
    def destinations(self) -> int:
        """Destinations with something waiting or in flight."""
        return len(self._batcher)

    @property
    def link_failures(self) -> int:
        """Failures of the connection in a row; 0 while it works."""
        return self._circuit.failures

    @property
    def open_until(self) -> float | None:
        """When the connection is tried again; `None` while it works."""
        return self._circuit.open_until

    def add(self, jobs: Sequence[Job], now: float) -> None:
        """Take over messages in source order."""
        self.buffered += len(jobs)
        self.buffered_bytes += sum([job.size for job in jobs])
        self._groups.add(jobs, now)

    def take(self, now: float) -> Batch[Job] | None:
        """The next batch to send, if one may be sent now. Hand it back to `settle` or `lost`."""
        if due := self._retries.pop_due(now):
            self._groups.due(due, now)
        if not self._circuit.allows(now):
            return None
        batch = self._batcher.take(now)
        if batch is None and not self.expecting and self._batcher.waiting and not self._batcher.out:
            self._batcher.ripen()
            batch = self._batcher.take(now)
        if batch is not None:
            batch.mark = self._circuit.sent()
            self.in_flight += len(batch.jobs)
        return batch

    def settle(self, batch: Batch[Job], outcomes: Sequence[Outcome], now: float) -> Settled:
        """The service answered: one outcome per job of the batch, in order."""
        self._circuit.succeeded(batch.mark)
        return self._apply(batch, outcomes, now)

    def lost(self, batch: Batch[Job], reason: str, now: float) -> Settled:
        """The connection failed under the batch: all its jobs are tried again.

        `exhausted` of the result shows that the connection failed as often as the policy allows;
        the jobs then stay unfinished, because nothing is known to be wrong with them.
        """
        if not self._circuit.failed(batch.mark, now):
            self._return(batch, now)
            self._groups.again([(job, now) for job in batch.jobs])
            return Settled(exhausted=True)
        return self._apply(batch, [retry("link_lost", reason)] * len(batch.jobs), now)

    def wake_at(self, now: float) -> float | None:
        """When `take`, which gives nothing now, may give a batch; `None`: only after an event."""
        times = [self._retries.next_due]
        until = self._circuit.open_until
        if until is None or (until <= now and self._circuit.wake_at is not None):
            times.append(self._batcher.next_due())
        elif self._batcher.waiting:
            times.append(self._circuit.wake_at)
        return min((time for time in times if time is not None), default=None)

    def _return(self, batch: Batch[Job], now: float) -> None:
        self.in_flight -= len(batch.jobs)
        self._batcher.done(batch.key, now)

    def _apply(self, batch: Batch[Job], outcomes: Sequence[Outcome], now: float) -> Settled:
        if len(outcomes) == len(batch.jobs) == outcomes.count(DELIVERED):
            for job in batch.jobs:
                job.attempts += 1
            self._return(batch, now)
            self._release(batch.jobs, now)
            return Settled(delivered=batch.jobs)
        settled = Settled()
        delivered = settled.delivered
        delays: dict[int, float] = {}
        again: list[tuple[Job, float]] = []
        for job, outcome in zip(batch.jobs, outcomes, strict=True):
            job.attempts += not outcome.unsent
            if outcome.status == "delivered":
                delivered.append(job)
                continue
            if outcome.status == "duplicate":
                if job.perhaps and outcome.held is not False:  # it has our own earlier attempt
                    delivered.append(job)
                else:
                    settled.duplicates.append(
                        Duplicate(job, outcome.code, outcome.reason, outcome.held)
                    )
                continue
            job.perhaps = job.perhaps or outcome.unknown
            if outcome.status == "rejected":
                settled.rejected.append(Rejection(job, outcome.code, outcome.reason))
                continue
            if outcome.after is not None:
                self._batcher.pause(batch.key, now + min(outcome.after, self._policy.cap))
            if not outcome.unsent and not self._policy.allows(job.attempts):
                attempts = f"{job.attempts} attempt" + ("s" if job.attempts > 1 else "")
                reason = f"{outcome.reason} (given up after {attempts})"
                settled.rejected.append(Rejection(job, outcome.code, reason))
                continue
            # One draw per batch and attempt keeps its messages together when they come back.
            delay = delays.get(job.attempts)
            if delay is None:
                delay = delays[job.attempts] = self._policy.delay(job.attempts, self._chance())
            if outcome.after is not None:
                delay = max(delay, min(outcome.after, self._policy.cap))
            again.append((job, now + delay))
            settled.retried += 1
            settled.last = outcome
            settled.due = max(settled.due, now + delay)
            settled.attempts = max(settled.attempts, job.attempts)
        self._return(batch, now)
        self._groups.again(again)
        self._release(delivered, now)
        self._release([rejection.job for rejection in settled.rejected], now)
        self._release([item.job for item in settled.duplicates], now)
        return settled

    def _release(self, jobs: Sequence[Job], now: float) -> None:
        """Finished jobs make room, and let what follows in their group go."""
        self._groups.finish(jobs, now)
        self.buffered -= len(jobs)
        self.buffered_bytes -= sum([job.size for job in jobs])
