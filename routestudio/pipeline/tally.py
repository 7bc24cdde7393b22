"""The counters of a run: what `report.Progress` is made from, at a bounded cost per batch."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol

from routestudio.pipeline.latency import SIZES, Histogram
from routestudio.pipeline.planner import Settled
from routestudio.pipeline.recent import Recent
from routestudio.pipeline.report import (
    DUPLICATE,
    BatchSizes,
    DestinationCount,
    Latency,
    OpenCircuit,
    Progress,
    ReasonCount,
    RetryWait,
    RunSummary,
    destination_label,
)

MAX_DESTINATIONS: Final = 10_000
"""Destinations that are counted separately; the others are counted together."""

OTHERS: Final = "(other destinations)"
TOP: Final = 20
"""Destinations that each progress names."""

_MAX_REASONS: Final = 50
_MAX_WAITS: Final = 200
_TOLD_WAITS: Final = 50
_RATE_SECONDS: Final = 2.0
_SORT_SECONDS: Final = 0.5
_FEW: Final = 200


@dataclass(slots=True, eq=False)
class _Destination:
    name: str
    delivered: int = 0
    size: int = 0
    batches: int = 0
    retried: int = 0
    rejected: int = 0
    error: str = ""
    duplicates: int = 0

    def add(self, other: DestinationCount) -> None:
        """Count what another tally counted of it."""
        self.delivered += other.delivered
        self.size += other.size
        self.batches += other.batches
        self.retried += other.retried
        self.rejected += other.rejected
        self.duplicates += other.duplicates
        self.error = other.error or self.error

    def told(self) -> DestinationCount:
        return DestinationCount(
            self.name, self.delivered, self.size, self.batches,
            self.retried, self.rejected, self.error, self.duplicates,
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class _Wait:
    """Messages of one destination after so many attempts: when how many are due."""

    attempts: int
    code: str = ""
    reason: str = ""
    due: deque[tuple[float, int]] = field(default_factory=deque)

    def forget(self, now: float) -> None:
        """Batches come back with much the same delay, so the first that waits is due first."""
        while self.due and self.due[0][0] <= now:
            self.due.popleft()


class Held(Protocol):
    """What is not finished: a planner, or the planners of several processes together."""

    @property
    def buffered(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def waiting_retries(self) -> int: ...
    @property
    def link_failures(self) -> int: ...
    @property
    def open_until(self) -> float | None: ...


@dataclass(slots=True)
class Part:
    """What a tally counted since it was asked before. `destinations` are as `told`."""

    counts: dict[str, int]
    latency: Histogram
    sizes: Histogram
    retries: dict[tuple[str, str], int]
    reasons: dict[tuple[str, str], list[str | int]]
    destinations: list[DestinationCount]


_COUNTED: Final = (
    "filtered", "delivered", "rejected", "duplicates", "unconfirmed", "retried", "batches", "size",
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """The counters of a run. Times are seconds of the run's clock."""

    max_attempts: int | None = None
    read: int = 0
    filtered: int = 0
    delivered: int = 0
    rejected: int = 0
    duplicates: int = 0
    unconfirmed: int = 0
    retried: int = 0
    batches: int = 0
    size: int = 0
    latency: Histogram = field(default_factory=Histogram)
    sizes: Histogram = field(default_factory=lambda: Histogram(SIZES))
    recent: Recent = field(default_factory=Recent)
    retries: dict[tuple[str, str], int] = field(default_factory=dict)
    reasons: dict[tuple[str, str], list[str | int]] = field(default_factory=dict)
    _keys: dict[Hashable, _Destination] = field(default_factory=dict)
    _names: dict[str, _Destination] = field(default_factory=dict)
    _waits: dict[tuple[str, int], _Wait] = field(default_factory=dict)
    _told: deque[tuple[float, int, tuple[int, ...]]] = field(default_factory=deque)
    _sorted: list[_Destination] = field(default_factory=list)
    _sorted_at: float = float("-inf")
    _down: tuple[float, str] | None = None

    @property
    def finished(self) -> int:
        """Messages that are delivered, filtered, rejected or duplicates."""
        return self.filtered + self.delivered + self.rejected + self.duplicates

    @property
    def distinct(self) -> int:
        """Destinations that something was sent to."""
        return len(self._names)

    def recall(self, destinations: Iterable[DestinationCount]) -> None:
        """Go on with the destinations of an earlier part of the run."""
        for item in destinations:
            self._names[item.name] = _Destination(
                item.name, item.delivered, item.size, item.batches, item.retried, item.rejected,
                item.error, item.duplicates,
            )  # fmt: skip

    # --- events ------------------------------------------------------------------------------

    def settle(self, key: Hashable, settled: Settled, seconds: float, now: float) -> None:
        """A batch of `key` came back after `seconds`; rejections are counted by `reason`."""
        self.latency.add(seconds)
        self.sizes.add(len(settled.delivered) + len(settled.rejected) + len(settled.duplicates)
                       + settled.retried)  # fmt: skip
        found = self._keys.get(key) or self._destination(key)
        found.batches += 1
        delivered = settled.delivered
        if delivered:
            size = 0
            for job in delivered:
                size += job.size
            count = len(delivered)
            self.delivered += count
            self.size += size
            found.delivered += count
            found.size += size
            self.recent.add(found.name, delivered, seconds)
        last = settled.last
        if settled.retried and last is not None:
            self.retried += settled.retried
            kind = self.reason("deliver", last.code, last.reason, settled.retried)
            self.retries[kind] = self.retries.get(kind, 0) + settled.retried
            found.retried += settled.retried
            found.error = last.reason[:500]
            self._wait(found.name, settled, now)
        if settled.duplicates:
            self._duplicates(found, settled)
        if settled.rejected:
            found.rejected += len(settled.rejected)
            found.error = settled.rejected[-1].reason[:500]

    def _duplicates(self, found: _Destination, settled: Settled) -> None:
        for item in settled.duplicates:
            self.duplicates += 1
            found.duplicates += 1
            self.reason(DUPLICATE, item.code, item.reason)
            if not item.held:
                self.unconfirmed += 1
                found.error = item.reason[:500]

    def link_lost(self, reason: str, now: float) -> None:
        """The connection failed; how often is up to the planner."""
        self._down = (now if self._down is None else self._down[0], reason[:500])

    def link_works(self) -> None:
        """The service answered."""
        self._down = None

    def reason(self, stage: str, code: str, message: str, count: int = 1) -> tuple[str, str]:
        """Something went wrong `count` times; kinds beyond the first fifty are counted together.

        Returns the kind that it was counted as.
        """
        entry = self.reasons.get((stage, code))
        if entry is None:
            if len(self.reasons) >= _MAX_REASONS:
                stage, code = "other", "other"
            entry = self.reasons.setdefault((stage, code), ["", 0])
        entry[0] = message[:500]
        entry[1] = int(entry[1]) + count
        return stage, code

    def _destination(self, key: Hashable) -> _Destination:
        """The counters of a batch key; keys with the same text share them."""
        if len(self._keys) >= MAX_DESTINATIONS:
            return self._names.setdefault(OTHERS, _Destination(OTHERS))
        name = destination_label(key)
        found = self._keys[key] = self._names.setdefault(name, _Destination(name))
        return found

    def _wait(self, name: str, settled: Settled, now: float) -> None:
        assert settled.last is not None
        key = (name, settled.attempts)
        found = self._waits.get(key)
        if found is None:
            if len(self._waits) >= _MAX_WAITS:
                self._forget(now)
            if len(self._waits) >= _MAX_WAITS:
                return
            found = self._waits[key] = _Wait(settled.attempts)
        found.forget(now)
        found.due.append((settled.due, settled.retried))
        found.code, found.reason = settled.last.code, settled.last.reason[:500]

    def _forget(self, now: float) -> None:
        for key, wait in list(self._waits.items()):
            wait.forget(now)
            if not wait.due:
                del self._waits[key]

    # --- parts -------------------------------------------------------------------------------

    def part(self) -> Part:
        """Everything counted since the last part, except what was read, which begins again."""
        found = Part(
            {name: getattr(self, name) for name in _COUNTED}, self.latency, self.sizes,
            self.retries, self.reasons, [item.told() for item in self._names.values()],
        )  # fmt: skip
        for name in _COUNTED:
            setattr(self, name, 0)
        self.latency, self.sizes = Histogram(), Histogram(SIZES)
        self.retries, self.reasons, self._keys, self._names = {}, {}, {}, {}
        self._sorted = []
        return found

    def join(self, part: Part) -> None:
        """Count what another tally counted."""
        for name, count in part.counts.items():
            setattr(self, name, getattr(self, name) + count)
        self.latency.join(part.latency)
        self.sizes.join(part.sizes)
        for kind, (text, times) in part.reasons.items():
            counted = self.reason(*kind, str(text), int(times))
            if kind in part.retries:
                self.retries[counted] = self.retries.get(counted, 0) + part.retries[kind]
        for item in part.destinations:
            found = self._names.get(item.name)
            if found is None:
                name = item.name if len(self._names) < MAX_DESTINATIONS else OTHERS
                found = self._names.setdefault(name, _Destination(name))
            found.add(item)

    # --- reading -----------------------------------------------------------------------------

    def destinations(self, start: int, count: int, now: float) -> list[DestinationCount]:
        """Destinations by delivered messages, most first.

        Of many, the order is up to half a second old; new ones are at its end until then.
        """
        if len(self._names) <= _FEW or now - self._sorted_at >= _SORT_SECONDS:
            self._sorted = sorted(self._names.values(), key=lambda found: -found.delivered)
            self._sorted_at = now
        else:  # the names that were sorted are the first ones that were met
            self._sorted += islice(self._names.values(), len(self._sorted), None)
        return [found.told() for found in self._sorted[start : start + count]]

    def progress(self, now: float, begun: float, planner: Held) -> Progress:
        """A snapshot; rate and recent latency are those of the last two seconds."""
        told, counts = self._told, tuple(self.latency.counts)
        if not told:
            told.append((begun, 0, (0,) * len(counts)))
        told.append((now, self.finished, counts))
        while len(told) > 2 and now - told[1][0] >= _RATE_SECONDS:
            told.popleft()
        since, before, old = told[0]
        rate = (self.finished - before) / max(now - since, 1e-9) if now > since else 0.0
        recent = tuple(new - past for new, past in zip(counts, old, strict=True))
        retries = planner.waiting_retries
        return Progress(
            self.read,
            self.filtered,
            self.delivered,
            self.rejected,
            self.retried,
            planner.in_flight,
            self.batches,
            now - begun,
            rate,
            tuple(self.destinations(0, TOP, now)),
            len(self._names),
            retries,
            planner.link_failures,
            tuple(
                ReasonCount(kind[0], kind[1], str(text), int(count), self.retries.get(kind, 0))
                for kind, (text, count) in self.reasons.items()
            ),
            max(0, planner.buffered - planner.in_flight - retries),
            self.size,
            Latency(counts, self.latency.total, recent),
            self._told_waits(now),
            self._circuit(now, begun, planner),
            BatchSizes(tuple(self.sizes.counts), int(self.sizes.total)),
            self.duplicates,
            self.unconfirmed,
        )

    def summary(self, seconds: float, *, cancelled: bool) -> RunSummary:
        """The counters as a summary."""
        return RunSummary(
            self.read,
            self.filtered,
            self.delivered,
            self.rejected,
            self.retried,
            self.batches,
            seconds,
            cancelled,
            self.duplicates,
            self.unconfirmed,
        )

    def _told_waits(self, now: float) -> tuple[RetryWait, ...]:
        if not self._waits:
            return ()
        self._forget(now)
        first = heapq.nsmallest(_TOLD_WAITS, self._waits.items(), key=lambda item: item[1].due[0])
        return tuple(
            RetryWait(name, sum(count for _, count in wait.due), wait.attempts,
                      self.max_attempts, wait.due[0][0] - now, wait.code, wait.reason)
            for (name, _), wait in first
        )  # fmt: skip

    def _circuit(self, now: float, begun: float, planner: Held) -> OpenCircuit | None:
        until = planner.open_until
        if until is None or self._down is None:
            return None
        since, reason = self._down
        left = max(0.0, until - now)
        return OpenCircuit(planner.link_failures, self.max_attempts, since - begun, left, reason)
