"""`routestudio check`: tests the connections of a project's sinks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from routestudio.cli.opened import open_in, say_outside
from routestudio.cli.output import json_line, out, paint, status
from routestudio.cli.reading_options import given_rows
from routestudio.cli.service import engine_service
from routestudio.engine.service import EngineService
from routestudio.errors import UsageError


async def check(options: argparse.Namespace) -> int:
    """`routestudio check`: exit code 1 when a step failed."""
    failed = False
    async with engine_service() as engine:
        open_in(engine, options.project, options.env)
        snapshot = engine.snapshot()
        if options.database:
            return await _check_database(engine, options)
        names = [options.sink] if options.sink else [s["name"] for s in snapshot["sinks"]]
        if not names:
            raise UsageError("the project has no sinks")
        for name in names:
            engine.workspace.spec(name)
            say_outside(engine, [name])
            if options.format != "json":
                out(paint(name, "bold"))

            def show(event: str, step: dict[str, Any]) -> None:
                if options.format == "json":
                    json_line({key: step[key] for key in
                               ("sink", "step", "status", "detail", "ms", "hint",
                                "target", "environment")})  # fmt: skip
                else:
                    print_step(step)

            steps = await engine.check(name, emit=show, **given_rows(options))
            failed = failed or any(step["status"] == "failed" for step in steps)
    return 1 if failed else 0


async def _check_database(engine: EngineService, options: argparse.Namespace) -> int:
    if options.sink:
        raise UsageError("check a sink or a database, not both", hint="leave one out")
    as_json = options.format == "json"

    def show(event: str, step: dict[str, Any]) -> None:
        (json_line if as_json else print_step)(step)

    if not as_json:
        out(paint(options.database, "bold"))
    steps = await engine.methods["check_database"](options.database, emit=show)
    return 1 if any(step["status"] == "failed" for step in steps) else 0


def print_step(step: Mapping[str, Any]) -> None:
    """One step of a check."""
    ms = f"{step['ms']:.0f} ms" if step["ms"] else ""
    target, detail = step["target"], step["detail"]
    where = f"{target}: " if target and target not in detail else ""
    out(f"  {status(step['status']):<14}  {step['step']:<13} {ms:>7}  {where}{detail}")
    if step["hint"] and step["status"] in ("failed", "inconclusive"):
        out(f"{'':27}→ {step['hint']}")
