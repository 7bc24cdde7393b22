"""What a database has: tables with columns, keys and replica identity, types, publications."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import UsageError

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Link = AsyncConnection[Any]

IDENTITIES: Final[Mapping[str, str]] = {
    "d": "the primary key", "n": "nothing", "f": "the full row", "i": "an index",
}  # fmt: skip
_KINDS: Final[Mapping[str, str]] = {
    "r": "table", "p": "partitioned table", "v": "view", "m": "materialized view",
    "f": "foreign table",
}  # fmt: skip
_PARTS: Final = re.compile(r'(?:"(?:[^"]|"")*"|[^,"]|")+?(?=,|$)')
MOST: Final = 10_000
"""Tables that are listed."""


def key_columns(relation: str, index: str = "indisprimary") -> str:
    """A query for the columns of the index of a relation that is marked so, in table order."""
    return (
        "select a.attname::text from pg_index i join pg_attribute a "  # noqa: S608 - no values
        "on a.attrelid = i.indrelid and a.attnum = any (i.indkey) "
        f"where i.indrelid = {relation} and i.{index} order by a.attnum"
    )


_ESTIMATE: Final = """
case when c.relkind = 'p' then (
       select sum(greatest(l.reltuples, 0)) from pg_partition_tree(c.oid) t
       join pg_class l on l.oid = t.relid where t.isleaf)
     when c.relkind in ('v', 'f') then null
     when c.reltuples < 0 then null else c.reltuples end::float8"""
"""Rows of a relation `c`, as far as the server knows; a partitioned one has those of its leaves."""

_TABLES: Final = f"""
select n.nspname, c.relname, c.relkind::text,
       {_ESTIMATE},
       has_table_privilege(c.oid, 'select')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and n.nspname not like 'pg\\_temp\\_%%' and c.relpersistence <> 't'
order by 1, 2 limit %s"""  # noqa: S608 - no values

_TABLE: Final = f"""
select c.oid, n.nspname, c.relname, c.relkind::text, c.relreplident::text, c.relpersistence::text,
       {_ESTIMATE},
       array({key_columns("c.oid")}),
       array({key_columns("c.oid", "indisreplident")}),
       has_table_privilege(c.oid, 'select')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relname = %s and c.relkind in ('r', 'p', 'v', 'm', 'f')"""  # noqa: S608 - no values

_COLUMNS: Final = """
select a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
       a.attgenerated::text <> '',
       a.attstorage in ('x', 'e') and c.reltoastrelid <> 0
         and (a.atttypid not in (1042, 1043) or a.atttypmod not between 5 and 504)
from pg_attribute a join pg_class c on c.oid = a.attrelid
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped
order by a.attnum"""

_TYPES: Final = """
select oid, typname::text, typtype::text, typbasetype,
       case typcategory when 'A' then typelem else 0 end
from pg_type where oid = any (%s)"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` is the short name of its type (of the base type of a domain), `written` the
    type as people write it. `large`: its values may be stored apart from their row."""

    name: str
    type: str
    written: str
    nullable: bool
    generated: bool
    large: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table, a view or a partitioned table. `estimate` is the server's of its rows."""

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    identity: str
    identity_columns: tuple[str, ...]
    estimate: int | None
    readable: bool
    logged: bool

    @property
    def full_name(self) -> str:
        """Schema and table."""
        return f"{self.schema}.{self.name}"

    @property
    def changeable(self) -> bool:
        """Whether updates and deletes can be published: rows have something to be known by."""
        if self.kind not in ("table", "partitioned table"):
            return False
        return {"d": bool(self.key), "i": bool(self.identity_columns)}.get(
            self.identity, self.identity == "f"
        )

    def shape(self) -> dict[str, Any]:
        """The table as the row format `postgres` takes it, without generated columns: changes do
        not have them before PostgreSQL 18."""
        kept = [column for column in self.columns if not column.generated]
        found: dict[str, Any] = {
            "schema": self.schema, "name": self.name, "columns": [c.name for c in kept],
            "types": [c.type for c in kept], "key": list(self.key),
        }  # fmt: skip
        left_out = [column.name for column in self.columns if column.generated]
        return {**found, "generated": left_out} if left_out else found

    def as_json(self) -> dict[str, Any]:
        """For the window and the command line."""
        return {
            "schema": self.schema, "name": self.name, "kind": self.kind,
            "estimate": self.estimate, "key": list(self.key), "readable": self.readable,
            "identity": IDENTITIES.get(self.identity, self.identity),
            "identity_columns": list(self.identity_columns), "changeable": self.changeable,
            "columns": [{"name": c.name, "type": c.written, "nullable": c.nullable,
                         "generated": c.generated, "key": c.name in self.key}
                        for c in self.columns],
        }  # fmt: skip


class Types:
    """Short names of types by oid, as they become known."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def name(self, oid: int) -> str | None:
        """The name of a type that was learned."""
        return self._names.get(oid)

    async def learn(self, link: Link, oids: Iterable[int]) -> None:
        """Ask for the types that are not known yet, with what they are made of."""
        rows: dict[int, tuple[str, str, int, int]] = {}
        wanted = {oid for oid in oids if oid not in self._names}
        while wanted:
            cursor = await link.execute(_TYPES, (list(wanted),))
            for oid, name, type_, base, item in await cursor.fetchall():
                rows[oid] = (name, type_, base, item)
            parts = {part for row in rows.values() for part in row[2:] if part}
            wanted = {part for part in parts if part not in rows and part not in self._names}
        for oid in rows:
            self._names[oid] = self._named(oid, rows)

    def _named(self, oid: int, rows: Mapping[int, tuple[str, str, int, int]]) -> str:
        if oid not in rows:
            return self._names.get(oid, "unknown")
        name, type_, base, item = rows[oid]
        if type_ == "d" and base:
            return self._named(base, rows)
        return f"{self._named(item, rows)}[]" if item else name


async def tables(link: Link) -> list[dict[str, Any]]:
    """The tables of a database: schema, name, kind, estimated rows, whether they can be read."""
    cursor = await link.execute(_TABLES, (MOST,))
    return [
        {"schema": schema, "name": name, "kind": _KINDS.get(kind, kind), "readable": readable,
         "estimate": None if estimate is None else round(estimate)}
        for schema, name, kind, estimate, readable in await cursor.fetchall()
    ]  # fmt: skip


async def table(link: Link, written: str, types: Types | None = None) -> Table:
    """A table by `schema.table` or `table`. Raises `UsageError` when there is none."""
    schema, name = split(written)
    cursor = await link.execute(_TABLE, (schema, name))
    row = await cursor.fetchone()
    if row is None:
        raise UsageError(
            f"there is no table {schema}.{name} that can be seen",
            hint="write schema.table, as it is in the catalogue, upper and lower case included",
        )
    oid, schema, name, kind, identity, persistence, estimate, key, index, readable = row
    cursor = await link.execute(_COLUMNS, (oid,))
    found = await cursor.fetchall()
    types = types or Types()
    await types.learn(link, [column[1] for column in found])
    columns = tuple(
        Column(column, types.name(type_) or written_, written_, nullable, generated, large)
        for column, type_, written_, nullable, generated, large in found
    )
    return Table(
        oid, schema, name, _KINDS.get(kind, kind), columns, tuple(key), identity, tuple(index),
        None if estimate is None else round(estimate), readable, persistence == "p",
    )  # fmt: skip


def split(written: str) -> tuple[str, str]:
    """Schema and name of a table as people write it; the schema is `public` unless given.

    A part may be in double quotes, as SQL has it. Raises `UsageError`.
    """
    parts: list[str] = []
    rest = written.strip()
    while rest:
        if rest.startswith('"'):
            end = 1
            while end < len(rest) and (rest[end] != '"' or rest[end : end + 2] == '""'):
                end += 2 if rest[end] == '"' else 1
            parts.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :]
        else:
            part, _, _ = rest.partition(".")
            parts.append(part)
            rest = rest[len(part) :]
        if rest and not rest.startswith("."):
            break
        rest = rest[1:]
    if rest or not 1 <= len(parts) <= 2 or not all(parts):
        raise UsageError(f"`{written[:80]}` is not a table", hint="for example public.orders")
    return (parts[0], parts[1]) if len(parts) == 2 else ("public", parts[0])


def listed(written: str) -> Sequence[str]:
    """Tables as people write several: with commas."""
    return [part.strip() for part in _PARTS.findall(written) if part.strip()]
