"""What became of a message or of a step of a check: values, never exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

DeliveryStatus = Literal["delivered", "retry", "rejected", "duplicate"]
StepStatus = Literal["passed", "failed", "inconclusive", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a service reported about one record of a batch.

    `retry`: it may succeed later (after `after` seconds, when the service named a time).
    `rejected`: trying again cannot help. `unknown` marks a retry of a write that may have been
    done although its answer was lost, so trying again may double it. `unreachable` marks a retry
    because there was no connection at all: nothing was written, and other records would fare alike.

    `unsent` marks a retry of a record that was kept back because of another one of its batch, which
    was sent: it was not tried, so no attempt is counted.

    `duplicate`: the service did not store the record, because it knows its id already. `held` shows
    whether it was seen to hold the same message; `None` when that cannot be seen.
    """

    status: DeliveryStatus
    code: str = ""
    reason: str = ""
    after: float | None = None
    unknown: bool = False
    unreachable: bool = False
    held: bool | None = None
    unsent: bool = False


DELIVERED: Final = Outcome("delivered")


def retry(code: str, reason: str, *, after: float | None = None, unknown: bool = False) -> Outcome:
    """An outcome that means: try this record again."""
    return Outcome("retry", code, reason, after, unknown)


def kept_back(code: str, reason: str) -> Outcome:
    """An outcome that means: this record waits for another of its batch; it was not tried."""
    return Outcome("retry", code, reason, unsent=True)


def unreachable(code: str, reason: str) -> Outcome:
    """An outcome that means: the service cannot be reached, so nothing was written."""
    return Outcome("retry", code, reason, unreachable=True)


def rejected(code: str, reason: str) -> Outcome:
    """An outcome that means: this record can never be delivered as it is."""
    return Outcome("rejected", code, reason)


def duplicate(code: str, reason: str, *, held: bool | None) -> Outcome:
    """An outcome that means: the service knows this record's id, and did not store the record."""
    return Outcome("duplicate", code, reason, held=held)


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step of a check. `ms` is its duration in milliseconds; `hint` explains what to do."""

    step: str
    status: StepStatus
    detail: str
    ms: float = 0.0
    hint: str | None = None
    target: str | None = None
