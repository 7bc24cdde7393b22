"""When to try again: the back-off of one message, and a circuit for the whole connection."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic, TypeVar

T = TypeVar("T")

DEFAULT_ATTEMPTS: Final = 5
"""Attempts of a message whose sink sets no `max_retry_count`.

A Sequin server then tries for ever; a run that somebody waits for has to end, here after about
15 seconds of back-off. What is given up goes to the dead letters.
"""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off as a Sequin server has it: 1 s, 2 s, 4 s ... 256 s, then 600 s.

    `base` and `cap` are seconds, `jitter` a share of the delay (none at the cap). `max_attempts`
    counts attempts, not retries: 1 never tries again; `None` never gives up.
    """

    base: float = 1.0
    cap: float = 600.0
    max_attempts: int | None = DEFAULT_ATTEMPTS
    jitter: float = 0.15

    @classmethod
    def of(cls, max_retry_count: int | None) -> RetryPolicy:
        """The policy of a sink with this `max_retry_count`; `None` means the default limit."""
        return cls(max_attempts=max_retry_count or DEFAULT_ATTEMPTS)

    def allows(self, attempts: int) -> bool:
        """Whether a message may be tried again after so many attempts."""
        return self.max_attempts is None or attempts < self.max_attempts

    def delay(self, failures: int, chance: float = 0.5) -> float:
        """Seconds to wait after the given number of failures (from 1).

        `chance` in 0..1 places the delay within the jitter; 0.5 is its middle.
        """
        exponent = min(max(failures, 1) - 1, 64)
        plain = self.base * float(1 << exponent)
        # The server takes the cap as soon as doubling once more would pass it.
        if failures > 1 and plain * 2 > self.cap:
            return self.cap
        return min(self.cap, plain * (1 + self.jitter * (2 * chance - 1)))


class RetryQueue(Generic[T]):
    """What waits for its next attempt, by time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, item: T, due: float) -> None:
        """Hand `item` out again at `due`."""
        heapq.heappush(self._heap, (due, next(self._order), item))

    def pop_due(self, now: float) -> list[T]:
        """Everything that is due, earliest first."""
        heap, due = self._heap, []
        while heap and heap[0][0] <= now:
            due.append(heapq.heappop(heap)[2])
        return due

    @property
    def next_due(self) -> float | None:
        """When the next item is due."""
        return self._heap[0][0] if self._heap else None


class Circuit:
    """Stops sending while the connection is down, then lets single batches probe it.

    Failures of batches that were already under way when the circuit opened count once together.
    """

    def __init__(self, policy: RetryPolicy, chance: Callable[[], float] = random.random) -> None:
        self._policy = policy
        self._chance = chance
        self._generation = 0
        self._probing = False
        self.failures = 0
        self.open_until: float | None = None

    def allows(self, now: float) -> bool:
        """Whether a batch may be sent now."""
        if self.open_until is None:
            return True
        return not self._probing and now >= self.open_until

    def sent(self) -> int:
        """A batch is sent; pass the returned mark to `succeeded` or `failed`."""
        self._probing = self.open_until is not None
        return self._generation

    def succeeded(self, mark: int) -> None:
        """The service answered that batch: the connection works."""
        if self.open_until is not None and mark == self._generation:
            self.failures, self.open_until, self._probing = 0, None, False
        elif self.open_until is None:
            self.failures = 0

    def failed(self, mark: int, now: float) -> bool:
        """The connection failed under that batch. False when it is time to give up."""
        if mark == self._generation:
            self._generation += 1
            self.failures += 1
            self._probing = False
            self.open_until = now + self._policy.delay(self.failures, self._chance())
        return self._policy.allows(self.failures)

    @property
    def wake_at(self) -> float | None:
        """When a batch may probe the connection; `None` while closed or probing."""
        return None if self._probing else self.open_until
