"""`routestudio test`: route tests, their report, and what they reach of the functions."""

from __future__ import annotations

import argparse
from pathlib import Path

from routestudio.cli.opened import open_in, say_enrichments
from routestudio.cli.output import json_line, out, paint, say
from routestudio.cli.service import engine_service
from routestudio.engine import coverage as covering
from routestudio.engine import route_tests
from routestudio.errors import UsageError
from routestudio.project.files import write_text


async def test(options: argparse.Namespace) -> int:
    """Run all route tests; exit code 1 when one failed."""
    async with engine_service() as engine:
        open_in(engine, options.project, options.env)
        collected = covering.Coverage(engine.workspace.pool) if options.coverage else None
        runner = route_tests.Runner(engine.workspace, collected)
        tests = route_tests.load(engine.workspace.project)
        if options.enrich:
            say_enrichments(engine, [spec.name for spec in engine.workspace.project.project.sinks])
        if not tests:
            raise UsageError(
                f"there are no route tests in {Path(options.project) / 'tests'}",
                hint="a test is a YAML file there; see the guide to route tests",
            )
        results = [await runner.run(item) for item in tests]
    for result in results:
        if options.format == "json":
            json_line(result.as_json())
            continue
        mark = paint("✗ failed", "red") if result.failures else paint("✓ passed", "green")
        out(f"{mark}  {result.test.name}  {paint(result.test.sink, 'grey')}")
        for failure in result.failures:
            out(f"    {result.test.file}:{result.test.line}: {failure}")
    if collected is not None:
        _report(options, collected)
    failed = sum(1 for result in results if result.failures)
    if options.junit:
        write_text(Path(options.junit), route_tests.junit(results))
    say(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _report(options: argparse.Namespace, collected: covering.Coverage) -> None:
    """How much of each function the tests reach, and what they do not."""
    functions = [item.as_json() for item in collected.functions()]
    if options.format == "json":
        for item in functions:
            json_line({"coverage": item})
        return
    for item in functions:
        reached, branches = item["reached"], item["branches"]
        whole = "green" if reached == branches else "yellow"
        out(paint(f"{item['function']}: {reached} of {branches} branches tested", whole))
    for line in covering.as_lines(functions):
        out(f"    {line}")
