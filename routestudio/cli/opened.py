"""The engine as commands use it: whatever they print passes its redactor first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from routestudio.cli.output import redact_with, say
from routestudio.engine.opened import Engine
from routestudio.engine.outside import agree, enrichments, outside
from routestudio.project import environments

_Open = TypeVar("_Open", bound=Engine)


def printing(engine: _Open) -> _Open:
    """The engine, whose project's secrets appear in nothing that is printed, errors included.

    Before the user's own variables go to a database of the project, a note names them.
    """
    redact_with(engine.redact)

    def show(found: list[dict[str, str]]) -> None:
        for sentence in _sentences(engine, found):
            say(f"note: {sentence}")

    engine.shown = show
    return engine


def environment_line(engine: Engine) -> str | None:
    """Which environment a command speaks of; nothing without one."""
    mark = environments.current(engine.workspace.project)
    if mark is None:
        return None
    only = " (read-only: check and preview only)" if mark.read_only else ""
    return f"environment: {mark.name}{only}"


def open_in(engine: Engine, project: str, environment: str | None) -> None:
    """Open a command's project in its environment, and show which one it is."""
    engine.open_project(project, environment)
    line = environment_line(engine)
    if line:
        say(line)


def note_outside(engine: Engine, sinks: Sequence[str]) -> list[str]:
    """Sentences about variables of the user that these sinks send, and databases that they read;
    each given once a project."""
    return _sentences(engine, outside(engine.workspace, sinks))


def _sentences(engine: Engine, found: list[dict[str, str]]) -> list[str]:
    agree(engine.workspace, found)
    return [
        item.get("text")
        or f"`{item['variable']}` comes from your environment, not from the project's .env, and "
        f"goes to {item['host']} ({'sink' if 'sink' in item else 'database'} "
        f"`{item.get('sink') or item.get('database')}`)"
        for item in found
    ]


def say_enrichments(engine: Engine, sinks: Sequence[str]) -> None:
    """What is read for enrichments, on standard error; whoever asks for it agrees to it."""
    found = enrichments(engine.workspace, sinks)
    agree(engine.workspace, found)
    for item in found:
        say(f"note: {item['text']}")


def say_outside(engine: Engine, sinks: Sequence[str]) -> None:
    """The same on standard error."""
    for sentence in note_outside(engine, sinks):
        say(f"note: {sentence}")
