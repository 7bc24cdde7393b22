"""Changes of a slot as a session: rows in the order of commits, acknowledged when finished."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from routestudio import tasks
from routestudio.errors import LinkError
from routestudio.model.rows import Fault, Raw, RawRow
from routestudio.sources._pgoutput import BrokenStreamError, Committed, Decoder, Relation, Row
from routestudio.sources._postgres_backfill import Backfill
from routestudio.sources._postgres_catalog import Types, key_columns
from routestudio.sources._postgres_feed import (
    ALIVE,
    DATA,
    HEAD,
    KEEPALIVE,
    Feed,
    FeedLostError,
    lsn_text,
)
from routestudio.sources._postgres_link import Server, connected
from routestudio.sources._postgres_look import origin_of
from routestudio.sources.base import CHUNK, MAX_UNFINISHED

if TYPE_CHECKING:
    from routestudio.sources.postgres import PostgresSource

log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 0.2
_ALIVE_SECONDS: Final = 5.0
"""How often the server hears of us although nothing is new: it gives up after 60."""


class Changes:
    """The rows of a feed, with what its tables are."""

    def __init__(self, server: Server, feed: Feed) -> None:
        self._server = server
        self._feed = feed
        self._types = Types()
        self._origin = origin_of(server)
        self.decoder = Decoder()
        self.reached = 0
        """How far the server has sent everything."""
        self.open = False
        """Whether a transaction has begun and not ended."""
        self.asked = False
        """Whether the server waits for a sign of life."""

    async def read(self) -> AsyncIterator[RawRow | Committed]:
        """What comes next. Raises `FeedLostError` and `LinkError`."""
        for data in await self._feed.read():
            if data[0] == KEEPALIVE:
                end, _, asked = ALIVE.unpack_from(data, 1)
                self.reached = max(self.reached, end)
                self.asked = self.asked or bool(asked)
                continue
            if data[0] != DATA:
                continue
            found = await self._decoded(data[HEAD:])
            if found is not None:
                yield found

    async def _decoded(self, data: bytes) -> RawRow | Committed | None:
        decoder = self.decoder
        self.open = data[:1] != b"C" and (self.open or data[:1] == b"B")
        try:
            found = decoder.decode(data)
        except UnicodeDecodeError:
            place = f"{lsn_text(decoder.lsn)}:{decoder.index - 1}"
            return Fault(0, "a value of the row is not UTF-8", "set the database's encoding right",
                         place=place)  # fmt: skip
        except BrokenStreamError as error:
            raise LinkError(f"{self._server.where}: {error}",
                            hint="the slot needs the plug-in pgoutput") from None  # fmt: skip
        if isinstance(found, Relation):
            decoder.complete(found, await self._shape(found))
            return None
        if isinstance(found, Committed):
            self.reached = max(self.reached, found.end_lsn)
            return found
        return None if found is None else self._raw(found)

    def _raw(self, row: Row) -> Raw:
        index, value = row
        lsn = self.decoder.lsn
        shape = value["postgres"]["table"]
        number = str(index) if index >= 0 else f"{self.decoder.index}t"
        return Raw(value, topic=shape["full_name"], position=f"{lsn}:{number}",
                   place=f"{shape['full_name']}@{lsn_text(lsn)}:{number}")  # fmt: skip

    async def _shape(self, relation: Relation) -> dict[str, Any]:
        """The table with types and primary key, which the stream says only of the usual identity:
        the columns that it marks are those of the replica identity."""
        marked = [c for c, mark in zip(relation.columns, relation.marked, strict=True) if mark]
        unknown = [oid for oid in relation.types if self._types.name(oid) is None]
        key = marked
        if unknown or relation.identity != "d":
            async with connected(self._server) as link:
                await self._types.learn(link, unknown)
                if relation.identity != "d":
                    cursor = await link.execute(key_columns("%s"), (relation.oid,))
                    key = [row[0] for row in await cursor.fetchall()]
        return {
            "schema": relation.schema, "name": relation.name, "columns": relation.columns,
            "types": [self._types.name(oid) or "text" for oid in relation.types], "key": key,
            "full_name": f"{relation.schema}.{relation.name}", "origin": self._origin,
        }  # fmt: skip


class PostgresSession:
    """The changes of one connection. It ends with it; what is read by then is finished first."""

    def __init__(self, source: PostgresSource, feed: Feed, target: int | None) -> None:
        self.name = source.name
        self.released = False
        self.on_release: Callable[[float], None] = lambda seconds: None
        self._source = source
        self._feed = feed
        self._changes = Changes(source.server, feed)
        self._target = target
        self._ends: deque[tuple[int, int]] = deque()
        """Rows read before the end of each transaction, and where it ends."""
        self._read = 0
        self._finished = 0
        self._wake = asyncio.Event()
        self._ticker = tasks.spawn(self._tick(), name="postgres source")

    async def chunks(self) -> AsyncIterator[Sequence[RawRow]]:
        """Rows in the order of commits: those of tables to be read first when they are asked for
        and the changes before them are through, then changes. Raises `LinkError`."""
        backfill = self._source.backfill
        if backfill is not None:
            await backfill.begin()
        try:
            async for rows in self._changing(backfill):
                self._read += len(rows)
                yield rows
                while self._read - self._finished >= MAX_UNFINISHED:
                    self._wake.clear()
                    await self._wake.wait()
        except FeedLostError as error:
            self._source.lost(str(error))
        finally:
            if backfill is not None:
                await backfill.end()

    async def _changing(self, backfill: Backfill | None) -> AsyncIterator[list[RawRow]]:
        rows: list[RawRow] = []
        while True:
            async for found in self._changes.read():
                if isinstance(found, Committed):
                    self._ends.append((self._read + len(rows), found.end_lsn))
                    continue
                if backfill is not None:
                    backfill.see(found, self._changes.decoder.xid)
                if self._source.had(found):
                    continue
                rows.append(found)
                if len(rows) >= CHUNK:
                    yield rows
                    rows = []
            if rows:
                yield rows
                rows = []
            self._settle()
            reached = self._changes.reached
            if backfill is not None and not self._changes.open and reached >= backfill.lsn:
                async for found_rows in backfill.rows():
                    yield found_rows
                self._source.backfilled()
                backfill = None
            elif backfill is None and not self._changes.open and self._reached(reached):
                return
            if self._changes.asked:
                self._changes.asked = False
                self._feed.acknowledge(self._source.confirmed)

    def _reached(self, lsn: int) -> bool:
        """Whether the end is there that was asked for."""
        return self._target is not None and lsn >= self._target

    def save(self, position: int) -> None:
        """Note how many rows are finished."""
        self._finished = max(self._finished, position)
        self._settle()
        self._wake.set()

    def _settle(self) -> None:
        """Find how far everything is finished: whole transactions only."""
        confirmed = self._source.confirmed
        while self._ends and self._ends[0][0] <= self._finished:
            confirmed = max(confirmed, self._ends.popleft()[1])
        if not self._ends and self._finished >= self._read and not self._changes.open:
            # Everything that came is finished: so is what did not concern us.
            confirmed = max(confirmed, self._changes.reached)
        self._source.confirmed = confirmed

    async def _tick(self) -> None:
        """Acknowledge what is finished, and show that we live while the sink takes its time."""
        loop = asyncio.get_running_loop()
        reported, at = -1, 0.0
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self._settle()
            confirmed, now = self._source.confirmed, loop.time()
            waiting = self._target is not None or self._source.backfill is not None
            if confirmed != reported or now - at >= _ALIVE_SECONDS or waiting:
                self._feed.acknowledge(confirmed, answer=waiting)
                reported, at = confirmed, now

    async def finish(self) -> None:
        """Acknowledge what is finished, and give the slot free."""
        self.released = True
        self._settle()
        await tasks.stop(self._ticker)
        if self._finished >= self._read:
            decoder = self._changes.decoder
            self._source.finished_of = (decoder.lsn, decoder.index)
        await self._feed.close(self._source.confirmed)
