"""`routestudio eval`: one function on messages, or many programs at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from routestudio.cli.inputs import rows_of_input
from routestudio.cli.output import json_line, say, table
from routestudio.engine.reading import DEFAULT
from routestudio.errors import Place, UsageError
from routestudio.formats.reader import Row
from routestudio.functions.batch import encode, run_batch
from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message
from routestudio.routing import Router
from routestudio.sinks import registry
from routestudio.sinks.binding import BoundSink

CHUNK = 250


async def evaluate(options: argparse.Namespace) -> int:
    """Run the command; exit code 1 when a row failed."""
    if options.batch:
        return await _batch(options.batch)
    if not options.function or not options.input:
        raise UsageError("eval needs a function file and --input", hint="or use --batch FILE")
    function = _function(options)
    pool = FunctionPool()
    failed = 0
    rows: list[dict[str, Any]] = []
    try:
        for found in await pool.check(function):
            mark = "error" if found.severity == "error" else "warning"
            hint = f" ({found.hint})" if found.hint else ""
            say(f"{options.function}: line {found.line}, column {found.column}: {mark}: "
                f"{found.message}{hint}")  # fmt: skip
        router = _router(options.sink_type)
        read = 0
        for items in _chunks(options.input):
            read += len(items)
            messages = [item for item in items if isinstance(item, Message)]
            results = iter((await pool.evaluate([function], messages))[0])
            for item in items:
                if isinstance(item, Message):
                    row = _row(item, next(results), router)
                else:
                    row = {"index": item.index, "ok": False,
                           "error": _error("unreadable", item.message, item.line,
                                           item.column)}  # fmt: skip
                failed += not row["ok"]
                if options.format == "json":
                    json_line(row)
                else:
                    rows.append(row)
        if not read and options.input != "-":
            raise UsageError("contains no messages", place=Place(options.input),
                             hint="messages are JSON lines, one on each line")  # fmt: skip
    finally:
        await pool.close()
    if options.format != "json":
        table([(r["index"], "ok" if r["ok"] else "failed",
                r["output"] if r["ok"] else r["error"]["message"]) for r in rows],
              ("#", "result", "output"), limit=100)  # fmt: skip
    return 1 if failed else 0


async def _batch(name: str) -> int:
    failed = 0
    pool = FunctionPool()
    try:
        if name == "-":
            lines: Any = sys.stdin.buffer
            async for row in run_batch(lines, pool):
                failed += not row["ok"]
                json_line(row)
        else:
            try:
                with Path(name).open("rb") as file:  # noqa: ASYNC230 - nothing else runs here
                    async for row in run_batch(file, pool):
                        failed += not row["ok"]
                        json_line(row)
            except OSError as error:
                raise UsageError(f"cannot be read: {error.strerror}", place=Place(name)) from None
    finally:
        await pool.close()
    out_count = f"{failed} programs failed" if failed else "all programs ran"
    say(out_count)
    return 1 if failed else 0


def _function(options: argparse.Namespace) -> Function:
    path = Path(options.function)
    try:
        code = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=Place(str(path))) from None
    except UnicodeDecodeError:
        raise UsageError("is not text in UTF-8", place=Place(str(path))) from None
    kind = {"route": FunctionKind.ROUTING}.get(options.kind) or FunctionKind(options.kind)
    language = Language.ELIXIR if path.suffix in (".ex", ".exs") else Language.PYTHON
    return Function(path.stem, kind, language, code)


def _router(sink_type: str | None) -> Router | None:
    if sink_type is None:
        return None
    sink = registry.default().get(sink_type)
    return Router(BoundSink(sink, None, {}, True, sink.batch, {}))


def _row(message: Message, result: FunctionResult, router: Router | None) -> dict[str, Any]:
    if result.fault is not None:
        fault = result.fault
        return {"index": message.index, "ok": False,
                "error": _error(fault.code, fault.message, fault.line, fault.column)}  # fmt: skip
    if router is None:
        return {"index": message.index, "ok": True, "output": encode(result.value)}
    effective = router.route(message, result)
    if effective.problems:
        problem = effective.problems[0]
        return {"index": message.index, "ok": False,
                "error": {**_error("routing", str(problem), None, None), "field": problem.field,
                          "hint": problem.hint}}  # fmt: skip
    return {"index": message.index, "ok": True, "output": effective.values}


def _error(code: str, message: str, line: int | None, column: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "line": line, "column": column}


def _chunks(name: str) -> Iterator[Sequence[Row]]:
    rows = rows_of_input(name, DEFAULT)
    while batch := list(islice(rows, CHUNK)):
        yield batch
