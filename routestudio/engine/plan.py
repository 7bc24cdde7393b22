"""What would change on a server: settings, and where the rows of the samples would end.

The project is compared with a server's exported YAML (or any other configuration). Settings come
from `project.changes`, rows from `engine.outcome_diff`, so both show what preview and run do.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from routestudio.engine import management
from routestudio.engine.conversions import samples_of
from routestudio.engine.messages import messages
from routestudio.engine.outcome_diff import OutcomeDiff, RowChange, compare
from routestudio.engine.reading import DEFAULT, Reading
from routestudio.engine.sources import path_of
from routestudio.engine.workspace import PreparedSink, Workspace
from routestudio.errors import LinkError, Place, ProjectError, RouteStudioError, UsageError
from routestudio.functions.conversion.verify import convert_verified
from routestudio.model.function import Language
from routestudio.model.message import Message
from routestudio.project import environments
from routestudio.project.canonical import Item, canonical, plain_code
from routestudio.project.changes import Differences, differences
from routestudio.project.files import write_text
from routestudio.sources import registry
from routestudio.sources.uri import is_uri

EXAMPLES: Final = 20
"""Most rows per sink and source that are kept as examples."""

Source = tuple[str, str]
"""Kind and value of a source of messages: a `sample`, or an `input` file."""


@dataclass(frozen=True, slots=True)
class SinkOutcome:
    """The rows of one source for one sink. `was` is its name on the other side."""

    sink: str
    was: str
    source: str
    diff: OutcomeDiff
    examples: tuple[RowChange, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"sink": self.sink, "was": self.was, "source": self.source, **self.diff.as_json(),
                "examples": [row.as_json() for row in self.examples]}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs. `notes` show what could not be known, and why."""

    differences: Differences
    outcomes: tuple[SinkOutcome, ...]
    notes: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs that can be told."""
        return not self.differences.changes and not any(o.diff.changed for o in self.outcomes)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        counts = Counter(change.action for change in self.differences.changes)
        return {
            "changes": [change.as_json() for change in self.differences.changes],
            "outcomes": [outcome.as_json() for outcome in self.outcomes],
            "uncompared": [item.as_json() for item in self.differences.uncompared],
            "notes": list(self.notes),
            "summary": {
                "added": counts["added"], "removed": counts["removed"],
                "changed": counts["changed"],
                "rows_changed": sum(o.diff.changed for o in self.outcomes),
            },
        }  # fmt: skip


async def plan(
    workspace: Workspace, other: Workspace, sources: Sequence[Source], reading: Reading = DEFAULT
) -> Plan:
    """What changes when the project of `workspace` takes the place of `other`.

    Rows are compared for sinks that both sides have, also under a suspected old name. Raises
    `UsageError` for a source that cannot be read, `WorkerError` without a function worker.
    """
    theirs = canonical(other.project, other.registry)
    ours = canonical(workspace.project, workspace.registry)
    ours["functions"] |= await _converted(workspace, theirs["functions"])
    found = differences(theirs, ours)
    notes = _notes(other)
    outcomes = []
    for name, was in _pairs(workspace, other, found):
        try:
            old, new = other.prepare(was), workspace.prepare(name)
        except RouteStudioError as error:
            notes.append(f"rows of sink `{name}` are not compared: {error}")
            continue
        for kind, value in sources:
            diff, examples = await rows(workspace, old, new, (kind, value), None, reading)
            outcomes.append(SinkOutcome(name, was, value, diff, examples))
    if not sources:
        notes.append("no rows are compared: the project has no samples; name some with --input")
    return Plan(found, tuple(outcomes), tuple(notes))


async def _converted(workspace: Workspace, theirs: Mapping[str, Item]) -> dict[str, Item]:
    """Our Python functions that an export turns into just what the other side has."""
    found: dict[str, Item] = {}
    samples: list[Message] | None = None
    for function in workspace.project.project.functions:
        other = theirs.get(function.name)
        elixir = other is not None and other.settings["language"].value == Language.ELIXIR.value
        if other is None or not elixir or function.language is not Language.PYTHON:
            continue
        if function.kind.entry_point is not None:
            samples = samples_of(workspace) if samples is None else samples
            result = await convert_verified(function, samples, workspace.pool)
            code = result.after.code if result.good and result.after is not None else None
            if code is not None and plain_code(code) == other.settings["code"].value:
                found[function.name] = other
    return found


async def rows(
    workspace: Workspace,
    old: PreparedSink | None,
    new: PreparedSink | None,
    source: Source,
    on_change: Callable[[RowChange], None] | None = None,
    reading: Reading = DEFAULT,
) -> tuple[OutcomeDiff, tuple[RowChange, ...]]:
    """Compare two forms of a sink over one source of `workspace`; the first changes come along."""
    examples: list[RowChange] = []

    def keep(change: RowChange) -> None:
        if len(examples) < EXAMPLES:
            examples.append(change)
        if on_change is not None:
            on_change(change)

    reader = reading.reader(workspace)
    chunks = messages(workspace, *source, reading=reading, reader=reader)
    diff = await compare(old, new, chunks, keep)
    diff.cut = reader.cut
    return diff, tuple(examples)


def open_other(workspace: Workspace, path: Path) -> Workspace:
    """The other side of a comparison, with the sinks and workers of `workspace`.

    It has the same environment where there is one of that name.
    """
    other = Workspace.open(path, workspace.registry, workspace.pool)
    name = workspace.project.environment.name
    if name in [mark.name for mark in environments.all_of(other.project)]:
        environments.use(other.project, name)
    return other


async def open_server(workspace: Workspace, server: str, stack: ExitStack) -> Workspace:
    """A server's configuration as a workspace; its file is removed when `stack` closes.

    Raises `UsageError` without token or for a bad address, `LinkError` for what went wrong.
    """
    text = await management.exported(server, management.token_of())
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routestudio-plan-")))
    write_text(folder / "server.yaml", text, mode=0o600)
    try:
        return open_other(workspace, folder / "server.yaml")
    except ProjectError as error:
        raise LinkError(f"the export of the server cannot be read: {error.message}",
                        place=Place(server), hint=error.hint) from None  # fmt: skip


def sources_of(workspace: Workspace, sample: str | None, file: str | None) -> list[Source]:
    """The named source, or every sample set of the project."""
    if file is not None:
        if file == "-":
            raise UsageError("standard input can be read once, and every sink needs the rows",
                             hint="name a file")  # fmt: skip
        if is_uri(file):
            registry.get(file)
            return [("input", file)]
        return [("input", str(path_of(workspace, "input", file)))]
    names = [sample] if sample else workspace.project.project.samples
    for name in names:
        workspace.project.sample_path(name)
    return [("sample", name) for name in names]


def _pairs(
    workspace: Workspace, other: Workspace, found: Differences
) -> list[tuple[str, str]]:  # fmt: skip
    """Sinks that both sides have: name here, name there."""
    renamed = {c.name: c.renamed for c in found.changes if c.section == "sinks" and c.renamed}
    there = {spec.name for spec in other.project.project.sinks}
    pairs = [(s.name, renamed.get(s.name, s.name)) for s in workspace.project.project.sinks]
    return [(name, was) for name, was in pairs if was in there]


def _notes(other: Workspace) -> list[str]:
    """What of the other file cannot be understood; masked secrets are what an export has."""
    problems = other.project.project.problems
    return [
        f"{problem.place}: {problem.message}"
        for problem in problems
        if problem.severity == "error" and problem.code != "masked_secret"
    ]
