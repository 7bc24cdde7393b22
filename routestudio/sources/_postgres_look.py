"""Rows of tables as messages `read`: the newest by key, random ones, or those of a condition."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import UsageError
from routestudio.model.rows import Fault, Raw, RawRow
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources._postgres_link import UNKNOWN_ENCODING, Server, quoted

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Link = AsyncConnection[Any]

ORDERS: Final = ("newest", "random", "any")
_SAMPLED: Final = 100_000
"""Rows from which on random ones are taken of random pages, not of the whole table."""


async def look(
    link: Link, server: Server, written: str, limit: int, order: str, where: str | None
) -> list[RawRow]:
    """At most `limit` rows of a table. Raises `UsageError`, and psycopg's errors."""
    table = await catalog.table(link, written)
    shape = {**table.shape(), "origin": origin_of(server)}
    if not shape["columns"]:
        raise UsageError(f"{table.full_name} has no columns that changes would have")
    if not table.readable:
        raise UsageError(f"{server.user} may not read {table.full_name}",
                         hint=f"grant select on {quoted(table.schema, table.name)} to "
                         f"{quoted(server.user)}")  # fmt: skip
    async with link.transaction():
        await link.execute("set transaction isolation level repeatable read, read only")
        result = await _selected(link, table, limit, order, where)
        cursor = await link.execute(
            "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else "
            "pg_current_wal_lsn() end - '0/0'::pg_lsn, now()"
        )
        lsn, now = await cursor.fetchone() or (0, dt.datetime.now(dt.UTC))
    origin = metadata_of(server, int(lsn or 0), now)
    return rows_of(table, shape, result, origin)


def origin_of(server: Server) -> dict[str, Any]:
    """What messages say of the database that they come from."""
    return {"name": server.database, "database": server.database, "hostname": server.host}


def metadata_of(server: Server, lsn: int, moment: dt.datetime) -> dict[str, Any]:
    """What all rows of one reading have in common."""
    return {
        "commit_lsn": lsn,
        "commit_timestamp": moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


async def _selected(
    link: Link, table: catalog.Table, limit: int, order: str, where: str | None
) -> Any:
    """The result of asking for rows, as the server wrote it."""
    names = ", ".join(quoted(column.name) for column in table.columns if not column.generated)
    condition = f"where (\n{where}\n)" if where else ""
    if order == "newest" and table.key:
        sort = "order by " + ", ".join(f"{quoted(name)} desc" for name in table.key)
    elif order == "random":
        sort = "order by random()"
    else:
        sort = ""
    share = ""
    if order == "random" and not where and (table.estimate or 0) > _SAMPLED:
        # Three times what is wanted: pages are unevenly filled, and the estimate is one.
        percent = min(100.0, max(300.0 * limit / (table.estimate or 1), 0.001))
        share = f"tablesample system ({percent:f})"
    source = quoted(table.schema, table.name)
    await as_it_is(link)
    sql = f"select {version_of(table)}, {names} from {source} {share} {condition} {sort} limit $1"  # noqa: S608
    return await raw_execute(link, sql, [limit])


async def as_it_is(link: Link) -> None:
    """Take texts of this transaction as they are, where the database does not know an encoding."""
    if link.info.parameter_status("server_encoding") == UNKNOWN_ENCODING:
        await link.execute(f"set local client_encoding to '{UNKNOWN_ENCODING}'")


def version_of(table: catalog.Table) -> str:
    """An expression for the version of a row, and its place where it has no key."""
    if table.kind in ("table", "materialized view"):
        return "xmin::text" if table.key else "xmin::text || '@' || ctid::text"
    return "xmin::text" if table.kind == "partitioned table" and table.key else "''"


async def raw_execute(link: Link, sql: str, values: Sequence[Any]) -> Any:
    """One statement with `$1` parameters; a second one in it is refused by the server."""
    from psycopg import AsyncRawCursor

    cursor = AsyncRawCursor(link)
    await cursor.execute(sql, values)
    return cursor.pgresult


def rows_of(
    table: catalog.Table, shape: Mapping[str, Any], result: Any, origin: Mapping[str, Any],
    start: int = 0,
) -> list[RawRow]:  # fmt: skip
    """Rows of a result, whose first column is `version_of`, as raw rows."""
    rows: list[RawRow] = []
    places = [shape["columns"].index(name) for name in table.key if name in shape["columns"]]
    for number, (version, *values) in enumerate(_decoded(result), start):
        if version is None and not values:
            place = f"{table.full_name}#{number}"
            text, hint = "the row is not text in UTF-8", "set the database's encoding right"
            rows.append(Fault(0, text, hint, index=number, place=place))
            continue
        key = ":".join(values[place] or "" for place in places) or version or f"#{number}"
        value = {"action": "read", "table": shape, "new": values, "commit_idx": number, **origin}
        position = f"{table.full_name}/{key}@{version}"
        rows.append(Raw({"postgres": value}, topic=table.full_name, position=position,
                        place=f"{table.full_name}:{key}"))  # fmt: skip
    return rows


def _decoded(result: Any) -> Any:
    """Rows of texts; one that is not UTF-8 is a `None` alone."""
    if result is None:
        return
    get = result.get_value
    for row in range(result.ntuples):
        values = [get(row, column) for column in range(result.nfields)]
        try:
            yield [None if value is None else bytes(value).decode() for value in values]
        except UnicodeDecodeError:
            yield [None]
