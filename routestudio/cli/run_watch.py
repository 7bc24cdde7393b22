"""Turns the progress of a run into events of its log; what happens often is logged at intervals."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from routestudio.cli.run_log import RunLog
from routestudio.pipeline.report import Progress

REPEAT_SECONDS: Final = 10.0
"""How often the same kind of retry or rejection is logged at most."""

Kind = tuple[str, str, str]


class RunWatch:
    """Logs `progress`, `retry`, `rejected`, `duplicate`, `circuit_open` and `circuit_closed`.

    `letters` shows whether rejected messages are kept. `clock` gives seconds.
    """

    def __init__(
        self,
        log: RunLog,
        *,
        every: float,
        letters: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._every = every
        self._letters = letters
        self._clock = clock
        self._next_progress = clock() + every
        self._told: dict[Kind, int] = {}
        self._quiet_until: dict[Kind, float] = {}
        self._down: float | None = None

    def watch(self, progress: Progress) -> None:
        """Look at the run as it is now."""
        now = self._clock()
        self._circuit(progress, now)
        self._counts(progress, now)
        if now >= self._next_progress:
            self._next_progress = now + self._every
            self._progress(progress)

    def finish(self, progress: Progress) -> None:
        """Log what was held back."""
        self._quiet_until.clear()
        self._counts(progress, self._clock())

    def _progress(self, progress: Progress) -> None:
        self._log.event(
            "info",
            "progress",
            read=progress.read,
            delivered=progress.delivered,
            filtered=progress.filtered,
            rejected=progress.rejected,
            duplicates=progress.duplicates,
            retried=progress.retried,
            in_flight=progress.in_flight,
            waiting=progress.waiting,
            waiting_retries=progress.waiting_retries,
            per_second=round(progress.rate),
        )

    def _circuit(self, progress: Progress, now: float) -> None:
        circuit = progress.circuit
        if circuit is not None and self._down is None:
            self._down = now
            self._log.event(
                "warning",
                "circuit_open",
                failures=circuit.failures,
                max_failures=circuit.max_failures,
                next_try_seconds=round(circuit.next_try, 1),
                reason=circuit.reason,
            )
        elif circuit is None and self._down is not None:
            self._log.event("info", "circuit_closed", after_seconds=round(now - self._down, 1))
            self._down = None

    def _counts(self, progress: Progress, now: float) -> None:
        for reason in progress.reasons:
            if reason.retried:
                new = self._new(("retry", reason.stage, reason.code), reason.retried, now)
                if new:
                    self._log.event(
                        "warning",
                        "retry",
                        code=reason.code,
                        messages=new,
                        waiting=progress.waiting_retries,
                    )
            if reason.rejected:
                new = self._new(("rejected", reason.stage, reason.code), reason.rejected, now)
                if new:
                    self._log.event(
                        "warning",
                        "rejected",
                        stage=reason.stage,
                        code=reason.code,
                        messages=new,
                        kept=self._letters,
                    )

            if reason.duplicates:
                new = self._new(("duplicate", reason.stage, reason.code), reason.duplicates, now)
                if new:
                    self._log.event("warning", "duplicate", code=reason.code, messages=new)

    def _new(self, kind: Kind, count: int, now: float) -> int:
        """How many of a kind came since it was logged; 0 while it is too early to log again."""
        if now < self._quiet_until.get(kind, now):
            return 0
        new = count - self._told.get(kind, 0)
        if new:
            self._told[kind] = count
            self._quiet_until[kind] = now + REPEAT_SECONDS
        return new
