"""Messages as they stand in topics and streams: RouteStudio's and Sequin's form, and Debezium's.

Facts of Debezium's envelope: its documentation of change events of the PostgreSQL connector
(`before`, `after`, `op`, `source`, with or without `schema` and `payload`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from routestudio.model import jsonio
from routestudio.model.message import Action, Message, MessageError, message_from
from routestudio.samples.reader import SampleFault
from routestudio.samples.variants import UNCHANGED_TOAST

KINDS: Final = ("auto", "message", "debezium")

_ACTIONS: Final[Mapping[str, Action]] = {"c": "insert", "u": "update", "d": "delete", "r": "read"}
_UNAVAILABLE: Final = (
    "__debezium_unavailable_value",
    "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",  # in a column of bytes
    ["__debezium_unavailable_value"],  # in a column of arrays of text
)
_SHOWN: Final = 2_000


class EnvelopeError(ValueError):
    """A value is no message; the text says why."""


class NothingToSay(Exception):  # noqa: N818 - no error
    """The value is no row change: a tombstone, a truncate, a heartbeat."""


def decode(value: bytes | str, *, index: int, place: str, kind: str = "auto") -> (
    Message | SampleFault
):  # fmt: skip
    """The message in one record, or a fault that names `place`.

    Raises `NothingToSay` for what is no row change.
    """
    try:
        text = value if isinstance(value, str) else value.decode()
        return message_of(jsonio.loads(text), kind, index)
    except UnicodeDecodeError:
        return SampleFault(index + 1, f"{place}: the value is not text in UTF-8", index=index)
    except (ValueError, MessageError) as error:
        reason = f"{place}: {error}" if isinstance(error, (EnvelopeError, MessageError)) else (
            f"{place}: not JSON: {error}")  # fmt: skip
        shown = text[:_SHOWN]
        return SampleFault(index + 1, reason, None, None, shown, index)


def message_of(value: Any, kind: str, index: int) -> Message:
    """A decoded value as a message. Raises `EnvelopeError`, `MessageError`, `NothingToSay`."""
    if kind != "message" and isinstance(value, dict):
        payload = value.get("payload") if {"schema", "payload"} <= value.keys() else value
        if payload is None:
            raise NothingToSay
        if isinstance(payload, dict):
            if "op" in payload and "source" in payload:
                return _debezium(payload, index)
            if payload.keys() == {"ts_ms"}:
                raise NothingToSay  # a heartbeat
    if kind == "debezium":
        raise EnvelopeError("this is no change event of Debezium: `op` and `source` are missing")
    if isinstance(value, dict) and {"record", "action"} <= value.keys():
        value = {k: value[k] for k in ("action", "record", "changes", "metadata") if k in value}
    return message_from(value, index=index)


def from_fields(fields: Mapping[str, str]) -> Any:
    """The value in the fields of a Redis stream entry.

    `action`, `record`, `changes` and `metadata` are the fields that a Redis stream sink writes;
    otherwise the entry has one field, or one named `message`, `value`, `payload` or `data`.
    Raises `ValueError` for others.
    """
    if {"action", "record"} <= fields.keys():
        parts = ("record", "changes", "metadata")
        found = {name: jsonio.loads(fields[name]) for name in parts if name in fields}
        return {"action": fields["action"], **found}
    if len(fields) == 1:
        return jsonio.loads(next(iter(fields.values())))
    for name in ("message", "value", "payload", "data"):
        if name in fields:
            return jsonio.loads(fields[name])
    names = ", ".join(sorted(fields)[:8])
    raise EnvelopeError(f"the entry's fields ({names}) are no message")


def _debezium(payload: Mapping[str, Any], index: int) -> Message:
    operation = payload["op"]
    if operation in ("t", "m"):
        raise NothingToSay
    action = _ACTIONS.get(operation) if isinstance(operation, str) else None
    if action is None:
        raise EnvelopeError(f"the operation `{str(operation)[:20]}` of Debezium is not known")
    before, after = _row(payload, "before"), _row(payload, "after")
    record = before if action == "delete" else after
    if record is None:
        part = "before" if action == "delete" else "after"
        raise EnvelopeError(f"`{part}` is missing, so there is no row")
    changes = None
    if action == "update":
        changes = {} if before is None else {
            name: old for name, old in before.items() if name in record and record[name] != old
        }  # fmt: skip
    metadata = _metadata(payload)
    return message_from(
        {"action": action, "record": record, "changes": changes, "metadata": metadata}, index=index
    )


def _row(payload: Mapping[str, Any], part: str) -> dict[str, Any] | None:
    row = payload.get(part)
    if row is None:
        return None
    if not isinstance(row, dict):
        raise EnvelopeError(f"`{part}` is no map of columns")
    return {k: UNCHANGED_TOAST if v in _UNAVAILABLE else v for k, v in row.items()}


def _metadata(payload: Mapping[str, Any]) -> dict[str, Any]:
    source = payload["source"]
    if not isinstance(source, dict):
        raise EnvelopeError("`source` is no map")
    metadata: dict[str, Any] = {}
    for name, key in (("schema", "table_schema"), ("table", "table_name"),
                      ("db", "database_name")):  # fmt: skip
        if isinstance(source.get(name), str):
            metadata[key] = source[name]
    if isinstance(source.get("lsn"), int):
        metadata["commit_lsn"] = source["lsn"]
    milliseconds = source.get("ts_ms") or payload.get("ts_ms")
    if isinstance(milliseconds, int):
        try:
            moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            raise EnvelopeError("`ts_ms` is no time") from None
        metadata["commit_timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return metadata
