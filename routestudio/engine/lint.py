"""Everything that can be known of a project without a network."""

from __future__ import annotations

from collections import Counter
from typing import Any

from routestudio.engine.sources import read_some
from routestudio.engine.workspace import Workspace
from routestudio.errors import RouteStudioError
from routestudio.model.message import Message

SAMPLE_ROWS = 1_000
"""Rows of each sample set that are routed to find problems."""

MAX_LINES = 20
"""Most unreadable lines of one sample set that are listed."""

Finding = dict[str, Any]


async def lint(workspace: Workspace) -> list[Finding]:
    """Findings of the file, the sinks, the functions and the samples, in that order."""
    found = [
        _finding(p.severity, p.code, p.message, p.hint, file=p.place.file, line=p.place.line,
                 column=p.place.column)
        for p in workspace.project.project.problems
    ]  # fmt: skip
    if not workspace.project.project.sinks and not found:
        file = workspace.project.file.name
        text = "the project has no sinks"
        found.append(_finding("warning", "empty", text, "add one under `sinks`", file=file, line=1))
    found += await _functions(workspace)
    found += _samples(workspace)
    for spec in workspace.project.project.sinks:
        found += await _sink(workspace, spec.name)
    return found


async def _functions(workspace: Workspace) -> list[Finding]:
    found = []
    for function in workspace.project.project.functions:
        for item in await workspace.pool.check(function):
            file = function.file or workspace.project.file.name
            found.append(
                _finding(item.severity, item.code, f"function `{function.name}`: {item.message}",
                         item.hint, file=file, line=item.line, column=item.column)
            )  # fmt: skip
    return found


async def _sink(workspace: Workspace, name: str) -> list[Finding]:
    try:
        prepared = workspace.prepare(name)
    except RouteStudioError as error:
        return [_finding("error", "sink", f"sink `{name}`: {error.message}", error.hint)]
    document, file = workspace.project.document, workspace.project.file.name
    found = []
    unset = workspace.unset(prepared.spec, prepared.sink)
    for problem in prepared.problems:
        key = problem.field.split(".")[0]
        if unset.get(key):
            continue  # Its variable may be set where the project runs; nothing is known here.
        path = ("sinks", name, "destination", key)
        line, column = document.position(path)
        found.append(
            _finding("error", "field", f"sink `{name}`: {problem.field} {problem.message}",
                     problem.hint, file=file, line=line, column=column)
        )  # fmt: skip
    for key in prepared.bound.ignored:
        line, column = document.position(("sinks", name, "destination", key))
        text = f"sink `{name}`: `{key}` is not used, because a function does the routing"
        found.append(_finding("note", "ignored", text, "remove it, or route without a function",
                              file=file, line=line, column=column))  # fmt: skip
    return found + await _undeliverable(workspace, name)


def _samples(workspace: Workspace) -> list[Finding]:
    """Sample files that cannot be read, and lines of them that hold no message."""
    found = []
    for sample in workspace.project.project.samples:
        file = f"samples/{sample}"
        try:
            file = f"samples/{workspace.project.sample_path(sample).name}"
            items = read_some(workspace, "sample", sample, SAMPLE_ROWS)
        except RouteStudioError as error:
            line = error.place.line if error.place else None
            found.append(_finding("error", "sample", f"sample `{sample}` {error.message}",
                                  error.hint, file=file, line=line))  # fmt: skip
            continue
        found += [
            _finding("warning", "unreadable", item.message, item.hint, file=file,
                     line=item.line or None, column=item.column)
            for item in items if not isinstance(item, Message)
        ][:MAX_LINES]  # fmt: skip
    return found


async def _undeliverable(workspace: Workspace, name: str) -> list[Finding]:
    """Messages of the samples that this sink can never deliver, grouped by reason."""
    prepared = workspace.prepare(name)
    found = []
    for sample in workspace.project.project.samples:
        try:
            file = f"samples/{workspace.project.sample_path(sample).name}"
            items = read_some(workspace, "sample", sample, SAMPLE_ROWS)
        except RouteStudioError:
            continue
        messages = [item for item in items if isinstance(item, Message)]
        reasons: Counter[tuple[str, str | None]] = Counter()
        first: dict[tuple[str, str | None], int | None] = {}
        for staged in await prepared.stages.apply(messages):
            for problem in staged.problems[:1]:
                text = f"{problem.field}: {problem.message}" if problem.field else problem.message
                key = (text, problem.hint)
                reasons[key] += 1
                first.setdefault(key, staged.message.line)
        for (text, hint), count in reasons.most_common():
            rows = "1 row" if count == 1 else f"{count} rows"
            found.append(
                _finding("warning", "undeliverable", f"sink `{name}`: {rows} of sample `{sample}` "
                         f"can never be delivered: {text}", hint,
                         file=file, line=first[text, hint])
            )  # fmt: skip
    return found


def _finding(
    severity: str,
    code: str,
    message: str,
    hint: str | None,
    *,
    file: str | None = None,
    line: int | None = None,
    column: int | None = None,
) -> Finding:
    return {"severity": severity, "code": code, "message": message, "hint": hint, "file": file,
            "line": line, "column": column}  # fmt: skip
