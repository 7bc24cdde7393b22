"""Why a row ends where it does: the lines and branches of the functions that made each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routestudio.engine.workspace import PreparedSink
from routestudio.functions.pool import FunctionPool
from routestudio.functions.tracing import Trace
from routestudio.model.analysis import Point
from routestudio.model.function import Function
from routestudio.model.message import Message


async def explain(
    pool: FunctionPool, prepared: PreparedSink, message: Message
) -> list[dict[str, Any]]:
    """One entry per function that the message goes through, in their order.

    `{"stage", "function", "branches": [{"line", "column", "kind", "text"}], "values": {field:
    {"line", "column", "text"}}}`; a filter that drops the message is the last entry, with
    `dropped` true.
    """
    functions = prepared.functions
    routing = functions.routing if prepared.bound.dynamic else None
    stages = (("filter", functions.filter), ("route", routing), ("transform", functions.transform))
    found: list[dict[str, Any]] = []
    [message] = await prepared.stages.enriched([message])
    for stage, function in stages:
        if function is None or function.kind.entry_point is None:
            continue
        result, trace = (await pool.trace(function, [message]))[0]
        dropped = stage == "filter" and result.value is False
        ways = (await pool.analysis(function)).ways
        found.append({**_entry(function, trace, ways), "stage": stage, "dropped": dropped})
        if dropped:
            break
    return found


def _entry(function: Function, trace: Trace, ways: Sequence[Point]) -> dict[str, Any]:
    lines = function.code.splitlines()

    def text(line: int) -> str:
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""

    return {
        "function": function.name,
        "branches": [
            {
                "line": ways[number].line,
                "column": ways[number].column,
                "kind": ways[number].kind,
                "text": text(ways[number].line),
            }
            for number in trace.taken
            if number < len(ways)
        ],
        "values": {
            key: {"line": line, "column": column, "text": text(line)}
            for key, (line, column) in trace.places.items()
        },
    }
