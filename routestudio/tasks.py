"""The only place that creates asyncio tasks: named, referenced until done, failures logged.

And a timer that is cheap to set again and again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)
_running: set[asyncio.Task[Any]] = set()


def spawn(coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start `coro` as a task of the running loop and keep it alive until it ends.

    A failure nobody awaits is logged, without its arguments, instead of vanishing.
    """
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _running.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.debug("task %s ended with %s", task.get_name(), type(error).__name__)


async def stop(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel the given tasks and wait until they have ended; their errors are dropped."""
    live = [task for task in tasks if task is not None]
    for task in live:
        task.cancel()
    await asyncio.gather(*live, return_exceptions=True)


class Alarm:
    """Calls `call` at the earliest time that it was set for; setting it again is cheap.

    It is not set back: a call that comes too early costs less than a new timer each time.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._timer: asyncio.TimerHandle | None = None
        self._moment = 0.0  # the handle of a loop that calls at once may not know it

    def within(self, seconds: float) -> None:
        """Call in so many seconds, or earlier."""
        self.at(asyncio.get_running_loop().time() + max(0.0, seconds))

    def at(self, moment: float) -> None:
        """Call at a time of the loop's clock, or earlier."""
        timer = self._timer
        if timer is not None:
            if self._moment <= moment:
                return
            timer.cancel()
        self._moment = moment
        self._timer = asyncio.get_running_loop().call_at(moment, self._ring)

    def cancel(self) -> None:
        """Do not call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._call()
