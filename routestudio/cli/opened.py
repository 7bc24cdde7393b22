"""The engine as commands use it: whatever they print passes its redactor first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routestudio.cli.output import redact_with, say
from routestudio.engine.outside import agree, outside
from routestudio.engine.service import EngineService


def engine_service(**options: Any) -> EngineService:
    """An engine whose project's secrets appear in nothing that is printed, errors included."""
    service = EngineService(**options)
    redact_with(service.redact)
    return service


def note_outside(engine: EngineService, sinks: Sequence[str]) -> list[str]:
    """Sentences about variables of the user that these sinks send, each given once a project."""
    found = outside(engine.workspace, sinks)
    agree(engine.workspace, found)
    return [
        f"`{item['variable']}` comes from your environment, not from the project's .env, and goes "
        f"to {item['host']} (sink `{item['sink']}`)"
        for item in found
    ]


def say_outside(engine: EngineService, sinks: Sequence[str]) -> None:
    """The same on standard error."""
    for sentence in note_outside(engine, sinks):
        say(f"note: {sentence}")
