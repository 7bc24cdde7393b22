"""What the starter of a run holds in the same process: to watch it, to drain it, to end it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from routestudio.pipeline.report import Progress


class Controlled(Protocol):
    """A delivery, by one process or by several."""

    def drain(self, seconds: float) -> None: ...
    def cancel(self) -> None: ...


class RunControl:
    """One run, which may be several deliveries one after the other (one per session of a source).

    Whoever performs the run calls `take_on` for each delivery before it begins, begins none once
    `stopping`, and keeps `lag` (messages that the source holds and the run has not read, `None`
    when unknown) and `connected` (whether the source is there) as they are. `watch` gets progress.
    """

    def __init__(self, watch: Callable[[Progress], None] | None = None) -> None:
        self.watch = watch
        self.stopping = False
        self.lag: Callable[[], int | None] = lambda: None
        self.connected: Callable[[], bool] = lambda: True
        self.passed_over: Callable[[], Mapping[str, int]] = dict
        """Rows of the source that are not row changes, by kind."""
        self.on_stop: Callable[[], None] = lambda: None
        """Called once when the run is to end, for a source that waits for nobody's delivery."""
        self._delivery: Controlled | None = None
        self._until = 0.0
        self._at_once = False

    def take_on(self, delivery: Controlled) -> None:
        """The delivery that `drain` and `cancel` are for from now on; it runs a moment later."""
        self._delivery = delivery
        if self.stopping:
            asyncio.get_running_loop().call_soon(self._pass_on)

    def drain(self, seconds: float) -> None:
        """Read nothing more, finish what is in flight within `seconds`, then end."""
        if self.stopping:
            return
        self.stopping = True
        self._until = asyncio.get_running_loop().time() + seconds
        self._pass_on()
        self.on_stop()

    def cancel(self) -> None:
        """End now; what has no answer yet is not acknowledged."""
        first, self.stopping, self._at_once = not self.stopping, True, True
        self._pass_on()
        if first:
            self.on_stop()

    def _pass_on(self) -> None:
        if self._delivery is None:
            return
        if self._at_once:
            self._delivery.cancel()
        else:
            left = self._until - asyncio.get_running_loop().time()
            self._delivery.drain(max(0.0, left))
