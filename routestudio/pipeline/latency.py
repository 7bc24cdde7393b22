"""Durations in buckets: a histogram of fixed size, and percentiles from it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

BOUNDS: Final[tuple[float, ...]] = tuple(0.00025 * float(1 << power) for power in range(20))
"""Upper bounds of the buckets in seconds: 0.25 ms, doubled up to 131 s. One more is open."""


SIZES: Final[tuple[float, ...]] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""Upper bounds of the buckets for messages in a batch. One more is open."""


class Histogram:
    """Counts values per bucket of `bounds`; the last of `counts` is for larger ones."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = BOUNDS) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def join(self, other: Histogram) -> None:
        """Count what another one with the same bounds counted."""
        both = zip(self.counts, other.counts, strict=True)
        self.counts = [ours + theirs for ours, theirs in both]
        self.total += other.total

    def as_json(self) -> dict[str, float | int | None]:
        """Percentiles in milliseconds, and how many durations there were."""
        return {**percentiles(self.counts), "count": sum(self.counts)}


def percentiles(counts: Sequence[int]) -> dict[str, float | None]:
    """The percentiles that people look at, in milliseconds."""
    found: dict[str, float | None] = {}
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        seconds = percentile(counts, share)
        found[name] = None if seconds is None else round(seconds * 1000, 2)
    return found


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The duration in seconds that `share` (0..1) of the counted ones do not pass.

    Interpolated within its bucket, so exact up to the bucket's width; `None` when nothing was
    counted. What is longer than all bounds counts as the last bound.
    """
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    below = 0
    for number, count in enumerate(counts):
        if count and below + count >= wanted:
            if number == len(BOUNDS):
                break
            low = BOUNDS[number - 1] if number else 0.0
            return low + (BOUNDS[number] - low) * max(0.0, wanted - below) / count
        below += count
    return BOUNDS[-1]
