"""In words: which walls stand around the function worker on this system, and which do not."""

from __future__ import annotations

from typing import Final

from routestudio import system as systems
from routestudio.functions.doors import LANDLOCK, LIMITS, SECCOMP

_NAMES: Final = {LIMITS: "limits of the system", LANDLOCK: "Landlock", SECCOMP: "seccomp"}

_OPEN: Final = (
    (LIMITS, "open and list files"),
    (LIMITS, "open network connections"),
    (LANDLOCK | SECCOMP, "change and remove files"),
    (LANDLOCK | SECCOMP, "start programs"),
    (LANDLOCK | SECCOMP, "send signals to other processes"),
    (SECCOMP, "change modes and times of files"),
    (LIMITS, "take more memory than it may"),
)
"""What code in the worker that nothing checked could do, where none of these walls stands."""


def walls(held: int) -> list[str]:
    """The names of the walls that stand, of a sum as `doors.shut` gives it."""
    found = [name for wall, name in _NAMES.items() if held & wall]
    return ["the checker", *found, "a limit of time"]


def left_open(held: int, system: str = systems.current.name) -> list[str]:
    """What a function that the checker let through by mistake could do on this system."""
    found = [text for wall, text in _OPEN if not held & wall]
    if system == "macos":
        found.append("take more memory than it may")
    return list(dict.fromkeys(found))


def sentences(held: int, system: str = systems.current.name) -> str:
    """Both, as a user reads them."""
    names = walls(held)
    behind = f"{', '.join(names[:-1])} and {names[-1]}"
    text = f"Functions run in a separate process, behind {behind}."
    could = left_open(held, system)
    if not could:
        return f"{text} On this system all of its doors are closed."
    return (
        f"{text} On this system a function that the checker let through by mistake could "
        f"{', '.join(could[:-1])}{' and ' if could[:-1] else ''}{could[-1]}: look at the "
        "functions of a stranger's project before you preview or run them."
    )
