"""Which ways through the functions the tests and samples of a project take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routestudio.engine.workspace import PreparedSink
from routestudio.functions.pool import FunctionPool
from routestudio.model.analysis import Point
from routestudio.model.function import Function
from routestudio.model.message import Message


@dataclass(frozen=True, slots=True)
class FunctionCoverage:
    """How often each way through one function was taken. `taken` is as long as `points`."""

    function: Function
    points: Sequence[Point]
    taken: Sequence[int]

    @property
    def reached(self) -> int:
        """Number of ways taken at least once."""
        return sum(1 for count in self.taken if count)

    def as_json(self) -> dict[str, Any]:
        """Plain data: per way its line, column, kind and how often it was taken."""
        return {
            "function": self.function.name,
            "branches": len(self.points),
            "reached": self.reached,
            "points": [
                {"line": point.line, "column": point.column, "kind": point.kind, "taken": count}
                for point, count in zip(self.points, self.taken, strict=True)
            ],
        }


class Coverage:
    """Collects the traces of any number of messages through any number of sinks."""

    def __init__(self, pool: FunctionPool) -> None:
        self._pool = pool
        self._counts: dict[str, Counter[int]] = {}
        self._functions: dict[str, Function] = {}
        self._points: dict[str, Sequence[Point]] = {}

    async def add(
        self, prepared: PreparedSink, messages: Sequence[Message], *, now: str | None = None
    ) -> None:
        """Trace every function of a sink on the messages that are for it. What its filter drops
        goes no further."""
        functions = prepared.functions
        kept = await prepared.stages.enriched(prepared.stages.matching(messages))
        if functions.filter is not None and kept:
            results = await self._trace(functions.filter, kept, now)
            kept = [m for m, value in zip(kept, results, strict=True) if value is not False]
        rest = (functions.routing if prepared.bound.dynamic else None, functions.transform)
        for function in rest:
            if function is not None and kept:
                await self._trace(function, kept, now)

    def functions(self) -> list[FunctionCoverage]:
        """What is known so far, by name of the function; those without a choice are left out."""
        found = []
        for name in sorted(self._functions):
            function, counts = self._functions[name], self._counts[name]
            points = self._points[name]
            if points:
                taken = [counts[number] for number in range(len(points))]
                found.append(FunctionCoverage(function, points, taken))
        return found

    async def _trace(
        self, function: Function, messages: Sequence[Message], now: str | None
    ) -> list[Any]:
        if function.kind.entry_point is None:
            return [None] * len(messages)
        self._functions[function.name] = function
        self._points[function.name] = (await self._pool.analysis(function)).ways
        counts = self._counts.setdefault(function.name, Counter())
        results = []
        for result, trace in await self._pool.trace(function, messages, now=now):
            counts.update(trace.taken)
            results.append(result.value)
        return results


def as_lines(coverage: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was not reached, a line each, of `FunctionCoverage.as_json`."""
    return [
        f"{item['function']}:{point['line']}: `{point['kind']}` is never taken"
        for item in coverage
        for point in item["points"]
        if not point["taken"]
    ]
