"""Slots and publications: what is wrong with them, before and after it is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import LinkError
from routestudio.sources._postgres_link import Server, literal, quoted

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Link = AsyncConnection[Any]

ACTIVE: Final = "55006"
"""SQLSTATE of a slot that somebody uses."""
_GONE: Final = ("55000", "58P01")
"""SQLSTATEs of a slot, or of a log, that does not have the changes any more."""
_SLOT: Final = """
select plugin::text, slot_type, database::text, active, active_pid, wal_status,
       coalesce(confirmed_flush_lsn - '0/0'::pg_lsn, 0)::bigint
from pg_replication_slots where slot_name = %s"""
_NOW: Final = """
select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else
        pg_current_wal_insert_lsn() end - '0/0'::pg_lsn)::bigint"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot as the server shows it."""

    plugin: str | None
    kind: str
    database: str | None
    active: bool
    pid: int | None
    wal: str | None
    confirmed: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for in a database; what is not named is not needed."""

    slot: str | None = None
    publications: Sequence[str] = ()
    tables: Sequence[str] = ()


async def slot_of(link: Link, name: str) -> Slot | None:
    """A slot by its name."""
    cursor = await link.execute(_SLOT, (name,))
    row = await cursor.fetchone()
    return Slot(*row) if row is not None else None


async def position_now(link: Link) -> int:
    """How far the server has written its log."""
    cursor = await link.execute(_NOW)
    row = await cursor.fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0


def slot_problem(server: Server, name: str, slot: Slot | None) -> tuple[str, str] | None:
    """What is wrong with a slot for changes of this database, and what to do."""
    if slot is None:
        return (
            f"there is no replication slot `{name}`",
            f"make it with pg_create_logical_replication_slot({literal(name)}, 'pgoutput'); "
            "changes from before that are not in it",
        )
    if slot.kind != "logical" or slot.plugin != "pgoutput":
        what = f"has the plug-in {slot.plugin}" if slot.plugin else "is a physical one"
        return (f"the slot `{name}` {what}", "make one with the plug-in pgoutput")
    if slot.database != server.database:
        return (f"the slot `{name}` belongs to the database `{slot.database}`",
                "name that database, or make a slot in this one")  # fmt: skip
    if slot.wal == "lost":
        return lost_text(name)
    return None


def lost_text(name: str) -> tuple[str, str]:
    """What is said of a slot without its log."""
    return (
        f"the slot `{name}` has lost changes: the server has removed the log that it needs",
        f"make it again (select pg_drop_replication_slot({literal(name)}), then create it) and "
        "read the rows again with backfill=…; see max_slot_wal_keep_size",
    )


async def missing_publications(link: Link, names: Sequence[str]) -> list[str]:
    """Names of which there is no publication."""
    cursor = await link.execute(
        "select pubname::text from pg_publication where pubname = any (%s)", (list(names),)
    )
    known = {row[0] for row in await cursor.fetchall()}
    return [name for name in names if name not in known]


async def published(link: Link, names: Sequence[str]) -> list[str]:
    """The tables of publications, as people write them."""
    cursor = await link.execute(
        "select distinct schemaname::text, tablename::text from pg_publication_tables "
        "where pubname = any (%s) order by 1, 2", (list(names),)
    )  # fmt: skip
    return [quoted(schema, table) for schema, table in await cursor.fetchall()]


async def require(link: Link, server: Server, slot: str, publications: Sequence[str]) -> None:
    """Raise `LinkError` for what keeps the changes of a slot from being read, except for rights."""
    await require_logical(link, server)
    found = slot_problem(server, slot, await slot_of(link, slot))
    if found is not None:
        raise LinkError(f"{server.where}: {found[0]}", hint=found[1])
    await _require_published(link, server, publications)


async def require_ready(link: Link, server: Server, publications: Sequence[str]) -> None:
    """Raise `LinkError` where there are no changes to read: by `wal_level`, or unpublished."""
    await require_logical(link, server)
    await _require_published(link, server, publications)


async def require_logical(link: Link, server: Server) -> None:
    """Raise `LinkError` where `wal_level` allows no changes to be read."""
    cursor = await link.execute("select current_setting('wal_level')")
    row = await cursor.fetchone()
    if row is not None and row[0] != "logical":
        raise LinkError(
            f"{server.where}: `wal_level` is {row[0]}, not logical",
            hint="alter system set wal_level = 'logical', and restart the server",
        )


async def _require_published(link: Link, server: Server, publications: Sequence[str]) -> None:
    missing = await missing_publications(link, publications)
    if missing:
        raise LinkError(
            f"{server.where}: there is no publication `{missing[0]}`",
            hint=f"make it, for example: create publication {quoted(missing[0])} for table "
            "public.orders",
        )


def refused(server: Server, slot: str, state: str, text: str) -> LinkError | None:
    """A clearer error for one of a stream, where there is one."""
    if state in _GONE and ("slot" in text or "segment" in text or state == "58P01"):
        said, hint = lost_text(slot)
        return LinkError(f"{server.where}: {said} ({text})", hint=hint)
    return None
