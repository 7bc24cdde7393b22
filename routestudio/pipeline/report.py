"""What a run reports: progress while it lasts, a summary at its end."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routestudio.pipeline.latency import BOUNDS, SIZES, percentiles

DUPLICATE: Final = "duplicate"
"""Stands for the stage in reasons why a service did not store a message that it knows."""


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a stage or the service gave a reason. `message` is the latest text.

    `retried` of them were tried again; the others ended as rejected messages, or as duplicates.
    """

    stage: str
    code: str
    message: str
    count: int
    retried: int = 0

    @property
    def rejected(self) -> int:
        """Messages that were rejected for this reason."""
        return 0 if self.stage == DUPLICATE else self.count - self.retried

    @property
    def duplicates(self) -> int:
        """Messages that the service did not store for this reason."""
        return self.count if self.stage == DUPLICATE else 0


@dataclass(frozen=True, slots=True)
class DestinationCount:
    """What became of the messages of one destination; `size` counts delivered bytes.

    `batches` are those that the service answered, `error` is its last word on a message that was
    not delivered, or empty.
    """

    name: str
    delivered: int
    size: int
    batches: int
    retried: int = 0
    rejected: int = 0
    error: str = ""
    duplicates: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain data for events."""
        return {
            "name": self.name,
            "delivered": self.delivered,
            "bytes": self.size,
            "batches": self.batches,
            "mean": round(self.delivered / self.batches, 1) if self.batches else 0.0,
            "retried": self.retried,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "error": self.error,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> DestinationCount:
        """The destination that `as_json` wrote. Raises `KeyError` for anything else."""
        return cls(
            data["name"], data["delivered"], data["bytes"], data["batches"],
            data["retried"], data["rejected"], data["error"], data.get("duplicates", 0),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RetryWait:
    """Messages of one destination that wait for their next attempt.

    `attempts` were made, of `max_attempts` (`None`: without end); the first of them are `due` in
    so many seconds.
    """

    destination: str
    messages: int
    attempts: int
    max_attempts: int | None
    due: float
    code: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Plain data for events."""
        return {
            "destination": self.destination,
            "messages": self.messages,
            "attempts": self.attempts,
            "max_attempts": self.max_attempts,
            "due": round(self.due, 1),
            "code": self.code,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """The connection is down: nothing is sent until `next_try`, in so many seconds.

    `since` is the run's second of the first failure, `failures` how many followed each other, of
    `max_failures` (`None`: without end). `next_try` is 0 while a batch probes the connection.
    """

    failures: int
    max_failures: int | None
    since: float
    next_try: float
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Plain data for events."""
        return {
            "failures": self.failures,
            "max_failures": self.max_failures,
            "since": round(self.since, 1),
            "next_try": round(self.next_try, 1),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the service took to answer a batch, in seconds.

    `counts` per bucket of `latency.BOUNDS` and one more for longer ones, over the whole run, with
    the `total` of all seconds; `recent` counts those of the last two seconds.
    """

    counts: tuple[int, ...]
    total: float
    recent: tuple[int, ...]

    @property
    def count(self) -> int:
        """Batches that were answered, in any way, or lost."""
        return sum(self.counts)

    def as_json(self) -> dict[str, Any]:
        """Percentiles in milliseconds: of the last seconds, and of the whole run in `run`."""
        return {
            **percentiles(self.recent),
            "run": percentiles(self.counts),
            "count": self.count,
            "total": round(self.total, 3),
        }


NO_LATENCY = Latency((0,) * (len(BOUNDS) + 1), 0.0, (0,) * (len(BOUNDS) + 1))


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """How many messages the batches had: `counts` per bucket of `latency.SIZES`, and their sum."""

    counts: tuple[int, ...] = (0,) * (len(SIZES) + 1)
    total: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `in_flight` counts messages, `rate` finished messages per second.

    `destinations` are the most frequent ones, `distinct` how many there are (at most 10,000 are
    distinguished); `waiting` messages wait for their batch or for their group, `waiting_retries`
    for their next attempt, of which `waits` lists the first ones; `link_failures` counts failures
    of the connection in a row, `circuit` has the details while it is down. `size` counts delivered
    bytes.
    `duplicates` and `unconfirmed` are as in `RunSummary`.
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
    destinations: tuple[DestinationCount, ...]
    distinct: int
    waiting_retries: int
    link_failures: int
    reasons: tuple[ReasonCount, ...]
    waiting: int = 0
    size: int = 0
    latency: Latency = NO_LATENCY
    waits: tuple[RetryWait, ...] = ()
    circuit: OpenCircuit | None = None
    sizes: BatchSizes = BatchSizes()
    duplicates: int = 0
    unconfirmed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain data for events."""
        return {
            "read": self.read,
            "filtered": self.filtered,
            "delivered": self.delivered,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "duplicates_unconfirmed": self.unconfirmed,
            "retried": self.retried,
            "in_flight": self.in_flight,
            "waiting": self.waiting,
            "batches": self.batches,
            "bytes": self.size,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
            "destinations": [item.as_json() for item in self.destinations],
            "distinct": self.distinct,
            "waiting_retries": self.waiting_retries,
            "waits": [item.as_json() for item in self.waits],
            "link_failures": self.link_failures,
            "circuit": self.circuit.as_json() if self.circuit is not None else None,
            "latency": self.latency.as_json(),
            "reasons": [
                {"stage": r.stage, "code": r.code, "message": r.message, "count": r.count}
                for r in self.reasons
            ],
        }


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The end of a run.

    `read` minus `filtered`, `delivered`, `rejected` and `duplicates` is what was read and not
    finished; it is zero unless the run was cancelled or stopped. `duplicates` were not stored,
    because the service knew their ids; of `unconfirmed` ones among them it was not seen to hold
    the same message.
    """

    read: int
    filtered: int
    delivered: int
    rejected: int
    retried: int
    batches: int
    seconds: float
    cancelled: bool = False
    duplicates: int = 0
    unconfirmed: int = 0

    def as_json(self) -> dict[str, Any]:
        """The summary line of `routestudio run` (docs/guides/command-line.md)."""
        return {
            "read": self.read,
            "filtered": self.filtered,
            "delivered": self.delivered,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "duplicates_unconfirmed": self.unconfirmed,
            "retried": self.retried,
            "batches": self.batches,
            "seconds": round(self.seconds, 3),
            "cancelled": self.cancelled,
        }


def destination_label(key: Hashable) -> str:
    """A batch key in one line, e.g. `orders.eu` or `POST /orders`."""
    if not isinstance(key, tuple):
        return str(key)
    parts = [destination_label(part) for part in key if part not in (None, "", ())]
    return " ".join(parts) or "(all)"
