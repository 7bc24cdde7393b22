"""The few error classes of RouteStudio, ordered by what the one who catches them does.

Expected failures of a single message are values (`model.outcome`), not exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is: a file, and in it a line and column (both from 1) or a key path."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [self.file] if self.file else []
        if self.line is not None:
            parts.append(f"line {self.line}" + (f", column {self.column}" if self.column else ""))
        if self.path:
            parts.append(".".join(self.path))
        return ": ".join(parts)


class RouteStudioError(Exception):
    """Base of all errors that may be shown to a user as they are.

    `message` explains what happened, `place` where, `hint` what to do about it.
    """

    def __init__(
        self, message: str, *, place: Place | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place and str(self.place) else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One fault of one field: `field` is its name (or a dotted path), `message` one sentence."""

    field: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(RouteStudioError):
    """Values that a person typed are not acceptable. Show each problem at its field."""

    def __init__(
        self, message: str, problems: Sequence[FieldProblem] = (), *, place: Place | None = None
    ) -> None:
        detail = "; ".join(str(p) for p in problems)
        super().__init__(f"{message}: {detail}" if detail else message, place=place)
        self.problems = tuple(problems)


class ProjectError(RouteStudioError):
    """A project or one of its files cannot be read or written. Exit code 2 on the command line."""


class UsageError(RouteStudioError):
    """The request itself makes no sense (unknown sink, missing option). Exit code 2."""


class LinkError(RouteStudioError):
    """The connection to a service is lost or cannot be made. Reconnect and try again."""


class WorkerError(RouteStudioError):
    """The function worker could not be started or kept alive. Restart it and try again."""


class ProtocolError(RouteStudioError):
    """The other process sent something that is not a frame of the protocol. Drop the frame."""
