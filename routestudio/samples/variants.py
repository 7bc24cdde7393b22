"""The hard cases of change data capture, made of any one message: what production brings.

Pure: messages in, messages out. The facts are those of docs/reference/sequin.md#messages: a delete
without full replica identity carries its key columns only, the other columns are null; a large
column that did not change arrives as the text `unchanged_toast`; an update without old row has
empty changes; a backfill sends rows as `read`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from routestudio.model.message import UNCHANGED_TOAST, Action, Message, table_of, text_of

BIG_INTEGER: Final = 9_007_199_254_740_993
"""The smallest integer above 2^53: a client that reads numbers as floats changes it."""

EXACT_DECIMAL: Final = "12345678901234567890.123456789"
"""A `numeric` as a server sends it: text, with more digits than a float keeps."""

UNICODE: Final = "Zoë 日本語 🚚 e\N{COMBINING ACUTE ACCENT} 'quoted' \"twice\" a/b?c=d&e %20\tend"
"""Text that URLs, subjects, keys and slugs stumble over."""

LONG_TEXT: Final = "a long text " * 1_000

_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")


def key_columns(messages: Iterable[Message]) -> dict[str, tuple[str, ...]]:
    """The columns that always hold the primary-key values, in their order, by `schema.table`.

    Tables of which this cannot be known are left out.
    """
    possible: dict[str, list[set[str]]] = {}
    order: dict[str, list[str]] = {}
    for message in messages:
        pks = message.record_pks
        if not pks:
            continue
        table = table_of(message)
        texts = {c: text_of(v) for c, v in message.record.items() if v is not None}
        found = [{c for c, text in texts.items() if text == pk} for pk in pks]
        order.setdefault(table, list(message.record))
        seen = possible.get(table)
        if seen is None:
            possible[table] = found
        elif len(seen) == len(found):
            possible[table] = [a & b for a, b in zip(seen, found, strict=True)]
    keys: dict[str, tuple[str, ...]] = {}
    for table, columns in possible.items():
        chosen: list[str] = []
        for options in columns:
            left = [c for c in order[table] if c in options and c not in chosen]
            chosen += left[:1]
        if len(chosen) == len(columns):
            keys[table] = tuple(chosen)
    return keys


Keys = Sequence[str]


@dataclass(frozen=True, slots=True)
class Variant:
    """One hard case. `make` gives `None` for a message of which it cannot be made."""

    key: str
    title: str
    help: str
    make: Callable[[Message, Keys], Message | None]


def keys_only(message: Message, keys: Keys) -> Message | None:
    """The delete of a row without full replica identity; `None` while the key is unknown."""
    if not keys:
        return None
    kept = {c: v if c in keys else None for c, v in message.record.items()}
    return replace(message, action="delete", changes=None, record=kept)


def backfilled(message: Message, _: Keys = ()) -> Message:
    """The same row as a backfill sends it."""
    return replace(message, action="read", changes=None)


def _action(action: Action) -> Callable[[Message, Keys], Message]:
    def make(message: Message, _: Keys) -> Message:
        changes = (message.changes or {}) if action == "update" else None
        return replace(message, action=action, changes=changes)

    return make


def _row(message: Message, keys: Keys, change: Callable[[Any], Any]) -> Message | None:
    """The message with every column but the key changed by `change`; `None` if none is."""
    record = {c: v if c in keys else change(v) for c, v in message.record.items()}
    return None if record == message.record else replace(message, record=record)


def _updated(message: Message, record: dict[str, Any], **more: Any) -> Message:
    return replace(message, action="update", record=record, **more)


def _toast(message: Message, keys: Keys) -> Message | None:
    large = (str, dict, list)
    texts = [c for c, v in message.record.items() if c not in keys and isinstance(v, large)]
    if not texts:
        return None
    longest = max(texts, key=lambda column: len(str(message.record[column])))
    return _updated(message, {**message.record, longest: UNCHANGED_TOAST}, changes={})


def _nulls(message: Message, keys: Keys) -> Message | None:
    return _row(message, keys, lambda _: None)


def _integers(message: Message, keys: Keys) -> Message | None:
    record = {
        c: BIG_INTEGER if isinstance(v, int) and not isinstance(v, bool) else v
        for c, v in message.record.items()
    }
    if record == message.record:
        return None
    return replace(message, record=record, metadata=_keyed(message, record, keys))


def _decimals(message: Message, keys: Keys) -> Message | None:
    def change(value: Any) -> Any:
        is_decimal = isinstance(value, str) and _DECIMAL.fullmatch(value)
        return EXACT_DECIMAL if isinstance(value, float) or is_decimal else value

    return _row(message, keys, change)


def _key_change(message: Message, keys: Keys) -> Message | None:
    if not keys:
        return None
    column = keys[-1]
    old: Any = message.record.get(column)
    whole = isinstance(old, int) and not isinstance(old, bool)
    new: Any = old + 1 if whole else f"{text_of(old)}-new"
    record = {**message.record, column: new}
    return _updated(message, record, changes={column: old}, metadata=_keyed(message, record, keys))


def _no_key(message: Message, _: Keys) -> Message | None:
    if not message.record_pks:
        return None
    return replace(message, metadata={**message.metadata, "record_pks": []})


def _texts(text: str) -> Callable[[Message, Keys], Message | None]:
    def make(message: Message, keys: Keys) -> Message | None:
        def change(value: Any) -> Any:
            is_text = isinstance(value, str) and not _DECIMAL.fullmatch(value)
            return text if is_text else value

        return _row(message, keys, change)

    return make


def _keyed(message: Message, record: dict[str, Any], keys: Keys) -> dict[str, Any]:
    """The metadata with the key that `record` has now."""
    if not keys:
        return message.metadata
    return {**message.metadata, "record_pks": [text_of(record[c]) for c in keys if c in record]}


VARIANTS: Final = (
    Variant("insert", "Insert", "The row as it is inserted.", _action("insert")),
    Variant("update", "Update", "The row as it is updated.", _action("update")),
    Variant(
        "delete", "Delete, whole row", "A table with full replica identity.", _action("delete")
    ),
    Variant("read", "Read (backfill)", "The row as a backfill sends it.", backfilled),
    Variant(
        "delete_keys",
        "Delete, keys only",
        "A delete without full replica identity: every column but the key is null.",
        keys_only,
    ),
    Variant(
        "unchanged_toast",
        "Unchanged large value",
        "An update that left the largest column alone: it arrives as the text unchanged_toast.",
        _toast,
    ),
    Variant("nulls", "All null", "Every column but the key is null.", _nulls),
    Variant(
        "big_integers",
        "Big integers",
        "Integers above 2^53, the key too: floats cannot hold them.",
        _integers,
    ),
    Variant(
        "exact_decimals",
        "Exact decimals",
        "Decimals with more digits than a float keeps; servers send them as text.",
        _decimals,
    ),
    Variant(
        "key_change",
        "Primary key changed",
        "An update of the key: its changes hold the old one.",
        _key_change,
    ),
    Variant("no_key", "No primary key", "A row without key values and without group id.", _no_key),
    Variant(
        "unicode",
        "Unicode text",
        "Text in several scripts, with quotes, slashes and a tab.",
        _texts(UNICODE),
    ),
    Variant(
        "long_text",
        "Very long text",
        "Text of 12,000 characters in every text column.",
        _texts(LONG_TEXT),
    ),
)
"""All variants, in the order in which they are offered."""

BY_KEY: Final = {variant.key: variant for variant in VARIANTS}


def variants_of(
    message: Message, keys: Keys, chosen: Collection[str] | None = None
) -> list[tuple[Variant, Message]]:
    """The variants of `message`, all or the `chosen` ones, in the order of `VARIANTS`.

    `keys` are the key columns of its table, empty when unknown. What cannot be made of this
    message is left out. Raises `KeyError` for a name that is not a variant.
    """
    unknown = set(chosen or ()) - BY_KEY.keys()
    if unknown:
        raise KeyError(min(unknown))
    found = []
    for variant in VARIANTS:
        if chosen is None or variant.key in chosen:
            made = variant.make(message, keys)
            if made is not None:
                found.append((variant, made))
    return found
