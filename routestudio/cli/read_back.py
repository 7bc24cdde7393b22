"""`routestudio read-back`: compares what a sink's destination holds with the preview."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final

from routestudio.cli.opened import open_in, say_outside
from routestudio.cli.output import json_line, out, paint, say, table
from routestudio.cli.reading_options import chosen_rows
from routestudio.cli.service import engine_service
from routestudio.engine.read_back import as_json
from routestudio.engine.read_back import read_back as read
from routestudio.errors import UsageError
from routestudio.model.wording import counted
from routestudio.sinks.reading import TraceError

_EXPLAINED: Final = 20
"""Records whose differences are printed one by one."""


async def read_back(options: argparse.Namespace) -> int:
    """`routestudio read-back`: exit code 1 when something differs or is missing."""
    limit, options.limit = options.limit, None
    async with engine_service() as engine:
        open_in(engine, options.project, options.env)
        workspace = engine.workspace
        source = chosen_rows(options, workspace.project.project.samples)
        say_outside(engine, [options.sink])
        try:
            found = await read(workspace, options.sink, source, limit=limit,
                               destination=options.destination, agreed=options.yes)  # fmt: skip
        except TraceError as error:
            raise UsageError(error.message, hint="to read nevertheless, add --yes") from None
        data = as_json(found, workspace)
        if options.format == "json":
            for row in data.pop("rows"):
                json_line(row)
            json_line(data)
        else:
            print_read_back(data)
    return 0 if found.good else 1


def print_read_back(data: Mapping[str, Any]) -> None:
    """The records with their verdicts, in what they differ, and the counts."""
    rows = data["rows"]
    if rows:
        table(
            [
                (row["verdict"], row["destination"], row["key"] or "", row["place"],
                 "" if row["row"] is None else row["row"], ", ".join(row["parts"]))
                for row in rows
            ],
            ("result", "destination", "key", "read at", "row", "differs in"),
        )  # fmt: skip
    different = [row for row in rows if row["verdict"] == "different"]
    for row in different[:_EXPLAINED]:
        out(paint(f"row {row['row']}, {row['place']}", "bold"))
        for change in row["changes"]:
            out(f"    {change['path']}: previewed {_shown(change['expected'])}, "
                f"read {_shown(change['found'])}")  # fmt: skip
    if len(different) > _EXPLAINED:
        out(f"and {len(different) - _EXPLAINED:,} more that differ (--format json shows all)")
    for line in _notes(data):
        say(line)
    counts = [f"{count:,} {name}" for name, count in data["counts"].items() if count]
    total = sum(place["read"] for place in data["destinations"])
    where = f" from {data['host']}" if data["host"] else ""
    say(f"{counted(total, 'record')} read{where}, {data['previewed']:,} previewed: "
        f"{', '.join(counts) or 'nothing to compare'}")  # fmt: skip


def _notes(data: Mapping[str, Any]) -> list[str]:
    found = [f"note: {note}" for note in data["notes"]]
    if data["failed"]:
        found.append(f"{counted(data['failed'], 'row')} failed in the preview and "
                     "cannot be compared")  # fmt: skip
    if data["uncompared"]:
        found.append(f"{counted(data['uncompared'], 'message')} edit what is there: no preview "
                     "knows the outcome")  # fmt: skip
    if data["cut"] is not None:
        found.append(f"only the first {data['cut']:,} rows were previewed: there are more")
    if data["more_destinations"]:
        found.append(f"{counted(data['more_destinations'], 'destination')} more were not read: "
                     "name one with --destination")  # fmt: skip
    if data["counts"]["unread"]:
        found.append("some destinations hold more than was read: read more with --limit")
    return found


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
