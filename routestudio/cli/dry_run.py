"""`routestudio run --dry-run`: everything but sending, counted by destination."""

from __future__ import annotations

import argparse
from typing import Any

from routestudio.cli.inputs import say_recognised
from routestudio.cli.opened import say_enrichments
from routestudio.cli.output import json_line, out, say, table
from routestudio.cli.run_options import RunSettings
from routestudio.engine.forecast import Forecast
from routestudio.engine.messages import messages
from routestudio.engine.opened import Engine
from routestudio.engine.reading import reader_summary, reading_of
from routestudio.model.message import Message

_SHOWN = 30


async def dry_run(engine: Engine, options: argparse.Namespace, settings: RunSettings) -> int:
    """Count what a run would send; exit code 1 when a message would be rejected."""
    workspace = engine.workspace
    prepared = workspace.prepare(options.sink)
    if prepared.functions.enrichment is not None:
        from routestudio.engine import enrichment

        say_enrichments(engine, [options.sink])
        enrichment.attach(workspace, prepared)
    reading = reading_of(
        {
            "input": settings.input,
            "envelope": settings.envelope,
            "key": settings.key,
            "limit": options.limit,
        }
    )
    reader = reading.reader(workspace)
    forecast = Forecast(prepared)
    read = filtered = rejected = 0
    async for rows in messages(workspace, "input", settings.input, reading=reading, reader=reader):
        found = [row for row in rows if isinstance(row, Message)]
        staged = await prepared.stages.apply(found)
        forecast.add(staged, read)
        read += len(rows)
        rejected += len(rows) - len(found) + sum(1 for item in staged if item.problems)
        filtered += sum(1 for item in staged if item.filtered is not None)
    expected = forecast.as_json()
    summary: dict[str, Any] = {
        "dry_run": True, "read": read, "filtered": filtered, "rejected": rejected,
        "would_send": expected["rows"], "batches": expected["batch"]["batches"],
        "destinations": {item["name"]: item["rows"] for item in expected["destinations"]},
        "warnings": expected["warnings"], "cut": reader.cut,
        **reader_summary(reader),
    }  # fmt: skip
    if options.format == "json":
        json_line(summary)
        return 1 if rejected else 0
    table([(item["name"], item["rows"], item["bytes"]) for item in
           expected["destinations"][:_SHOWN]], ("destination", "messages", "bytes"))  # fmt: skip
    for warning in expected["warnings"]:
        say(warning)
    say_recognised(reader)
    out(f"{read} read, {expected['rows']} would be sent in {summary['batches']} batches, "
        f"{filtered} filtered, {rejected} would be rejected; nothing was sent")  # fmt: skip
    return 1 if rejected else 0
