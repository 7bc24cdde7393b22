"""Many small programs at once: what `routestudio eval --batch` does.

Values use a tagged encoding in both directions: `{"$datetime": text}`, `{"$naive": text}`,
`{"$date": text}`, `{"$time": text}`, `{"$decimal": text}`; a key that starts with `:` is an
identifier in Elixir, which Python reads as plain text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from routestudio.functions import language
from routestudio.functions.pool import FunctionPool
from routestudio.model import jsonio
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message

Row = dict[str, Any]


async def run_batch(lines: Iterable[str | bytes], pool: FunctionPool) -> AsyncIterator[Row]:
    """One result row per line of programs, in order. A bad line is a row that says so.

    A row without `input` is only validated.
    """
    for number, line in enumerate(lines, 1):
        text = line.decode(errors="replace") if isinstance(line, bytes) else line
        if text.strip():
            yield await _run(text, number, pool)


async def _run(text: str, number: int, pool: FunctionPool) -> Row:
    try:
        row = jsonio.loads(text)
        identity = row["id"]
        function = Function(
            str(identity), FunctionKind({"route": "routing"}.get(row["kind"], row["kind"])),
            Language(row.get("language", "elixir")), str(row["code"]),
        )  # fmt: skip
        message = _message(row["input"]) if "input" in row else None
    except (ValueError, KeyError, TypeError, InvalidOperation, RecursionError) as error:
        detail = f"missing key {error}" if isinstance(error, KeyError) else str(error)[:200]
        identity = row.get("id") if "row" in locals() and isinstance(row, dict) else None
        text = f"line {number} is not a program: {detail}"
        return {"id": identity, "ok": False, "error": _error("bad_row", None, text, number)}
    if not language.evaluated(function.language):
        refused = _error("unsupported_language", None, language.UNSUPPORTED, None)
        return {"id": identity, "ok": False, "error": refused}
    found = [item for item in await pool.check(function) if item.severity == "error"]
    if found:
        first = found[0]
        return {"id": identity, "ok": False,
                "error": _error(first.code, "invalid", first.message, first.line)}  # fmt: skip
    if message is None:
        return {"id": identity, "ok": True, "output": None}
    result = (await pool.evaluate([function], [message]))[0][0]
    return {"id": identity, **_outcome(result)}


def _outcome(result: FunctionResult) -> Row:
    if result.fault is not None:
        fault = result.fault
        return {"ok": False, "error": _error(fault.code, fault.type, fault.message, fault.line)}
    return {"ok": True, "output": encode(result.value)}


def _error(code: str, kind: str | None, message: str, line: int | None) -> Row:
    return {"code": code, "type": kind, "message": message, "line": line}


def _message(value: object) -> Message:
    if not isinstance(value, dict):
        raise ValueError("`input` must be an object with action, record, changes and metadata")
    plain = {key: decode(value.get(key)) for key in ("action", "record", "changes", "metadata")}
    metadata = plain["metadata"] if plain["metadata"] is not None else {}
    if not isinstance(metadata, dict):
        raise ValueError("`metadata` must be an object")
    return Message(plain["action"], plain["record"], plain["changes"], metadata)


def decode(value: Any) -> Any:
    """A value of the tagged encoding as Python data. Raises `ValueError` for a bad tag."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, text),) = value.items()
        match tag:
            case "$datetime" | "$naive":
                return dt.datetime.fromisoformat(text)
            case "$date":
                return dt.date.fromisoformat(text)
            case "$time":
                return dt.time.fromisoformat(text)
            case "$decimal":
                return Decimal(text)
    return {key.removeprefix(":"): decode(item) for key, item in value.items()}


def encode(value: Any) -> Any:
    """Python data in the tagged encoding."""
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, dt.datetime):
        text = value.isoformat()
        if value.tzinfo is None:
            return {"$naive": text}
        return {"$datetime": text[:-6] + "Z" if text.endswith("+00:00") else text}
    if isinstance(value, dt.date):
        return {"$date": value.isoformat()}
    if isinstance(value, dt.time):
        return {"$time": value.isoformat()}
    return value
