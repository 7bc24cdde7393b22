"""Rows of whole tables in between the changes, so that every key's rows are in order.

One snapshot is taken. The changes that are in it come first, as changes; then the rows as the
snapshot has them; then later changes. The border between them is a position of the log that may
be a little later than the snapshot: keys that changed between the two are left out of the rows,
for their newer change has come already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import UsageError
from routestudio.model.rows import Raw, RawRow
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources._postgres_link import Server, connect, quoted, translated
from routestudio.sources._postgres_look import metadata_of, origin_of, rows_of, version_of

if TYPE_CHECKING:
    from psycopg import AsyncConnection

FETCH: Final = 500
_SNAPSHOT: Final = """
select pg_snapshot_xmin(now_)::text::bigint, pg_snapshot_xmax(now_)::text::bigint,
       array(select pg_snapshot_xip(now_)::text::bigint),
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn()
       end - '0/0'::pg_lsn, now()
from pg_current_snapshot() now_"""


class Backfill:
    """The rows of some tables, once."""

    def __init__(self, server: Server, tables: Sequence[str]) -> None:
        self._server = server
        self._tables = tables
        self._link: AsyncConnection[Any] | None = None
        self._xmin = self._xmax = 0
        self._running: frozenset[int] = frozenset()
        self._moment = dt.datetime.now(dt.UTC)
        self._newer: set[tuple[str, tuple[str | None, ...]]] = set()
        self.lsn = 0
        """Where changes are in the snapshot, or named in what is left out of the rows."""

    async def begin(self) -> None:
        """Take the snapshot. Raises `LinkError` and `UsageError` for tables that are not there."""
        self._newer.clear()
        settings = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
        self._link = await connect(self._server, more=settings)
        with translated(self._server):
            await self._link.execute("begin isolation level repeatable read, read only")
            cursor = await self._link.execute(_SNAPSHOT)
            row = await cursor.fetchone()
            assert row is not None
            self._xmin, self._xmax, running, lsn, self._moment = row
            self._running, self.lsn = frozenset(running), int(lsn)
            for written in self._tables:
                table = await catalog.table(self._link, written)
                if not table.readable:
                    raise UsageError(f"{self._server.user} may not read {table.full_name}",
                                     hint=f"grant select on {table.full_name}")  # fmt: skip

    def see(self, row: RawRow, xid: int) -> None:
        """A change has come. Remember its key when the snapshot does not have it."""
        if not isinstance(row, Raw) or self._has(xid):
            return
        value = row.value["postgres"]
        shape = value["table"]
        for values in (value.get("new"), value.get("old")):
            if values is not None:
                named = dict(zip(shape["columns"], values, strict=True))
                key = tuple(named.get(name) for name in shape["key"])
                self._newer.add((f"{shape['schema']}.{shape['name']}", key))

    def _has(self, xid: int) -> bool:
        """Whether the snapshot has a transaction, of which the stream says 32 bits."""
        full = (self._xmax & ~0xFFFFFFFF) | xid
        if full > self._xmax + 0x8000_0000:
            full -= 1 << 32
        elif full < self._xmax - 0x8000_0000:
            full += 1 << 32
        return full < self._xmin or (full < self._xmax and full not in self._running)

    async def rows(self) -> AsyncIterator[list[RawRow]]:
        """The rows of the snapshot, table by table. Raises `LinkError`."""
        assert self._link is not None
        origin = metadata_of(self._server, self.lsn, self._moment)
        with translated(self._server):
            for written in self._tables:
                table = await catalog.table(self._link, written)
                shape = {**table.shape(), "origin": origin_of(self._server)}
                names = ", ".join(quoted(name) for name in shape["columns"])
                source = quoted(table.schema, table.name)
                sort = ", ".join(quoted(name) for name in table.key)
                order = f" order by {sort}" if sort else ""
                await self._link.execute(
                    f"declare rows no scroll cursor for select {version_of(table)}, {names} "  # noqa: S608
                    f"from {source}{order}".encode()
                )
                number = 0
                while True:
                    cursor = await self._link.execute(f"fetch {FETCH} from rows")
                    result = cursor.pgresult
                    if result is None or not result.ntuples:
                        break
                    found = rows_of(table, shape, result, origin, number)
                    number += len(found)
                    kept = [row for row in found if not self._is_newer(row)]
                    if kept:
                        yield kept
                await self._link.execute("close rows")

    def _is_newer(self, row: RawRow) -> bool:
        """Whether a newer change of the row's key has come."""
        if not self._newer or not isinstance(row, Raw):
            return False
        value = row.value["postgres"]
        shape = value["table"]
        named = dict(zip(shape["columns"], value["new"], strict=True))
        key = tuple(named.get(name) for name in shape["key"])
        return bool(shape["key"]) and (f"{shape['schema']}.{shape['name']}", key) in self._newer

    async def end(self) -> None:
        """Give the snapshot free."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()
