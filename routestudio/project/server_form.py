"""Rewrites a document into what a Sequin server takes: each step edits the text in place.

A document that has been through it once comes out unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routestudio.errors import FieldProblem
from routestudio.model.project import Project
from routestudio.project import environments, tables
from routestudio.project.document import YamlDocument
from routestudio.project.environment import is_reference, references
from routestudio.project.server_keys import LISTS
from routestudio.project.splicing import Change
from routestudio.sinks import registry, server
from routestudio.sinks.server import MapKey

WriteAlways = Callable[[str], Mapping[str, Any]]
"""For a sink type: the configuration keys that an export must write, with their defaults."""

ROLES: Final = ("filter", "transform", "routing", "enrichment")


@dataclass(frozen=True, slots=True)
class ServerExport:
    """The YAML for a server. `notes` show what was rewritten and must be known to apply it."""

    text: str
    notes: tuple[str, ...] = ()


def refusals(project: Project, data: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """What no rewriting makes acceptable."""
    for sink in project.sinks:
        place, keys = f"sinks.{sink.name}.destination", server.of(sink.type)
        if keys is None:
            continue
        for (key, value), (message, hint) in keys.refused.items():
            if sink.destination.get(key) == value:
                yield FieldProblem(f"{place}.{key}", message, hint)
        for key, wanted in keys.maps.items():
            given = sink.destination.get(key)
            if given is not None and _as_map(sink.destination, key, wanted) is None:
                yield FieldProblem(
                    f"{place}.{key}", "is text, and a server wants a map with its parts",
                    "write one reference like ${GOOGLE_KEY}, or the map",
                )  # fmt: skip
    for name, raw in _named(data, "functions"):
        code = raw.get("code")
        if raw.get("type") == "enrichment" and isinstance(code, str) and "$1" not in code:
            yield FieldProblem(
                f"functions.{name}.code", "has no parameter, which a server demands",
                "select the rows with `= ANY($1)`",
            )  # fmt: skip


def rewrite(
    document: YamlDocument, project: Project, write_always: WriteAlways | None,
    converted: Mapping[str, str] | None = None,
) -> list[str]:  # fmt: skip
    """Make a document acceptable for a server; returns notes. Raises `ProjectError`.

    `converted` holds the code of functions that were written in another language, by name.
    """
    notes: list[str] = []
    data = document.plain()
    # A server crashes on null, and reads the text of `local` only.
    changes = [Change((key,), []) for key in data if key in LISTS and data[key] is None]
    own = [key for key in (tables.KEY, environments.KEY) if key in data]  # RouteStudio's.
    changes += [Change((key,), gone=True) for key in own]
    for name, raw in _named(data, "http_endpoints"):
        if raw.get("local") is True:
            changes.append(Change(("http_endpoints", name, "local"), "true"))
    changes += _functions(document, project, converted or {})
    for sink in project.sinks:
        place = ("sinks", sink.name)
        written = document.plain(place) or {}
        changes += [Change((*place, role), "none") for role in ROLES if written.get(role) is None]
        for key, default in (write_always(sink.type) if write_always else {}).items():
            if sink.destination.get(key) is None:
                changes.append(Change((*place, "destination", key), default))
        keys = server.of(sink.type)
        for key, wanted in keys.maps.items() if keys else ():
            given = sink.destination.get(key)
            if not isinstance(given, str):
                continue
            parts = _as_map(sink.destination, key, wanted)
            changes.append(Change((*place, "destination", key), parts))
            needed = ", ".join(sorted(references(parts) - references(given)))
            more = f"; set {needed} from its parts" if needed else ""
            notes.append(f"sink `{sink.name}`: `{key}` are a map now, as a server wants "
                         f"them{more}")  # fmt: skip
    document.change_all(changes)
    return notes


def _functions(
    document: YamlDocument, project: Project, converted: Mapping[str, str]
) -> Iterator[Change]:
    """Remove RouteStudio's own keys, put the code of files inline, name types as servers do."""
    sinks = registry.default()
    key = "functions" if document.plain(("functions",)) else "transforms"
    for function in project.functions:
        item = document.plain((key, function.name)) or {}
        inner = next((k for k in ("function", "transform") if isinstance(item.get(k), dict)), None)
        for path in ((key, function.name), (key, function.name, inner) if inner else ()):
            body = document.plain(path) if path else {}
            if "language" in body:
                yield Change((*path, "language"), gone=True)
            code = converted.get(function.name, function.code)
            if "file" in body:
                if "code" in body:
                    yield Change((*path, "code"), gone=True)
                yield Change((*path, "file"), code, name="code")
            elif "code" in body and function.name in converted:
                yield Change((*path, "code"), code)
            kind = body.get("sink_type")
            if isinstance(kind, str) and kind in sinks:
                name = sinks.get(kind).yaml_type
                if name and name != kind:
                    yield Change((*path, "sink_type"), name)


def _as_map(
    destination: Mapping[str, Any], key: str, wanted: MapKey
) -> Mapping[str, Any] | None:  # fmt: skip
    """A key as a map of references; `None` for a text that cannot become one."""
    given = destination.get(key)
    if isinstance(given, Mapping):
        return given
    if not isinstance(given, str):
        return None
    if is_reference(given):
        name = next(iter(references(given)))
        if given in ("${" + name + "}", f"${name}"):
            parts = {part: "${" + f"{name}_{part.upper()}" + "}" for part in wanted.needed}
            own = {part: destination.get(part) for part in wanted.copied}
            return {**wanted.fixed, **own, **parts}
        return None
    try:
        loaded = json.loads(given)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _named(data: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    items = data.get(section)
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping) and isinstance(item.get("name"), str):
            yield item["name"], item
