"""The engine as commands use it: whatever they print passes its redactor first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from routestudio.cli.output import redact_with, say
from routestudio.engine.opened import Engine
from routestudio.engine.outside import agree, outside

_Open = TypeVar("_Open", bound=Engine)


def printing(engine: _Open) -> _Open:
    """The engine, whose project's secrets appear in nothing that is printed, errors included."""
    redact_with(engine.redact)
    return engine


def note_outside(engine: Engine, sinks: Sequence[str]) -> list[str]:
    """Sentences about variables of the user that these sinks send, each given once a project."""
    found = outside(engine.workspace, sinks)
    agree(engine.workspace, found)
    return [
        f"`{item['variable']}` comes from your environment, not from the project's .env, and goes "
        f"to {item['host']} (sink `{item['sink']}`)"
        for item in found
    ]


def say_outside(engine: Engine, sinks: Sequence[str]) -> None:
    """The same on standard error."""
    for sentence in note_outside(engine, sinks):
        say(f"note: {sentence}")
