"""`routestudio demo --headless`: the whole way of the demo project, in the terminal."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from routestudio.api.checks import Arrived
from routestudio.cli.check import print_step
from routestudio.cli.output import out, paint, table
from routestudio.cli.preview import print_preview
from routestudio.cli.service import engine_service
from routestudio.engine.service import EngineService
from routestudio.errors import ConfigError
from routestudio.paths import resources

PREVIEW_ROWS = 6


async def demo(options: argparse.Namespace) -> int:
    """Preview, check, deliver to stand-ins, read back, export. Exit code 0 when all agrees."""
    begun = perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="routestudio-demo-"))
    project = folder / "shop"
    shutil.copytree(resources() / "demo", project)
    good = True
    try:
        async with engine_service() as engine:
            snapshot = await engine.open(str(project))
            out(
                f"{paint('RouteStudio demo', 'bold')}: an online shop with "
                f"{len(snapshot['sinks'])} sinks, on stand-ins that listen on this machine only"
            )
            for sink in snapshot["sinks"]:
                good = await _sink(engine, sink, folder) and good
            good = await _export(engine, folder) and good
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = perf_counter() - begun
    verdict = paint("everything agrees", "green") if good else paint("something differs", "red")
    out(f"\n{verdict}: what was previewed is what arrived ({seconds:.1f} s)")
    return 0 if good else 1


async def _sink(engine: EngineService, sink: dict[str, Any], folder: Path) -> bool:
    name = sink["name"]
    out(
        f"\n{paint(name, 'bold')}  ({sink['title']}, "
        f"{'routing by a function' if sink['mode'] == 'dynamic' else 'static routing'})"
    )
    prepared = engine.workspace.prepare(name)
    rows: list[dict[str, Any]] = []
    await engine.preview_all(name, rows.append, sample="shop")
    shown = [row for row in rows if not row["filtered"]][:PREVIEW_ROWS]
    out(f"\nPreview: the first {len(shown)} of {len(rows)} messages that are for this sink")
    print_preview(shown, prepared.sink.batch_by)
    out("\nCheck")
    steps = await engine.checks.sink(name, standin=True, sample="shop", tell=print_step)
    out("\nDelivery")
    summary = await engine.run(name, standin=True, sample="shop")
    out(
        f"  {summary['delivered']} delivered, {summary['filtered']} not for this sink, "
        f"{summary['rejected']} rejected, in {summary['batches']} batches"
    )
    arrived = await engine.checks.arrived(name)
    counts = Counter(item.destination for item in arrived)
    out("\nWhat arrived")
    table(counts.most_common(8), ("destination", "messages"))
    if len(counts) > 8:
        rest = sum(count for _, count in counts.most_common()[8:])
        out(f"... and {len(counts) - 8} more destinations with {rest} messages")
    awkward: list[dict[str, Any]] = []
    await engine.preview_all(name, awkward.append, sample="awkward")
    for row in awkward:
        for problem in row["problems"]:
            field = f"{problem['field']}: " if problem["field"] else ""
            out(
                f"\nAn awkward row that the preview stops before it ships (row {row['index']} of "
                f"`awkward`): {field}{problem['message']}"
            )
    wanted = sum(1 for row in rows if row["ok"] and not row["filtered"])
    same = summary["delivered"] == wanted and _arrived_all(arrived, rows)
    failed = any(step.status == "failed" for step in steps)
    return same and not failed and summary["rejected"] == 0


def _arrived_all(arrived: Sequence[Arrived], rows: list[dict[str, Any]]) -> bool:
    """Whether what arrived is what the preview showed: the last for each key, or all."""
    sent = [row for row in rows if row["ok"] and not row["filtered"]]
    if not all({"key", "action"} <= row["routing"].keys() for row in sent):
        return len(arrived) == len(sent)
    state: dict[str, bool] = {}
    for row in sent:
        state[row["routing"]["key"]] = row["routing"]["action"] == "set"
    return {item.destination for item in arrived} == {k for k, there in state.items() if there}


async def _export(engine: EngineService, folder: Path) -> bool:
    out(f"\n{paint('Export', 'bold')}")
    result = await engine.export("routestudio", str(folder / "export"))
    out(f"  for the headless runner: {len(result['written'])} files")
    try:
        await engine.export("sequin", str(folder / "sequin.yaml"))
        out("  for a Sequin server: sequin.yaml")
    except ConfigError as error:
        out(f"  for a Sequin server: refused, as it must be: {error.problems[0]}")
    return True
