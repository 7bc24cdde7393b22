"""The databases of a project: where they are, their check, and what they hold.

`database://NAME?table=public.orders` in the place of an address means a database of the project:
host, user, password, TLS, slot and publication are those of its entry under `databases`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from routestudio.engine.workspace import Opened, Workspace
from routestudio.errors import RouteStudioError, UsageError
from routestudio.model.outcome import CheckStep
from routestudio.model.postgres import PORT, TLS_MODES
from routestudio.project.user_state import ProjectState
from routestudio.sources import _postgres_catalog as catalog
from routestudio.sources._postgres_link import Server, connected, quoted
from routestudio.sources._postgres_slots import Wanted
from routestudio.sources.uri import Resolve, take

Emit = Callable[[str, dict[str, Any]], None]

SCHEME: Final = "database"
_DEFAULT: Final = "postgres"
"""User and password that a server takes for those that are left out."""
DEADLINE: Final = 60.0
"""Seconds that a whole check may take."""
ENRICHMENT_SECONDS: Final = 10.0
"""What the query of an enrichment may take, unless the entry says otherwise."""
_RESOLVED: Final = ("hostname", "port", "username", "password", "database", "ssl", "url")
"""Parts of an entry that may hold references."""
_FILES: Final = ("sslrootcert", "sslcert", "sslkey")
_PASSWORD: Final = "${ROUTESTUDIO_DATABASE_PASSWORD}"  # noqa: S105 - a name
"""How the password of an entry is named in the address made of it."""


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


def server_of(workspace: Workspace, name: str) -> Server:
    """The server of a database of the project, to which its user and password may go.

    Raises `UsageError`, also while nobody was shown which variables of the user would go there.
    """
    workspace.shown(outside_of(workspace, name))
    return place_of(workspace, name)


def outside_of(workspace: Workspace, name: str) -> list[dict[str, str]]:
    """`variable`, `host` and `database` of what the user has not been shown yet: variables that
    the process's environment gives, not the project."""
    entry = entry_of(workspace, name)
    used = [{key: value for key, value in entry.items() if key in _RESOLVED}]
    variables = workspace.project.environment.from_outside(used)
    if not variables:
        return []
    try:
        server = place_of(workspace, name)
        host = f"{server.host}:{server.port}"
    except UsageError:
        host = "a host that is not known yet"
    known = ProjectState(workspace.project.root).agreed() | workspace.agreed
    return [{"variable": variable, "host": host, "database": name}
            for variable in sorted(variables) if (variable, host) not in known]  # fmt: skip


def place_of(workspace: Workspace, name: str) -> Server:
    """The server of a database, for a question about it. Raises `UsageError`."""
    entry = entry_of(workspace, name)
    values = _values(workspace, name, entry)
    port = values.get("port") or PORT
    if not str(port).isascii() or not str(port).isdigit() or not 0 < int(port) < 65_536:
        raise UsageError(f"database `{name}`: `port` is not a port", hint="for example 5432")
    for key in ("hostname", "database"):
        if not isinstance(values.get(key), str) or not values[key]:
            raise UsageError(f"database `{name}` has no `{key}`", hint=f"add `{key}:`")
    own = own_of(entry)
    mode = str(own.get("sslmode") or ("require" if _true(values.get("ssl")) else TLS_MODES[0]))
    if mode not in TLS_MODES:
        raise UsageError(f"database `{name}`: `sslmode` is {mode[:40]}",
                         hint=f"known: {', '.join(TLS_MODES)}")  # fmt: skip
    files = {key: _file(workspace, name, key, own.get(key)) for key in _FILES}
    password = str(values.get("password") or _DEFAULT)
    if password != _DEFAULT:
        workspace.keep_secret(password)
    return Server(
        values["hostname"], int(port), values["database"], str(values.get("username") or _DEFAULT),
        password, mode, **files,
    )  # fmt: skip


def wanted_of(workspace: Workspace, name: str) -> Wanted:
    """What a run needs of a database: slot, publication, and the tables that sinks name."""
    entry = entry_of(workspace, name)
    tables: dict[str, None] = {}
    for sink in workspace.project.project.sinks:
        if sink.database == name:
            named = [*(sink.source.get("include_tables") or ()), *sink.tables]
            tables |= dict.fromkeys(str(table) for table in named)
    publication = _part(entry, "publication")
    return Wanted(_part(entry, "slot"), (publication,) if publication else (), tuple(tables))


def entry_of(workspace: Workspace, name: str) -> Mapping[str, Any]:
    """A database's entry. Raises `UsageError` when there is none."""
    entries = workspace.project.project.database_entries
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise UsageError(f"the project has no database `{name[:60]}`",
                         hint=f"databases: {known}")  # fmt: skip
    return entries[name]


def own_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What RouteStudio alone reads of an entry: `annotations.routestudio`."""
    annotations = entry.get("annotations")
    own = annotations.get("routestudio") if isinstance(annotations, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def enrichment_seconds(workspace: Workspace, name: str) -> float:
    """What the query of an enrichment may take in a database. Raises `UsageError`."""
    given = own_of(entry_of(workspace, name)).get("enrichment_timeout", ENRICHMENT_SECONDS)
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 1 <= given <= 3600:
        raise UsageError(f"database `{name}`: `enrichment_timeout` is not a number of seconds",
                         hint="from 1 to 3600")  # fmt: skip
    return float(given)


def located(workspace: Workspace, address: str, resolve: Resolve) -> tuple[str, Resolve]:
    """An address with a database of the project put in its place, and how to resolve it."""
    if not address.startswith(f"{SCHEME}://"):
        return address, resolve
    name, _, query = address.removeprefix(f"{SCHEME}://").partition("?")
    name = unquote(name.strip("/"))
    server, wanted = server_of(workspace, name), wanted_of(workspace, name)
    _, given = take(f"{SCHEME}://?{query}", ("slot", "publication"))
    options = {"password": _PASSWORD, "sslmode": server.sslmode}
    options |= {key: value for key in _FILES if (value := getattr(server, key))}
    if "table=" not in query:
        if wanted.slot and "slot" not in given:
            options["slot"] = wanted.slot
        if wanted.publications and "publication" not in given:
            options["publication"] = ",".join(wanted.publications)
    host = f"[{server.host}]" if ":" in server.host else server.host
    more = "&".join(f"{key}={quote(value, safe='${}/,')}" for key, value in options.items())
    place = f"{quote(server.user, safe='')}@{host}:{server.port}/{quote(server.database, safe='')}"
    found = f"postgres://{place}?{more}" + (f"&{query}" if query else "")
    return found, lambda text: server.password if text == _PASSWORD else resolve(text)


async def check(workspace: Workspace, name: str) -> AsyncIterator[CheckStep]:
    """The steps of checking a database, as they finish. Raises only when it is cancelled."""
    from routestudio.sources._postgres_check import check as check_steps

    try:
        server, wanted = server_of(workspace, name), wanted_of(workspace, name)
    except RouteStudioError as error:
        yield CheckStep("configuration", "failed", error.message, hint=error.hint)
        return
    try:
        async with asyncio.timeout(DEADLINE), aclosing(check_steps(server, wanted)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step
    except TimeoutError:
        yield CheckStep("deadline", "failed", f"the check took longer than {DEADLINE:g} s",
                        DEADLINE * 1000, hint="the server answers too slowly")  # fmt: skip


class DatabaseMethods:
    """Requests about databases of the project."""

    def __init__(self, service: Opened) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "database_tables": self.tables,
            "database_table": self.table,
        }

    async def tables(self, database: str, *, emit: Emit = _ignore) -> list[dict[str, Any]]:
        """The tables of a database: schema, name, kind, estimated rows, whether they can be read.

        From then on functions are compared with them (`engine.drift`). Raises `LinkError`.
        """
        from routestudio.engine import drift
        from routestudio.engine.lint import samples_of

        workspace = self._service.workspace
        async with connected(server_of(workspace, database)) as link:
            found = await catalog.tables(link)
        await drift.look(workspace, database, samples_of(workspace)[0])
        return found

    async def table(
        self, database: str, schema: str, name: str, *, emit: Emit = _ignore
    ) -> dict[str, Any]:
        """Columns, key, replica identity and estimate of a table. Raises `LinkError`."""
        async with connected(server_of(self._service.workspace, database)) as link:
            return (await catalog.table(link, quoted(schema, name))).as_json()


def _values(workspace: Workspace, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry's values with references resolved, those of a `url` included."""
    environment = workspace.project.environment
    wanted = {key: value for key, value in entry.items() if key in _RESOLVED}
    names = sorted({item for value in wanted.values() for item in environment.missing(value)})
    if names:
        raise UsageError(f"database `{name}`: variable `{names[0]}` is not set",
                         hint=f"set {names[0]} or add it to {environment.file}")  # fmt: skip
    values: dict[str, Any] = environment.resolve(wanted)
    url = values.get("url")
    if isinstance(url, str) and url:
        try:
            parts = urlsplit(url)
            found = {"hostname": parts.hostname, "port": parts.port, "username": parts.username,
                     "password": parts.password, "database": parts.path.lstrip("/")}  # fmt: skip
        except ValueError:
            raise UsageError(f"database `{name}`: `url` cannot be read",
                             hint="write postgres://user@host:5432/database") from None  # fmt: skip
        values |= {key: unquote(value) if isinstance(value, str) else value
                   for key, value in found.items() if value}  # fmt: skip
    return values


def _part(entry: Mapping[str, Any], part: str) -> str | None:
    block = entry.get(part)
    name = block.get("name") if isinstance(block, Mapping) else entry.get(f"{part}_name")
    return name if isinstance(name, str) and name else None


def _file(workspace: Workspace, name: str, key: str, value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    if value == "system":
        return value
    path = workspace.project.root / value
    if not path.is_file():
        raise UsageError(f"database `{name}`: `{key}`: there is no file {value}",
                         hint="correct the path")  # fmt: skip
    return str(path)


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
