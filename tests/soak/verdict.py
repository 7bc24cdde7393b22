"""Does a series of looks grow? A straight line through it, and its end against its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.soak.probe import Look

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Bar:
    """One thing that must not grow.

    `slope` is the most that a straight line through the looks may climb in an hour, `above` the
    most that the highest look of the last quarter may lie above the highest of the first.
    """

    name: str
    of: Callable[[Look], float]
    unit: str
    slope: float
    above: float


BARS = (
    Bar("memory", lambda look: look.rss / MEGABYTE, "MiB", 12.0, 8.0),
    Bar("handles", lambda look: look.handles, "", 6.0, 4.0),
    Bar("threads", lambda look: look.threads, "", 3.0, 2.0),
    Bar("tasks", lambda look: look.tasks, "", 6.0, 16.0),
)
"""Handles and tasks rise and fall with the batches in flight; growth shows in the line."""


@dataclass(frozen=True)
class Judged:
    """What became of one bar."""

    bar: Bar
    first: float
    last: float
    slope: float
    enough: bool

    @property
    def grown(self) -> bool:
        """Whether both the line and the end say that it grew; too few looks say nothing."""
        return self.slope > self.bar.slope and self.last - self.first > self.bar.above

    def line(self) -> str:
        """One row of the table."""
        verdict = "too short to say" if not self.enough else "GROWS" if self.grown else "flat"
        return (
            f"{self.bar.name:<9} {self.first:>10.1f} {self.last:>10.1f} {self.slope:>+12.2f} "
            f"{self.bar.slope:>8g} {self.bar.above:>8g}  {self.bar.unit:<4} {verdict}"
        )


HEAD = (
    f"{'what':<9} {'max first':>10} {'max last':>10} {'slope/hour':>12} {'allowed':>8} "
    f"{'allowed':>8}"
)


def judge(looks: Sequence[Look], warm_up: float, least: int = 20) -> list[Judged]:
    """Judge the looks after `warm_up` seconds by every bar; at least `least` are needed."""
    kept = [look for look in looks if look.at >= warm_up]
    enough = len(kept) >= least
    return [_judge(bar, kept, enough) for bar in BARS]


def _judge(bar: Bar, looks: Sequence[Look], enough: bool) -> Judged:
    if len(looks) < 2:
        return Judged(bar, 0.0, 0.0, 0.0, False)
    values = [bar.of(look) for look in looks]
    quarter = max(1, len(values) // 4)
    return Judged(
        bar, max(values[:quarter]), max(values[-quarter:]),
        slope([look.at for look in looks], values) * 3600, enough,
    )  # fmt: skip


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The climb per unit of the straight line that fits best (least squares)."""
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((each - middle_x) ** 2 for each in x)
    if not spread:
        return 0.0
    return sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True)) / spread
