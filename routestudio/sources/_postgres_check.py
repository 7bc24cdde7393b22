"""Checks a database step by step: the way there, what it is set to, rights, slot, tables.

It only reads. A step that fails comes with what to do; steps that need it are skipped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import LinkError, UsageError
from routestudio.model.outcome import CheckStep, StepStatus
from routestudio.sinks._shared.net import Reach, Stopwatch, reach
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources import _postgres_slots as slots
from routestudio.sources._postgres_link import Server, connect, link_error, quoted
from routestudio.sources._postgres_slots import Wanted
from routestudio.sources._postgres_tls import tls_step

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Link = AsyncConnection[Any]

STEPS: Final = ("resolve", "connect", "TLS", "authenticate", "version", "wal_level", "rights",
                "publication", "slot", "table")  # fmt: skip
_OLDEST: Final = 120_000
_SECONDS: Final = 10.0
_MOST: Final = 200
"""Tables that are looked at."""
_RIGHTS: Final = """
select r.rolreplication or r.rolsuper or exists (
         select from pg_roles g where g.rolname in ('rds_replication', 'cloudsqlsuperuser')
         and pg_has_role(current_user, g.oid, 'member'))
from pg_roles r where r.rolname = current_user"""
_PUBLICATION: Final = """
select puballtables, pubinsert, pubupdate, pubdelete from pg_publication where pubname = %s"""
_PUBLISHED: Final = """
select schemaname::text, tablename::text from pg_publication_tables where pubname = any (%s)
order by 1, 2 limit 1000"""


async def check(server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    """The steps, as they finish. Raises only when it is cancelled."""
    way = Reach()
    async with aclosing(reach(server.host, server.port, tls=None, result=way)) as steps:  # type: ignore[type-var]
        async for step in steps:
            if step.step != "TLS":
                last = step.step
                yield step
    if not way.ok:
        for step in _skipped(last):
            yield step
        return
    step = await tls_step(server)
    yield step
    if step.status == "failed":
        for step in _skipped("TLS"):
            yield step
        return
    watch = Stopwatch()
    try:
        link = await connect(server, seconds=_SECONDS)
    except LinkError as error:
        text = error.message.removeprefix(f"{server.where}: ")
        yield CheckStep("authenticate", "failed", text, watch.lap(), error.hint)
        for step in _skipped("authenticate"):
            yield step
        return
    encrypted = ", encrypted" if link.pgconn.ssl_in_use else ", not encrypted"
    text = f"{server.user} may use `{server.database}`{encrypted}"
    yield CheckStep("authenticate", "passed", text, watch.lap())
    try:
        async for step in _inside(link, server, wanted):
            yield step
    finally:
        await link.close()


async def _inside(link: Link, server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    from psycopg import Error

    watch = Stopwatch()
    parts = (_version, _level, _rights, _publications, _slot, _tables)
    for name, part in zip(STEPS[4:], parts, strict=True):
        try:
            async for step in part(link, server, wanted):
                yield CheckStep(step.step, step.status, step.detail, watch.lap(), step.hint,
                                step.target)  # fmt: skip
        except (Error, TimeoutError) as error:
            found = link_error(server, error)
            text = found.message.removeprefix(f"{server.where}: ")
            yield CheckStep(name, "failed", text, watch.lap(), found.hint)


async def _version(link: Link, server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    number = link.info.server_version
    written = link.info.parameter_status("server_version") or str(number)
    cursor = await link.execute("select pg_is_in_recovery()")
    row = await cursor.fetchone()
    standby = bool(row and row[0])
    place = ", a standby" if standby else ""
    if number < _OLDEST:
        yield CheckStep("version", "failed", f"PostgreSQL {written}{place}", hint="RouteStudio "
                        "reads PostgreSQL 12 and newer")  # fmt: skip
    elif standby and number < 160_000 and wanted.slot:
        yield CheckStep("version", "failed", f"PostgreSQL {written}{place}", hint="a standby has "
                        "slots of changes since version 16; name the primary")  # fmt: skip
    else:
        yield CheckStep("version", "passed", f"PostgreSQL {written}{place}")


async def _level(link: Link, server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    cursor = await link.execute("select current_setting('wal_level')")
    row = await cursor.fetchone()
    level = row[0] if row else "unknown"
    if level == "logical":
        yield CheckStep("wal_level", "passed", "logical")
        return
    status: StepStatus = "failed" if wanted.slot else "inconclusive"
    yield CheckStep(
        "wal_level", status, f"{level}: changes cannot be read, only rows",
        hint="alter system set wal_level = 'logical'; then restart the server",
    )  # fmt: skip


async def _rights(link: Link, server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    cursor = await link.execute(_RIGHTS)
    row = await cursor.fetchone()
    if row and row[0]:
        yield CheckStep("rights", "passed", f"{server.user} may replicate", target="replication")
    else:
        status: StepStatus = "failed" if wanted.slot else "inconclusive"
        yield CheckStep("rights", status, f"{server.user} may not replicate: changes cannot be "
                        "read, only rows",
                        hint=f"alter role {quoted(server.user)} replication; at a cloud, grant "
                        "its replication role", target="replication")  # fmt: skip
    found = await catalog.tables(link)
    wished = {".".join(catalog.split(name)) for name in wanted.tables}
    closed = [f"{item['schema']}.{item['name']}" for item in found if not item["readable"]]
    closed = [name for name in closed if not wished or name in wished]
    if closed:
        listed = ", ".join(closed[:5]) + (f" and {len(closed) - 5} more" if closed[5:] else "")
        yield CheckStep("rights", "failed" if wished else "inconclusive",
                        f"{server.user} may not select from {listed}",
                        hint=f"grant select on … to {quoted(server.user)}; rows of tables are "
                        "read with it", target="select")  # fmt: skip
    else:
        count = len(wished) or len(found)
        many = "1 table" if count == 1 else f"{count:,} tables"
        yield CheckStep("rights", "passed", f"{server.user} may select from {many}",
                        target="select")  # fmt: skip


async def _publications(link: Link, server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    if not wanted.publications:
        yield CheckStep("publication", "skipped", "no publication is named")
    for name in wanted.publications:
        cursor = await link.execute(_PUBLICATION, (name,))
        row = await cursor.fetchone()
        if row is None:
            yield CheckStep("publication", "failed", f"there is no publication `{name}`",
                            hint=f"create publication {quoted(name)} for table public.orders; it "
                            "should name tables, not FOR ALL TABLES", target=name)  # fmt: skip
            continue
        every, *published = row
        cursor = await link.execute(_PUBLISHED, ([name],))
        tables = [f"{schema}.{table}" for schema, table in await cursor.fetchall()]
        actions = zip(("insert", "update", "delete"), published, strict=True)
        missing = [action for action, on in actions if not on]
        shown = ", ".join(tables[:5]) + (f" and {len(tables) - 5} more" if tables[5:] else "")
        what = f"all tables ({len(tables)})" if every else shown or "no table"
        out = [name for name in (".".join(catalog.split(t)) for t in wanted.tables)
               if name not in tables]  # fmt: skip
        if out:
            yield CheckStep("publication", "failed", f"{', '.join(out[:5])} not published: {what}",
                            hint=f"alter publication {quoted(name)} add table {out[0]}",
                            target=name)  # fmt: skip
        elif not tables:
            hint = f"alter publication {quoted(name)} add table public.orders"
            yield CheckStep("publication", "inconclusive", "it has no table", hint=hint,
                            target=name)  # fmt: skip
        elif missing:
            hint = f"alter publication {quoted(name)} set (publish = 'insert, update, delete')"
            yield CheckStep("publication", "inconclusive",
                            f"{what}; not published: {', '.join(missing)}", hint=hint,
                            target=name)  # fmt: skip
        else:
            yield CheckStep("publication", "passed", what, target=name)


async def _slot(link: Link, server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    name = wanted.slot
    if not name:
        yield CheckStep("slot", "skipped", "no slot is named")
        return
    slot = await slots.slot_of(link, name)
    problem = slots.slot_problem(server, name, slot)
    if problem is not None or slot is None:
        text, hint = problem or ("", "")
        yield CheckStep("slot", "failed", text, hint=hint, target=name)
        return
    behind = max(0, await slots.position_now(link) - slot.confirmed)
    held = f"{behind / 1_048_576:,.1f} MB of the log behind"
    if slot.active:
        yield CheckStep("slot", "inconclusive", f"in use by the process {slot.pid}, {held}",
                        hint="a slot serves one at a time: stop the other before a run",
                        target=name)  # fmt: skip
    elif slot.wal in ("extended", "unreserved"):
        yield CheckStep("slot", "inconclusive", f"{held}, more than max_wal_size",
                        hint="run soon, or drop the slot: the server keeps the log for it, and "
                        "may remove it", target=name)  # fmt: skip
    else:
        yield CheckStep("slot", "passed", f"free, {held}", target=name)


async def _tables(link: Link, server: Server, wanted: Wanted) -> AsyncIterator[CheckStep]:
    names = list(wanted.tables)
    if not names and wanted.publications:
        cursor = await link.execute(_PUBLISHED, (list(wanted.publications),))
        names = [f"{quoted(schema)}.{quoted(table)}" for schema, table in await cursor.fetchall()]
    if not names:
        yield CheckStep("table", "skipped", "no table is named")
    for name in names[:_MOST]:
        try:
            table = await catalog.table(link, name)
        except UsageError as error:
            yield CheckStep("table", "failed", error.message, hint=error.hint, target=name)
            continue
        yield _table(table)
    if names[_MOST:]:
        yield CheckStep("table", "skipped", f"{len(names) - _MOST} more tables are not looked at")


def _table(table: catalog.Table) -> CheckStep:
    """What is to be known of one table's key and identity."""
    target = table.full_name
    alter = f"alter table {quoted(table.schema, table.name)}"
    key = f"key {', '.join(table.key)}" if table.key else "no primary key"
    identity = catalog.IDENTITIES.get(table.identity, table.identity)
    if table.kind not in ("table", "partitioned table") or not table.logged:
        what = table.kind if table.logged else "unlogged table"
        return CheckStep("table", "inconclusive", f"a {what} has rows and no changes",
                         hint="name the tables that are behind it", target=target)  # fmt: skip
    if not table.changeable:
        return CheckStep(
            "table", "failed", f"{key}, replica identity is {identity}: its updates and deletes "
            "fail once it is published",
            hint=f"add a primary key, or {alter} replica identity full", target=target,
        )  # fmt: skip
    if not table.key:
        return CheckStep("table", "inconclusive", f"{key}: messages have no group and no keys",
                         hint="add a primary key, or name columns in `tables` of the project",
                         target=target)  # fmt: skip
    text = f"{key}; old values: {identity}"
    return CheckStep("table", "passed", text, target=target)


def _skipped(after: str) -> list[CheckStep]:
    """The steps after one that failed."""
    rest = STEPS[STEPS.index(after) + 1 :]
    return [CheckStep(name, "skipped", f"not tried because {after} failed") for name in rest]
