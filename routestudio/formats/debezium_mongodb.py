"""Debezium's events of MongoDB: documents as text in extended JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from routestudio.formats import _extended_json as extended
from routestudio.formats._debezium_docs import MONGODB, MONGODB_SETUP, MONGODB_UNKNOWABLE
from routestudio.formats._debezium_rows import (
    ACTIONS,
    PARTS,
    DebeziumFormat,
    check_signal,
    passed_over,
    points,
    set_order,
    set_times,
    table_of_topic,
)
from routestudio.formats.base import (
    Change,
    FormatError,
    Likeness,
    PassedOver,
    Raw,
    old_values,
)
from routestudio.model.message import Action

_OWN: Final = frozenset({"updateDescription", "filter", "patch"})
_DOCUMENTS: Final = frozenset({"before", "after"}) | _OWN
_PARTS: Final = PARTS | _OWN
_PARTIAL: Final = (
    "Only the fields that the update set are known: use a `capture.mode` with the full document "
    "(`change_streams_update_full`)."
)
_REMOVED: Final = "The update removed {}."
_ONLY_KEY: Final = "Only the key of the deleted document is known."


class DebeziumMongodb(DebeziumFormat):
    """The envelope with `after` and `before` as text, and `updateDescription`."""

    key = "debezium-mongodb"
    title = "Debezium, MongoDB"
    about = (
        "Change events of Debezium's connector for MongoDB: as those of relational databases, but "
        "documents are texts in MongoDB's extended JSON. They are decoded: object ids and decimals "
        "are text, dates ISO 8601. The table is the collection, the schema the database, and the "
        "key is `_id`."
    )
    facts = (
        "Debezium's documentation "
        "(https://debezium.io/documentation/reference/3.6/connectors/mongodb.html) and MongoDB's "
        "of extended JSON "
        "(https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/); not run."
    )
    unknowable = MONGODB_UNKNOWABLE
    setup = MONGODB_SETUP
    examples = MONGODB
    options: ClassVar[Mapping[str, str]] = {}

    def likeness(self, value: Any, raw: Raw) -> Likeness:
        """Certain with an operation and the source of a collection."""
        if type(value) is not dict:
            return Likeness.NO
        source, operation = value.get("source"), value.get("op")
        if isinstance(source, dict) and "collection" in source and "table" not in source:
            known = isinstance(operation, str) and operation in ACTIONS
            return Likeness.CERTAIN if known else Likeness.LIKELY
        count = points(value, _PARTS, text=True)
        if count > 1 and any(isinstance(value.get(part), str) or part in _OWN & value.keys()
                             for part in _DOCUMENTS):  # fmt: skip
            return Likeness.LIKELY
        return Likeness.LIKELY if passed_over(value, raw) is not None else Likeness.NO

    def read(self, value: Any, raw: Raw) -> Iterable[Change]:
        """One change."""
        kind = passed_over(value, raw)
        if kind is not None:
            raise PassedOver(kind)
        if not isinstance(value, dict) or not isinstance(value.get("source"), dict):
            raise FormatError("an event of Debezium is an object with `op` and `source`")
        operation = value.get("op")
        action = ACTIONS.get(operation) if isinstance(operation, str) else None
        if action is None:
            raise FormatError(f"the operation {str(operation)[:20]!r} of Debezium is not known")
        written = {part: _decoded(value.get(part), part) for part in ("before", "after")}
        documents = {part: _plain(item, part) for part, item in written.items()}
        types = {name: type_ for item in written.values()
                 for name, type_ in extended.types_of(item).items()}  # fmt: skip
        document = documents["after"]
        if document is not None and "_id" in document:
            # MongoDB's signalling collection has `_id` where a table has `id`.
            check_signal({"id" if name == "_id" else name: v for name, v in document.items()},
                         value["source"].get("collection"))  # fmt: skip
        metadata = _metadata(value, raw)
        key = _key(value, raw, documents)
        yield _change(action, documents["before"], documents["after"], value, key, metadata, types)


def _change(
    action: Action,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    value: Mapping[str, Any],
    key: dict[str, Any] | None,
    metadata: dict[str, Any],
    types: dict[str, str],
) -> Change:
    notes: tuple[str, ...] = ()
    record = before if action == "delete" else after
    if record is None and action == "update":
        record, notes = _partial(value, key, types)
    elif record is None and action == "delete" and key is not None:
        record, notes = dict(key), (_ONLY_KEY,)
    if record is None:
        part = "before" if action == "delete" else "after"
        raise FormatError(f"`{part}` is missing, so there is no document")
    changes: dict[str, Any] | None = None
    if action == "update":
        changes = {} if before is None else old_values(before, record)
    return Change(action, record, changes, metadata, key, types, notes=notes)


def _document(text: Any, part: str) -> dict[str, Any] | None:
    """A document with plain values."""
    return _plain(_decoded(text, part), part)


def _decoded(text: Any, part: str) -> Any:
    """A document in extended JSON, out of its text; some converters have decoded it already."""
    if not isinstance(text, str):
        return text
    try:
        return extended.parsed(text)
    except ValueError as error:
        raise FormatError(f"`{part}` is not extended JSON: {error}") from None


def _plain(value: Any, part: str) -> dict[str, Any] | None:
    if value is None:
        return None
    try:
        found = extended.plain(value)
    except ValueError as error:
        raise FormatError(f"`{part}` is not extended JSON: {error}") from None
    if not isinstance(found, dict):
        raise FormatError(f"`{part}` is not a document")
    return found


def _partial(
    value: Mapping[str, Any], key: dict[str, Any] | None, types: dict[str, str]
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """What an update without its document shows of it; the fields' types are added to `types`."""
    described = value.get("updateDescription")
    updated = described.get("updatedFields") if isinstance(described, dict) else None
    patch = _decoded(value.get("patch") or None, "patch")
    if _plain(patch, "patch") is not None and updated is None:
        updated = patch.get("$set", {name: v for name, v in patch.items() if name[:1] != "$"})
    updated = _decoded(updated, "updatedFields")
    fields = _plain(updated, "updatedFields")
    types.update(extended.types_of(updated))
    if fields is None and key is None:
        return None, ()
    notes: tuple[str, ...] = (_PARTIAL,)
    removed = described.get("removedFields") if isinstance(described, dict) else None
    if isinstance(removed, list) and removed:
        notes += (_REMOVED.format(", ".join(f"`{name}`" for name in removed)[:500]),)
    return {**(key or {}), **(fields or {})}, notes


def _key(
    value: Mapping[str, Any], raw: Raw, documents: Mapping[str, dict[str, Any] | None]
) -> dict[str, Any] | None:
    """`_id`: of the document, of the record's key, or of `filter` (before Debezium 2)."""
    for document in (documents["after"], documents["before"]):
        if document is not None and "_id" in document:
            return {"_id": document["_id"]}
    given = raw.key
    if isinstance(given, dict) and "id" in given:
        return {"_id": _identity(given["id"])}
    by = _document(value.get("filter"), "filter")
    if by is not None and "_id" in by:
        return {"_id": by["_id"]}
    return None


def _identity(text: Any) -> Any:
    """An id of the record's key, which is extended JSON in a text: `{"$oid": "…"}`, `1004`."""
    if not isinstance(text, str):
        return extended.plain(text)
    try:
        return extended.decoded(text)
    except ValueError:
        return text


def _metadata(value: Mapping[str, Any], raw: Raw) -> dict[str, Any]:
    source = value["source"]
    database, collection = source.get("db"), source.get("collection")
    if not collection:
        database, collection = table_of_topic(raw)
    metadata: dict[str, Any] = {"source": source}
    if isinstance(database, str):
        metadata.update(table_schema=database, database_name=database)
    if isinstance(collection, str):
        metadata["table_name"] = collection
    set_times(metadata, source, value)
    transaction = value.get("transaction")
    if transaction is not None:
        set_order(metadata, transaction)
        metadata["transaction"] = transaction
    return metadata
