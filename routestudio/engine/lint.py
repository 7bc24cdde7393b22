"""Everything that can be known of a project without a network, and of databases that were looked
at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from routestudio.api.checks import Finding
from routestudio.api.sources import Source
from routestudio.engine.hazards import Samples, hazards_of, keys_of
from routestudio.engine.workspace import Workspace, source_of
from routestudio.errors import RouteStudioError
from routestudio.formats.reader import Row
from routestudio.hazards import catalog, server_file
from routestudio.hazards.rules.yaml import of_field, of_project
from routestudio.model.function import Language
from routestudio.model.message import Message
from routestudio.project.secrets import literal_secrets
from routestudio.sinks.hazard_view import Keys

SAMPLE_ROWS = 1_000
"""Rows of each sample set that are routed to find problems."""

MAX_LINES = 20
"""Most unreadable lines of one sample set that are listed."""


async def lint(workspace: Workspace, source: Source | None = None) -> list[Finding]:
    """Findings of the file, the functions, the samples and the sinks, in that order.

    `source` names rows that are looked at, too.
    """
    found = [
        _finding(p.severity, of_project(p) or p.code, p.message, p.hint, file=p.place.file,
                 line=p.place.line, column=p.place.column)
        for p in workspace.project.project.problems
    ]  # fmt: skip
    if not workspace.project.project.sinks and not found:
        file = workspace.project.file.name
        text = "the project has no sinks"
        found.append(_finding("warning", "empty", text, "add one under `sinks`", file=file, line=1))
    found += _written_secrets(workspace)
    found += _server(workspace)
    found += await _functions(workspace)
    samples, unreadable = samples_of(workspace)
    if source is not None:
        from routestudio.engine.messages import first
        from routestudio.engine.reading import MORE, cut_text

        params = source.params()
        name = source_of(params)[1]
        rows, cut = await first(workspace, params, SAMPLE_ROWS)
        samples[name] = [item for item in rows if isinstance(item, Message)]
        unreadable += _unreadable(name, rows)
        if cut is not None:
            found.append(_finding("note", "cut", cut_text(cut), MORE, file=name))
    found += unreadable
    for database in list(workspace.seen):
        from routestudio.engine import drift

        found += [drift.finding(workspace, item)
                  for item in await drift.drifts(workspace, database, samples)]  # fmt: skip
    keys = keys_of(samples)
    for spec in workspace.project.project.sinks:
        found += await _sink(workspace, spec.name, samples, keys)
        await asyncio.sleep(0)  # previews and edits need not wait for all sinks
    return found


def _written_secrets(workspace: Workspace) -> list[Finding]:
    """Secrets that stand in the file: they go under version control, and no export takes them."""
    project = workspace.project
    data, masked = (
        project.document.plain(),
        {p.place.path for p in project.project.problems if p.code == "masked_secret"},
    )
    found = []
    for path, _ in literal_secrets(data, project.sink_types, workspace.secret_keys):
        if path not in masked:
            line, column = project.document.position(path)
            found.append(
                _finding("warning", "written_secret", f"`{'.'.join(path)}` holds a secret itself: "
                         "it goes under version control, and exports refuse it",
                         "store the secret: the YAML then holds a reference like ${NAME}",
                         file=project.file.name, line=line, column=column,
                         sink=path[1] if path[0] == "sinks" else None)
            )  # fmt: skip
    return found


def _server(workspace: Workspace) -> list[Finding]:
    """What a server would refuse, ignore or crash on, unless the file's own problems include it."""
    project = workspace.project.project
    python = any(function.language is Language.PYTHON for function in project.functions)
    items = server_file.findings(
        workspace.project.document.plain(), project.file.name, workspace.project.document.position,
        workspace.registry.names(), server=not python,
    )  # fmt: skip
    places = {(p.place.line, p.place.column) for p in project.problems}
    return [
        _finding(**{**asdict(item), "severity": item.severity or "warning"})
        for item in items
        if (item.line, item.column) not in places
    ]


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


async def _sink(workspace: Workspace, name: str, samples: Samples, keys: Keys) -> list[Finding]:
    try:
        prepared = workspace.prepare(name)
    except RouteStudioError as error:
        return [_finding("error", "sink", f"sink `{name}`: {error.message}", error.hint, sink=name)]
    document, file = workspace.project.document, workspace.project.file.name
    found = []
    unset = workspace.unset(prepared.spec, prepared.sink)
    for problem in prepared.problems:
        key = problem.field.split(".")[0]
        if unset.get(key):
            continue  # Its variable may be set where the project runs; nothing is known here.
        path = ("sinks", name) if key == "routing" else ("sinks", name, "destination")
        line, column = document.position((*path, key))
        code = of_field(prepared.spec.type, problem) or "field"
        found.append(
            _finding("error", code, f"sink `{name}`: {problem.field} {problem.message}",
                     problem.hint, file=file, line=line, column=column, sink=name,
                     field=problem.field)
        )  # fmt: skip
    for item in await hazards_of(workspace, prepared, samples, keys):
        values = {**asdict(item), "severity": item.severity or "warning"}
        values["message"] = workspace.redact(item.message)
        values["hint"] = workspace.redact(item.hint)
        found.append(_finding(**values))
    return found


def samples_of(workspace: Workspace) -> tuple[dict[str, list[Message]], list[Finding]]:
    """The messages of all samples; files that cannot be read, and lines that hold no message."""
    found = []
    messages: dict[str, list[Message]] = {}
    for sample in workspace.project.project.samples:
        file = f"samples/{sample}"
        try:
            if workspace.project.unsaved_sample(sample) is None:
                file = f"samples/{workspace.project.sample_path(sample).name}"
            else:
                file = f"samples/{sample}.jsonl"
            from routestudio.engine.sources import read_some

            items = read_some(workspace, "sample", sample, SAMPLE_ROWS)
        except RouteStudioError as error:
            line = error.place.line if error.place else None
            found.append(_finding("error", "sample", f"sample `{sample}` {error.message}",
                                  error.hint, file=file, line=line))  # fmt: skip
            continue
        messages[file] = [item for item in items if isinstance(item, Message)]
        found += _unreadable(file, items)
    return messages, found


def _unreadable(file: str, items: Sequence[Row]) -> list[Finding]:
    return [
        _finding("warning", "unreadable", item.message, item.hint, file=file,
                 line=item.line or None, column=item.column)
        for item in items if not isinstance(item, Message)
    ][:MAX_LINES]  # fmt: skip


def _finding(
    severity: str,
    code: str,
    message: str,
    hint: str | None,
    *,
    file: str | None = None,
    line: int | None = None,
    column: int | None = None,
    sink: str | None = None,
    field: str | None = None,
) -> Finding:
    message = " ".join(message.split())  # one finding is one line
    return Finding(severity, code, message, hint, file, line, column, sink, field,
                   catalog.TITLES.get(code))  # fmt: skip
