"""The light client of the engine: requests, progress events, cancellation. Knows no transport.

The window feeds it what the engine's pipe delivers; tests run it over an asyncio subprocess.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Protocol

from routestudio.api import protocol
from routestudio.errors import ProtocolError, RouteStudioError

COMMAND: tuple[str, ...] = (sys.executable, "-m", "routestudio.engine")
"""How the engine process is started."""

OnEvent = Callable[[str, Any], None]


class EngineError(RouteStudioError):
    """The engine answered with a failure. `code` and `problems` are those of the answer."""

    def __init__(self, failure: protocol.Failure) -> None:
        super().__init__(failure.message, hint=failure.hint)
        self.code = failure.code
        self.where = failure.place
        self.problems = failure.problems

    def __str__(self) -> str:
        said = super().__str__()
        return f"{self.where}: {said}" if self.where else said


class EngineLost(RouteStudioError):  # noqa: N818 - an event as much as an error
    """The engine ended before it answered."""


class Writer(Protocol):
    """Where frames go."""

    def write(self, data: bytes) -> object: ...


class EngineClient:
    """Sends requests and hands answers and events to those who wait for them.

    `on_event` gets events that belong to no request; `on_bad_frame` what could not be read.
    All calls must come from the thread of the running loop.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        on_event: OnEvent | None = None,
        on_bad_frame: Callable[[ProtocolError], None] | None = None,
    ) -> None:
        self._writer = writer
        self._reader = protocol.FrameReader()
        self._next = 0
        self._waiting: dict[int, tuple[asyncio.Future[Any], OnEvent | None]] = {}
        self._on_event = on_event
        self._on_bad_frame = on_bad_frame
        self._lost: str | None = None

    @property
    def busy(self) -> int:
        """Number of requests without an answer."""
        return len(self._waiting)

    async def request(self, method: str, *, on_event: OnEvent | None = None, **params: Any) -> Any:
        """Call `method` and return its result.

        `on_event(name, data)` is called for each progress event of this request. Cancelling the
        awaiting task cancels the request. Raises `EngineError` or `EngineLost`.
        """
        if self._lost is not None:
            raise EngineLost(self._lost)
        self._next += 1
        number = self._next
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (future, on_event)
        try:
            self._writer.write(protocol.encode(protocol.Request(number, method, params)))
            return await future
        except asyncio.CancelledError:
            if number in self._waiting and self._lost is None:
                self._writer.write(protocol.encode(protocol.Cancel(number)))
            raise
        finally:
            self._waiting.pop(number, None)

    def feed(self, data: bytes) -> None:
        """Take bytes from the engine. Never raises for what they hold."""
        for item in self._reader.feed(data):
            if isinstance(item, ProtocolError):
                self._refuse(item)
            elif isinstance(item, protocol.Response):
                self._answer(item)
            elif isinstance(item, protocol.Event):
                try:
                    self._event(item)
                except ProtocolError as error:
                    self._refuse(error)

    def _refuse(self, error: ProtocolError) -> None:
        if self._on_bad_frame:
            self._on_bad_frame(error)

    def lost(self, reason: str) -> None:
        """Report that the engine is gone: everyone who waits gets `EngineLost`."""
        self._lost = reason
        waiting, self._waiting = self._waiting, {}
        for future, _ in waiting.values():
            if not future.done():
                future.set_exception(EngineLost(reason))

    def _answer(self, item: protocol.Response) -> None:
        entry = self._waiting.pop(item.id, None)
        if entry is None or entry[0].done():
            return
        if item.failure is not None:
            entry[0].set_exception(EngineError(item.failure))
        else:
            entry[0].set_result(item.result)

    def _event(self, item: protocol.Event) -> None:
        if item.id is None:
            if self._on_event:
                self._on_event(item.name, item.data)
            return
        entry = self._waiting.get(item.id)
        if entry is not None and entry[1] is not None and not entry[0].done():
            entry[1](item.name, item.data)
