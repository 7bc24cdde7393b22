"""What a hazard and a finding are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from routestudio.model.project import Severity

Level = Literal["H", "M", "L"]
Scope = Literal["project", "sink", "function", "sample"]
Treatment = Literal["detected", "avoided", "unseen"]

SEVERITIES: Final[dict[Level, Severity]] = {"H": "error", "M": "warning", "L": "note"}
"""What a level of docs/hazards.md means for somebody who runs `lint`."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One known hazard of a Sequin server.

    `scope` is what one must look at to see it; `sinks` are the keys of the sink types that it
    concerns, none for all (`hazards.catalog` fills them in). `treatment` is what RouteStudio does
    about it, and `how` describes it in a sentence: `detected` in a project, `avoided` by design, or
    `unseen` because no project shows it.
    """

    id: str
    level: Level
    scope: Scope
    title: str
    consequence: str
    remedy: str
    treatment: Treatment
    how: str
    sinks: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """The most severe that a finding of this hazard is."""
        return SEVERITIES[self.level]


@dataclass(frozen=True, slots=True)
class Finding:
    """A hazard in a project and its place. `severity` is `None` for the hazard's own.

    `file` is relative to the project folder; `line` and `column` count from 1.
    """

    code: str
    message: str
    hint: str
    severity: Severity | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    sink: str | None = None
    field: str | None = None
