"""Cells of a preview row as people read them: the window shows, finds and exports the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from routestudio.model.wording import in_words

FIXED: Final = ("#", "Action", "Table", "Keys", "Result")
WHY: Final = "Why"
_FILTERED: Final = {"filter": "dropped by the filter", "actions": "action not delivered",
                    "source": "table not included"}  # fmt: skip


def heads(fields: Sequence[str]) -> list[str]:
    """Titles of the columns of a preview with these routed fields."""
    return [*FIXED, *fields, WHY]


def cells(row: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    """The cells of a row (`engine.rows`), in the order of `heads`."""
    routing = {} if row["filtered"] else row.get("routing") or {}
    return [
        str(row["index"]), str(row["action"] or ""), table_text(row.get("table")),
        ", ".join(row.get("pks") or ()), state_of(row),
        *(value_text(routing.get(name)) for name in fields),
        reason(row.get("error"), row["filtered"]),
    ]  # fmt: skip


def table_text(table: str | None) -> str:
    """A table's name, without the schema that most have."""
    return str(table or "").removeprefix("public.")


def value_text(value: Any) -> str:
    """A routed value."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return str(value) if value != "" else "(empty)"


def state_of(row: Mapping[str, Any]) -> str:
    """What becomes of a row, in one word."""
    return "failed" if row["error"] else "filtered" if row["filtered"] else "ok"


def reason(error: Mapping[str, Any] | None, filtered: str | None) -> str:
    """Why a row is not delivered; empty when it is."""
    if error:
        return in_words(problem_text(error))
    return _FILTERED.get(filtered, "") if filtered else ""


def problem_text(problem: Mapping[str, Any]) -> str:
    """A problem in one line: where, what, what to do."""
    place = f"line {problem['line']}: " if problem.get("line") else ""
    field = f"{problem['field']} " if problem.get("field") else ""
    hint = f" → {problem['hint']}" if problem.get("hint") else ""
    return f"{place}{field}{problem['message']}{hint}"
