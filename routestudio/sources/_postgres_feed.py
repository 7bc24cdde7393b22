"""The connection of logical replication: psycopg's low level, on which the protocol stands.

psycopg does not speak the replication protocol itself; its `PGconn` gives what comes in copy-both
mode (docs/decisions/0022-postgresql.md). One `Feed` is one START_REPLICATION.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import LinkError
from routestudio.sources._postgres_link import (
    UNKNOWN_ENCODING,
    Server,
    connect,
    link_error,
    literal,
    quoted,
    translated,
)

if TYPE_CHECKING:
    from psycopg import AsyncConnection

DATA: Final = ord("w")
KEEPALIVE: Final = ord("k")
HEAD: Final = 25
"""Bytes before the output plug-in's own in a message with data."""
ALIVE: Final = Struct("!qqB")
_STATUS: Final = Struct("!cqqqqB")
_EPOCH: Final = 946_684_800
_MOST: Final = 2_000
"""Messages that are handed over together."""
_END_SECONDS: Final = 2.0


class FeedLostError(Exception):
    """The connection is gone, or the server ended it; what was acknowledged is what counts."""


class Feed:
    """A stream of changes. Not for several tasks, but for `acknowledge`."""

    def __init__(self, server: Server, link: AsyncConnection[Any]) -> None:
        self._server = server
        self.link = link
        self._pg = link.pgconn
        self._loop = asyncio.get_running_loop()
        self.started = False
        self._ended = False

    @classmethod
    async def connect(cls, server: Server, *, settings: dict[str, str] | None = None) -> Feed:
        """Connect for replication. Raises `LinkError`."""
        more = {"statement_timeout": "0", **(settings or {})}
        link = await connect(server, read_only=False, replication=True, more=more)
        with translated(server):
            if link.info.server_version >= 140_000:  # before that, no session ends for idleness
                await link.execute("set idle_session_timeout to 0")
            if link.info.parameter_status("server_encoding") == UNKNOWN_ENCODING:
                await link.execute(f"set client_encoding to '{UNKNOWN_ENCODING}'")
        return cls(server, link)

    async def start(self, slot: str, publications: Sequence[str], lsn: int = 0) -> None:
        """Begin to stream from `lsn`, or from what the slot has confirmed.

        Raises `PostgresError`.
        """
        names = literal(",".join(quoted(name) for name in publications))
        options = [("proto_version", "'1'"), ("publication_names", names)]
        if self.link.info.server_version >= 140_000:
            options.append(("messages", "'true'"))
        listed = ", ".join(f"{name} {value}" for name, value in options)
        command = f"START_REPLICATION SLOT {quoted(slot)} LOGICAL {lsn_text(lsn)} ({listed})"
        with translated(self._server):
            self._pg.send_query(command.encode())
            while self._pg.is_busy():
                await self._readable()
                self._pg.consume_input()
            self._check(self._pg.get_result())
        self.started = True

    def _check(self, result: Any) -> None:
        """Raise psycopg's error for a result that is one."""
        from psycopg import errors, pq

        if result is None or result.status == pq.ExecStatus.COPY_BOTH:
            return
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result)

    async def read(self) -> list[bytes]:
        """The next messages, one at least. Raises `FeedLostError`, and `LinkError` for an error
        that would come again."""
        from psycopg import Error

        get = self._pg.get_copy_data
        found: list[bytes] = []
        try:
            while True:
                # After its end a stream has nothing more to say, not even why it ended.
                size, data = (-1, b"") if self._ended else get(1)
                if size > 0:
                    found.append(bytes(data))
                    if len(found) < _MOST:
                        continue
                    return found
                self._ended = size < 0
                if found:
                    return found
                if size < 0:
                    self._check(self._pg.get_result())
                    raise FeedLostError("the server ended the stream")
                await self._readable()
                self._pg.consume_input()
        except Error as error:
            problem = link_error(self._server, error)
            if problem.lost:
                raise FeedLostError(problem.message) from None
            raise problem from None

    async def _readable(self) -> None:
        """Wait until something comes."""
        ready = self._loop.create_future()
        number = self._pg.socket

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        self._loop.add_reader(number, wake)
        try:
            await ready
        finally:
            self._loop.remove_reader(number)

    def acknowledge(self, lsn: int, *, answer: bool = False) -> None:
        """Report that everything up to `lsn` is finished, and ask for an answer if wanted.

        Never waits: what does not fit into the socket now goes with the next one. Errors are left
        to `read`, which meets them, too.
        """
        from psycopg import Error

        now = round((time.time() - _EPOCH) * 1_000_000)
        with contextlib.suppress(Error):
            self._pg.nonblocking = 1
            self._pg.put_copy_data(_STATUS.pack(b"r", lsn, lsn, lsn, now, answer))
            self._pg.flush()

    async def close(self, lsn: int = 0) -> None:
        """Report what is finished, end the stream and wait for the server to have taken it."""
        from psycopg import Error

        try:
            if self.started and lsn:
                self.acknowledge(lsn)
            if self.started:
                with contextlib.suppress(Error, TimeoutError, FeedLostError, LinkError):
                    self._pg.put_copy_end()
                    async with asyncio.timeout(_END_SECONDS):
                        while True:
                            await self.read()
        finally:
            await self.link.close()


def lsn_text(lsn: int) -> str:
    """A position as PostgreSQL writes it: `0/A414510`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
