"""`routestudio check`: tests the connections of a project's sinks."""

from __future__ import annotations

import argparse

from routestudio.api.checks import Step
from routestudio.cli.opened import open_in, say_outside
from routestudio.cli.output import json_line, out, paint, status
from routestudio.cli.reading_options import given_rows
from routestudio.cli.service import engine_service
from routestudio.engine.service import EngineService
from routestudio.errors import UsageError


async def check(options: argparse.Namespace) -> int:
    """`routestudio check`: exit code 1 when a step failed."""
    failed, as_json = False, options.format == "json"
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
            if not as_json:
                out(paint(name, "bold"))

            steps = await engine.checks.sink(
                name, source=given_rows(options), tell=_json_step if as_json else print_step
            )
            failed = failed or any(step.status == "failed" for step in steps)
    return 1 if failed else 0


async def _check_database(engine: EngineService, options: argparse.Namespace) -> int:
    if options.sink:
        raise UsageError("check a sink or a database, not both", hint="leave one out")
    as_json = options.format == "json"
    if not as_json:
        out(paint(options.database, "bold"))
    show = _json_step if as_json else print_step
    steps = await engine.checks.database(options.database, tell=show)
    return 1 if any(step.status == "failed" for step in steps) else 0


def _json_step(step: Step) -> None:
    about = ("environment", "database") if step.database is not None else ("sink",)
    facts = ("step", "status", "detail", "ms", "hint", "target")
    more = () if step.database is not None else ("environment",)
    json_line({name: getattr(step, name) for name in (*about, *facts, *more)})


def print_step(step: Step) -> None:
    """One step of a check."""
    ms = f"{step.ms:.0f} ms" if step.ms else ""
    where = f"{step.target}: " if step.target and step.target not in step.detail else ""
    out(f"  {status(step.status):<14}  {step.step:<13} {ms:>7}  {where}{step.detail}")
    if step.hint and step.status in ("failed", "inconclusive"):
        out(f"{'':27}→ {step.hint}")
