"""What a server would refuse, ignore, lose or crash on in a file, outside of what one sink shows.

Facts: docs/reference/sequin.md#configuration-file and what follows there. Everything here is a
warning or a note: a project may be meant for RouteStudio alone, and an export refuses or rewrites
what it must.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from routestudio.model.hazard import Finding
from routestudio.model.project import Severity
from routestudio.project.server_keys import (
    CONNECTION,
    DATABASE,
    ENDPOINT,
    LISTS,
    RETENTION,
    SOURCE,
)
from routestudio.sinks import server
from routestudio.sinks.hazards import by_sink

Path = tuple[str, ...]
_MAX_ANNOTATIONS: Final = 8192


class _File:
    """Collects findings of one file."""

    def __init__(self, data: Mapping[str, Any], file: str, position: Callable[[Path], Any]) -> None:
        self.data = data
        self._file = file
        self._position = position

    def say(
        self, code: str, path: Path, message: str, hint: str, severity: Severity = "warning"
    ) -> Finding:
        """A finding at the deepest part of `path` that exists."""
        line, column = self._position(path)
        sink = path[1] if path[0] == "sinks" and len(path) > 1 else None
        return Finding(code, message, hint, severity, self._file, line, column, sink)

    def named(self, section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The entries of a list at the top that have a name, or their number."""
        items = self.data.get(section)
        for number, item in enumerate(items if isinstance(items, list) else []):
            if isinstance(item, Mapping):
                name = item.get("name")
                yield name if isinstance(name, str) else str(number), item


def findings(
    data: Mapping[str, Any],
    file: str,
    position: Callable[[Path], tuple[int, int]],
    sinks: Mapping[str, str],
    *,
    server: bool = True,
) -> list[Finding]:
    """All findings of a file's data, by section. `sinks` maps YAML types to sink keys.

    Without `server` (a project with Python functions, which no server takes as it is) notes are
    left out, and what an export rewrites.
    """
    view = _File(data, file, position)
    parts: list[Iterable[Finding]] = [
        _top(view), _databases(view), _endpoints(view), _functions(view), _retentions(view),
        _sinks(view, sinks),
    ]  # fmt: skip
    found = [item for part in parts for item in part]
    return [i for i in found if server or (i.severity != "note" and i.code != "credentials")]


def _top(view: _File) -> Iterator[Finding]:
    for key in view.data:
        if key in LISTS and view.data[key] is None:
            yield view.say("null_list", (key,), f"`{key}` is empty, and a server crashes on it",
                           f"write `{key}: []`, or remove it; an export does so")  # fmt: skip
    if "account" in view.data:
        yield view.say("account", ("account",), "a server reads `account` only at startup; its CLI "
                       "refuses files that contain it", "keep it in a separate file")  # fmt: skip
    for section, parts in (("users", ("email", "password")), ("api_tokens", ("name", "token"))):
        for name, raw in view.named(section):
            for part in parts:
                if raw.get(part) is None:
                    yield view.say("crash", (section, name), f"an entry of `{section}` has no "
                                   f"`{part}`", f"add `{part}`")  # fmt: skip


def _databases(view: _File) -> Iterator[Finding]:
    for name, raw in view.named("databases"):
        place = ("databases", name)
        for key in raw:
            if key == "tables":
                yield view.say("ignored", (*place, key), f"database `{name}`: a server ignores "
                               "`tables`", "name tables in `source` of a sink", "note")  # fmt: skip
            elif key not in DATABASE:
                yield view.say("ignored", (*place, key), f"database `{name}`: a server ignores "
                               f"`{key}`", _near(key, DATABASE))  # fmt: skip
        yield from _connection(view, place, raw)
        for part in ("slot", "publication"):
            block, flat = raw.get(part), f"{part}_name"
            if part in raw and flat in raw:
                yield view.say("refused", (*place, flat), f"database `{name}`: a server refuses "
                               f"`{part}` and `{flat}` together", f"remove `{flat}`")  # fmt: skip
            if part not in raw and flat not in raw:
                yield view.say("creation", place, f"database `{name}` has no `{part}`; a server "
                               "needs it to create the database", f"add `{part}:` with a `name`",
                               "note")  # fmt: skip
            if isinstance(block, Mapping):
                yield from _block(view, (*place, part), name, block)
        waiting = raw.get("await_database")
        for key, value in waiting.items() if isinstance(waiting, Mapping) else ():
            if not isinstance(value, int) or isinstance(value, bool):
                yield view.say("crash", (*place, "await_database", key), f"database `{name}`: "
                               f"`{key}` must be a whole number of milliseconds; a variable stays "
                               "text", "write the number")  # fmt: skip


def _connection(view: _File, place: Path, raw: Mapping[str, Any]) -> Iterator[Finding]:
    name = place[1]
    url = raw.get("url")
    if url is None:
        for key in ("hostname", "database"):
            if raw.get(key) in (None, ""):
                yield view.say("refused", place, f"database `{name}` has no `{key}`, which a "
                               "server needs", f"add `{key}`, or a `url`")  # fmt: skip
        return
    others = [key for key in CONNECTION if raw.get(key) is not None]
    if others:
        yield view.say("refused", (*place, others[0]), f"database `{name}`: a server takes either "
                       f"`url` or `{others[0]}`", "remove one of them")  # fmt: skip
    if not isinstance(url, str) or "$" in url:
        return
    try:
        parts = urlsplit(url)
        given = {"host": parts.hostname, "port": parts.port, "database": parts.path.strip("/")}
        missing = [part for part, value in given.items() if not value]
    except ValueError:
        parts, missing = None, ["port"]
    if missing:
        yield view.say("refused", (*place, "url"), f"database `{name}`: `url` names no "
                       f"{' and no '.join(missing)}, and a server has no default",
                       "write postgresql://user:password@host:5432/database")  # fmt: skip
    elif parts is not None and parts.query:
        yield view.say("refused", (*place, "url"), f"database `{name}`: a server refuses "
                       "parameters in `url`", "use keys like `ssl`")  # fmt: skip


def _block(
    view: _File, place: Path, name: str, block: Mapping[str, Any]
) -> Iterator[Finding]:  # fmt: skip
    create = block.get("create_if_not_exists")
    if create is not None and not isinstance(create, bool):
        yield view.say("ignored", (*place, "create_if_not_exists"), f"database `{name}`: a server "
                       "ignores `create_if_not_exists` that is not `true` or `false`",
                       "write it without quotes and variables")  # fmt: skip
    if "init_sql" in block and create is not True:
        yield view.say("ignored", (*place, "init_sql"), f"database `{name}`: a server ignores "
                       "`init_sql` without `create_if_not_exists: true`", "add it")  # fmt: skip
    for key in block:
        if key not in ("name", "create_if_not_exists", "init_sql"):
            yield view.say("ignored", (*place, str(key)), f"database `{name}`: a server ignores "
                           f"`{key}` of `{place[-1]}`", "remove it")  # fmt: skip


def _endpoints(view: _File) -> Iterator[Finding]:
    used = {d.get("http_endpoint") for _, s in view.named("sinks")
            if isinstance(d := s.get("destination"), Mapping)}  # fmt: skip
    for name, raw in view.named("http_endpoints"):
        place = ("http_endpoints", name)
        for key in raw:
            if key not in ENDPOINT:
                yield view.say("refused", (*place, key), f"HTTP endpoint `{name}`: a server "
                               f"refuses the unknown key `{key}`",
                               _near(key, ENDPOINT))  # fmt: skip
        forms = [key for key in ("url", "local", "webhook.site") if raw.get(key) is not None]
        if len(forms) != 1:
            text = " and ".join(f"`{form}`" for form in forms) or "no `url`"
            yield view.say("refused", place, f"HTTP endpoint `{name}` has {text}",
                           "write one of `url`, `local` and `webhook.site`")  # fmt: skip
        if raw.get("local") is True and name not in used:
            yield view.say("WEB-08", (*place, "local"), "a server reads `local` as text only, and "
                           "loses the boolean", 'write `local: "true"`')  # fmt: skip
        if "webhook.site" in forms:
            yield view.say("random", (*place, "webhook.site"), f"HTTP endpoint `{name}`: a server "
                           "makes a new address each time that the file is applied",
                           "write the address as `url` once it is made", "note")  # fmt: skip
        for key in ("headers", "encrypted_headers"):
            yield from _headers(view, (*place, key), name, raw.get(key))


def _headers(view: _File, place: Path, name: str, headers: Any) -> Iterator[Finding]:
    if headers is None or isinstance(headers, Mapping):
        return
    good = isinstance(headers, list) and all(
        isinstance(item, Mapping) and {"key", "value"} <= set(item) for item in headers
    )
    if not good:
        yield view.say("crash", place, f"HTTP endpoint `{name}`: `{place[-1]}` must be a map, or a "
                       "list of `key` and `value`", "write `Name: value`")  # fmt: skip


def _functions(view: _File) -> Iterator[Finding]:
    for section in ("functions", "transforms"):
        for name, raw in view.named(section):
            place = (section, name)
            inner = raw.get("function") or raw.get("transform")
            body = inner if isinstance(inner, Mapping) else raw
            if body is raw and raw.get("description") is not None:
                yield view.say("description", (*place, "description"), f"function `{name}`: a "
                               "server loses the description in this form", "it stays in this "
                               "file", "note")  # fmt: skip
            code = body.get("code")
            if body.get("type") == "enrichment" and isinstance(code, str) and "$1" not in code:
                yield view.say("refused", (*place, "code"), f"function `{name}`: a server refuses "
                               "an enrichment without `$1`",
                               "select the rows with `= ANY($1)`")  # fmt: skip


def _retentions(view: _File) -> Iterator[Finding]:
    known = {name for name, _ in view.named("databases")}
    for name, raw in view.named("change_retentions"):
        place = ("change_retentions", name)
        for key in RETENTION:
            if raw.get(key) is None:
                yield view.say("crash", place, f"change retention `{name}` has no `{key}`, and a "
                               "server crashes without it", f"add `{key}`")  # fmt: skip
            elif key.endswith("_database") and known and raw[key] not in known:
                yield view.say("unknown_database", (*place, key), f"`{raw[key]}` is not in "
                               "`databases`; the server must have it", "correct the name, if it "
                               "is wrong", "note")  # fmt: skip


def _sinks(view: _File, kinds: Mapping[str, str]) -> Iterator[Finding]:
    known = [name for name, _ in view.named("databases")]
    for name, raw in view.named("sinks"):
        place = ("sinks", name)
        database = raw.get("database")
        if isinstance(database, str) and known and database not in known and "$" not in database:
            near = difflib.get_close_matches(database, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "a server must have it already"
            yield view.say("unknown_database", (*place, "database"), f"sink `{name}`: database "
                           f"`{database}` is not in `databases`", hint,
                           "warning" if near else "note")  # fmt: skip
        yield from _source(view, place, raw)
        if raw.get("message_grouping") in (False, "false"):
            tables = raw.get("tables")
            for item in tables if isinstance(tables, list) else []:
                if isinstance(item, Mapping) and item.get("group_column_names"):
                    yield view.say("refused", (*place, "tables"), f"sink `{name}`: a server "
                                   "refuses `group_column_names` while `message_grouping` is off",
                                   "remove them, or group")  # fmt: skip
                    break
        annotations = raw.get("annotations")
        if isinstance(annotations, Mapping) and len(str(dict(annotations))) > _MAX_ANNOTATIONS:
            yield view.say("refused", (*place, "annotations"), f"sink `{name}`: a server takes at "
                           f"most {_MAX_ANNOTATIONS} bytes of annotations", "shorten "
                           "them")  # fmt: skip
        yield from _backfill(view, (*place, "initial_backfill"), raw.get("initial_backfill"))
        destination = raw.get("destination")
        if isinstance(destination, Mapping):
            yield from _destination(view, place, raw, destination, kinds)


def _source(view: _File, place: Path, raw: Mapping[str, Any]) -> Iterator[Finding]:
    name, source = place[1], raw.get("source")
    old = [key for key in ("table", "schema") if raw.get(key) is not None]
    if (old and source is not None) or len(old) > 1:
        yield view.say("refused", (*place, old[0]), f"sink `{name}`: of `{old[0]}` and "
                       f"`{'source' if source is not None else old[1]}` a server takes one and "
                       "drops the other", "use `source` for both")  # fmt: skip
    given = source if isinstance(source, Mapping) else {}
    for key in given:
        if key not in SOURCE:
            yield view.say("ignored", (*place, "source", str(key)), f"sink `{name}`: a server "
                           f"ignores `{key}` of `source`", _near(str(key), SOURCE))  # fmt: skip
        elif given[key] is not None and not (isinstance(given[key], list) and given[key]):
            yield view.say("refused", (*place, "source", key), f"sink `{name}`: `{key}` must be a "
                           "list with an entry", "write `- name`, or remove it")  # fmt: skip
    for part in ("schemas", "tables"):
        if given.get(f"include_{part}") and given.get(f"exclude_{part}"):
            yield view.say("refused", (*place, "source"), f"sink `{name}`: a server refuses "
                           f"`include_{part}` and `exclude_{part}` together",
                           "keep one of them")  # fmt: skip


def _backfill(view: _File, place: Path, value: Any) -> Iterator[Finding]:
    if value is None or isinstance(value, bool):
        return
    name = place[1]
    for item in value if isinstance(value, list) else [None]:
        entry = item if isinstance(item, Mapping) else {}
        kind = entry.get("type", "full")
        needed = ("table", "sort_column", "start_position") if kind == "partial" else ("table",)
        lacking = [key for key in needed if entry.get(key) is None]
        if kind not in ("full", "partial") or lacking:
            hint = f"add `{lacking[0]}`" if entry and lacking else "write true, or a list of tables"
            yield view.say("refused", place, f"sink `{name}`: a server refuses this "
                           "`initial_backfill`", hint)  # fmt: skip
            return


def _destination(
    view: _File, place: Path, raw: Mapping[str, Any], destination: Mapping[str, Any],
    kinds: Mapping[str, str],
) -> Iterator[Finding]:  # fmt: skip
    name, kind = place[1], kinds.get(str(destination.get("type")))
    if kind is None:
        return
    keys, known = server.of(kind), by_sink().get(kind)
    if keys is None or known is None:
        return
    told = keys.read | keys.derived | {"type"} | known.told | set(known.dead_keys)
    for key in destination:
        if key not in told and re.fullmatch(r"[a-z0-9_]+", str(key)):
            yield view.say("ignored", (*place, "destination", key), f"sink `{name}`: a server does "
                           f"not read `{key}`", "it counts for RouteStudio only",
                           "note")  # fmt: skip
    size = raw.get("batch_size")
    if keys.single and destination.get(keys.single) is False and isinstance(size, int) \
            and size > 1:  # fmt: skip
        yield view.say("refused", (*place, "batch_size"), f"sink `{name}`: a server refuses a "
                       f"`batch_size` over 1 with `{keys.single}: false`",
                       "remove one of them")  # fmt: skip
    for key in keys.maps:
        if isinstance(destination.get(key), str):
            yield view.say("credentials", (*place, "destination", key), f"sink `{name}`: "
                           f"a server wants a map of `{key}`, not text",
                           "an export writes one")  # fmt: skip


def _near(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    return f"did you mean `{near[0]}`?" if near else "remove it"
