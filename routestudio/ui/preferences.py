"""What a person prefers: kept in the user's settings, never in a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from routestudio.ui.settings import settings
from routestudio.ui.theme import Mode

SMALLEST, LARGEST = 9.0, 11.0
"""Points of the interface's font: with these no text of the window is cut."""
SMALLEST_CODE, LARGEST_CODE = 8.0, 20.0
_NORMAL: Final = 10.0

QUESTIONS: Final = {
    "delete_run": "Before a run with dead letters is deleted",
    "leave_demo": "Before a demo project with changes is left, which deletes it",
    "remove_variable": "Before a variable is removed",
}
"""Questions that can be switched off. The one that names a real service is not among them."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Theme and fonts. Sizes are points."""

    mode: Mode = "system"
    interface: float = _NORMAL
    code: float = _NORMAL
    ligatures: bool = False


def looks() -> Looks:
    """Theme and fonts as they were chosen; what is not valid is as if it were not set."""
    kept = settings()
    mode = str(kept.value("theme", "system"))
    return Looks(
        cast(Mode, mode) if mode in ("light", "dark") else "system",
        _number("font/interface", SMALLEST, LARGEST),
        _number("font/code", SMALLEST_CODE, LARGEST_CODE),
        str(kept.value("font/ligatures", "false")).lower() == "true",
    )


def keep_looks(found: Looks) -> None:
    """Keep theme and fonts for the next time."""
    kept = settings()
    kept.setValue("theme", found.mode)
    kept.setValue("font/interface", found.interface)
    kept.setValue("font/code", found.code)
    kept.setValue("font/ligatures", found.ligatures)


def asks(question: str) -> bool:
    """Whether one of `QUESTIONS` is asked."""
    return str(settings().value(f"ask/{question}", "true")).lower() != "false"


def ask(question: str, wanted: bool) -> None:
    """Ask one of `QUESTIONS` from now on, or no longer."""
    settings().setValue(f"ask/{question}", wanted)


def sink_type() -> str:
    """The sink type that a new project starts with; empty for the first."""
    return str(settings().value("new_project/sink_type", ""))


def keep_sink_type(key: str) -> None:
    """Start new projects with a sink type."""
    settings().setValue("new_project/sink_type", key)


def _number(key: str, least: float, most: float) -> float:
    try:
        found = float(str(settings().value(key, _NORMAL)))
    except ValueError:
        return _NORMAL
    return found if least <= found <= most else _NORMAL
