"""A publication that lasts as long as a capture, whatever becomes of the program.

PostgreSQL has temporary slots, but no temporary publications. So the statement that makes one waits
in the server until the capture's connection is gone, and drops it then: it goes on in the server
when the program that sent it is killed. Only a server that ends meanwhile leaves one; the next
capture finds it by its comment and drops it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from routestudio import tasks
from routestudio.errors import LinkError, UsageError
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources._postgres_link import (
    PostgresError,
    Server,
    connect,
    connected,
    literal,
    quoted,
)

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Link = AsyncConnection[Any]

MARK: Final = "RouteStudio made this for a capture of process "
"""How the comment of such a publication begins; process id and its start follow."""
_SECONDS: Final = 15.0
_LONGEST_NAME: Final = 63
_MAKE: Final = """
do $guard$
begin
  create publication {name} for table {tables};
  comment on publication {name} is {comment};
  commit;
  while exists (select from pg_stat_activity where pid = {pid} and backend_start = {start}) loop
    commit;
    perform pg_sleep(0.2);
    perform pg_stat_clear_snapshot();
  end loop;
  drop publication {name};
end
$guard$"""
_LEFT: Final = """
select p.pubname::text from pg_publication p
join pg_description d on d.objoid = p.oid and d.classoid = 'pg_publication'::regclass
where starts_with(d.description, %s) and not exists (
  select from pg_stat_activity a
  where d.description = %s || a.pid || ' of ' || a.backend_start)"""


class Guard:
    """Makes a publication for the connection of a capture, and sees that it is dropped."""

    def __init__(self, server: Server, name: str, tables: Sequence[str]) -> None:
        if not name or len(name.encode()) > _LONGEST_NAME:
            raise UsageError(f"a name of a publication has 1 to {_LONGEST_NAME} bytes")
        self._server = server
        self.name = name
        self._tables = [catalog.split(table) for table in tables]
        self._waiting: asyncio.Task[None] | None = None
        self._link: Link | None = None

    async def make(self, link: Link, pid: int) -> None:
        """Make it for as long as the connection with that process id is there.

        Raises `LinkError` where there is one of that name, or it would make writes fail.
        """
        for name in await left_behind(link):
            await drop(self._server, name)
        cursor = await link.execute("select 1 from pg_publication where pubname = %s", (self.name,))
        if await cursor.fetchone():
            raise LinkError(f"{self._server.where}: there is a publication `{self.name}` already",
                            hint="name another one to make, or capture its changes")  # fmt: skip
        for schema, table in self._tables:
            found = await catalog.table(link, quoted(schema, table))
            if not found.changeable:
                raise LinkError(
                    f"{self._server.where}: {found.full_name} has no key that changes are known "
                    "by: while it is published, updates and deletes of it fail for everybody",
                    hint="give it a primary key, or replica identity full",
                )
        cursor = await link.execute(
            "select backend_start::text from pg_stat_activity where pid = %s", (pid,)
        )
        row = await cursor.fetchone()
        if row is None:
            raise LinkError(f"{self._server.where}: the capture's connection is gone",
                            hint="capture again")  # fmt: skip
        self._link = await connect(self._server, read_only=False, more={"statement_timeout": "0"})
        if self._link.info.server_version >= 140_000:  # before, it never looks for its client
            await self._link.execute("set client_connection_check_interval to 0")
        statement = _MAKE.format(
            name=quoted(self.name), pid=pid, start=f"{literal(row[0])}::timestamptz",
            tables=", ".join(quoted(*parts) for parts in self._tables),
            comment=literal(f"{MARK}{pid} of {row[0]}"),
        )  # fmt: skip
        self._waiting = tasks.spawn(self._wait(statement), name="postgres publication")
        await self._made(link)

    async def _made(self, link: Link) -> None:
        """Wait until the publication is there, or the server refused it."""
        assert self._waiting is not None
        async with asyncio.timeout(_SECONDS):
            while True:
                cursor = await link.execute(
                    "select 1 from pg_publication where pubname = %s", (self.name,)
                )
                if await cursor.fetchone():
                    return
                if self._waiting.done():
                    self._waiting.result()
                await asyncio.sleep(0.05)

    async def _wait(self, statement: str) -> None:
        from psycopg import Error

        from routestudio.sources._postgres_link import link_error

        assert self._link is not None
        try:
            await self._link.execute(statement.encode())
        except Error as error:
            raise link_error(self._server, error) from None

    async def end(self) -> None:
        """Wait until it is dropped; the capture's connection is closed already."""
        if self._waiting is not None:
            # Not cancelled: a cancelled statement would leave the publication.
            with contextlib.suppress(TimeoutError, PostgresError):
                async with asyncio.timeout(_SECONDS):
                    await asyncio.shield(self._waiting)
            await tasks.stop(self._waiting)
        if self._link is not None:
            lost = self._link.broken
            await self._link.close()
            if lost:
                with contextlib.suppress(PostgresError):
                    await drop(self._server, self.name)


async def left_behind(link: Link) -> list[str]:
    """Publications of captures whose process is gone: the server ended meanwhile."""
    cursor = await link.execute(_LEFT, (MARK, MARK))
    return [row[0] for row in await cursor.fetchall()]


async def drop(server: Server, name: str) -> None:
    """Drop a publication. Raises `PostgresError`."""
    async with connected(server, read_only=False) as link:
        await link.execute(f"drop publication if exists {quoted(name)}".encode())
