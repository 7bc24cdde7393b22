"""Many small programs at once: what `routestudio eval --batch` does.

Values use a tagged encoding in both directions: `{"$datetime": text}`, `{"$naive": text}`,
`{"$date": text}`, `{"$time": text}`, `{"$decimal": text}`; a key that starts with `:` is an atom
in Elixir (`functions/elixir/tagged.py` has all the tags), which Python reads as plain text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from routestudio.functions.elixir import tagged
from routestudio.functions.pool import FunctionPool
from routestudio.functions.wire.decode import Exact
from routestudio.model import jsonio
from routestudio.model.function import Function, FunctionKind, FunctionResult, Language
from routestudio.model.message import Message

Row = dict[str, Any]


async def run_batch(lines: Iterable[str | bytes], pool: FunctionPool) -> AsyncIterator[Row]:
    """One result row per line of programs, in order. A bad line is a row that reports it.

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
        function = _function(row)
        message = _message(row["input"], function.language) if "input" in row else None
    except (ValueError, KeyError, TypeError, InvalidOperation, RecursionError) as error:
        detail = f"missing key {error}" if isinstance(error, KeyError) else str(error)[:200]
        identity = row.get("id") if "row" in locals() and isinstance(row, dict) else None
        text = f"line {number} is not a program: {detail}"
        return {"id": identity, "ok": False, "error": _error("bad_row", None, text, number)}
    found = [item for item in await pool.check(function) if item.severity == "error"]
    if found:
        first = found[0]
        kind = "CompileError" if first.code == "compile" else "invalid"
        return {"id": identity, "ok": False,
                "error": _error(first.code, kind, first.message, first.line)}  # fmt: skip
    if message is None:
        return {"id": identity, "ok": True, "output": None}
    result = (await pool.evaluate([function], [message], mode="exact"))[0][0]
    return {"id": identity, **_outcome(result)}


def _function(row: Row) -> Function:
    """The program of a row. The kind `expr` of Elixir is a bare body."""
    kind, text = row["kind"], str(row["code"])
    tongue = Language(row.get("language", "elixir"))
    if kind == "expr" and tongue is Language.ELIXIR:
        # On one line, so that the lines of the body are those of its text.
        text = f"def transform(action, record, changes, metadata) do {text}\nend"
        kind = "transform"
    found = FunctionKind("routing" if kind == "route" else kind)
    return Function(str(row["id"]), found, tongue, text)


def _outcome(result: FunctionResult) -> Row:
    if result.fault is not None:
        fault = result.fault
        if fault.code == "timeout":
            return {"ok": False, "error": _error(fault.code, "timeout", fault.message, fault.line)}
        return {"ok": False, "error": _error(fault.code, fault.type, fault.message, fault.line)}
    value = result.value
    return {"ok": True, "output": value.data if isinstance(value, Exact) else encode(value)}


def _error(code: str, kind: str | None, message: str, line: int | None) -> Row:
    return {"code": code, "type": kind, "message": message, "line": line}


def _message(value: object, tongue: Language) -> Message:
    if not isinstance(value, dict):
        raise ValueError("`input` must be an object with action, record, changes and metadata")
    read = tagged.decode if tongue is Language.ELIXIR else decode
    action, record, changes = (read(value.get(key)) for key in ("action", "record", "changes"))
    metadata = value.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise ValueError("`metadata` must be an object")
    # Metadata has text as keys here in both languages, also in its two inner maps.
    found = {name.removeprefix(":"): item for name, item in metadata.items()}
    plain = {name: _inner(item, read) if name in _NESTED else read(item)
             for name, item in found.items()}  # fmt: skip
    return Message(action, record, changes, plain)


_NESTED: Final = frozenset(["consumer", "database"])


def _inner(value: Any, read: Callable[[Any], Any]) -> Any:
    if not isinstance(value, dict):
        return read(value)
    return {name.removeprefix(":"): read(item) for name, item in value.items()}


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
