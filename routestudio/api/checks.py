"""Checks of connections, and what arrived at stand-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from routestudio.api.calls import Tell, unheard
from routestudio.api.codec import JsonMap
from routestudio.api.sources import Source

Status = Literal["passed", "failed", "inconclusive", "skipped"]


@dataclass(frozen=True, slots=True)
class Step:
    """One finished step of a check.

    It is about a sink, or about a database, in an environment (empty for none). `ms` is how long
    it took in milliseconds, `hint` what to do, `target` the destination that it is about.
    """

    environment: str
    sink: str | None
    database: str | None
    step: str
    status: Status
    detail: str
    ms: float
    hint: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class FailingRows:
    """How many of the samples' first rows do not get through a sink's route."""

    rows: int
    failed: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that arrived at a stand-in."""

    destination: str
    body: str
    key: str | None
    details: JsonMap


@dataclass(frozen=True, slots=True)
class Standin:
    """A stand-in that runs, and where it listens."""

    kind: str
    title: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What `lint` found: `severity` is error, warning or note, `line` and `column` count from 1.

    `code` is a hazard's id where the finding is one, and `title` then shows what hazard that is.
    """

    severity: str
    code: str
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    sink: str | None = None
    field: str | None = None
    title: str | None = None


class CheckApi(Protocol):
    """Checks with and without a network, and what stand-ins took."""

    async def sink(
        self,
        sink: str,
        *,
        standin: bool = False,
        sample: str | None = None,
        source: Source | None = None,
        tell: Tell[Step] = unheard,
    ) -> Sequence[Step]:
        """Check one sink. Reports each finished step and returns them all.

        In dynamic mode the destinations of `sample` (of every sample when `None`) are proved, or
        those of the rows of `source`.
        """
        ...

    async def database(self, database: str, *, tell: Tell[Step] = unheard) -> Sequence[Step]:
        """Check a database of the project, in the same way."""
        ...

    async def lint(self) -> Sequence[Finding]:
        """Everything that can be known without a network."""
        ...

    async def failing_rows(self, sink: str) -> FailingRows:
        """Send the samples' first rows through a sink's route, without delivering them."""
        ...

    async def arrived(self, sink: str, limit: int = 10_000) -> Sequence[Arrived]:
        """What arrived at the stand-in of a sink."""
        ...

    async def standins(self) -> Sequence[Standin]:
        """The stand-ins that run."""
        ...
