"""Commands that compare: `plan` with a server's configuration, `diff` with another project.

Exit codes are those of diff tools: 0 nothing differs, 1 something does, 2 it cannot be known.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from routestudio.cli.opened import open_in
from routestudio.cli.output import json_line, out, paint, say
from routestudio.cli.reading_options import reading_params
from routestudio.cli.service import engine_service
from routestudio.engine import management
from routestudio.engine import plan as planning
from routestudio.engine.environments import name_of
from routestudio.engine.outcome_diff import OutcomeDiff, RowChange
from routestudio.engine.reading import MORE, cut_text, reading_of
from routestudio.errors import UsageError
from routestudio.model import jsonio
from routestudio.model.wording import counted
from routestudio.project.changes import Change, SettingChange, shown, summary

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
_SECTIONS = {"databases": "database", "http_endpoints": "HTTP endpoint", "functions": "function",
             "sinks": "sink", "change_retentions": "change retention"}  # fmt: skip
_KINDS = {"moved": "go elsewhere", "content": "arrive with something else",
          "delivered": "are delivered now", "filtered": "are filtered now", "failed": "fail now",
          "removed": "have no sink now"}  # fmt: skip
_SHOWN = 10


async def plan(options: argparse.Namespace) -> int:
    """`routestudio plan`: what of a server's configuration the project changes."""
    if bool(options.against) == bool(options.server):
        raise UsageError("name one thing to compare with", hint="--against FILE or --server URL")
    with ExitStack() as stack:
        async with engine_service() as engine:
            open_in(engine, options.project, options.env)
            workspace = engine.workspace
            if options.server:
                management.address_of(options.server)
                if management.unencrypted(options.server):
                    say("routestudio: the connection is not encrypted, and the token goes over it")
                other = await planning.open_server(workspace, options.server, stack)
            else:
                other = planning.open_other(workspace, Path(options.against))
            sources = planning.sources_of(workspace, options.sample, options.input)
            reading = reading_of(reading_params(options))
            found = await planning.plan(workspace, other, sources, reading)
            redact = _redactor(workspace.redact, other.redact)
    if options.format == "json":
        data = {"environment": name_of(workspace), **found.as_json()}
        out(redact(jsonio.dumps(data)))
    else:
        for line in _lines(found, options.server or options.against):
            out(redact(line))
    return 0 if found.empty else 1


async def diff(options: argparse.Namespace) -> int:
    """`routestudio diff`: which rows end elsewhere in the second project."""
    async with engine_service() as engine:
        open_in(engine, options.project_b, options.env)
        new = engine.workspace
        old = planning.open_other(new, Path(options.project_a))
        sides = [side.prepare(options.sink) for side in (old, new)]
        for side, prepared in zip((old, new), sides, strict=True):
            side.require_sound(prepared)
        redact = _redactor(old.redact, new.redact)

        def show(change: RowChange) -> None:
            if options.format == "json":
                out(redact(jsonio.dumps(change.as_json())))
            else:
                out(redact(_row(change)))

        source = ("input", options.input)
        reading = reading_of(reading_params(options))
        totals, _ = await planning.rows(new, sides[0], sides[1], source, show, reading)
    if options.format == "json":
        json_line({"summary": totals.as_json()})
    else:
        for line in _totals(totals):
            say(redact(line))
    return 1 if totals.changed else 0


def _redactor(*parts: Any) -> Any:
    def redact(text: str) -> str:
        for part in parts:
            text = part(text)
        return text

    return redact


def _lines(found: planning.Plan, other: str) -> Iterator[str]:
    changes = found.differences.changes
    for change in changes:
        yield from _change(change)
    for outcome in found.outcomes:
        if outcome.diff.changed:
            was = f" (was {outcome.was})" if outcome.was != outcome.sink else ""
            yield ""
            yield paint(f"Rows of {outcome.source} for sink {outcome.sink}{was}", "bold")
            yield from (f"  {line}" for line in _totals(outcome.diff))
            for row in outcome.examples[:_SHOWN]:
                yield f"    {_row(row)}"
    if found.differences.uncompared:
        yield ""
        yield "Not compared:"
        for item in found.differences.uncompared:
            yield f"  {_SECTIONS[item.section]} {item.name}: {item.field} ({item.reason})"
    for note in found.notes:
        yield f"note: {note}"
    counts = {name: sum(c.action == name for c in changes) for name in _SIGNS}
    rows = sum(outcome.diff.changed for outcome in found.outcomes)
    text = summary(counts)
    if found.empty:
        yield f"nothing differs from {other}"
    else:
        moved = f"; {counted(rows, 'row')} with a different destination" if found.outcomes else ""
        yield f"\ncompared with {other}: {text}{moved}"
    if counts["removed"]:
        yield "items marked - are not in the project; a server keeps what a file leaves out"


def _change(change: Change) -> Iterator[str]:
    sign, colour = _SIGNS[change.action]
    was = f"  (renamed from {change.renamed}?)" if change.renamed else ""
    yield paint(f"{sign} {_SECTIONS[change.section]} {change.name}{was}", colour)
    for setting in change.settings:
        yield from _setting(change, setting)


def _setting(change: Change, setting: SettingChange) -> Iterator[str]:
    if change.action == "removed":
        return
    if setting.name == "code" and isinstance(setting.new, str):
        old = setting.old if isinstance(setting.old, str) else ""
        yield "    code:"
        lines = list(difflib.unified_diff(old.splitlines(), setting.new.splitlines(), n=2,
                                          lineterm=""))  # fmt: skip
        for line in lines[2:]:
            colour = {"+": "green", "-": "red"}.get(line[:1], "grey")
            yield f"      {paint(line, colour)}"
        return
    if change.action == "added" and change.renamed is None:
        yield f"    {setting.name}: {shown(setting.new)}"
        return
    kept = "  (not in the file: a server keeps its own)" if setting.kept else ""
    yield f"    {setting.name}: {shown(setting.old)} → {shown(setting.new)}{kept}"


def _totals(diff: OutcomeDiff) -> Iterator[str]:
    parts = [f"{count} {_KINDS[kind]}" for kind, count in sorted(diff.kinds.items())]
    yield f"{diff.rows} rows: " + (", ".join(parts) if parts else "nothing changes")
    for (old, new), count in diff.moves.most_common(_SHOWN):
        yield f"  {count} x {old} → {new}" + (" (content)" if old == new else "")
    if diff.unreadable:
        yield f"  {diff.unreadable} rows are not messages"
    if diff.cut is not None:
        yield f"  {cut_text(diff.cut)} ({MORE})"


def _row(change: RowChange) -> str:
    keys = ",".join(change.pks)
    fields = f"  [{', '.join(change.fields)}]" if change.kind == "content" else ""
    return f"row {change.index} {change.action} {keys}: {change.old} → {change.new}{fields}"
