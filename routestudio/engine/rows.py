"""Preview rows as plain data: the shape that window and command line share.

For scripts it is described in docs/guides/command-line.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final

from routestudio.engine.row_types import notes_of, types_json
from routestudio.model.message import Message
from routestudio.pipeline.stages import SinkFunctions, Staged, StageProblem
from routestudio.sinks.binding import BoundSink

UNKNOWN: Final = "(unknown)"
"""Shown in the place of an enrichment that is not known."""


def row_of(
    staged: Staged, bound: BoundSink, functions: SinkFunctions, *, brief: bool = False
) -> dict[str, Any]:
    """One preview row; a brief one has no `payload`, no `request` and no `types`.

    `error` is the first problem and `problems` all of them; `defaults` is the layer under the
    routing, `ignored` what static settings a server would not use.
    """
    message, effective = staged.message, staged.effective
    problems = [problem_of(item) for item in staged.problems]
    return {
        "index": message.index,
        "action": message.action,
        "ok": staged.ok,
        "filtered": staged.filtered,
        "routing": effective.values if effective and effective.values else None,
        "provenance": effective.provenance if effective and effective.provenance else None,
        "batch_key": batch_key_of(effective.batch_key) if effective else None,
        "group_id": effective.group_id if effective else None,
        "payload": None if brief else _payload(staged),
        "request": staged.record.describe() if staged.record and not brief else None,
        "error": problems[0] if problems else None,
        "problems": problems,
        "warnings": [{"field": w.field, "message": w.message} for w in effective.warnings]
        if effective
        else [],
        "casts": list(effective.casts) if effective else [],
        "defaults": effective.defaults if effective else None,
        "ignored": dict(bound.ignored),
        "size": staged.record.size if staged.record else None,
        "table": f"{message.metadata['table_schema']}.{message.metadata['table_name']}",
        "pks": message.record_pks,
        "notes": _notes(staged, functions),
        "enrichment": staged.enrichment,
        "types": None if brief else types_json(message),
        "place": message.place,
    }


def script_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for scripts: `filtered` is true or false, `filtered_by` shows what did it."""
    shown = {key: value for key, value in row.items() if key != "place"}
    return {**shown, "filtered": bool(row["filtered"]), "filtered_by": row["filtered"]}


def fault_row(
    index: int, line: int | None, message: str, hint: str | None = None, place: str = ""
) -> dict[str, Any]:
    """The row of a line that holds no message."""
    problem = {
        "stage": "read", "code": "unreadable", "message": message, "field": None,
        "line": line, "column": None, "hint": hint, "function": None,
    }  # fmt: skip
    empty = dict.fromkeys(
        ("action", "filtered", "routing", "provenance", "batch_key", "group_id", "payload",
         "request", "defaults", "size", "table", "types", "enrichment")
    )  # fmt: skip
    return {
        "index": index, "ok": False, **empty, "error": problem, "problems": [problem],
        "warnings": [], "casts": [], "ignored": {}, "pks": [], "notes": [], "place": place,
    }  # fmt: skip


def problem_of(problem: StageProblem) -> dict[str, Any]:
    """A stage problem as plain data."""
    return {
        "stage": problem.stage,
        "code": problem.code,
        "message": problem.message,
        "field": problem.field,
        "line": problem.line,
        "column": problem.column,
        "hint": problem.hint,
        "function": problem.function,
    }


def batch_key_of(key: Hashable) -> Any:
    """A batch key as JSON: nested tuples become lists."""
    if isinstance(key, tuple):
        return [batch_key_of(item) for item in key]
    return key


def message_of(message: Message, *, unknown: bool = False) -> dict[str, Any]:
    """A message as plain data, in the order in which people read it.

    `unknown`: its enrichment is, which is shown instead of null.
    """
    metadata = {**message.metadata, "enrichment": UNKNOWN} if unknown else message.metadata
    return {
        "action": message.action,
        "record": message.record,
        "changes": message.changes,
        "metadata": metadata,
    }


def _payload(staged: Staged) -> Any:
    """What is delivered, with an enrichment that is not known shown as that."""
    value = staged.payload.value if staged.payload else None
    if staged.enrichment != "unknown" or not isinstance(value, dict):
        return value
    metadata = value.get("metadata")
    if metadata is not staged.message.metadata:
        return value
    return {**value, "metadata": {**staged.message.metadata, "enrichment": UNKNOWN}}


def _notes(staged: Staged, functions: SinkFunctions) -> list[str]:
    notes = [*staged.message.notes, *notes_of(staged, functions)]
    if staged.enrichment == "unknown" and not staged.problems and functions.enrichment is not None:
        notes.append(f"`metadata.enrichment` is unknown, not null: `{functions.enrichment.name}` "
                     "was not evaluated.")  # fmt: skip
    return notes


def destination_of(values: Mapping[str, Any], batch_by: tuple[str, ...]) -> str:
    """The destination of routing values in one line, e.g. `orders.eu` or `POST /orders`."""
    names = batch_by or tuple(values)[:1]
    parts = [text_of(values[name]) for name in names if values.get(name) not in (None, "", {})]
    return " ".join(parts) or "(none)"


def text_of(value: Any) -> str:
    """A routing value on one line; a map as `name: value, ...`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {item}" for name, item in value.items())
    return str(value)
