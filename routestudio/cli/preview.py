"""`routestudio preview`: shows what a route does to messages."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from routestudio.cli import early
from routestudio.cli.inputs import say_recognised
from routestudio.cli.opened import open_in, printing, say_enrichments
from routestudio.cli.output import json_line, out, say, table
from routestudio.cli.reading_options import chosen_rows
from routestudio.engine.reading import reading_of
from routestudio.engine.rows import destination_of, script_row
from routestudio.engine.runner import Runner
from routestudio.errors import Place, UsageError
from routestudio.model.wording import counted
from routestudio.samples.shapes import Shapes


async def preview(options: argparse.Namespace) -> int:
    """`routestudio preview`: exit code 1 when a message cannot be delivered."""
    async with printing(Runner(pool=early.take())) as engine:
        open_in(engine, options.project, options.env)
        source = chosen_rows(options, engine.workspace.project.project.samples)
        prepared = engine.workspace.prepare(options.sink)
        engine.workspace.require_sound(prepared)
        if options.enrich:
            say_enrichments(engine, [options.sink])
        sink = prepared.sink
        rows: list[dict[str, Any]] = []
        count = 0

        def keep(row: dict[str, Any]) -> None:
            nonlocal count
            count += 1
            if options.format == "json":
                _json_row(row)
            else:
                rows.append(row)

        reader = reading_of(source).reader(engine.workspace)
        shapes = Shapes()
        failed = await engine.preview_all(options.sink, keep, reader, shapes, **source)
        if not count:
            raise UsageError("there are no messages to preview",
                             place=Place(next(iter(source.values()))),
                             hint="name rows with --input, or add a sample set")  # fmt: skip
        if options.format != "json":
            print_preview(rows, sink.batch_by)
        say_recognised(reader)
        if any(shapes.varying()):
            from routestudio.engine.evolution import evolution, evolution_lines

            found = await evolution(shapes, prepared.functions.present, engine.workspace.pool)
            for line in evolution_lines(found):
                say(line)
    return 1 if failed else 0


def print_preview(rows: list[dict[str, Any]], batch_by: tuple[str, ...]) -> None:
    """Preview rows as a table, then what failed, then the counts."""
    table(
        [
            (r["index"], r["action"], ",".join(r["pks"]),
             "failed" if r["error"] else "filtered" if r["filtered"] else "ok",
             "" if r["error"] or r["filtered"] else _destination(r, batch_by),
             _others(r, batch_by))
            for r in rows
        ],
        ("#", "action", "keys", "result", "destination", "other fields"),
    )  # fmt: skip
    for row in rows:
        for problem in row["problems"]:
            place = f" (line {problem['line']})" if problem["line"] else ""
            field = f"{problem['field']}: " if problem["field"] else ""
            hint = f"; {problem['hint']}" if problem["hint"] else ""
            out(f"row {row['index']}: {problem['stage']}: {field}{problem['message']}{place}{hint}")
    for note, rows_with in _notes(rows).items():
        out(f"{_rows(rows_with)}: {note}")
    failed = sum(1 for r in rows if r["error"])
    filtered = sum(1 for r in rows if r["filtered"])
    ok = len(rows) - failed - filtered
    say(f"{counted(len(rows), 'message')}: {ok} deliverable, {filtered} filtered, {failed} failed")


def _notes(rows: list[dict[str, Any]]) -> dict[str, list[int]]:
    """What is not known of rows, or was assumed, with the rows of each."""
    found: dict[str, list[int]] = {}
    for row in rows:
        for note in row["notes"]:
            found.setdefault(note, []).append(row["index"])
    return found


def _rows(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    more = f" and {len(numbers) - 5:,} more" if len(numbers) > 5 else ""
    return f"row{'s' * (len(numbers) > 1)} {shown}{more}"


def _destination(row: Mapping[str, Any], batch_by: tuple[str, ...]) -> str:
    """The destination, and where its first field comes from."""
    values, sources = row["routing"] or {}, row["provenance"] or {}
    first = next(iter(batch_by or tuple(values)), "")
    return f"{destination_of(values, batch_by)} ({sources.get(first, 'default')})"


def _json_row(row: Mapping[str, Any]) -> None:
    """A preview row as JSON."""
    json_line(script_row(row))


def _others(row: Mapping[str, Any], batch_by: tuple[str, ...]) -> str:
    values = row.get("routing") or {}
    shown = batch_by or tuple(values)[:1]
    sources = row.get("provenance") or {}
    parts = [f"{name}={value} ({sources.get(name)})" for name, value in values.items()
             if name not in shown and value not in (None, "", {})]  # fmt: skip
    return ", ".join(parts)
