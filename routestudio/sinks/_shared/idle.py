"""Connections that wait for the next batch, for links that have one for each batch in flight."""

from __future__ import annotations

import select
import time
from asyncio.trsock import TransportSocket
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

FRESH: Final = 1.0
"""Seconds for which an idle connection is used again without looking whether it still lives."""

C = TypeVar("C")


class Idle(list[tuple[C, float]]):
    """Connections, each with the moment (monotonic) since which it has been idle."""

    def give(self, connection: C) -> None:
        """Keep a connection for the next batch."""
        self.append((connection, time.monotonic()))

    def empty(self) -> list[C]:
        """All connections; none is kept."""
        found = [connection for connection, _ in self]
        self.clear()
        return found

    async def take(
        self,
        usable: Callable[[C, float], Awaitable[bool]],
        drop: Callable[[C], Awaitable[object]],
    ) -> C | None:
        """The latest connection that is usable, or `None`. Others are dropped.

        `usable` gets a connection and since when it was idle. When asking fails or is cancelled,
        the connection is dropped, too: nobody else has it any more.
        """
        while self:
            connection, since = self.pop()
            try:
                if await usable(connection, since):
                    return connection
            except BaseException:
                await drop(connection)
                raise
            await drop(connection)
        return None


def unread(reader: object) -> bool:
    """Whether a stream reader holds bytes that nobody has read; asyncio offers no way to ask.

    What came after the last answer belongs to no request: it must not be taken for the next answer.
    """
    return bool(getattr(reader, "_buffer", b""))


class Socket:
    """A socket as its owner looks at it between two requests."""

    __slots__ = ("_poll", "held")

    def __init__(self, held: TransportSocket) -> None:
        self.held = held
        self._poll: select.poll | None = None
        if hasattr(select, "poll"):  # not on Windows
            self._poll = select.poll()
            self._poll.register(held, select.POLLIN)

    @property
    def open(self) -> bool:
        """Whether it still has a descriptor."""
        return self.held.fileno() >= 0

    @property
    def readable(self) -> bool:
        """Whether the system has something that the loop did not read yet: most likely, the end.

        Without this a request would be written to a server that has long gone, and nobody could
        know whether it was acted on. Only to be asked while it is `open`.
        """
        if self._poll is None:
            return bool(select.select([self.held], [], [], 0)[0])
        return bool(self._poll.poll(0))


def readable(held: TransportSocket) -> bool:
    """Whether the system has something for a socket that the loop did not read yet."""
    return Socket(held).readable


def fresh(since: float) -> bool:
    """Whether a connection has not been idle for long."""
    return time.monotonic() - since < FRESH
