"""`routestudio rehearse`: what a fault of the service, or of the program, does to a delivery."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from routestudio.cli.opened import open_in
from routestudio.cli.output import json_line, out, paint, status
from routestudio.cli.reading_options import chosen_rows
from routestudio.cli.service import engine_service
from routestudio.engine.rehearsal import MOST, rehearse
from routestudio.engine.rehearsal_faults import FAULTS

ALL = "all"


async def rehearsal(options: argparse.Namespace) -> int:
    """`routestudio rehearse`: exit code 1 when something was lost, doubled without a reason, out of
    order or dead-lettered, or when the run could not go on."""
    faults = list(FAULTS) if options.fault == ALL else [options.fault]
    good = True
    async with engine_service() as engine:
        open_in(engine, options.project, options.env)
        source = chosen_rows(options, engine.workspace.project.project.samples)
        limit = source.pop("limit", None) or MOST
        for fault in faults:
            found = await rehearse(engine.workspace, options.sink, fault, source, limit=limit)
            good = good and found.good
            if options.format == "json":
                json_line(found.as_json())
            else:
                print_rehearsal(found.as_json())
    return 0 if good else 1


def print_rehearsal(found: Mapping[str, Any]) -> None:
    """The verdict of one rehearsal."""
    mark = status("passed" if found["good"] else "failed")
    out(f"{mark}  {paint(found['fault'], 'bold')}  {FAULTS[found['fault']]}")
    out(f"    {found['arrived']:,} of {found['sent']:,} arrived, {found['lost']:,} lost, "
        f"{found['doubled']:,} doubled, {found['disorder']:,} out of order, "
        f"{found['dead_letters']:,} dead-lettered, {found['retried']:,} retried "
        f"in {found['seconds']:.2f} s")  # fmt: skip
    aside = [f"{found[name]:,} {text}" for name, text in
             (("filtered", "filtered"), ("failed", "failed in the route"),
              ("untraced", "without content, not followed")) if found[name]]  # fmt: skip
    if aside:
        out(f"    of {found['messages']:,} messages: {', '.join(aside)}")
    if found["unexplained"]:
        out(f"    {found['unexplained']:,} doubled although their answer had arrived")
    for item in found["examples"]["overtaken"][:3]:
        out(f"    {item['place']}: message {item['number']} before {item['before']} of group "
            f"{item['group']}")  # fmt: skip
    for item in found["examples"]["dead"][:3]:
        out(f"    message {item['number']} was given up: {item['reason']}")
    if found["stopped"]:
        out(f"    the run stopped: {found['stopped']}")
