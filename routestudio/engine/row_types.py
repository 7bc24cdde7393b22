"""What a row's details say about the types of its columns: who says them, what was guessed."""

from __future__ import annotations

from typing import Final

from routestudio.functions import projection
from routestudio.model.column_origins import types_of, unsure
from routestudio.model.function import Function, Language
from routestudio.model.message import Message
from routestudio.pipeline.stages import SinkFunctions, Staged

NAME_IT: Final = "name its type under `tables` in the project"


def types_json(message: Message) -> dict[str, dict[str, str]]:
    """Type and origin of each column of which something is known."""
    return {
        column: {"type": type_, "origin": origin}
        for column, (type_, origin) in types_of(message).items()
    }


def notes_of(staged: Staged, functions: SinkFunctions) -> list[str]:
    """Whole sentences about guesses that decided what functions saw."""
    guesses = read_by(unsure(staged.message), functions)
    if not guesses:
        return []
    columns = " and ".join(f"`{name}`" for name in guesses)
    notes = []
    for name, failed in staged.guessed:
        said = f"{failed.type}: {failed.message}" if failed.type else failed.message
        notes.append(
            f"The function `{name}` fails where {columns} {_are(guesses)}, as on a server "
            f"({' '.join(said.split())[:200]}); this is what it gives for text: {NAME_IT}."
        )
    if not notes:
        notes.append(f"{columns} {_are(guesses)} by a guess: {NAME_IT}.")
    return notes


def read_by(guesses: dict[str, str], functions: SinkFunctions) -> dict[str, str]:
    """Those of the guessed columns that a function in Elixir reads: others see the text."""
    if not guesses:
        return {}
    found: set[str] = set()
    for function in (functions.filter, functions.routing, functions.transform):
        if function is not None and function.language is Language.ELIXIR:
            found |= columns_read(function, guesses)
    return {name: type_ for name, type_ in guesses.items() if name in found}


def columns_read(function: Function, columns: dict[str, str]) -> set[str]:
    """Those of the columns that a function may read."""
    if function.kind.entry_point is None:
        return set()
    reads = projection.reads([function])
    found: set[str] = set()
    for part in ("record", "changes"):
        if part not in reads.unread:
            keys = reads.of(part)
            found.update(columns if keys is None else set(keys) & columns.keys())
    return found


def _are(guesses: dict[str, str]) -> str:
    kinds = sorted(set(guesses.values()))
    return f"{'is' if len(guesses) == 1 else 'are'} {' or '.join(kinds)}"
