"""What a source on a server is: the contract of the modules that `registry` finds.

A source knows one kind of place. It yields raw rows and acknowledges positions; it does not know
row formats. Adding one is one module with one subclass of `Source`.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import ClassVar, Final, Protocol

from routestudio.model.rows import RawRow
from routestudio.sources.uri import Resolve

log = logging.getLogger(__name__)

CHUNK: Final = 500
"""Rows that are handed over together, at most."""

MAX_UNFINISHED: Final = 100_000
"""Rows read beyond the first unfinished one: what is remembered of them is bounded."""


class Session(Protocol):
    """Rows that are ours for a while. Its `save` shows how many of them, from the first, are
    finished: only those are acknowledged to the server.

    `on_release` is called with the seconds that work may take to end when the rows are to be
    given back: none when somebody else has them already. The session waits for `finish`.
    """

    on_release: Callable[[float], None]
    name: str
    released: bool

    def chunks(self) -> AsyncIterator[Sequence[RawRow]]:
        """Rows in their order, `CHUNK` at most at once. Raises `RouteStudioError`."""
        ...

    def save(self, position: int) -> None:
        """The first `position` rows are finished."""
        ...

    async def finish(self) -> None:
        """Nobody works on rows of this session any more; what `save` reported is acknowledged."""
        ...


class Source(ABC):
    """A source on a server. Make it in a running loop; it connects in `sessions` or `look`."""

    title: ClassVar[str]
    """Name for people, e.g. `Kafka topic`."""
    schemes: ClassVar[tuple[str, ...]]
    """Schemes of its addresses, e.g. `kafka`."""
    example: ClassVar[str]
    """An address, for docs and hints."""
    about: ClassVar[str]
    """What is read, in one paragraph of Markdown."""
    options: ClassVar[Mapping[str, str]]
    """Options of its addresses, each with its help."""

    name: str
    """The address, which holds no secret."""

    @abstractmethod
    def __init__(self, text: str, resolve: Resolve, *, looking: bool = False) -> None:
        """Raises `UsageError` for an address that cannot be read.

        `looking` means that rows are only to be looked at: no group is needed, or joined.
        """

    @property
    @abstractmethod
    def lag(self) -> int | None:
        """Records that the server holds and that were not read; `None` when that is unknown."""

    @property
    @abstractmethod
    def connected(self) -> bool:
        """Whether the server is there, as far as is known."""

    @abstractmethod
    def sessions(self) -> AsyncGenerator[Session, None]:
        """One session after the other; each ends before the next begins."""

    @abstractmethod
    def look(self, limit: int) -> AsyncIterator[Sequence[RawRow]]:
        """At most `limit` rows, without joining a group, acknowledging or leaving anything.

        Raises `LinkError` or `UsageError`.
        """

    def notice(self, text: str) -> None:
        """What a look waits for, or why it ended, in a sentence; who shows it to somebody takes
        the place of this."""
        log.warning("%s", text)

    def end_look(self) -> None:  # noqa: B027 - most looks end by themselves
        """Let a look that waits for more end with what it has."""

    @abstractmethod
    async def close(self) -> None:
        """Leave the group and end all threads, connections and tasks."""
