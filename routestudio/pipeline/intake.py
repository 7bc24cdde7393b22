"""The way in: reads a source, stages it a few chunks ahead, and sorts what comes out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from routestudio import tasks
from routestudio.errors import RouteStudioError
from routestudio.model.message import Message
from routestudio.model.rows import Fault
from routestudio.pipeline.checkpoint import Range
from routestudio.pipeline.dead_letters import DeadLetter
from routestudio.pipeline.planner import Job
from routestudio.pipeline.stages import Staged, Stages

_AHEAD: Final = 2
"""Chunks that are in the function worker while earlier ones are delivered."""


Row = Message | Fault


@dataclass(slots=True)
class Sorted:
    """One chunk after the stages. `filtered` are messages with the reason, by position."""

    jobs: list[Job] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    filtered: list[tuple[Message, str]] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)


class Intake:
    """Chunks of a source in order, staged. Run `read` as a task and call `next` until `None`.

    The first `skip` rows are passed over, and those of the ranges `finished` above them. Without
    `stages` rows are only read: call `next_rows`.
    `failure` explains why a source ended early.
    """

    def __init__(
        self,
        source: AsyncIterator[Sequence[Row]],
        stages: Stages | None,
        *,
        chunk: int,
        skip: int = 0,
        finished: Sequence[Range] = (),
    ) -> None:
        self._source = source
        self._stages = stages
        self._chunk = chunk
        self._done: deque[Range] = deque([(0, skip), *finished])
        self._ready: asyncio.Queue[
            tuple[int, Sequence[Row], asyncio.Task[list[Staged]] | None] | None
        ] = asyncio.Queue(_AHEAD)
        self._running: set[asyncio.Task[list[Staged]]] = set()
        self.failure: RouteStudioError | None = None

    async def read(self) -> None:
        """Read the source to its end, at most a few chunks ahead of `next`."""
        source, position = self._source, 0
        try:
            async for rows in source:
                for first, end in self._unfinished(position, position + len(rows)):
                    for start in range(first, end, self._chunk):
                        stop = min(start + self._chunk, end)
                        part = rows[start - position : stop - position]
                        await self._ready.put((start, part, self._evaluation(part)))
                position += len(rows)
                await asyncio.sleep(0)
        except RouteStudioError as error:
            self.failure = error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self.failure = RouteStudioError(f"the source cannot be read on: {reason}")
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
        await self._ready.put(None)

    @property
    def more(self) -> bool:
        """Whether a chunk is ready, so that `next` has not to wait for the source."""
        return self._ready.qsize() > 0

    async def next(self) -> tuple[int, Sequence[Row], list[Staged]] | None:
        """The next chunk: the position of its first row, its rows, and its staged messages.

        `None` at the end.
        """
        item = await self._ready.get()
        if item is None:
            return None
        position, rows, evaluation = item
        if evaluation is not None:
            return position, rows, await evaluation
        assert self._stages is not None
        return position, rows, await self._stages.apply(_messages(rows))

    async def next_rows(self) -> tuple[int, Sequence[Row]] | None:
        """The position of the next chunk's first row, and its rows; `None` at the end."""
        item = await self._ready.get()
        return item and item[:2]

    async def close(self) -> None:
        """Stop evaluations nobody waits for any more."""
        await tasks.stop(*self._running)

    def _unfinished(self, start: int, stop: int) -> Iterator[Range]:
        """The parts of `start` to `stop` that an earlier run did not finish, in order."""
        done = self._done
        while start < stop:
            while done and done[0][1] <= start:
                done.popleft()
            first, end = done[0] if done else (stop, stop)
            if start < first:
                yield start, min(first, stop)
            start = end if first < stop else stop

    def _evaluation(self, rows: Sequence[Row]) -> asyncio.Task[list[Staged]] | None:
        if self._stages is None or not self._stages.uses_pool:
            return None
        task = tasks.spawn(self._stages.apply(_messages(rows)), name="delivery functions")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


def sort(rows: Sequence[Row], staged: Sequence[Staged], position: int) -> Sorted:
    """Sort a chunk into jobs, dead letters and filtered messages.

    `position` is the place of its first row in the source; `finished` of the result are the
    positions of everything that is not a job.
    """
    result = Sorted()
    jobs, finished = result.jobs, result.finished
    items = iter(staged)
    for row in rows:
        if not isinstance(row, Message):
            result.letters.append(
                DeadLetter(None, "read", "unreadable", _reason(row), line=row.line or None,
                           column=row.column, raw=row.text)
            )  # fmt: skip
            finished.append(position)
        else:
            item = next(items)
            record, effective = item.record, item.effective
            if record is not None and effective is not None:
                jobs.append(
                    Job(
                        position,
                        row,
                        record,
                        record.size,
                        effective.batch_key,
                        effective.group_id,
                        0,
                        effective,
                    )
                )
            else:
                finished.append(position)
                if item.filtered is not None:
                    result.filtered.append((row, item.filtered))
                else:
                    result.letters.append(_undeliverable(row, item))
        position += 1
    return result


def _reason(fault: Fault) -> str:
    """What is wrong with a row, with its place where that has no lines."""
    named = fault.place and not fault.line
    return f"{fault.place}: {fault.message}" if named else fault.message


def _messages(rows: Sequence[Row]) -> list[Message]:
    return [row for row in rows if isinstance(row, Message)]


def _undeliverable(message: Message, item: Staged) -> DeadLetter:
    problem = item.problems[0]
    reason = f"{problem.field}: {problem.message}" if problem.field else problem.message
    return DeadLetter(
        message, problem.stage, problem.code, reason,
        field=problem.field, line=problem.line, column=problem.column,
    )  # fmt: skip
