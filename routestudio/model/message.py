"""Change messages: what a routing function sees and what a sink delivers.

A message has exactly four parts: `action`, `record`, `changes`, `metadata`. They hold plain JSON
values; the types that columns have beside them are in `column_types`. Nothing here does I/O.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final, Literal, cast

from routestudio.model import column_types
from routestudio.model.records import light

Action = Literal["insert", "update", "delete", "read"]
ACTIONS: Final[tuple[Action, ...]] = ("insert", "update", "delete", "read")

UNCHANGED_TOAST: Final = "unchanged_toast"
"""What stands for a large value that an update did not change, as on a Sequin server."""

METADATA_DEFAULTS: Final[Mapping[str, Any]] = {
    "table_schema": "public",
    "table_name": "unknown",
    "commit_timestamp": "2024-01-01T00:00:00.000000Z",
    "commit_lsn": 0,
    "commit_idx": 0,
    "database_name": "db",
    "transaction_annotations": None,
    "idempotency_key": None,
    "record_pks": None,
    "enrichment": None,
    "consumer": None,
    "database": None,
}
"""Documented defaults of metadata keys that a message leaves out.

`idempotency_key` then becomes Base64 of `"<commit_lsn>:<commit_idx>"` where a message has both, and
otherwise a digest of its position; `record_pks` the record's `id` as text (or no key),
`database.name` repeats `database_name`, `consumer` names "sample".
"""

KeyOrigin = Literal["user", "project", "row", "guess", "unknown"]
"""Who names a message's key: `--key`, the project's `tables`, the row itself, or nobody: then a
column called `id` is a guess, and without one the key is unknown."""


class MessageError(ValueError):
    """A value is not a message; the text shows which part is wrong and what was expected."""


@light
class Message:
    """One row change. `index` is its number in its source, from 0; `line` its line, from 1.

    `position` differs for every change and is equal when the same change is read again; `place`
    shows to people where the row is (`orders.csv:3`). `key_columns` are the columns of the primary
    key where they are known; `key_origin` shows from where. `types` are the types of columns by
    PostgreSQL's names, where they are known, and `declared` those of them that the project names.
    `format` is the key of the row's format, and `notes` explain in whole sentences what is not
    known of this row, and what was assumed.
    """

    action: Action
    record: dict[str, Any]
    changes: dict[str, Any] | None
    metadata: dict[str, Any]
    index: int = 0
    line: int | None = None
    position: str = ""
    place: str = ""
    key_columns: tuple[str, ...] | None = None
    key_origin: KeyOrigin = "unknown"
    types: Mapping[str, str] = field(default_factory=dict)
    format: str = "message"
    notes: tuple[str, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The four delivered keys, in the order in which sinks deliver them."""
        return {
            "action": self.action,
            "changes": self.changes,
            "metadata": self.metadata,
            "record": self.record,
        }

    def as_row(self) -> dict[str, Any]:
        """The message in a form that is read back as it is: with the types of its columns."""
        row = self.as_json()
        if self.types:
            row["types"] = dict(self.types)
        return row

    @property
    def record_pks(self) -> list[str]:
        """Primary-key values as text, in column order; empty without a primary key."""
        return cast(list[str], self.metadata["record_pks"])


def idempotency_key(lsn: int, idx: int) -> str:
    """Base64 of `"<commit_lsn>:<commit_idx>"`, padded.

    docs/reference/sequin.md#idempotency-key
    """
    return binascii.b2a_base64(f"{lsn}:{idx}".encode(), newline=False).decode()


def position_key(position: str) -> str:
    """The idempotency key of a change that has only its position: 20 characters of Base64."""
    digest = hashlib.blake2b(position.encode("utf-8", "surrogatepass"), digest_size=15).digest()
    return binascii.b2a_base64(digest, newline=False).decode()


def group_id(message: Message, columns: Iterable[str] | None = None) -> str | None:
    """The message's group id: primary keys, or `columns` of the record, joined with `:`.

    `None` when the result is empty: such a message belongs to no group
    (docs/reference/sequin.md#groups).
    """
    if columns is None:
        return ":".join(message.record_pks) or None
    record, types = message.record, message.types
    return ":".join([key_text(record.get(name), types.get(name)) for name in columns]) or None


def key_text(value: object, type_: str | None) -> str:
    """A column's value as a part of a key, as a server writes it there; empty for null."""
    if value is None:
        return ""
    text = text_of(value)
    return text if type_ is None else column_types.key_text(value, text, type_)


def text_of(value: object) -> str:
    """A key value as text: booleans in lower case, everything else by `str`."""
    if type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def message_from(
    value: object, *, index: int = 0, line: int | None = None, position: str | None = None
) -> Message:
    """Build a message from decoded JSON, filling documented metadata defaults.

    Without a `position`, `index` and the message's content stand for it. Raises `MessageError`
    naming the first part that is wrong.
    """
    action, record, changes, given = message_parts(value)
    record, changes, types = typed_parts(value, record, changes)
    if position is None:
        position = f"row {index}:{_fingerprint(value)}"
    origin: KeyOrigin = "row"
    if given.get("record_pks") is None:
        origin = "unknown" if record.get("id") is None else "guess"
    metadata = complete_metadata(given, record, position)
    return Message(
        action, record, changes, metadata, index, line, position,
        key_columns=("id",) if origin == "guess" else None, key_origin=origin, types=types,
    )  # fmt: skip


def typed_parts(
    value: Any, record: dict[str, Any], changes: dict[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any] | None, Mapping[str, str]]:
    """Record and changes as JSON has them, and the types that a row in this form says.

    By tags (`{"$decimal": "2.50"}`), or by a part `types` beside the four.
    Raises `MessageError` for types that are not well-formed.
    """
    record, types = column_types.untagged(record)
    if changes:
        changes, more = column_types.untagged(changes)
        types = {**more, **types}
    if "types" in value:
        named = column_types.named(value["types"])
        if named is None:
            raise MessageError("`types` must be an object of types by column, all of them text")
        types = {**types, **named}
    return record, changes, types


def _fingerprint(value: object) -> str:
    """Sixteen hex digits of a value's content; empty for one nested too deeply to be written."""
    try:
        said = repr(value)
    except RecursionError:
        return ""
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


_PARTS: Final = frozenset({"action", "record", "changes", "metadata", "types"})


def message_parts(
    value: object,
) -> tuple[Action, dict[str, Any], dict[str, Any] | None, dict[str, Any]]:
    """Action, record, changes and given metadata of decoded JSON in the form of messages.

    Raises `MessageError` naming the first part that is wrong.
    """
    if not isinstance(value, dict):
        raise MessageError(
            f"a message is an object with action, record, changes and metadata, not {_kind(value)}"
        )
    if not value.keys() <= _PARTS:
        unknown = [key for key in value if key not in _PARTS]
        raise MessageError(
            f"unknown key `{unknown[0]}`: a message has only action, record, changes and metadata"
        )
    action = value.get("action")
    if action not in ACTIONS:
        shown = "missing" if action is None else repr(action)[:40]
        raise MessageError(f"`action` is {shown}; it must be insert, update, delete or read")
    record = value.get("record")
    if not isinstance(record, dict):
        raise MessageError(f"`record` must be an object of columns, not {_kind(record)}")
    changes = value.get("changes")
    if changes is not None and not isinstance(changes, dict):
        raise MessageError(f"`changes` must be an object or null, not {_kind(changes)}")
    if changes is None and action == "update":
        changes = {}
    given = value.get("metadata")
    if given is not None and not isinstance(given, dict):
        raise MessageError(f"`metadata` must be an object, not {_kind(given)}")
    return action, record, changes, given or {}


def complete_metadata(
    given: Mapping[str, Any],
    record: Mapping[str, Any],
    position: str = "",
    pks: list[str] | None = None,
) -> dict[str, Any]:
    """`given` with the documented defaults for missing keys. Raises `MessageError` on bad types.

    `pks` are the values of the primary key, where they are known.
    """
    metadata = {**METADATA_DEFAULTS, **given}
    if not (
        type(metadata["table_schema"]) is type(metadata["table_name"]) is str
        and type(metadata["database_name"]) is str
        and type(metadata["commit_lsn"]) is type(metadata["commit_idx"]) is int
    ):
        _refuse(metadata)
    if metadata["idempotency_key"] is None:
        metadata["idempotency_key"] = (
            idempotency_key(metadata["commit_lsn"], metadata["commit_idx"])
            if given.get("commit_lsn") is not None and given.get("commit_idx") is not None
            else position_key(position)
        )
    metadata["record_pks"] = _pks(metadata, record) if pks is None else pks
    consumer, database = metadata["consumer"], metadata["database"]
    if type(consumer) is not dict or tuple(consumer) != _CONSUMER:
        default = {"id": "sample", "name": "sample", "annotations": {}}
        metadata["consumer"] = _part(metadata, "consumer", default)
    if type(database) is not dict or tuple(database) != _DATABASE:
        name = metadata["database_name"]
        default = {"id": "sample", "name": name, "annotations": {}, "database": name,
                   "hostname": "localhost"}  # fmt: skip
        metadata["database"] = default if database is None else _part(metadata, "database", default)
    return metadata


def _pks(metadata: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    pks = metadata["record_pks"]
    if pks is None:
        pks = [record["id"]] if record.get("id") is not None else []
    if not isinstance(pks, list):
        raise MessageError(f"`metadata.record_pks` must be a list, not {_kind(pks)}")
    return [pk if type(pk) is str else text_of(pk) for pk in pks]


_CONSUMER: Final = ("id", "name", "annotations")
_DATABASE: Final = ("id", "name", "annotations", "database", "hostname")
"""The keys of parts of metadata: one with all of them, in their order, needs no defaults."""


def _refuse(metadata: Mapping[str, Any]) -> None:
    """Raise `MessageError` for a part of a type that is not its own."""
    for key in ("table_schema", "table_name", "database_name"):
        if not isinstance(metadata[key], str):
            raise MessageError(f"`metadata.{key}` must be text, not {_kind(metadata[key])}")
    for key in ("commit_lsn", "commit_idx"):
        if not isinstance(metadata[key], int) or isinstance(metadata[key], bool):
            raise MessageError(f"`metadata.{key}` must be an integer, not {_kind(metadata[key])}")


def _part(metadata: Mapping[str, Any], key: str, default: dict[str, Any]) -> dict[str, Any]:
    """A part of metadata with its defaults."""
    part = metadata[key]
    if part is None:
        return default
    if not isinstance(part, dict):
        raise MessageError(f"`metadata.{key}` must be an object, not {_kind(part)}")
    return {**default, **part}


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true/false"}
    if value is None:
        return "null"
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else "another type")


def table_of(message: Message) -> str:
    """`schema.table` of a message."""
    return f"{message.metadata['table_schema']}.{message.metadata['table_name']}"
