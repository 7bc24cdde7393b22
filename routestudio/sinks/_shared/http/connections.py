"""HTTP/1.1 connections that are used again, one exchange at a time on each.

The deliveries' own client, because a general one costs more for each request than everything else
that happens to a hundred messages (docs/performance.md). It follows nothing, stores nothing and
reads no setting of the machine: no cookies, no credentials from files. Proxies are the caller's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque

from routestudio.sinks._shared.http.answer import Answer
from routestudio.sinks._shared.http.dial import dialled, reason
from routestudio.sinks._shared.http.exchange import BrokenError, Connection, Origin, Request
from routestudio.sinks._shared.http.tunnel import TunnelError, tunnelled
from routestudio.sinks._shared.tls import client_context
from routestudio.tasks import Alarm

__all__ = ["BrokenError", "ConnectError", "ConnectTimeoutError", "Connections"]


class ConnectError(Exception):
    """There is no connection, so nothing was written. `text` explains why."""


class ConnectTimeoutError(ConnectError):
    """No connection in time."""


class Connections:
    """At most `limit` connections at once. `context` opens those to `https`.

    `connecting` is the longest time in seconds for a connection with its handshake.
    """

    def __init__(self, context: ssl.SSLContext | None, *, limit: int, connecting: float) -> None:
        self._context = context
        self._connecting = connecting
        self._room = asyncio.Semaphore(limit)
        self._idle: dict[Origin, deque[Connection]] = {}
        self._all: set[Connection] = set()
        self._ending: set[Connection] = set()
        # One timer for all exchanges, set for the first that has to be over, and then again.
        self._alarm = Alarm(self._expire)

    async def send(
        self, request: Request, body: bytes, *, keep: int, most: int, seconds: float | None = None
    ) -> Answer:
        """One request and its answer, of the body at most `keep` bytes.

        An answer of more than `most` bytes costs its connection. Raises `ConnectError`,
        `BrokenError`, `TimeoutError` after `seconds`, and `h11`'s errors about what is not HTTP.
        """
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        room, origin = self._room, request.origin
        if room.locked():
            async with asyncio.timeout_at(deadline):
                await room.acquire()
        else:
            await room.acquire()
        try:
            connection = self._waiting(origin)
            if connection is None:
                async with asyncio.timeout_at(deadline):
                    connection = await self._opened(request)
            if deadline is not None:
                connection.deadline = deadline
                self._alarm.at(deadline)
            reusable = False
            try:
                answer = await connection.exchange(request, body, keep, most)
                reusable = connection.over()
            finally:
                if reusable and connection in self._all:
                    self._idle.setdefault(origin, deque()).append(connection)
                else:
                    self._drop(connection)
            return answer
        finally:
            room.release()

    async def close(self) -> None:
        """Close all connections; exchanges on them end with `BrokenError`."""
        self._alarm.cancel()
        self._idle.clear()
        for connection in tuple(self._all):
            self._drop(connection)
        while self._ending:
            await self._ending.pop().ended()

    def _expire(self) -> None:
        now = asyncio.get_running_loop().time()
        left: list[float] = []
        for connection in self._all:
            if not connection.deadline:
                continue
            if connection.deadline <= now:
                connection.expire()
            else:
                left.append(connection.deadline)
        if left:
            self._alarm.at(min(left))

    def _waiting(self, origin: Origin) -> Connection | None:
        """The idle connection that was used last."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
            self._drop(connection)
        return None

    def _drop(self, connection: Connection) -> None:
        """Close its socket, which takes a turn of the loop: `close` waits for the last ones."""
        if connection not in self._all:
            return
        self._all.discard(connection)
        self._ending = {each for each in self._ending if each.open}
        self._ending.add(connection)
        connection.abort()

    async def _opened(self, request: Request) -> Connection:
        scheme, host, port = request.origin
        via = request.via
        context = None
        if scheme == "https":
            context = self._context or client_context()
        try:
            async with asyncio.timeout(self._connecting):
                if via is None:
                    _, connection = await dialled(Connection, host, port, context)
                elif context is None:
                    _, connection = await dialled(Connection, via.host, via.port)
                else:
                    connection = Connection()
                    await tunnelled(via, host, port, context, connection)
        except TimeoutError:
            raise ConnectTimeoutError from None
        except TunnelError as error:
            raise ConnectError(str(error)) from None
        except (OSError, ssl.SSLError, UnicodeError) as error:
            where = f"the proxy {via.shown}: " if via is not None and context is None else ""
            raise ConnectError(where + reason(error)) from None
        self._all.add(connection)
        if context is not None:
            # What came with the end of the handshake may be given to it in the next turn only.
            try:
                await asyncio.sleep(0)
            except BaseException:
                self._drop(connection)
                raise
        return connection
