"""AWS Database Migration Service: its JSON for Kafka and Kinesis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from routestudio.formats import _times
from routestudio.formats._envelope import among, choice, columns, is_map, named
from routestudio.formats.base import (
    Change,
    Example,
    Format,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    old_values,
)
from routestudio.model.message import Action

_ACTIONS: Final[dict[str, Action]] = {
    "load": "read", "read": "read", "insert": "insert", "update": "update", "delete": "delete",
}  # fmt: skip
_HYPHENS: Final = ("record-type", "partition-key-type", "schema-name", "table-name")
"""Names in `metadata` that hardly anything else has."""


class Dms(Format):
    """One row change a value, between `data` and `metadata`."""

    key = "dms"
    title = "AWS DMS"
    about = (
        "Records of [AWS Database Migration Service]"
        "(https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.Kafka.html) with Kafka or "
        "Kinesis as its target: `data` with the row, `metadata` with the operation and the table."
    )
    facts = (
        "Read in excerpts of the DMS user guide, CHAP_Target.Kafka and "
        "CHAP_Tasks.CustomizingTasks.TaskSettings.BeforeImage (as of 2026-11), and in a user's "
        "published samples; not run: DMS is a service, and the examples follow those samples."
    )
    passes_over: ClassVar = {
        "control record": "`record-type` is `control`: a table was made, changed or dropped.",
        "transaction": "The begin or commit of a transaction, with transaction details.",
    }
    unknowable = (
        "The primary key, unless the record's key in Kafka is an object of columns.",
        "Old values, unless a before image is set up.",
        "Types of columns, and null columns, which are left out unless `IncludeNullAndEmpty` is "
        "set.",
    )
    setup = (
        "Set `IncludeNullAndEmpty` and `IncludeTransactionDetails` on the endpoint.",
        "Set `BeforeImageSettings` with `ColumnFilter` `all` for old values.",
    )
    _META: ClassVar = {"timestamp": "2020-12-15T05:47:42.724458Z", "record-type": "data",
                    "partition-key-type": "primary-key", "schema-name": "shop",
                    "table-name": "orders"}  # fmt: skip
    examples = (
        Example(
            "full load (snapshot)",
            {"data": {"id": 1, "note": "a"}, "metadata": {**_META, "operation": "load"}},
            [{"action": "read", "record": {"id": 1, "note": "a"}, "changes": None,
              "metadata": {"table_schema": "shop", "table_name": "orders",
                           "commit_timestamp": "2020-12-15T05:47:42.724458Z"}}],
        ),
        Example(
            "insert, with transaction details",
            {"data": {"id": 2, "note": "b"},
             "metadata": {**_META, "operation": "insert", "transaction-id": 12884904641,
                          "commit-timestamp": "2020-12-15T05:47:41.100000Z"}},
            [{"action": "insert", "record": {"id": 2, "note": "b"}, "changes": None,
              "metadata": {"commit_timestamp": "2020-12-15T05:47:41.100000Z"}}],
        ),
        Example(
            "update, with a before image",
            {"data": {"id": 2, "note": "c"}, "before-image": {"id": 2, "note": "b"},
             "metadata": {**_META, "operation": "update"}},
            [{"action": "update", "record": {"id": 2, "note": "c"}, "changes": {"note": "b"}}],
        ),
        Example(
            "delete",
            {"data": {"id": 2, "note": "c"}, "metadata": {**_META, "operation": "delete"}},
            [{"action": "delete", "record": {"id": 2, "note": "c"}, "changes": None}],
        ),
        Example("control record",
                {"metadata": {"timestamp": "2021-02-18T23:09:09.509179Z", "record-type": "control",
                              "operation": "create-table", "partition-key-type": "task-id",
                              "schema-name": "", "table-name": "awsdms_apply_exceptions"}},
                "control record"),
        Example("commit of a transaction",
                {"metadata": {**_META, "operation": "commit"}}, "transaction"),
    )  # fmt: skip

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """By the names with hyphens in `metadata`."""
        if raw.table or not isinstance(value, dict):
            return Likeness.NO
        metadata, data = value.get("metadata"), value.get("data")
        if not isinstance(metadata, dict):
            lone = is_map(data) and value.keys() <= {"data", "metadata", "before-image"}
            return Likeness.POSSIBLE if lone else Likeness.NO
        found = sum(1 for name in _HYPHENS if name in metadata)
        row = is_map(data) and among(metadata.get("operation"), _ACTIONS)
        other = metadata.get("record-type") == "control" or "data" not in value
        if found == len(_HYPHENS) and (row or (other and "operation" in metadata)):
            return Likeness.CERTAIN
        return Likeness.LIKELY if found >= 2 else Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        metadata = columns(value, "metadata")
        if metadata.get("record-type") == "control":
            raise PassedOver("control record")
        operation = metadata.get("operation")
        if operation in ("begin", "begin-transaction", "commit", "commit-transaction"):
            raise PassedOver("transaction")
        action: Action = choice(metadata, "operation", _ACTIONS)
        record, before, notes = columns(value, "data"), _before(value), []
        if action == "update" and before is None:
            notes.append("The old values are not known: there is no before image.")
        changes = old_values(before or {}, record) if action == "update" else None
        own = raw.key if isinstance(raw.key, dict) and raw.key.keys() <= record.keys() else None
        given = named(
            table_schema=metadata.get("schema-name"), table_name=metadata.get("table-name"),
            commit_timestamp=_times.utc(metadata.get("commit-timestamp"))
            or _times.utc(metadata.get("timestamp")),
        )  # fmt: skip
        yield Change(action, record, changes, given, own or None, notes=tuple(notes))


def _before(value: dict[str, Any]) -> dict[str, Any] | None:
    """The before image, whose name the user chooses: the only other object there is."""
    others = [name for name in value if name not in ("data", "metadata", "control")]
    if len(others) > 1:
        raise FormatError(f"`{others[0]}` or `{others[1]}` could be the before image")
    return columns(value, others[0]) if others and value[others[0]] is not None else None
