"""`routestudio lint`: what can be known without a network, and with it of databases."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from routestudio.cli import early
from routestudio.cli.opened import open_in, printing
from routestudio.cli.output import json_line, out, paint, say
from routestudio.cli.reading_options import given_rows
from routestudio.engine import lint as linting
from routestudio.engine.opened import Engine
from routestudio.engine.workspace import Workspace
from routestudio.errors import UsageError


async def _look(workspace: Workspace, database: str) -> None:
    """Look at a database of the project, or at all."""
    from routestudio.engine import drift

    names = workspace.project.project.databases if database == "all" else (database,)
    if not names:
        raise UsageError("the project has no databases", hint="add one under `databases`")
    samples, _ = linting.samples_of(workspace)
    for name in names:
        await drift.look(workspace, name, samples)


async def lint(options: argparse.Namespace) -> int:
    """`routestudio lint`: exit code 1 when there are errors."""
    async with printing(Engine(pool=early.take())) as engine:
        open_in(engine, options.project, options.env)
        if options.database:
            await _look(engine.workspace, options.database)
        findings = await linting.lint(engine.workspace, given_rows(options))
    if options.format == "json":
        json_line([asdict(item) for item in findings])
    else:
        colours = {"error": "red", "warning": "yellow", "note": "grey"}
        for item in findings:
            place = item.file or options.project
            if item.line:
                place += f":{item.line}" + (f":{item.column}" if item.column else "")
            hint = f" ({item.hint})" if item.hint else ""
            mark = paint(item.severity, colours[item.severity])
            code = f"{item.code}: " if item.title else ""
            out(" ".join(f"{place}: {mark}: {code}{item.message}{hint}".split()))
        many = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        say(many if findings else "nothing found")
    return 1 if any(item.severity == "error" for item in findings) else 0
