"""The reading side of a sink: what its service holds, in the shape of what would be sent.

A sink names it as `Sink.read_back`: either a `ReadBack`, or a `NoReadBack` with the reason. Reading
leaves nothing behind. Where a service cannot be read without a trace, the reader raises
`TraceError` until somebody agreed to it (decision 0027).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from routestudio.errors import RouteStudioError

SECONDS: Final = 20.0
"""For reading one destination; what was read by then is shown."""

MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of bodies that are read of one destination."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as a service holds it, or as it is expected to be held once it is sent.

    `body` is `None` where nothing is held under the key. `place` is where it was read, such as
    `orders[0]@12`. `partial`: the fields of an expected body are all that is compared, because the
    service keeps others that were there before.
    """

    destination: str
    key: str | None
    body: bytes | None
    headers: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    partial: bool = False

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body or b"")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: the last `limit` records of a destination; of services that are asked by key,
    what is held under the keys of `expected`.

    `agreed`: somebody agreed to the trace that reading leaves.
    """

    destination: str
    limit: int
    expected: Sequence[Stored] = ()
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """What was read, in the order of the service. `more`: the destination holds older records, or
    newer ones with `oldest`."""

    records: Sequence[Stored]
    more: bool = False
    oldest: bool = False
    notes: tuple[str, ...] = ()


class TraceError(RouteStudioError):
    """Reading would leave a trace, and nobody agreed to it. The message explains which."""


class Reader(ABC):
    """Reads one sink's service with the sink's own settings. Idle until `read` is awaited."""

    @abstractmethod
    async def read(self, wanted: Wanted) -> Window:
        """What a destination holds. Raises `LinkError`, `UsageError`, `TraceError`."""

    @abstractmethod
    async def close(self) -> None:
        """Release sockets, threads and tasks. May be called more than once."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How a sink is read. `how` is a sentence about what is read and what that leaves.

    `stored` gives what a sent record is expected to be at the service; `None` where that cannot be
    known, such as the outcome of an edit. `keyed`: what is held is asked for by key, so only the
    last record of a key is there. `note` may explain what differs or is missing. `names` is what a
    user must name to be read, where the routed destination holds nothing itself, such as a queue.
    """

    how: str
    reader: Callable[[Any], Reader]
    stored: Callable[[Any], Stored | None]
    keyed: bool = False
    note: str = ""
    names: str = ""


@dataclass(frozen=True, slots=True)
class NoReadBack:
    """Why a sink cannot be read without consuming or changing anything, and what to do instead."""

    why: str
    instead: str


class Bounds:
    """Counts what is read of one destination, and shows when it is enough."""

    def __init__(self, limit: int, size: int = MOST_BYTES) -> None:
        self._left = limit
        self._size = size

    def take(self, size: int) -> bool:
        """Whether a record of `size` bytes is still to be kept; the first always is."""
        if self._left <= 0 or self._size <= 0:
            return False
        self._left -= 1
        self._size -= size
        return True

    @property
    def reached(self) -> bool:
        """Whether no further record is to be read."""
        return self._left <= 0 or self._size <= 0

    @property
    def left(self) -> int:
        """Records that may still be kept."""
        return self._left
