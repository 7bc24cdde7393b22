"""The open project as plain data for the window: sinks with their problems, functions, samples."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from routestudio.engine.environments import environment_of
from routestudio.engine.targets import target_of
from routestudio.engine.workspace import Workspace
from routestudio.errors import RouteStudioError
from routestudio.model.function import Diagnostic, Function
from routestudio.project import environments
from routestudio.project_names import STATE_FOLDER


def snapshot_of(workspace: Workspace) -> dict[str, Any]:
    """The store's snapshot, plus per sink: key, title, problems, mode and ignored settings."""
    project = workspace.project
    snapshot = project.snapshot(workspace.secret_keys)
    snapshot["root"] = str(project.project.root)
    snapshot["state"] = str(project.project.root / STATE_FOLDER)
    snapshot["file"] = str(project.project.file)
    snapshot["variables"] = _variables(project.project.root)
    snapshot["environment"] = environment_of(workspace)
    snapshot["environments"] = [environments.as_json(m) for m in environments.all_of(project)]
    keys = project.project.table_keys
    snapshot["table_keys"] = {name: list(columns) for name, columns in keys.items()}
    snapshot["table_types"] = {name: dict(of) for name, of in project.project.table_types.items()}
    functions = {function.name: function for function in project.project.functions}
    around = (project.environment.token, project.project.http_endpoints,
              [p for p in project.project.problems if p.code == "masked_secret"])  # fmt: skip
    if workspace.around != around:
        workspace.around, workspace.states = around, {}
    for sink in snapshot["sinks"]:
        sink.update(_kept_state(workspace, sink["name"], functions))
    return snapshot


def _variables(root: Path) -> str:
    """What changes when the files of the project's variables do."""
    found = []
    for name in (None, *environments.found(root)):
        with contextlib.suppress(OSError):
            info = (root / environments.file_of(name)).lstat()
            found.append(f"{name}:{info.st_mtime_ns}:{info.st_size}")
    return " ".join(found)


def _kept_state(
    workspace: Workspace, name: str, functions: Mapping[str, Function]
) -> dict[str, Any]:
    """The state of a sink, worked out again only when something that it depends on changed."""
    spec = workspace.spec(name)
    used = [functions.get(role) for role in (spec.filter, spec.routing, spec.transform) if role]
    old = workspace.states.get(name)
    if old is not None and old[0][0] is spec and old[0][1] == used:
        return old[1]
    state = _state(workspace, name)
    workspace.states[name] = ((spec, used), state)
    return state


def diagnostics_of(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """Diagnostics as plain data."""
    return [asdict(item) for item in diagnostics]


def _state(workspace: Workspace, name: str) -> dict[str, Any]:
    try:
        prepared = workspace.prepare(name, for_delivery=True)
    except RouteStudioError as error:
        problem = {
            "field": "sink",
            "message": workspace.redact(error.message),
            "hint": error.hint,
            "unset": False,
        }
        return {"key": None, "title": None, "ready": False, "field_problems": [problem],
                "mode": "static", "ignored": {}, "batch": None, "target": None}  # fmt: skip
    limits = prepared.bound.limits
    target = target_of(prepared.bound.config)
    return {
        "key": prepared.sink.key,
        "title": prepared.sink.title,
        "ready": not prepared.problems,
        "field_problems": [
            {
                "field": p.field,
                "message": workspace.redact(p.message),
                "hint": p.hint,
                "unset": p.message.startswith("variable `"),
            }
            for p in prepared.problems
        ],
        "mode": "dynamic" if prepared.bound.dynamic else "static",
        "ignored": dict(prepared.bound.ignored),
        "batch": {"messages": limits.messages, "wait": limits.wait, "fixed": limits.fixed},
        "target": workspace.redact(target) if target else None,
    }
