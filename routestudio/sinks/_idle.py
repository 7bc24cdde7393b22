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


def readable(held: TransportSocket) -> bool:
    """Whether the system has something that the loop did not read yet: most likely, the end.

    Without this a request would be written to a server that has long gone, and nobody could know
    whether it was acted on.
    """
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([held], [], [], 0)[0])
    waiting = select.poll()
    waiting.register(held, select.POLLIN)
    return bool(waiting.poll(0))


def fresh(since: float) -> bool:
    """Whether a connection has not been idle for long."""
    return time.monotonic() - since < FRESH
