"""What a run tells: progress while it lasts, a summary at its end."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

_MAX_DESTINATIONS: Final = 2_000
_MAX_REASONS: Final = 50
_RATE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a stage or the service gave a reason. `message` is the latest text."""

    stage: str
    code: str
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `in_flight` counts messages, `rate` finished messages per second.

    `destinations` are the most frequent ones with their delivered messages, `distinct` how many
    there are (at most 2,000 are told apart); `waiting_retries` messages wait for their next
    attempt; `link_failures` counts failures of the connection in a row.
    """

    read: int
    filtered: int
    delivered: int
    rejected: int
    retried: int
    in_flight: int
    batches: int
    seconds: float
    rate: float
    destinations: tuple[tuple[str, int], ...]
    distinct: int
    waiting_retries: int
    link_failures: int
    reasons: tuple[ReasonCount, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data for events."""
        return {
            "read": self.read,
            "filtered": self.filtered,
            "delivered": self.delivered,
            "rejected": self.rejected,
            "retried": self.retried,
            "in_flight": self.in_flight,
            "batches": self.batches,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
            "destinations": [list(item) for item in self.destinations],
            "distinct": self.distinct,
            "waiting_retries": self.waiting_retries,
            "link_failures": self.link_failures,
            "reasons": [
                {"stage": r.stage, "code": r.code, "message": r.message, "count": r.count}
                for r in self.reasons
            ],
        }


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The end of a run.

    `read` minus `filtered`, `delivered` and `rejected` is what was read and not finished; it is
    zero unless the run was cancelled or stopped.
    """

    read: int
    filtered: int
    delivered: int
    rejected: int
    retried: int
    batches: int
    seconds: float
    cancelled: bool = False

    def as_json(self) -> dict[str, Any]:
        """The summary line of `routestudio run` (DESIGN, section 7)."""
        return {
            "read": self.read,
            "filtered": self.filtered,
            "delivered": self.delivered,
            "rejected": self.rejected,
            "retried": self.retried,
            "batches": self.batches,
            "seconds": round(self.seconds, 3),
            "cancelled": self.cancelled,
        }


@dataclass(slots=True)
class Tally:
    """The counters of a run. Times are seconds of the run's clock."""

    read: int = 0
    filtered: int = 0
    delivered: int = 0
    rejected: int = 0
    retried: int = 0
    batches: int = 0
    destinations: Counter[str] = field(default_factory=Counter)
    reasons: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    _labels: dict[Hashable, str] = field(default_factory=dict)
    _recent: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def finished(self) -> int:
        """Messages that are delivered, filtered or rejected."""
        return self.filtered + self.delivered + self.rejected

    def deliver(self, key: Hashable, count: int) -> None:
        """`count` messages of one batch key were delivered."""
        self.delivered += count
        label = self._labels.get(key)
        if label is None:
            if len(self._labels) >= _MAX_DESTINATIONS:
                return
            label = self._labels[key] = destination_label(key)
        self.destinations[label] += count

    def reason(self, stage: str, code: str, message: str, count: int = 1) -> None:
        """Something went wrong `count` times; kinds beyond the first fifty are counted together."""
        entry = self.reasons.get((stage, code))
        if entry is None:
            if len(self.reasons) >= _MAX_REASONS:
                stage, code = "other", "other"
            entry = self.reasons.setdefault((stage, code), ["", 0])
        entry[0] = message[:500]
        entry[1] += count

    def progress(
        self, now: float, begun: float, *, in_flight: int, waiting_retries: int, link_failures: int
    ) -> Progress:
        """A snapshot; the rate is that of the last two seconds."""
        recent = self._recent
        if not recent:
            recent.append((begun, 0))
        recent.append((now, self.finished))
        while len(recent) > 2 and now - recent[1][0] >= _RATE_SECONDS:
            recent.popleft()
        (since, before), passed = recent[0], max(now - recent[0][0], 1e-9)
        rate = (self.finished - before) / passed if now > since else 0.0
        return Progress(
            self.read,
            self.filtered,
            self.delivered,
            self.rejected,
            self.retried,
            in_flight,
            self.batches,
            now - begun,
            rate,
            tuple(self.destinations.most_common(20)),
            len(self.destinations),
            waiting_retries,
            link_failures,
            tuple(
                ReasonCount(stage, code, text, count)
                for (stage, code), (text, count) in self.reasons.items()
            ),
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
        )


def destination_label(key: Hashable) -> str:
    """A batch key in one line, e.g. `orders.eu` or `POST /orders`."""
    if not isinstance(key, tuple):
        return str(key)
    parts = [destination_label(part) for part in key if part not in (None, "", ())]
    return " ".join(parts) or "(all)"
