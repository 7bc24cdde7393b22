"""What a real service holds, read back and compared with the preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from routestudio.api.codec import Json
from routestudio.api.sources import Source


@dataclass(frozen=True, slots=True)
class ReadingSide:
    """Whether and how a sink can be read back: `how`, or `why` not and what to do `instead`.

    `names` is what a destination is called where it has to be named, `keyed` whether records are
    asked for by key. The `environment` is empty for none.
    """

    host: str | None
    environment: str = ""
    readable: bool = False
    why: str = ""
    instead: str = ""
    how: str = ""
    names: str = ""
    keyed: bool = False
    note: str = ""

    @property
    def place(self) -> str:
        """Host and environment in a few words."""
        host = self.host or "the real service"
        return f"{host} ({self.environment})" if self.environment else host


@dataclass(frozen=True, slots=True)
class ReadChange:
    """One place in which a record differs; a side without it is `None`."""

    path: str
    expected: Json = None
    found: Json = None


@dataclass(frozen=True, slots=True)
class RecordSide:
    """A record as it was previewed, or as it was read. The body may be cut; `size` is in bytes."""

    destination: str
    key: Json = None
    headers: Mapping[str, Json] = field(default_factory=dict)
    body: str | None = None
    cut: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One record, or one that is missing: its verdict, what that means, and both sides.

    `row` is that of the preview, `place` where it was read, `parts` in which it differs.
    """

    verdict: str
    meaning: str
    row: int | None = None
    destination: str = ""
    key: Json = None
    place: str = ""
    parts: tuple[str, ...] = ()
    changes: Sequence[ReadChange] = ()
    expected: RecordSide | None = None
    found: RecordSide | None = None


@dataclass(frozen=True, slots=True)
class ReadPlace:
    """How many records were read of a destination, and whether it has more."""

    name: str
    read: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The result (`engine.read_back.Found`). `counts` are rows by verdict.

    `failed` rows of the preview and `uncompared` messages have no record to compare with; `cut` is
    how many rows were previewed where there are more.
    """

    counts: Mapping[str, int]
    sink: str = ""
    type: str = ""
    host: str | None = None
    environment: str = ""
    how: str = ""
    good: bool = False
    previewed: int = 0
    failed: int = 0
    uncompared: int = 0
    cut: int | None = None
    destinations: Sequence[ReadPlace] = ()
    more_destinations: int = 0
    notes: tuple[str, ...] = ()
    rows: Sequence[ReadRow] = ()


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """What was found; or what has to be agreed to first, because reading leaves a trace."""

    found: ReadBack | None = None
    ask: str = ""


class ReadingApi(Protocol):
    """Reading back."""

    async def side(self, sink: str) -> ReadingSide:
        """Whether and how a sink can be read back."""
        ...

    async def read_back(
        self,
        sink: str,
        source: Source,
        *,
        limit: int | None = None,
        destination: str | None = None,
        agreed: bool = False,
    ) -> ReadAnswer:
        """Read back and compare with the preview of a source.

        At most `limit` records of each destination are read, or of the one that is named. Where
        that would leave a trace, it is asked about unless somebody `agreed`.
        """
        ...
