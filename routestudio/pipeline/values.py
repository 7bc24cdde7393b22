"""Values of a message that the pipeline computes itself: formatted timestamps and paths."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from routestudio.model.column_types import MOMENTS, value_of
from routestudio.model.function import FunctionFault, FunctionResult
from routestudio.model.message import Message

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def unix_microseconds(message: Message) -> Message:
    """`message` with every typed datetime of `record` and `changes` as integer microseconds.

    A datetime without a zone counts as UTC. Dates, times and `metadata` stay as they are, and so
    does text that only looks like a time (Sequin docs, `timestamp_format: unix_microsecond`).
    """
    times = {name: kind for name, kind in message.types.items() if kind.rstrip("[]") in MOMENTS}
    record = _formatted(_read(message.record, times))
    changes = _formatted(message.changes and _read(message.changes, times))
    if record is message.record and changes is message.changes:
        return message
    types = {**message.types, **dict.fromkeys(times, "int8")} if times else message.types
    return replace(message, record=record, changes=changes, types=types)


def _read(columns: dict[str, Any], times: Mapping[str, str]) -> dict[str, Any]:
    """Columns with the times that their types make of texts."""
    found = {name: value_of(columns[name], kind) for name, kind in times.items() if name in columns}
    return {**columns, **found} if found else columns


def _formatted(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return (aware - _EPOCH) // _MICROSECOND
    if isinstance(value, dict):
        items = {key: _formatted(item) for key, item in value.items()}
        return items if any(items[key] is not value[key] for key in value) else value
    if isinstance(value, list):
        entries = [_formatted(item) for item in value]
        changed = any(new is not old for new, old in zip(entries, value, strict=True))
        return entries if changed else value
    return value


def value_at(path: str, message: Message) -> FunctionResult:
    """The value that a path function picks, e.g. `record.address.city`.

    Null or a list on the way gives null; text, numbers and booleans have no parts, which is a
    fault (Sequin docs, path functions).
    """
    head, *rest = path.split(".")
    parts = {"action": message.action, "record": message.record, "changes": message.changes,
             "metadata": message.metadata}  # fmt: skip
    if head not in parts:
        text = f"the path `{path}` must start with action, record, changes or metadata"
        return FunctionResult(fault=FunctionFault("invalid", text))
    value: Any = parts[head]
    walked = head
    for name in rest:
        if value is None or isinstance(value, list):
            return FunctionResult(None)
        if not isinstance(value, dict):
            text = f"`{walked}` is not an object, so `{path}` leads nowhere"
            return FunctionResult(fault=FunctionFault("raised", text))
        value = value.get(name)
        walked = f"{walked}.{name}"
    return FunctionResult(value)
