"""The columns of sample sets: their types, who names them, and a type that is proposed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from routestudio.engine.sources import read_some
from routestudio.engine.workspace import Opened, Workspace
from routestudio.errors import UsageError
from routestudio.model.column_origins import TypeOrigin, type_of
from routestudio.model.column_types import guess_of
from routestudio.model.message import Message

Emit = Callable[[str, dict[str, Any]], None]

ROWS: Final = 200
"""First rows of a set whose columns are looked at."""

_WHOLE: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})\Z", re.ASCII)
_KINDS: Final = {str: "text", bool: "true/false", int: "number", float: "number", dict: "map",
                 list: "list"}  # fmt: skip
_RANK: Final[dict[TypeOrigin, int]] = {"project": 3, "row": 2, "guess": 1, "unknown": 0}
_EXAMPLE: Final = 40
"""Characters of a value that are shown."""


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class ColumnMethods:
    """Requests of the window about columns."""

    def __init__(self, service: Opened) -> None:
        self._service = service
        self.methods: dict[str, Callable[..., Any]] = {
            "columns": self.columns, "column_types": self.column_types,
        }  # fmt: skip

    async def columns(self, *, emit: Emit = _ignore) -> list[list[str]]:
        """Name, type and its origin of the columns in the first rows of all sample sets, and of the
        tables of databases that were looked at (origin `database`), by name.

        Without a type that is known or guessed, it is what the value is in JSON.
        """
        found: dict[str, tuple[str, TypeOrigin]] = {}
        for name in self._service.workspace.project.project.samples:
            _note(self._messages(name), found)
        real = columns_seen(self._service.workspace)
        listed: dict[str, tuple[str, str]]
        listed = {name: (type_, "database") for name, type_ in real.items()}
        listed |= {name: kind for name, kind in found.items()
                   if name not in real or kind[1] in ("project", "row")}  # fmt: skip
        return [[name, *listed[name]] for name in sorted(listed)]

    async def column_types(self, name: str, table: str, *, emit: Emit = _ignore) -> dict[str, Any]:
        """What is known of a table's columns in a sample set, in the order of its rows.

        Each has `name`, `type` and `origin` (see `columns`), `declared` (as the project writes it,
        or nothing), `example`, and `proposal`: a type that the form of all its values allows, for a
        column whose type nobody names.
        """
        found: dict[str, tuple[str, TypeOrigin]] = {}
        values: dict[str, list[Any]] = {}
        messages = [m for m in self._messages(name) if _table(m) in (table, f"public.{table}")]
        _note(messages, found)
        for message in messages:
            for column, value in message.record.items():
                values.setdefault(column, []).append(value)
        project = self._service.workspace.project.project
        short = table.partition(".")[2]
        declared = project.table_types.get(table) or project.table_types.get(short) or {}
        columns: list[dict[str, Any]] = [
            {"name": column, "type": found[column][0], "origin": found[column][1],
             "declared": declared.get(column, ""), "example": _example(values.get(column, [])),
             "proposal": _proposal(values.get(column, []))
             if found[column][1] in ("guess", "unknown") else ""}
            for column in found
        ]  # fmt: skip
        columns += [
            {"name": column, "type": type_, "origin": "project", "declared": type_, "example": "",
             "proposal": ""}
            for column, type_ in declared.items() if column not in found
        ]  # fmt: skip
        for item in columns:
            item["example"] = self._service.workspace.redact_data(item["example"])
        return {"table": table, "columns": columns}

    def _messages(self, name: str) -> list[Message]:
        try:
            rows = read_some(self._service.workspace, "sample", name, ROWS)
        except UsageError:
            return []
        return [row for row in rows if isinstance(row, Message)]


def columns_seen(workspace: Workspace) -> dict[str, str]:
    """Columns of the tables that were looked at, with their types as people write them."""
    if not workspace.seen:
        return {}
    from routestudio.engine import drift

    return drift.columns(workspace)


def _note(messages: Iterable[Message], found: dict[str, tuple[str, TypeOrigin]]) -> None:
    """The type of each column: the one that is known best, of all rows."""
    for message in messages:
        for column, value in message.record.items():
            type_, origin = type_of(message, column)
            before = found.get(column)
            if before is None or not before[0] or _RANK[origin] > _RANK[before[1]]:
                found[column] = (type_ or _KINDS.get(type(value), ""), origin)


def _table(message: Message) -> str:
    return f"{message.metadata['table_schema']}.{message.metadata['table_name']}"


def _proposal(values: list[Any]) -> str:
    """The type that all texts of a column may be written for; empty when there is none."""
    texts = [value for value in values if value is not None]
    if not texts or not all(type(value) is str for value in texts):
        return ""
    if all(_WHOLE.match(text) for text in texts):
        return "bigint" if any(len(text) > 9 for text in texts) else "integer"
    if all(text.lower() in ("true", "false", "t", "f") for text in texts):
        return "boolean"
    guesses = {"integer" if _WHOLE.match(text) else guess_of(text) for text in texts}
    if guesses <= {"numeric", "integer"}:
        return "numeric"
    return str(guesses.pop()) if len(guesses) == 1 and None not in guesses else ""


def _example(values: list[Any]) -> str:
    shown = next((str(value) for value in values if value is not None), "")
    return shown if len(shown) <= _EXAMPLE else shown[:_EXAMPLE] + "…"
