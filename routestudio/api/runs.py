"""Runs that are kept, and their dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from routestudio.api.calls import Tell, unheard
from routestudio.api.codec import Json, JsonMap
from routestudio.api.sources import Source

RunStatus = Literal["running", "done", "cancelled", "stopped", "interrupted"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a run's messages so far, over all its parts (as in `RunSummary`)."""

    read: int = 0
    filtered: int = 0
    delivered: int = 0
    rejected: int = 0
    duplicates: int = 0
    duplicates_unconfirmed: int = 0
    retried: int = 0
    batches: int = 0
    bytes: int = 0
    seconds: float = 0.0

    @property
    def finished(self) -> int:
        """Messages of which nothing is left to do."""
        return self.delivered + self.filtered + self.rejected + self.duplicates


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long the service took to answer a batch, in milliseconds; `None` before any answer."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as `run_store.RunRecord` keeps it.

    `kind` and `value` name its source, `total` its messages. `parent` is the run whose dead letters
    were sent again. `letters` are open dead letters, `left` rows that were not finished, which
    can be sent while it is `resumable`. `latency` is that of its last part. The `id` is empty
    while it is only asked for.
    """

    id: str
    sink: str
    value: str
    standin: bool
    total: int
    kind: str = "sample"
    started: str = ""
    environment: str = ""
    workers: int = 1
    status: RunStatus = "running"
    ended: str | None = None
    error: str | None = None
    parent: str | None = None
    letters: int = 0
    counts: Counts = Counts()
    distinct: int = 0
    resumable: bool = False
    left: int = 0
    latency: Percentiles | None = None


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run has begun: `before` counts its earlier parts, `done` rows are finished already."""

    run: Run
    before: Counts
    done: int


@dataclass(frozen=True, slots=True)
class Reason:
    """How often a stage or the service gave a reason; `message` is the latest text."""

    stage: str
    code: str
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Messages that wait for their next attempt (`report.RetryWait`)."""

    destination: str
    messages: int
    attempts: int
    max_attempts: int | None
    due: float
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """The service cannot be reached (`report.OpenCircuit`)."""

    failures: int
    max_failures: int | None
    since: float
    next_try: float
    reason: str


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: `counts` over all its parts, everything else of this part.

    As in `report.Progress`; `seconds` are those of this part.
    """

    counts: Counts
    seconds: float
    rate: float
    waiting: int
    waiting_retries: int
    distinct: int
    latency: Percentiles
    reasons: Sequence[Reason] = ()
    waits: Sequence[Wait] = ()
    circuit: Circuit | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """What became of the messages of one destination; `mean` are messages of a batch."""

    name: str
    delivered: int
    bytes: int
    batches: int
    mean: float
    retried: int = 0
    rejected: int = 0
    duplicates: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class DestinationPage:
    """Some destinations of a run, and how many it has."""

    rows: Sequence[Destination]
    distinct: int


@dataclass(frozen=True, slots=True)
class DeliveredBrief:
    """One of the last delivered messages. `ms` took its last attempt."""

    number: int
    index: int
    action: str
    table: str
    pks: tuple[str, ...]
    destination: str
    attempts: int
    ms: float
    bytes: int


class RunApi(Protocol):
    """Runs: started, resumed, retried, looked at.

    `confirmed` is the name of the environment that somebody confirmed (empty for none).
    """

    async def kept(self) -> Sequence[Run]:
        """Every kept run, newest first."""
        ...

    async def detail(self, run: str) -> Run:
        """One run, with the latency of its last part."""
        ...

    async def delete(self, run: str) -> None:
        """Forget a run with its dead letters."""
        ...

    async def deliver(
        self,
        sink: str,
        source: Source,
        *,
        standin: bool = False,
        confirmed: str | None = None,
        workers: int = 1,
        tell: Tell[RunStarted | RunProgress] = unheard,
    ) -> Run:
        """Deliver a source as a run that is kept, and return it; by as many processes as `workers`,
        each of which has whole message groups."""
        ...

    async def resume(
        self,
        run: str,
        *,
        confirmed: str | None = None,
        workers: int | None = None,
        tell: Tell[RunStarted | RunProgress] = unheard,
    ) -> Run:
        """Go on with a cancelled, stopped or interrupted run, by as many processes as before or by
        `workers`."""
        ...

    async def retry(
        self,
        run: str,
        *,
        numbers: Sequence[int] | None = None,
        group: int | None = None,
        confirmed: str | None = None,
        tell: Tell[RunStarted | RunProgress] = unheard,
    ) -> Run:
        """Send dead letters again: those of `numbers`, of a group, or all."""
        ...

    async def stop(self, run: str) -> None:
        """End a run; its own request answers with what was done."""
        ...

    async def destinations(self, run: str, start: int, count: int) -> DestinationPage:
        """Destinations of a run, the most frequent first."""
        ...

    async def recent(self, run: str) -> Sequence[DeliveredBrief]:
        """The last delivered messages of a run, newest first."""
        ...

    async def delivered(self, run: str, number: int) -> JsonMap | None:
        """One of them as a preview row has it; `None` when newer ones took its place."""
        ...


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """Dead letters with the same reason: `count` open ones, the text of the first."""

    group: int
    stage: str
    code: str
    field: str | None
    line: int | None
    reason: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class LetterGroups:
    """The open dead letters of a run, by reason, the most frequent first."""

    open: int
    groups: Sequence[LetterGroup] = ()


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A dead letter in short. `edited`: its message was corrected; `readable`: it is a message."""

    number: int
    action: str | None
    table: str | None
    pks: tuple[str, ...]
    stage: str
    code: str
    reason: str
    attempts: int
    at: str | None
    edited: bool
    readable: bool


@dataclass(frozen=True, slots=True)
class LetterReason:
    """Why a message was not delivered; `line` is one of a function's text."""

    stage: str
    code: str
    message: str
    field: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter in full. `raw` is the text of a line that is not a dead letter."""

    number: int
    reason: LetterReason
    message: Json = None
    raw: str | None = None


class LetterApi(Protocol):
    """Dead letters of runs: listed, corrected, exported."""

    async def groups(self, run: str) -> LetterGroups:
        """The open ones by reason."""
        ...

    async def rows(
        self, run: str, start: int, count: int, group: int | None = None
    ) -> Sequence[LetterRow]:
        """Some of a group, or of all."""
        ...

    async def letter(self, run: str, number: int) -> Letter:
        """One in full."""
        ...

    async def edit(self, run: str, changes: Mapping[str, Json]) -> Sequence[int]:
        """Correct messages, by number; returns their new numbers."""
        ...

    async def set_value(
        self, run: str, numbers: Sequence[int], path: Sequence[str], value: Json
    ) -> Sequence[int]:
        """Set one value, such as `record`, `region`, in several; returns their new numbers."""
        ...

    async def export(self, run: str, output: str, group: int | None = None) -> int:
        """Write them to a file; returns how many."""
        ...
