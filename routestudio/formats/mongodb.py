"""Change streams of MongoDB, in extended JSON or plain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from routestudio.formats._bson import document, moment, path_of, plain
from routestudio.formats._envelope import Envelope, among, choice, is_map, named, one_of
from routestudio.formats._extended_json import types_of
from routestudio.formats.base import (
    Change,
    Example,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    old_values,
)
from routestudio.model.message import Action

_ACTIONS: Final[dict[str, Action]] = {
    "insert": "insert", "update": "update", "replace": "update", "delete": "delete",
}  # fmt: skip
_DDL: Final = (
    "create", "createIndexes", "drop", "dropDatabase", "dropIndexes", "modify",
    "refineCollectionShardKey", "rename", "reshardCollection", "shardCollection",
)  # fmt: skip


class MongoDb(Envelope):
    """One change of a document a value."""

    key = "mongodb"
    title = "MongoDB change streams"
    about = (
        "Change events of [MongoDB](https://www.mongodb.com/docs/manual/reference/change-events/) "
        "as drivers and MongoDB's Kafka connector write them, in extended JSON (`$oid`, `$date`, "
        "`$numberLong` …) or plain."
    )
    facts = (
        "Read in excerpts of MongoDB's manual, reference/change-events (8.0) and "
        "reference/mongodb-extended-json; not run: no package registry has the server, "
        "and mongo-java-server 1.47.0, which stands in for it, gives change events of another "
        "shape. The examples follow those pages."
    )
    passes_over: ClassVar = {
        "schema change": "A change of a collection, index or database (`create`, `drop` …).",
        "invalidation": "`invalidate`: the stream ends here.",
    }
    unknowable = (
        "The document after an update, without `fullDocument: 'updateLookup'`: only the fields "
        "that changed are there, with the key.",
        "The document before an update or delete, without `fullDocumentBeforeChange`.",
        "The document at the time of the update, with `updateLookup`: later changes are in it.",
    )
    setup = (
        "Use `fullDocument: 'updateLookup'` or `'whenAvailable'`.",
        "Turn on `changeStreamPreAndPostImages` and use `fullDocumentBeforeChange: "
        "'whenAvailable'` for old values.",
        "Kafka connector: set `output.format.value=json`, and leave `publish.full.document.only` "
        "at false.",
    )
    _TOKEN: ClassVar = {"_data": "8263EE6D2A000000012B0229296E04"}
    _NS: ClassVar = {"db": "shop", "coll": "orders"}
    _OID: ClassVar = {"$oid": "599af247bb69cd89961c986d"}
    _CLOCK: ClassVar = {"$timestamp": {"t": 1676569898, "i": 1}}
    examples = (
        Example(
            "insert",
            {"_id": _TOKEN, "operationType": "insert", "clusterTime": _CLOCK,
             "wallTime": {"$date": "2023-02-16T17:51:38.123Z"}, "ns": _NS,
             "documentKey": {"_id": _OID},
             "fullDocument": {"_id": _OID, "qty": {"$numberInt": "5"},
                              "price": {"$numberDecimal": "12.50"},
                              "at": {"$date": {"$numberLong": "1714979289123"}}}},
            [{"action": "insert",
              "record": {"_id": "599af247bb69cd89961c986d", "qty": 5, "price": "12.50",
                         "at": "2024-05-06T07:08:09.123000Z"},
              "changes": None,
              "metadata": {"database_name": "shop", "table_schema": "shop",
                           "table_name": "orders",
                           "commit_timestamp": "2023-02-16T17:51:38.123000Z"},
              "key": {"_id": "599af247bb69cd89961c986d"}}],
        ),
        Example(
            "update, with both documents",
            {"_id": _TOKEN, "operationType": "update", "clusterTime": _CLOCK, "ns": _NS,
             "documentKey": {"_id": 1},
             "updateDescription": {"updatedFields": {"qty": 6}, "removedFields": ["note"],
                                   "truncatedArrays": []},
             "fullDocument": {"_id": 1, "qty": 6},
             "fullDocumentBeforeChange": {"_id": 1, "qty": 5, "note": "a"}},
            [{"action": "update", "record": {"_id": 1, "qty": 6, "note": None},
              "changes": {"qty": 5, "note": "a"}, "key": {"_id": 1},
              "metadata": {"commit_timestamp": "2023-02-16T17:51:38.000000Z"}}],
        ),
        Example(
            "update, without documents",
            {"_id": _TOKEN, "operationType": "update", "clusterTime": _CLOCK, "ns": _NS,
             "documentKey": {"_id": 1},
             "updateDescription": {"updatedFields": {"address.city": "Bonn"},
                                   "removedFields": ["note"]}},
            [{"action": "update",
              "record": {"_id": 1, "address": {"city": "Bonn"}, "note": None}, "changes": {},
              "key": {"_id": 1}}],
        ),
        Example(
            "delete",
            {"_id": _TOKEN, "operationType": "delete", "clusterTime": _CLOCK, "ns": _NS,
             "documentKey": {"_id": _OID}},
            [{"action": "delete", "record": {"_id": "599af247bb69cd89961c986d"}, "changes": None,
              "key": {"_id": "599af247bb69cd89961c986d"}}],
        ),
        Example("drop of a collection",
                {"_id": _TOKEN, "operationType": "drop", "clusterTime": _CLOCK, "ns": _NS},
                "schema change"),
        Example("invalidate",
                {"_id": _TOKEN, "operationType": "invalidate", "clusterTime": _CLOCK},
                "invalidation"),
    )  # fmt: skip

    parts: ClassVar = {"_id": is_map, "operationType": one_of(*_ACTIONS), "ns": is_map,
             "documentKey": is_map}  # fmt: skip
    others = frozenset(
        [
            "fullDocument",
            "fullDocumentBeforeChange",
            "updateDescription",
            "clusterTime",
            "wallTime",
            "txnNumber",
            "lsid",
            "collectionUUID",
            "to",
            "operationDescription",
            "nsType",
            "splitEvent",
        ]
    )
    peculiar = frozenset(
        [
            "operationType",
            "clusterTime",
            "documentKey",
            "fullDocument",
            "fullDocumentBeforeChange",
            "updateDescription",
            "wallTime",
        ]
    )

    def special(self, value: dict[str, Any]) -> Likeness | None:
        """What is not a change of a document has no document's key."""
        kind = value.get("operationType")
        if among(kind, ("invalidate", *_DDL)):
            ours = is_map(value.get("_id")) or is_map(value.get("ns"))
            return Likeness.CERTAIN if ours else Likeness.POSSIBLE
        token = value.get("_id")
        others = value.keys() & {"operationType", "clusterTime", "ns", "documentKey"}
        if isinstance(token, dict) and "_data" in token and others and not among(kind, _ACTIONS):
            return Likeness.LIKELY
        if "operationType" in value and value.keys() & {"documentKey", "updateDescription"}:
            return None if among(kind, _ACTIONS) else Likeness.LIKELY
        return None

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        kind = value.get("operationType")
        if kind == "invalidate":
            raise PassedOver("invalidation")
        if kind in _DDL:
            raise PassedOver("schema change")
        action: Action = choice(value, "operationType", _ACTIONS)
        full = document(value, "fullDocument")
        before = document(value, "fullDocumentBeforeChange")
        key = document(value, "documentKey") or (
            {"_id": full["_id"]} if full and "_id" in full else None
        )
        if key is not None and "_id" not in key:
            raise FormatError("`documentKey` has no `_id`, which every document has")
        notes: list[str] = []
        record: dict[str, Any] | None = before if action == "delete" else full
        if record is None:
            record = _known(value, action, before, key or {}, notes)
        if action == "update" and before is not None:
            record = {**record, **dict.fromkeys(before.keys() - record.keys())}
        changes = old_values(before or {}, record) if action == "update" else None
        space = value["ns"] if is_map(value.get("ns")) else {}
        metadata = named(
            database_name=space.get("db"), table_schema=space.get("db"),
            table_name=space.get("coll"),
            commit_timestamp=moment(value.get("wallTime")) or moment(value.get("clusterTime")),
        )  # fmt: skip
        described = value.get("updateDescription")
        updated = described.get("updatedFields") if isinstance(described, dict) else None
        parts = [
            *map(value.get, ("documentKey", "fullDocumentBeforeChange", "fullDocument")),
            updated,
        ]
        types = {name: type_ for part in parts for name, type_ in types_of(part).items()}
        yield Change(action, record, changes, metadata, key, types, notes=tuple(notes))


def _known(
    value: dict[str, Any], action: Action, before: dict[str, Any] | None, key: dict[str, Any],
    notes: list[str],
) -> dict[str, Any]:  # fmt: skip
    """What is known of a document that the event does not have."""
    if action == "delete":
        notes.append("Only the key of the deleted document is known.")
        return dict(key)
    described = value.get("updateDescription")
    if action == "insert" or not isinstance(described, dict):
        raise FormatError(f"`fullDocument` is missing, which an {action} has")
    if before is None:
        notes.append("Only the key and the fields that changed are known of the document.")
    record = {**(before or {}), **key}
    updated = described.get("updatedFields")
    for path, item in updated.items() if isinstance(updated, dict) else ():
        path_of(record, path, plain(item))
    removed = described.get("removedFields")
    for path in removed if isinstance(removed, list) else ():
        if isinstance(path, str):
            path_of(record, path, None)
    return record
