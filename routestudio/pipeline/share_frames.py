"""What the process of a run and its workers say to each other over their pipes."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from routestudio.errors import Place, RouteStudioError
from routestudio.pipeline.dead_letters import DeadLetter
from routestudio.pipeline.report import OpenCircuit, Progress, RetryWait
from routestudio.pipeline.retry import RetryPolicy
from routestudio.pipeline.stages import SinkFunctions, SinkSettings
from routestudio.pipeline.tally import Part
from routestudio.sinks.binding import BoundSink

HEADER: Final = struct.Struct("<IB")

SETUP: Final = 1
BEGIN: Final = 2
"""A delivery begins: rows come, then `END`."""

ROWS: Final = 3
END: Final = 4
CANCEL: Final = 5
REPORT: Final = 6
"""What is finished since the last report, with everything that was counted for it."""

STATE: Final = 7
ENDED: Final = 8
LOG: Final = 9
KEPT: Final = 11
"""The letters of a report are kept; until then its worker sends nothing more."""

MORE: Final = 10
"""The rows that come next are followed by others soon: batches may wait for them a little."""

REPORT_SECONDS: Final = 0.01
"""Longest time for which a worker keeps to itself that something is finished."""


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a worker needs to deliver for a sink; no worker looks into the project again."""

    bound: BoundSink
    settings: SinkSettings
    functions: SinkFunctions
    policy: RetryPolicy
    in_flight: int
    per_destination: int
    max_messages: int
    max_bytes: int
    log_level: int


@dataclass(frozen=True, slots=True)
class Report:
    """Rows that are finished, by their numbers, with letters for the rejected ones and counts."""

    finished: list[int]
    letters: list[DeadLetter]
    part: Part


@dataclass(frozen=True, slots=True)
class State:
    """What a worker holds that is not finished, for the run's progress."""

    in_flight: int = 0
    waiting_retries: int = 0
    link_failures: int = 0
    waits: tuple[RetryWait, ...] = ()
    circuit: OpenCircuit | None = None

    @classmethod
    def of(cls, progress: Progress) -> State:
        """The state of a delivery that made this progress."""
        return cls(
            progress.in_flight, progress.waiting_retries, progress.link_failures, progress.waits,
            progress.circuit,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker's delivery ended: by itself, or with the failure that ends the whole run."""

    message: str = ""
    place: Place | None = None
    hint: str | None = None

    @classmethod
    def by(cls, error: RouteStudioError) -> Ended:
        """The end by a failure."""
        return cls(error.message, error.place, error.hint)

    @property
    def failure(self) -> RouteStudioError | None:
        """Why it ended; `None` when nothing failed."""
        if not self.message:
            return None
        return RouteStudioError(self.message, place=self.place, hint=self.hint)


def frame(kind: int, payload: bytes = b"") -> bytes:
    """A frame around bytes."""
    return HEADER.pack(len(payload), kind) + payload


def said(kind: int, value: Any) -> bytes:
    """A frame around a value; both sides are the same program."""
    return frame(kind, pickle.dumps(value, protocol=5))


class Frames:
    """Finds the frames in what a pipe gives."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Kind and payload of each frame that is whole."""
        held = self._data
        held += data
        start = 0
        while len(held) - start >= HEADER.size:
            size, kind = HEADER.unpack_from(held, start)
            begin = start + HEADER.size
            if len(held) < begin + size:
                break
            start = begin + size
            yield kind, bytes(held[begin:start])
        del held[:start]
