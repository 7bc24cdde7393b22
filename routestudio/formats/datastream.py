"""Google Cloud Datastream: its JSON files in Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from routestudio.formats import _times
from routestudio.formats._envelope import (
    Envelope,
    choice,
    columns,
    is_map,
    is_text,
    is_whole,
    key_of,
    named,
)
from routestudio.formats.base import Change, Example, Likeness, PassedOver, Raw
from routestudio.formats.wal2json import lsn
from routestudio.model.message import Action

_ACTIONS: Final[dict[str, Action]] = {
    "INSERT": "insert", "UPDATE": "update", "UPDATE-INSERT": "update", "DELETE": "delete",
}  # fmt: skip
_OLD_ROW: Final = "UPDATE-DELETE"


def _event(change: str, row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An event of the stream, for the examples."""
    source = {
        "schema": "public",
        "table": "orders",
        "is_deleted": change == "DELETE",
        "change_type": change,
        "tx_id": 5170,
        "lsn": "0/1969A28",
        "primary_keys": ["id"],
    }
    return {"uuid": "d7989206-380f-0e81-8056-240501101100",
            "read_timestamp": "2019-11-07T07:37:16.808Z",
            "source_timestamp": "2019-11-07T02:15:39.123456", "object": "public_orders",
            "read_method": "postgresql-cdc", "stream_name": "projects/p/locations/l/streams/s",
            "schema_key": "ebbeb9ce", "sort_keys": [1573092939123, "0/1969A28"],
            "source_metadata": source, "payload": row, **more}  # fmt: skip


class Datastream(Envelope):
    """One row a value, in `payload`."""

    key = "datastream"
    title = "Google Datastream"
    about = (
        "Events of [Google Cloud Datastream]"
        "(https://cloud.google.com/datastream/docs/events-and-streams) as it writes them into "
        "Cloud Storage in JSON: `payload` with the row, `source_metadata` with what happened."
    )
    facts = (
        "Read in excerpts of "
        "Google's documentation, datastream/docs/events-and-streams (as of 2026-11), and "
        "in a user's published payload; not run: Datastream is a service, and the examples follow "
        "those pages."
    )
    passes_over: ClassVar = {
        "old row": "The old row of an update (`UPDATE-DELETE`, from MySQL and Oracle), which comes "
        "before the new one.",
    }
    unknowable = (
        "Old values: an update has only the new row.",
        "Types of columns, which are in the schema file beside the data.",
        "The time zone of a `source_timestamp` without one: it is taken as UTC.",
    )
    setup = ("Choose JSON as the file format of the destination.",)
    examples = (
        Example(
            "insert", _event("INSERT", {"id": 1, "note": "a"}),
            [{"action": "insert", "record": {"id": 1, "note": "a"}, "changes": None,
              "metadata": {"table_schema": "public", "table_name": "orders",
                           "commit_timestamp": "2019-11-07T02:15:39.123456Z",
                           "commit_lsn": 26647080}, "key": {"id": 1}}],
        ),
        Example(
            "update", _event("UPDATE", {"id": 1, "note": "b"}),
            [{"action": "update", "record": {"id": 1, "note": "b"}, "changes": {},
              "key": {"id": 1}}],
        ),
        Example(
            "delete", _event("DELETE", {"id": 1, "note": "b"}),
            [{"action": "delete", "record": {"id": 1, "note": "b"}, "changes": None,
              "key": {"id": 1}}],
        ),
        Example(
            "backfill (snapshot)",
            _event("INSERT", {"id": 2, "note": "c"}, read_method="postgresql-backfill-fulldump"),
            [{"action": "read", "record": {"id": 2, "note": "c"}, "changes": None}],
        ),
        Example("old row of an update", _event("UPDATE-DELETE", {"id": 1, "note": "a"}), "old row"),
    )  # fmt: skip

    parts: ClassVar = {"uuid": is_text, "read_timestamp": is_text, "source_timestamp": is_text,
             "object": is_text, "read_method": is_text, "stream_name": is_text,
             "source_metadata": is_map, "payload": is_map}  # fmt: skip
    others = frozenset({"schema_key", "sort_keys", "schema_version"})
    peculiar = frozenset({"source_metadata", "read_method", "stream_name", "schema_key"})

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Certain also with unknown parts, which newer versions add."""
        found = super().likeness(value, raw)
        return Likeness.CERTAIN if found is Likeness.LIKELY and all(
            name in value and check(value[name]) for name, check in self.parts.items()
        ) else found  # fmt: skip

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        source = columns(value, "source_metadata")
        if source.get("change_type") == _OLD_ROW:
            raise PassedOver("old row")
        record = columns(value, "payload")
        method = value.get("read_method")
        action: Action
        if isinstance(method, str) and "backfill" in method:
            action = "read"
        elif source.get("is_deleted") is True:
            action = "delete"
        else:
            action = choice(source, "change_type", _ACTIONS)
        at = source.get("lsn")
        metadata = named(
            table_schema=source.get("schema") or source.get("database"),
            table_name=source.get("table"), database_name=source.get("database"),
            commit_timestamp=_times.utc(value.get("source_timestamp")),
            commit_lsn=at if is_whole(at) else lsn(at),
        )  # fmt: skip
        update = action == "update"
        notes = ("Datastream does not have the old values of an update.",) if update else ()
        key = key_of(source.get("primary_keys"), record)
        yield Change(action, record, {} if update else None, metadata, key, notes=notes)
