"""Which types a message's columns have, and where each comes from: project, row or guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from routestudio.model.column_types import NUMERIC, TEXT, TIME, guess_of
from routestudio.model.message import Message

TypeOrigin = Literal["project", "row", "guess", "unknown"]
"""Who says a column's type: the project's `tables`, the row or its format, or nobody: then its
value may have a form that is taken as a guess, and otherwise the type is unknown."""


UNSURE: Final = frozenset({NUMERIC, TIME})
"""Guesses that may be wrong: a version such as `1.10` is text, too."""


def unsure(message: Message) -> dict[str, str]:
    """The columns whose type is a guess that may be wrong, with what they are taken for."""
    found: dict[str, str] = {}
    for part in (message.record, message.changes or {}):
        for column, value in part.items():
            guess = guess_of(value) if column not in message.types else None
            if guess in UNSURE:
                found[column] = str(guess)
    return found


def settled(message: Message, guesses: Mapping[str, str]) -> Message:
    """The message with guesses taken for granted, or with what else is said of these columns."""
    return replace(message, types={**message.types, **guesses})


def as_text(guesses: Mapping[str, str]) -> dict[str, str]:
    """The same columns, taken for text."""
    return dict.fromkeys(guesses, TEXT)


def type_of(message: Message, column: str) -> tuple[str | None, TypeOrigin]:
    """The type of a message's column, and who says it."""
    known = message.types.get(column)
    if known is not None:
        return known, "project" if column in message.declared else "row"
    value = message.record.get(column)
    if value is None and message.changes:
        value = message.changes.get(column)
    guess = guess_of(value)
    return guess, "unknown" if guess is None else "guess"


def types_of(message: Message) -> dict[str, tuple[str, TypeOrigin]]:
    """The types of all of a message's columns that are known or guessed, and who says them."""
    found = {}
    for column in {**(message.changes or {}), **message.record}:
        type_, origin = type_of(message, column)
        if type_ is not None:
            found[column] = (type_, origin)
    return found
