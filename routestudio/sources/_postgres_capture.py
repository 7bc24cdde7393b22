"""Live changes to look at, through a temporary slot: nothing is left behind.

The server drops a temporary slot when its connection ends, however it ends. A publication is one
that is there, or one that is made for the capture and dropped with it (`_postgres_guard`).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from routestudio import tasks
from routestudio.errors import LinkError
from routestudio.model.rows import RawRow
from routestudio.sources import _postgres_slots as slots
from routestudio.sources._pgoutput import Committed
from routestudio.sources._postgres_feed import Feed, FeedLostError
from routestudio.sources._postgres_guard import Guard
from routestudio.sources._postgres_link import (
    PostgresError,
    Server,
    connected,
    literal,
    translated,
)
from routestudio.sources._postgres_stream import Changes

_TICK_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 2.0
_CANCELLED: Final = "57014"
_BLOCKERS: Final = """
select coalesce(a.usename::text, '?'), coalesce(a.datname::text, '?'),
       coalesce(nullif(a.application_name, ''), 'a program without a name'),
       extract(epoch from now() - a.xact_start)::int
from unnest(pg_blocking_pids(%s)) b join pg_stat_activity a on a.pid = b"""
_HELD: Final = """
select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end
        - restart_lsn)::bigint from pg_replication_slots where slot_name = %s"""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a capture ends by itself."""

    rows: int
    seconds: float
    wait: float
    """Seconds that the slot may take, which waits for transactions that are open."""
    held: int
    """Bytes of the log that the server may keep for it."""


class Capture:
    """One capture. `notice` is called with sentences on what is waited for, and why it ended;
    `ended` is asked whether somebody has had enough."""

    def __init__(
        self, server: Server, publications: Sequence[str], limits: Limits,
        notice: Callable[[str], None], ended: Callable[[], bool], guard: Guard | None = None,
    ) -> None:  # fmt: skip
        self._server = server
        self._publications = publications
        self._limits = limits
        self._notice = notice
        self._ended = ended
        self._guard = guard
        self._slot = f"routestudio_{secrets.token_hex(8)}"
        self._too_much = False

    async def rows(self) -> AsyncIterator[list[RawRow]]:
        """Changes as they are committed. Raises `LinkError`."""
        async with connected(self._server) as link:
            if self._guard is None:
                await slots.require_ready(link, self._server, self._publications)
            else:
                await slots.require_logical(link, self._server)
        feed = await Feed.connect(self._server)
        watcher: asyncio.Task[None] | None = None
        try:
            if self._guard is not None:
                async with connected(self._server) as link:
                    await self._guard.make(link, feed.link.info.backend_pid)
                self._notice(f"The publication {self._guard.name} was made for this capture.")
            await self._make_slot(feed)
            watcher = tasks.spawn(self._watch(), name="postgres capture")
            await feed.start(self._slot, self._publications)
            self._notice("Changes are captured from now on.")
            async for rows in self._changes(feed):
                yield rows
        finally:
            await tasks.stop(watcher)
            await feed.close()
            if self._guard is not None:
                await self._guard.end()

    async def _changes(self, feed: Feed) -> AsyncIterator[list[RawRow]]:
        changes = Changes(self._server, feed)
        loop = asyncio.get_running_loop()
        left, until = self._limits.rows, loop.time() + self._limits.seconds
        reading: asyncio.Task[list[RawRow]] | None = None
        try:
            while left > 0 and loop.time() < until and not self._over:
                reading = reading or tasks.spawn(_some(changes), name="postgres changes")
                done, _ = await asyncio.wait({reading}, timeout=_TICK_SECONDS)
                # What was read is not needed again: the server may let go of its log.
                feed.acknowledge(changes.reached)
                if not done:
                    continue
                rows, reading = reading.result(), None
                if rows:
                    yield rows[:left]
                    left -= len(rows)
        except FeedLostError as error:
            raise LinkError(f"{self._server.where}: the connection was lost: {error}",
                            hint="capture again") from None  # fmt: skip
        finally:
            await tasks.stop(reading)

    @property
    def _over(self) -> bool:
        return self._too_much or self._ended()

    async def _make_slot(self, feed: Feed) -> None:
        """Make the temporary slot, and show what it waits for."""
        link = feed.link
        seconds = self._limits.wait
        waiting = tasks.spawn(self._show_waiting(link.info.backend_pid), name="postgres waiting")
        try:
            with translated(self._server):
                # A server that waits for a lock notices so that nobody waits for it any more.
                with contextlib.suppress(Exception):
                    await link.execute("set client_connection_check_interval = '1s'")
                await link.execute(f"set statement_timeout = {round(seconds * 1000)}")
                name = literal(self._slot)
                await link.execute(
                    f"select pg_create_logical_replication_slot({name}, 'pgoutput', true)".encode()
                )
                await link.execute("set statement_timeout = 0")
        except PostgresError as error:
            if error.state != _CANCELLED:
                raise
            raise LinkError(
                f"{self._server.where}: transactions that are open kept the capture from "
                f"beginning for {seconds:g} s",
                hint="wait for them or end them: select * from pg_stat_activity where xact_start "
                "is not null shows them; or raise `wait`",
            ) from None
        finally:
            await tasks.stop(waiting)

    async def _show_waiting(self, pid: int) -> None:
        """Name the transactions that a slot waits for, of other databases, too."""
        shown: list[Any] = []
        await asyncio.sleep(1)
        async with connected(self._server) as link:
            while True:
                cursor = await link.execute(_BLOCKERS, (pid,))
                found = await cursor.fetchall()
                names = [row[:3] for row in found]
                if found and names != shown:
                    shown = names
                    listed = ", ".join(
                        f"{user} in {database} ({program}, open for {seconds} s)"
                        for user, database, program, seconds in found[:3]
                    )
                    self._notice(f"Waiting for transactions of {listed}.")
                await asyncio.sleep(1)

    async def _watch(self) -> None:
        """End the capture before the log that the server keeps for it hurts."""
        async with connected(self._server) as link:
            while True:
                cursor = await link.execute(_HELD, (self._slot,))
                row = await cursor.fetchone()
                if row is not None and row[0] is not None and row[0] > self._limits.held:
                    self._too_much = True
                    self._notice(f"The server had to keep {row[0] / 1_048_576:,.0f} MB of its log, "
                                 "so the capture ended.")  # fmt: skip
                    return
                await asyncio.sleep(_LOOK_SECONDS)


async def _some(changes: Changes) -> list[RawRow]:
    return [row async for row in changes.read() if not isinstance(row, Committed)]
