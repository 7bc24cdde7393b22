"""The open project as plain data for the window; what of it is secret is not in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

from routestudio.model.function import Function
from routestudio.model.project import SHARED_KEYS, Project, ProjectProblem, SinkSpec
from routestudio.project.secrets import masked, masked_database, masked_endpoint

Shown = dict[int, tuple[Any, dict[str, Any]]]
"""What was made of sinks before, by the identity of their specification."""


def snapshot(
    project: Project, secret_keys: Callable[[str], Collection[str]], shown: Shown
) -> dict[str, Any]:
    """Sinks, functions, endpoints, databases and problems of a project."""
    kept = {
        id(spec): known if (known := shown.get(id(spec))) is not None and known[0] is spec
        else (spec, _sink(spec, secret_keys))
        for spec in project.sinks
    }  # fmt: skip
    shown.clear()
    shown.update(kept)
    return {
        "name": project.root.name,
        "sinks": [dict(kept[id(spec)][1]) for spec in project.sinks],
        "functions": [_function(function) for function in project.functions],
        "http_endpoints": {
            name: masked_endpoint(values) for name, values in project.http_endpoints.items()
        },
        "databases": list(project.databases),
        "database_entries": {
            name: masked_database(entry) for name, entry in project.database_entries.items()
        },
        "problems": [_problem(problem) for problem in project.problems],
    }


def _sink(spec: SinkSpec, secret_keys: Callable[[str], Collection[str]]) -> dict[str, Any]:
    return {
        **{k.name: getattr(spec, k.name) for k in SHARED_KEYS if hasattr(spec, k.name)},
        "type": spec.type,
        "yaml_type": spec.yaml_type,
        "actions": list(spec.actions),
        "annotations": dict(spec.annotations),
        "source": dict(spec.source),
        "tables": {name: list(columns) for name, columns in spec.tables.items()},
        "destination": masked(spec.destination, secret_keys(spec.type)),
    }


def _function(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "kind": function.kind.value,
        "language": function.language.value,
        "code": function.code,
        "path": function.path,
        "sink_type": function.sink_type,
        "description": function.description,
        "file": function.file,
        "problems": [asdict(problem) for problem in function.problems],
    }


def _problem(problem: ProjectProblem) -> dict[str, Any]:
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "path": list(problem.place.path),
    }
