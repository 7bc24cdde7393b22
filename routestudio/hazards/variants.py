"""Variants of sample messages that production brings and samples often lack.

Pure: messages in, messages out. The stages of the sink are then applied to all of them at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from routestudio.model.column_origins import as_text, settled, unsure
from routestudio.model.message import Message, table_of, text_of
from routestudio.samples.variants import backfilled, keys_only
from routestudio.sinks.hazard_view import Keys

PER_TABLE: Final = 20
"""Messages of one table of which a variant is made."""

OLD_ROWS: Final = 200
"""Updates of one table whose former row is routed."""


def carries_row(message: Message, keys: Sequence[str]) -> bool:
    """Whether a message holds more than its key columns."""
    return any(v is not None for c, v in message.record.items() if c not in keys)


def deletes(messages: Iterable[Message], keys: Keys) -> list[tuple[Message, Message]]:
    """Deletes of rows: with the whole row, and with its key columns only.

    None for tables whose sampled deletes all carry the row: their replica identity is full.
    """
    verdicts: dict[str, set[bool]] = defaultdict(set)
    rows: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        table = table_of(message)
        if table not in keys:
            continue
        whole = carries_row(message, keys[table])
        if message.action == "delete":
            verdicts[table].add(whole)
        if whole and len(rows[table]) < PER_TABLE:
            rows[table].append(message)
    found = []
    for table, items in rows.items():
        if verdicts[table] == {True}:
            continue
        for item in items:
            full = replace(item, action="delete", changes=None)
            bare = keys_only(full, keys[table])
            if bare is not None:
                found.append((full, bare))
    return found


def backfills(messages: Iterable[Message]) -> list[tuple[Message, Message]]:
    """Messages and what a backfill would send for the same rows.

    docs/reference/sequin.md#messages
    """
    counts: Counter[str] = Counter()
    found = []
    for message in messages:
        if message.action in ("insert", "update") and counts[table_of(message)] < PER_TABLE:
            counts[table_of(message)] += 1
            found.append((message, backfilled(message)))
    return found


def typings(messages: Iterable[Message]) -> list[tuple[Message, Message]]:
    """Messages with columns whose type is a guess: as the guess has them, and as text."""
    counts: Counter[str] = Counter()
    found = []
    for message in messages:
        guesses = unsure(message)
        if guesses and counts[table_of(message)] < PER_TABLE:
            counts[table_of(message)] += 1
            found.append((settled(message, guesses), settled(message, as_text(guesses))))
    return found


def formers(messages: Iterable[Message], keys: Keys) -> list[tuple[Message, Message]]:
    """Updates and the same message about the row before, with the key that it had then."""
    counts: Counter[str] = Counter()
    found = []
    for message in messages:
        table = table_of(message)
        if message.action != "update" or not message.changes or counts[table] >= OLD_ROWS:
            continue
        counts[table] += 1
        record: dict[str, Any] = {**message.record, **message.changes}
        metadata = message.metadata
        columns = keys.get(table, ())
        if any(c in message.changes for c in columns):
            pks = [text_of(record[c]) for c in columns]
            metadata = {**metadata, "record_pks": pks}
        found.append((message, replace(message, record=record, changes={}, metadata=metadata)))
    return found
