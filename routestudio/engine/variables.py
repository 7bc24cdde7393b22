"""The variables of a project: each with its value, where it is from, and what it is used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from routestudio.engine.workspace import Workspace
from routestudio.project.environment import default_of, is_secret, references

_NAMED: Final = ("sinks", "http_endpoints", "databases")


def variables_of(workspace: Workspace) -> list[dict[str, Any]]:
    """Per variable: `name`, `value` (`None` for a secret, and where it is unset), `secret`,
    `origin` (`Environment.look`), `unset` (it has no value and a use without default), `default`,
    and `uses`: where the project refers to it."""
    environment = workspace.project.environment
    uses: dict[str, list[dict[str, Any]]] = {}
    for path, text in _texts(workspace.project.document.plain() or {}):
        for name in sorted(references(text)):
            use = {**_use(path), "default": default_of(text, name)}
            uses.setdefault(name, []).append(use)
    for name in environment.written():
        uses.setdefault(name, [])
    return [_variable(workspace, name, uses[name]) for name in sorted(uses)]


def _variable(workspace: Workspace, name: str, uses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    value, origin = workspace.project.environment.look(name)
    secret = is_secret(name, value or "")
    # A value is a secret, too, where a sink's field is one, whatever the variable is called.
    shown = None if secret or value is None else workspace.redact(value)
    unset = value is None and any(use["default"] is None for use in uses)
    default = next((use["default"] for use in uses if use["default"] is not None), None)
    return {"name": name, "value": shown, "secret": secret or shown != value, "origin": origin,
            "unset": unset, "default": default, "uses": [dict(use) for use in uses]}  # fmt: skip


def _use(path: tuple[str, ...]) -> dict[str, Any]:
    kind = path[0] if path[0] in _NAMED and len(path) > 1 else "file"
    name = path[1] if kind != "file" else ""
    rest = [part for part in path[2 if name else 0 :] if part != "destination"]
    return {"kind": "sink" if kind == "sinks" else kind, "name": name, "field": ".".join(rest),
            "path": list(path)}  # fmt: skip


def _texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Texts in which references are resolved, with the names of the lists' entries in the path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != "code":
                yield from _texts(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            name = item.get("name") if isinstance(item, Mapping) else None
            yield from _texts(item, (*path, name if isinstance(name, str) else str(number)))
