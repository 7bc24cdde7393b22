"""Columns that functions read, against the tables of a database as they are.

A database is looked at when somebody asks for it; what was seen is kept with the open project, and
compared with every later text of its functions without asking again.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from routestudio.api.checks import Finding
from routestudio.engine.databases import server_of, wanted_of
from routestudio.engine.hazards import Samples
from routestudio.engine.workspace import Workspace
from routestudio.errors import RouteStudioError
from routestudio.formats._columns import type_name
from routestudio.model.analysis import Analysis, Read
from routestudio.model.function import Diagnostic, Function, FunctionKind
from routestudio.model.message import Message, table_of
from routestudio.model.project import SinkSpec
from routestudio.pipeline.matching import table_test
from routestudio.sinks.hazard_view import place_of_code
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources._postgres_link import connected, quoted
from routestudio.sources._postgres_slots import published

CODE: Final = "drift"
MOST: Final = 200
"""Tables that are looked at in a database."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a database had when it was looked at: all tables by name, and those of the project with
    their columns. `sampled` are the tables of the samples."""

    names: tuple[str, ...]
    tables: Mapping[str, catalog.Table]
    sampled: tuple[str, ...]

    def of(self, spec: SinkSpec) -> list[catalog.Table]:
        """The tables whose rows reach a sink: those that it names, those of the samples that it
        takes, or else all of the project that it takes."""
        test = table_test(spec.source)

        def takes(name: str) -> bool:
            schema, _, table = name.partition(".")
            return test(schema, table)

        named = [*_list(spec.source.get("include_tables")), *spec.tables]
        sampled = [name for name in self.sampled if takes(name)]
        chosen = dict.fromkeys([*map(_full, named), *sampled])
        found = [self.tables[name] for name in chosen if name in self.tables]
        return found or [table for name, table in self.tables.items() if takes(name)]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `function` and `read` are set where a function reads the column; `path` is
    its place in the project's file elsewhere, `file` and `line` that of a sample."""

    severity: str
    message: str
    hint: str | None
    sink: str | None = None
    function: Function | None = None
    read: Read | None = None
    path: tuple[str, ...] = ()
    file: str | None = None
    line: int | None = None


async def look(workspace: Workspace, database: str, samples: Samples) -> Seen:
    """Look at a database: the tables that its sinks name, that samples have, and that its
    publication has. Kept until it is looked at again. Raises `LinkError`, `UsageError`."""
    server, wanted = server_of(workspace, database), wanted_of(workspace, database)
    async with connected(server) as link:
        names = [f"{item['schema']}.{item['name']}" for item in await catalog.tables(link)]
        known = set(names)
        chosen = dict.fromkeys(map(_full, wanted.tables))
        chosen |= dict.fromkeys(_tables_of(samples))
        chosen |= dict.fromkeys(map(_full, workspace.project.project.table_types))
        if wanted.publications:
            try:
                found = await published(link, wanted.publications)
                chosen |= dict.fromkeys(".".join(catalog.split(name)) for name in found)
            except RouteStudioError:
                pass  # the check of the database names it
        types = catalog.Types()
        tables = {}
        for name in [name for name in chosen if name in known][:MOST]:
            schema, _, table = name.partition(".")
            tables[name] = await catalog.table(link, quoted(schema, table), types)
    seen = workspace.seen[database] = Seen(tuple(names), tables, tuple(_tables_of(samples)))
    return seen


async def drifts(workspace: Workspace, database: str, samples: Samples) -> list[Drift]:
    """What differs between the project and a database that was looked at; asks nobody."""
    seen: Seen | None = workspace.seen.get(database)
    if seen is None:
        return []
    project = workspace.project.project
    found = list(_declared(workspace, seen))
    found += _of_samples(seen, samples)
    for spec in project.sinks:
        if spec.database != database:
            continue
        found += _named(spec, seen)
        tables = seen.of(spec)
        roles = (spec.filter, spec.routing, spec.transform)
        for function in project.functions:
            if function.name in roles and function.kind.entry_point is not None and tables:
                found += _reads(spec, await workspace.pool.analysis(function), tables)
    return found


async def of_function(workspace: Workspace, name: str, code: str) -> list[Diagnostic]:
    """The same for one function with the text that is being typed, at its lines."""
    project = workspace.project.project
    function = next((item for item in project.functions if item.name == name), None)
    if function is None or function.kind not in _CODE:
        return []
    typed = Function(name, function.kind, function.language, code)
    found: dict[tuple[int, int, str], Diagnostic] = {}
    for spec in project.sinks:
        seen: Seen | None = workspace.seen.get(spec.database or "")
        if seen is None or name not in (spec.filter, spec.routing, spec.transform):
            continue
        known = await workspace.pool.analysis(typed)
        for item in _reads(spec, known, seen.of(spec)):
            if item.read is not None and item.severity != "note":
                place = (item.read.line, item.read.column)
                found[*place, item.message] = Diagnostic(
                    *place, CODE, item.message, place[0], place[1] + len(item.read.text) + _AROUND,
                    "warning", item.hint,
                )  # fmt: skip
    return list(found.values())


def columns(workspace: Workspace) -> dict[str, str]:
    """Columns of the tables that were looked at, with their types as people write them."""
    return {
        column.name: column.written
        for seen in workspace.seen.values()
        for table in seen.tables.values()
        for column in table.columns
        if not column.generated
    }


def finding(workspace: Workspace, item: Drift) -> Finding:
    """A difference as `lint` reports it."""
    file = workspace.project.file.name
    position = workspace.project.document.position
    place: tuple[str | None, int | None, int | None] = (item.file, item.line, None)
    if item.function is not None and item.read is not None:
        place = place_of_code(item.function, file, position, item.read.line, item.read.column)
    elif item.path:
        place = (file, *position(item.path))
    named = f"sink `{item.sink}`: " if item.sink else ""
    return Finding(item.severity, CODE, f"{named}{item.message}", item.hint, *place, item.sink)


_AROUND: Final = len('record[""]')
_CODE: Final = (FunctionKind.ROUTING, FunctionKind.FILTER, FunctionKind.TRANSFORM)


def _named(spec: SinkSpec, seen: Seen) -> Iterator[Drift]:
    """Tables that a sink names and the database does not have."""
    for key in ("include_tables", "exclude_tables"):
        for number, name in enumerate(_list(spec.source.get(key))):
            if _full(name) not in seen.names:
                severity = "error" if key == "include_tables" else "warning"
                path = ("sinks", spec.name, "source", key, str(number))
                yield Drift(severity, f"the database has no table {_full(name)}",
                            _near(name, seen.names), spec.name, path=path)  # fmt: skip
    for name, group in spec.tables.items():
        table = seen.tables.get(_full(name))
        if table is None:
            yield Drift("error", f"the database has no table {_full(name)}",
                        _near(name, seen.names), spec.name,
                        path=("sinks", spec.name, "tables"))  # fmt: skip
            continue
        have = [column.name for column in table.columns]
        for column in group:
            if column not in have:
                yield Drift("error", f"{table.full_name} has no column `{column}`, by which "
                            "messages are grouped", _near(column, have), spec.name,
                            path=("sinks", spec.name, "tables"))  # fmt: skip


def _declared(workspace: Workspace, seen: Seen) -> Iterator[Drift]:
    """Types and keys of the project's own `tables` that are others in the database."""
    for stated in workspace.project.project.tables:
        table = seen.tables.get(_full(stated.name))
        if table is None:
            continue
        have = {column.name: column for column in table.columns}
        for name, type_ in stated.columns.items():
            path = ("tables", stated.name, "columns", name)
            if name not in have:
                yield Drift("warning", f"{table.full_name} has no column `{name}`",
                            _near(name, have), path=path)  # fmt: skip
            elif type_name(type_) != have[name].type:
                text = f"`{name}` of {table.full_name} is {have[name].written}, not {type_}"
                yield Drift("warning", text, f"write {name}: {have[name].type}", path=path)
        if stated.key and stated.key != table.key and table.key:
            yield Drift("warning", f"the primary key of {table.full_name} is "
                        f"{', '.join(table.key)}, not {', '.join(stated.key)}",
                        f"write key: [{', '.join(table.key)}]",
                        path=("tables", stated.name, "key"))  # fmt: skip


def _of_samples(seen: Seen, samples: Samples) -> Iterator[Drift]:
    """Columns of sample rows whose types are others in the database, each once for a file."""
    for file, messages in samples.items():
        told: set[tuple[str, str]] = set()
        for message in messages:
            table = seen.tables.get(table_of(message))
            if table is None:
                continue
            have = {column.name: column for column in table.columns}
            for name in message.record:
                at = (table.full_name, name)
                if at in told:
                    continue
                type_, column = message.types.get(name), have.get(name)
                if column is None:
                    told.add(at)
                    yield Drift("warning", f"{table.full_name} has no column `{name}`, which rows "
                                "of this sample have", _near(name, have), file=file,
                                line=message.line)  # fmt: skip
                elif type_ is not None and type_name(type_) != column.type:
                    told.add(at)
                    yield Drift("warning", f"`{name}` of {table.full_name} is {column.written}; "
                                f"rows of this sample have {type_}", "take the rows again",
                                file=file, line=message.line)  # fmt: skip


def _reads(spec: SinkSpec, known: Analysis, tables: Sequence[catalog.Table]) -> Iterator[Drift]:
    """What is to be known of each column that a function reads, at the first place that does."""
    done: set[str] = set()
    for read in known.reads:
        if read.text in done:
            continue
        done.add(read.text)
        alike = [item for item in known.reads if item.text == read.text]
        for severity, text, hint in _of_read(read.text, any(r.guarded for r in alike), tables):
            yield Drift(severity, text, hint, spec.name, known.function, read)


def _of_read(
    name: str, guarded: bool, tables: Sequence[catalog.Table]
) -> Iterator[tuple[str, str, str | None]]:
    having = {t.full_name: c for t in tables for c in t.columns if c.name == name}
    lacking = [table for table in tables if table.full_name not in having]
    if lacking:
        where = ", ".join(table.full_name for table in lacking[:3])
        near = _near(name, [column.name for table in lacking for column in table.columns])
        if not having:
            yield "error", f"{where} has no column `{name}`", near
            return
        if not guarded:
            yield "warning", f"{where} has no column `{name}`, other tables have", near
    generated = [full for full, column in having.items() if column.generated]
    if generated:
        yield ("warning", f"`{name}` of {generated[0]} is generated: changes do not have it before "
               "PostgreSQL 18", "compute it in the function")  # fmt: skip
    nullable = [full for full, column in having.items() if column.nullable]
    if nullable and not guarded:
        yield ("warning", f"`{name}` of {nullable[0]} may be null",
               "decide what happens then, or make the column not null")  # fmt: skip
    large = [t.full_name for t in tables if t.identity != "f" and t.kind.endswith("table")
             and t.full_name in having and having[t.full_name].large]  # fmt: skip
    if large:
        text = (f"large values of `{name}` of {large[0]} are `unchanged_toast` in updates that do "
                "not change them")  # fmt: skip
        yield "note", text, f"alter table {large[0]} replica identity full"


def _near(name: str, among: Iterable[str]) -> str | None:
    full = list(among)
    near = difflib.get_close_matches(name, full, 1, 0.6)
    if not near and "." not in name:
        near = difflib.get_close_matches(f"public.{name}", full, 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else None


def _full(name: str) -> str:
    return str(name) if "." in str(name) else f"public.{name}"


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else []


def _tables_of(samples: Mapping[str, Sequence[Message]]) -> list[str]:
    return list(dict.fromkeys(table_of(m) for messages in samples.values() for m in messages))
