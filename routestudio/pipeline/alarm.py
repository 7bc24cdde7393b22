"""A timer for whoever is to be called in time, and may be called too early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls `call` at the earliest time that it was set for; setting it again is cheap.

    It is not set back: a call that comes too early costs less than a new timer for each batch.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def within(self, seconds: float) -> None:
        """Call in so many seconds, or earlier."""
        loop, timer = asyncio.get_running_loop(), self._timer
        due = loop.time() + max(0.0, seconds)
        if timer is not None:
            if self._due <= due:
                return
            timer.cancel()
        self._due = due
        self._timer = loop.call_at(due, self._ring)

    def cancel(self) -> None:
        """Do not call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._call()
