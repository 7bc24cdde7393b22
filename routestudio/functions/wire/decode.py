"""Reads what the function worker answers: the counterpart of its tagged JSON."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from routestudio.functions.tracing import Trace
from routestudio.functions.wire.encode import FAST, MAX_DEPTH
from routestudio.model.column_types import Moment
from routestudio.model.function import FunctionFault, FunctionResult, Identifier


@dataclass(frozen=True, slots=True)
class Exact:
    """A value of Elixir in the tagged encoding (`functions/elixir/tagged.py`)."""

    data: Any


def answer_of(body: bytes) -> Any:
    """An answer of the worker. Raises `ValueError` when it is none."""
    text = memoryview(body)[1:]
    return orjson.loads(text) if body[:1] == FAST else json.loads(bytes(text))


def results_of(column: list[Any]) -> list[FunctionResult]:
    """The results of one program: plain values, and the others with their rows.

    Raises `ValueError` for an unknown tag.
    """
    plain, others = column
    found = list(map(FunctionResult, plain))
    for row, item in others:
        found[row] = result_of(item)
    return found


def result_of(item: dict[str, Any]) -> FunctionResult:
    """One answer of the worker as a result. Raises `ValueError` for an unknown tag."""
    guessed = _fault(item["g"]) if "g" in item else None
    if "v" in item:
        return FunctionResult(item["v"], guessed=guessed)
    if "x" in item:
        return FunctionResult(Exact(item["x"]))
    if "t" in item:
        return FunctionResult(_untag(item["t"], 0), guessed=guessed)
    return FunctionResult(fault=_fault(item["f"]))


def _fault(fault: dict[str, Any]) -> FunctionFault:
    return FunctionFault(
        str(fault.get("code")),
        str(fault.get("message")),
        fault.get("type"),
        fault.get("line"),
        fault.get("column"),
    )


def traced_of(result: FunctionResult) -> tuple[FunctionResult, Trace]:
    """The result of a traced call, taken apart."""
    if not isinstance(result.value, Exact):
        return result, Trace()
    data = result.value.data
    notes = data["notes"]
    places = {str(key): (int(line), int(column)) for key, (line, column) in notes["places"].items()}
    return result_of(data["answer"]), Trace(tuple(map(int, notes["taken"])), places)


def _untag(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH + 1:
        raise ValueError("nested too deeply")
    if not isinstance(value, list):
        return value
    tag, item = value
    match tag:
        case "m":
            return {key: _untag(entry, depth + 1) for key, entry in item.items()}
        case "l":
            return [_untag(entry, depth + 1) for entry in item]
        case "f":
            return float(item)
        case "a":
            return Identifier(item)
        case "n":
            return Decimal(item)
        case "T":
            return dt.datetime.fromisoformat(item)
        case "M":
            return Moment.fromisoformat(item)
        case "d":
            return dt.date.fromisoformat(item)
        case "h":
            return dt.time.fromisoformat(item)
    raise ValueError("an unknown tag")
