"""From places to messages: which rows are read, as what, and how far they are finished."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from routestudio.api.sources import columns_of
from routestudio.engine.workspace import Workspace
from routestudio.formats import registry
from routestudio.formats.reader import KeyBook, Row, RowReader
from routestudio.model.rows import RawRow
from routestudio.sources import uri
from routestudio.sources.base import Session

LOOK: Final = 1_000
"""Rows that are taken of a source on a server when no number is given."""


def cut_text(rows: int, place: str = "") -> str:
    """What is said where more rows were there than were looked at."""
    return f"only the first {rows:,} rows{place and ' of '}{place} were looked at: there are more"


MORE: Final = "name a number with --limit"
"""How more rows are looked at."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read: as which format, with which key columns, and how many (`None`: all).

    `options` are those of row formats, such as `unavailable`.
    """

    envelope: str = registry.AUTO
    key: tuple[str, ...] = ()
    limit: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def reader(self, workspace: Workspace | None) -> RowReader:
        """A reader for one reading, with the keys and types that the project names.

        Raises `UsageError` for a format or an option that does not exist.
        """
        book = KeyBook(self.key)
        if workspace is not None:
            project = workspace.project.project
            book = KeyBook(self.key, project.table_keys, project.table_types)
        return RowReader(envelope=self.envelope, keys=book, options=self.options)

    def taken_from(self, address: str) -> tuple[str, Reading]:
        """An address without its options about reading, and this with it."""
        names = {name for item in registry.formats().values() for name in item.options}
        address, found = uri.take(address, {"envelope", "key", *names})
        envelope, key = found.pop("envelope", self.envelope), found.pop("key", None)
        columns = columns_of(key) if key is not None else self.key
        return address, replace(
            self, envelope=envelope, key=columns, options={**self.options, **found}
        )


DEFAULT: Final = Reading()
"""Everything is recognised, and all is read."""


def reading_of(params: Mapping[str, Any]) -> Reading:
    """How the rows of a request are read: `envelope`, `key` (a text or a list), `limit`.

    The options of an `input`'s address about reading go first.
    """
    key = params.get("key") or ()
    columns = columns_of(key) if isinstance(key, str) else tuple(str(item) for item in key)
    limit = params.get("limit")
    reading = Reading(params.get("envelope") or registry.AUTO, columns, limit)
    place = params.get("input")
    if isinstance(place, str) and uri.is_uri(place):
        return reading.taken_from(place)[1]
    return reading


def reader_summary(reader: RowReader) -> dict[str, Any]:
    """What a reader recognised and passed over, for summaries."""
    return {"envelope": dict(reader.counts), "passed_over": dict(reader.passed_over)}


class SessionRows:
    """The rows of a source's session, and the `Keeper` of how far they are finished.

    A raw row may be several messages, or none: it is finished when all of its messages are, and one
    without messages when those before it are.
    """

    def __init__(self, session: Session, reader: RowReader) -> None:
        self.name = session.name
        self.position = 0
        self.finished: Sequence[tuple[int, int]] = ()
        self.session = session
        self._reader = reader
        self._counts: deque[int] = deque()
        self._raws = 0
        self._rows = 0
        self.below = 0

    @property
    def passed_over(self) -> Mapping[str, int]:
        """What is not a row change, by kind."""
        return self._reader.passed_over

    async def chunks(self) -> AsyncIterator[Sequence[Row]]:
        """Messages and faults, chunk by chunk. Raises `RouteStudioError`."""
        async for raws in self.session.chunks():
            rows = self.take(raws)
            if rows:
                yield rows
            else:
                self.save(self.below)

    def take(self, raws: Sequence[RawRow]) -> list[Row]:
        """The messages and faults of the session's next raw rows."""
        rows: list[Row] = []
        for raw in raws:
            found = self._reader.read(raw)
            self._counts.append(len(found))
            rows += found
        return rows

    def save(self, position: int, finished: Sequence[tuple[int, int]] = ()) -> None:
        """All rows below `position` are finished."""
        self.below = position
        while self._counts and self._rows + self._counts[0] <= position:
            self._rows += self._counts.popleft()
            self._raws += 1
        self.session.save(self._raws)


def rows_of(raws: Iterable[Any], reader: RowReader) -> list[Row]:
    """The messages and faults of raw rows."""
    return [row for raw in raws for row in reader.read(raw)]
