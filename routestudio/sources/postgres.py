"""PostgreSQL as a source: rows of tables to look at, changes of a slot to deliver."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final

from routestudio.errors import LinkError, UsageError
from routestudio.model.postgres import PORT
from routestudio.model.rows import Raw, RawRow
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources import _postgres_look as rows_of
from routestudio.sources import _postgres_slots as slots
from routestudio.sources._postgres_backfill import Backfill
from routestudio.sources._postgres_capture import Capture, Limits
from routestudio.sources._postgres_feed import Feed
from routestudio.sources._postgres_guard import Guard
from routestudio.sources._postgres_link import (
    READ_SECONDS,
    TLS_OPTIONS,
    PostgresError,
    connected,
    server_of,
)
from routestudio.sources._postgres_stream import PostgresSession
from routestudio.sources.base import CHUNK, Session, Source
from routestudio.sources.uri import Resolve, check_options, choice, number, parse, password_of

log = logging.getLogger(__name__)

_OPTIONS: Final = {
    "table": "the table to look at, `schema.table`; several with commas",
    "rows": "which rows of a table are looked at: `newest` by key (default), `random` or `any`",
    "where": "a condition of SQL for the rows that are looked at",
    "timeout": "seconds that a statement may take in a look (default 30)",
    "slot": "the replication slot, which keeps the position; needed to deliver",
    "publication": "the publication of the slot's changes, one or more with commas",
    "backfill": "tables whose rows come first, with commas; leave it out to go on",
    "capture": "`true`: look at changes as they come, through a temporary slot",
    "make_publication": "a publication of this name for `table` is made for a capture, and dropped "
    "with it",
    "seconds": "how long a capture lasts (default 30)",
    "wait": "seconds that a capture may wait for open transactions to end (default 30)",
    "wal": "megabytes of its log that the server may keep for a capture (default 256)",
    "until": "`stopped` (default) waits for changes for ever, `end` stops at what there is now",
    "password": "a variable, written `${NAME}`",
    **TLS_OPTIONS,
}
_RETRY_SECONDS: Final = 1.0
_BUSY_SECONDS: Final = 15.0
"""How long a start waits for a slot that somebody uses: a run that was killed, say."""
_BUSY_AGAIN_SECONDS: Final = 120.0
"""The same when the connection was lost: the server may not have noticed it yet."""


class PostgresSource(Source):
    """`postgres://`."""

    title = "PostgreSQL"
    schemes = ("postgres", "postgresql")
    example = "postgres://user@host:5432/shop?slot=routes&publication=routes"
    about = (
        "Rows of tables, to look at; and changes by logical replication with the plug-in "
        "`pgoutput`, whose slot keeps the position: it is confirmed when messages are finished."
    )
    options = _OPTIONS
    connected = True
    lag: int | None = None

    def __init__(self, text: str, resolve: Resolve, *, looking: bool = False) -> None:
        uri = parse(text, PORT)
        self._capture = choice(uri, "capture", ("false", "true")) == "true"
        if self._capture and not looking:
            raise UsageError("`capture` is for looking at changes; a run needs its own slot",
                             hint="leave capture out, and name slot=…&publication=…")  # fmt: skip
        made = uri.options.get("make_publication", "")
        if made and not self._capture:
            raise UsageError("`make_publication` is for a capture", hint="add capture=true")
        needed: tuple[str, ...] = ("publication",) if self._capture else ("table",)
        if made:
            needed = ("table",)
        if looking and not self._capture and uri.options.get("publication"):
            needed = ()
        check_options(uri, _OPTIONS, needed if looking else ("slot", "publication"))
        self.name = uri.shown
        self.server = server_of(uri, password_of(uri, resolve))
        self._tables = catalog.listed(uri.options.get("table", ""))
        self._guard = Guard(self.server, made, self._tables) if made else None
        self._order = choice(uri, "rows", rows_of.ORDERS)
        self._where = uri.options.get("where") or None
        self._seconds = number(uri, "timeout", READ_SECONDS, 1, 3600)
        self._slot = uri.options.get("slot", "")
        self._publications = catalog.listed(uri.options.get("publication", ""))
        self._limits = (number(uri, "seconds", 30, 1, 86_400), number(uri, "wait", 30, 1, 3_600),
                        number(uri, "wal", 256, 1, 1_000_000))  # fmt: skip
        self._until_end = choice(uri, "until", ("stopped", "end")) == "end"
        tables = catalog.listed(uri.options.get("backfill", ""))
        for name in (*self._tables, *tables):
            catalog.split(name)
        self.backfill = Backfill(self.server, tables) if tables else None
        self.confirmed = 0
        self.finished_of = (0, 0)
        """Rows of a transaction that are finished, although it has not been read to its end."""
        self._lost = False
        self._ended = False

    # --- a look --------------------------------------------------------------------------------

    async def look(self, limit: int) -> AsyncIterator[Sequence[RawRow]]:
        """Rows of the tables, newest first, or changes as they come; nothing is left behind.

        Where only a publication is named, its tables are meant.
        """
        if self._capture:
            seconds, wait, megabytes = self._limits
            limits = Limits(limit, seconds, wait, round(megabytes * 1_048_576))
            names = [self._guard.name] if self._guard is not None else self._publications
            capture = Capture(self.server, names, limits, self.notice, lambda: self._ended,
                              self._guard)  # fmt: skip
            async for rows in capture.rows():
                yield rows
            return
        async with connected(self.server, seconds=self._seconds) as link:
            tables = self._tables or await slots.published(link, self._publications)
            share = -(-limit // max(1, len(tables)))
            for table in tables:
                if limit <= 0:
                    return
                rows = await rows_of.look(
                    link, self.server, table, min(share, limit), self._order, self._where
                )
                limit -= len(rows)
                for start in range(0, len(rows), CHUNK):
                    yield rows[start : start + CHUNK]

    def end_look(self) -> None:
        """End a capture with what it has."""
        self._ended = True

    # --- a run ---------------------------------------------------------------------------------

    async def sessions(self) -> AsyncGenerator[Session, None]:
        """A session for each connection. Raises `LinkError` at the start, and later for what
        waiting does not mend."""
        feed, target = await self._attached(_BUSY_SECONDS, patient=False)
        while True:
            self._lost = False
            yield PostgresSession(self, feed, target if self._until_end else None)
            if not self._lost:
                return
            feed, _ = await self._attached(_BUSY_AGAIN_SECONDS, patient=True)

    async def close(self) -> None:
        """Nothing is left: sessions close their connections."""

    def lost(self, reason: str) -> None:
        """The connection is gone; the next session makes another one."""
        self._lost, self.connected = True, False
        log.warning("%s; what was read is finished, then it is connected again", reason)

    def backfilled(self) -> None:
        """The rows of the tables have been read."""
        self.backfill = None

    def had(self, row: RawRow) -> bool:
        """Whether a row comes again of a transaction of which it is finished already."""
        lsn, count = self.finished_of
        if not lsn or not isinstance(row, Raw):
            return False
        value = row.value["postgres"]
        return bool(value["commit_lsn"] == lsn and value.get("commit_idx", count) < count)

    async def _attached(self, busy: float, *, patient: bool) -> tuple[Feed, int]:
        """A stream that has begun, and where the server's log ended then."""
        loop = asyncio.get_running_loop()
        until, told = loop.time() + busy, False
        while True:
            try:
                found = await self._attach()
                self.connected = True
                return found
            except PostgresError as error:
                clearer = slots.refused(self.server, self._slot, error.state, error.message)
                in_use = error.state == slots.ACTIVE
                wait = loop.time() < until if in_use else error.lost and patient
                if clearer is not None:
                    raise clearer from None
                if not wait:
                    raise self._in_use() if in_use else error from None
                if not told:
                    log.warning("%s; waiting", error.message)
                    told = True
                await asyncio.sleep(_RETRY_SECONDS)

    async def _attach(self) -> tuple[Feed, int]:
        async with connected(self.server) as link:
            await slots.require(link, self.server, self._slot, self._publications)
            target = await slots.position_now(link)
        feed = await Feed.connect(self.server)
        try:
            await feed.start(self._slot, self._publications, self.confirmed)
        except BaseException:
            await feed.close()
            raise
        return feed, target

    def _in_use(self) -> LinkError:
        return LinkError(
            f"{self.server.where}: the slot `{self._slot}` is in use",
            hint="stop the other run: select active_pid from pg_replication_slots shows which; "
            "a slot serves one at a time",
        )
