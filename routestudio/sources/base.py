"""What a run needs of a source on a server: sessions of rows, and the rows that are finished."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Final, Protocol

from routestudio.model.message import Message
from routestudio.samples.reader import SampleFault

Row = Message | SampleFault

CHUNK: Final = 500
"""Rows that are handed over together, at most."""

MAX_UNFINISHED: Final = 100_000
"""Rows read beyond the first unfinished one: what is remembered of them is bounded."""


class Session(Protocol):
    """Rows that are ours for a while. Its `save` (see `pipeline.checkpoint.Keeper`) says how many
    of them, from the first, are finished: only those are acknowledged to the server.

    `on_release` is called with the seconds that work may take to end when the rows are to be
    given back: none when somebody else has them already. The session waits for `finish`.
    """

    on_release: Callable[[float], None]
    name: str
    position: int
    finished: Sequence[tuple[int, int]]
    released: bool

    def chunks(self) -> AsyncIterator[Sequence[Row]]:
        """Rows in their order, `CHUNK` at most at once. Raises `RouteStudioError`."""
        ...

    def save(self, position: int, finished: Sequence[tuple[int, int]] = ()) -> None:
        """The first `position` rows are finished."""
        ...

    async def finish(self) -> None:
        """Nobody works on rows of this session any more; what `save` said is acknowledged."""
        ...


class Source(Protocol):
    """A source on a server. `skipped` counts records that are no row change."""

    skipped: int
    name: str
    """The address, which holds no secret."""

    @property
    def lag(self) -> int | None:
        """Records that the server holds and that were not read; `None` when that is unknown."""

    @property
    def connected(self) -> bool:
        """Whether the server is there, as far as is known."""

    def sessions(self) -> AsyncGenerator[Session, None]:
        """One session after the other; each ends before the next begins."""
        ...

    async def close(self) -> None:
        """Leave the group and end all threads, connections and tasks."""
        ...
