"""Runs user functions in worker processes: watched, killed on overrun, started again.

One message that hangs or fills memory costs its own result only. Cancelling an evaluation kills
the worker, so user code never outlives the wish for its result.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from routestudio import tasks
from routestudio.errors import WorkerError
from routestudio.functions import language, projection
from routestudio.functions.answers import answer_of, results_of, traced_of
from routestudio.functions.tracing import Trace
from routestudio.functions.worker import HEADER, IDLE, PROGRESS, ROW_BITS, Mode, Program
from routestudio.model.function import (
    Diagnostic,
    Function,
    FunctionFault,
    FunctionResult,
)
from routestudio.model.message import Message

_WATCH_SECONDS: Final = 0.02
_GRACE_SECONDS: Final = 0.05
_MAX_ANSWER: Final = 1 << 30
_MAX_ROWS: Final = 1000
"""Messages of one request: bounds what the worker holds and what an overrun makes it repeat."""

_IDLE_SECONDS: Final = 30.0
"""Longest time that a worker may take to start, or to read a request before the first call."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a function may use.

    `max_overruns` is how many messages may overrun in one evaluation before the rest is left
    `not_evaluated`; `None` never gives up. A delivery leaves nothing unevaluated: after
    `max_hanging` of them in one part of its input it stops, for it would take that many seconds
    for every part.
    """

    seconds_per_message: float = 1.0
    memory_bytes: int = 512 << 20
    output_bytes: int = 1 << 20
    max_overruns: int | None = 5
    max_hanging: int = 20


class _WorkerGone(Exception):  # noqa: N818 - internal
    """The worker ended in `row` (if it got that far) of the program with number `program`.

    `timeout` tells whether it was killed for taking too long.
    """

    def __init__(self, progress: int, timeout: bool) -> None:
        super().__init__()
        idle = progress == IDLE
        self.program = 0 if idle else progress >> ROW_BITS
        self.row = None if idle else progress & ((1 << ROW_BITS) - 1)
        self.timeout = timeout


class _Watch:
    """Kills a worker that spends too long on one message. `killed` tells whether it did.

    A timer, not a task: one is made for every request.
    """

    __slots__ = ("_board", "_every", "_limit", "_process", "_row", "_since", "_timer", "killed")

    def __init__(self, board: mmap.mmap, process: asyncio.subprocess.Process, limit: float) -> None:
        self._board = board
        self._process = process
        self._limit = limit
        self._every = min(_WATCH_SECONDS, limit / 4)
        self._row, self._since = IDLE, time.monotonic()
        self.killed = False
        self._timer = asyncio.get_running_loop().call_later(self._every, self._look)

    def stop(self) -> None:
        """The request is over."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._board.closed:
            return
        current = PROGRESS.unpack_from(self._board, 0)[0]
        now = time.monotonic()
        if current != self._row:
            self._row, self._since = current, now
        elif now - self._since > (self._limit if current != IDLE else _IDLE_SECONDS):
            self.killed = True
            _kill(self._process)
            return
        self._timer = asyncio.get_running_loop().call_later(self._every, self._look)


class _Worker:
    """One child process. Used by one evaluation at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: asyncio.subprocess.Process | None = None
        self._closed = False
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._file.truncate(PROGRESS.size)
        self._board = mmap.mmap(self._file.fileno(), PROGRESS.size)

    async def start(self) -> asyncio.subprocess.Process:
        """The running child. Raises `WorkerError` when it cannot be started or ends at once."""
        if self._closed:
            raise WorkerError("the function pool is closed")
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.kill()
        descriptor = self._file.fileno()
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-B", "-X", "utf8", "-m", "routestudio.functions.worker",
                str(self._limits.memory_bytes), str(self._limits.output_bytes),
                str(descriptor),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, env={}, cwd="/",
                pass_fds=(descriptor,), limit=1 << 22,
            )  # fmt: skip
        except OSError as error:
            raise WorkerError(f"the function worker cannot be started: {error}") from None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                await process.stdout.readexactly(HEADER.size)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            await self.kill()
            code = process.returncode
            text = f"the function worker ended at its start (exit code {code})"
            raise WorkerError(text) from None
        except asyncio.CancelledError:
            await self.kill()
            raise
        if self._closed:
            await self.kill()
            raise WorkerError("the function pool was closed")
        return process

    async def call(self, request: dict[str, Any]) -> Any:
        """One request. Raises `_WorkerGone` when the worker dies or is killed over it."""
        process = await self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        PROGRESS.pack_into(self._board, 0, IDLE)
        body = pickle.dumps(request, protocol=5)
        watch = _Watch(self._board, process, self._limits.seconds_per_message)
        reading = tasks.spawn(_answer(process.stdout), name="function answer")
        try:
            process.stdin.write(HEADER.pack(len(body)) + body)
            await process.stdin.drain()
            return answer_of(await asyncio.shield(reading))
        except (asyncio.IncompleteReadError, ConnectionError, EOFError, ValueError):
            if self._closed:
                raise WorkerError("the function pool was closed") from None
            progress = PROGRESS.unpack_from(self._board, 0)[0]
            await self.kill()
            raise _WorkerGone(progress, watch.killed) from None
        except asyncio.CancelledError:
            if not await _soon(reading):
                await self.kill()
            raise
        finally:
            watch.stop()
            if not reading.done():
                await tasks.stop(reading)

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _kill(process)
            await _reap(process)

    async def close(self) -> None:
        self._closed = True
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(0.5):
                    await process.wait()
            except TimeoutError:
                _kill(process)
            await _reap(process)
        if not self._file.closed:
            self._board.close()
            self._file.close()


class FunctionPool:
    """Evaluates functions on messages in at most `size` workers, started on first use.

    A further worker is started only when all are busy.
    """

    def __init__(self, size: int = 1, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._size = size
        self._free: asyncio.Queue[_Worker] | None = None
        self._workers: list[_Worker] = []

    async def check(self, function: Function) -> list[Diagnostic]:
        """All diagnostics of a function's text. Runs nothing."""
        return language.check(function)

    async def evaluate(
        self,
        functions: Sequence[Function],
        messages: Sequence[Message],
        *,
        give_up: bool = True,
        mode: Mode = "value",
        now: str | None = None,
    ) -> list[list[FunctionResult]]:
        """One list of results per function, each as long as `messages`, in the same order.

        A filter that gives false makes the later functions of that message give `None`. With
        `give_up` off, no message is left unevaluated (`Limits.max_overruns`), and too many overruns
        raise `WorkerError` (`max_hanging`). With mode
        `exact`, Elixir functions give the value itself (`answers.Exact`), not what a server
        delivers; for `traced` see `trace`. `now` (ISO 8601) stops the clock that functions read.
        """
        overruns = self.limits.max_overruns if give_up else None
        faults = [_unusable(function) for function in functions]
        runnable = [i for i, fault in enumerate(faults) if fault is None]
        results: list[list[FunctionResult]] = [
            [FunctionResult(fault=fault)] * len(messages) if fault else [] for fault in faults
        ]
        if not messages or not runnable:
            return results
        programs = [
            (functions[i].language.value, functions[i].kind.value, functions[i].code, mode)
            for i in runnable
        ]
        async with self._worker() as worker:
            wanted = projection.reads([functions[i] for i in runnable])
            columns = await self._evaluate(worker, programs, messages, wanted, overruns, now)
        for i, column in zip(runnable, columns, strict=True):
            results[i] = column
        return results

    async def trace(
        self, function: Function, messages: Sequence[Message], *, now: str | None = None
    ) -> list[tuple[FunctionResult, Trace]]:
        """What a function gives for each message, and what it did for it.

        A call that did not come to its end (`FunctionFault` timeout, crashed) has an empty trace.
        """
        results = (await self.evaluate([function], messages, mode="traced", now=now))[0]
        return [traced_of(result) for result in results]

    async def close(self) -> None:
        """End every worker."""
        workers, self._workers, self._free = self._workers, [], None
        for worker in workers:
            await worker.close()

    async def warm(self) -> None:
        """Start a worker before it is needed."""
        async with self._worker() as worker:
            await worker.start()

    @contextlib.asynccontextmanager
    async def _worker(self) -> Any:
        if self._free is None:
            self._free = asyncio.Queue()
        free = self._free
        if free.empty() and len(self._workers) < self._size:
            worker = _Worker(self.limits)
            self._workers.append(worker)
        else:
            worker = await free.get()
        try:
            yield worker
        finally:
            free.put_nowait(worker)

    async def _evaluate(
        self,
        worker: _Worker,
        programs: list[Program],
        messages: Sequence[Message],
        wanted: projection.Reads,
        overruns: int | None,
        now: str | None,
    ) -> list[list[FunctionResult]]:
        columns: list[list[FunctionResult]] = [[] for _ in programs]
        guilty: dict[int, FunctionFault] = {}
        overran = 0
        start, stop = 0, min(_MAX_ROWS, len(messages))
        while start < len(messages):
            if start in guilty:
                _append(columns, FunctionResult(fault=guilty[start]), 1)
                start, stop = start + 1, min(start + 1 + _MAX_ROWS, len(messages))
                if overruns is not None and overran >= overruns:
                    text = f"not evaluated: the function overran on {overran} messages before"
                    left = FunctionResult(fault=FunctionFault("not_evaluated", text))
                    _append(columns, left, len(messages) - start)
                    return columns
                continue
            part = messages[start:stop]
            packed = _packed(part, wanted)
            if isinstance(packed, int):
                stop = start + packed
                guilty[stop] = _TOO_DEEP
                continue
            request = {
                "programs": programs, "first": start, "count": len(part), "messages": packed,
                "now": now,
            }  # fmt: skip
            try:
                answer = await worker.call(request)
            except _WorkerGone as gone:
                if gone.row is None and len(part) > 1:
                    # It ended before any function was called: the messages are too large at once.
                    stop = start + len(part) // 2
                    continue
                # The rows before the guilty one lost their answers with it: they are done again.
                stop = start if gone.row is None else min(max(start, gone.row), stop - 1)
                guilty[stop] = self._overrun(gone.timeout, programs[gone.program][1])
                overran += 1
                if overruns is None and overran > self.limits.max_hanging:
                    raise self._hanging(guilty[stop], messages[stop], overran) from None
                continue
            if isinstance(answer, int):
                stop = start + answer
                continue
            for column, given in zip(columns, answer, strict=True):
                column.extend(results_of(given))
            start, stop = stop, min(stop + _MAX_ROWS, len(messages))
        return columns

    def _hanging(self, fault: FunctionFault, last: Message, count: int) -> WorkerError:
        return WorkerError(
            f"the functions did not end on {count} of the messages up to row {last.index + 1}; "
            f"of this one: {fault.message}",
            hint="correct the function, then resume: what is not finished was not delivered",
        )

    def _overrun(self, timeout: bool, kind: str) -> FunctionFault:
        if timeout:
            seconds = f"{self.limits.seconds_per_message:g} s"
            text = f"the {kind} function ran longer than {seconds} on this message and was stopped"
            return FunctionFault("timeout", text)
        text = f"the {kind} function ended its worker process (too much memory?)"
        return FunctionFault("crashed", text)


_TOO_DEEP: Final = FunctionFault("invalid", "the message is nested too deeply for a function")


def _packed(messages: Sequence[Message], wanted: projection.Reads) -> bytes | int:
    """What the worker reads of the messages, or the position of the first too deep for it."""
    try:
        return pickle.dumps(_parts(messages, wanted), protocol=5)
    except RecursionError:
        for position in range(len(messages)):
            try:
                # Somewhat deeper than alone, so that what passes here passes in a list, too.
                pickle.dumps([[[_parts(messages[position : position + 1], wanted)]]], protocol=5)
            except RecursionError:
                return position
        raise


def _parts(messages: Sequence[Message], wanted: projection.Reads) -> list[Any]:
    return [[message.action for message in messages], *projection.project(messages, wanted)]


@lru_cache(maxsize=256)
def _unusable(function: Function) -> FunctionFault | None:
    """Why a function cannot be evaluated at all: its first error, with its place."""
    if function.kind.entry_point is None:
        return FunctionFault("invalid", f"{function.kind.value} functions are not evaluated here")
    for item in language.check(function):
        if item.severity == "error":
            hint = f" ({item.hint})" if item.hint else ""
            return FunctionFault("invalid", item.message + hint, None, item.line, item.column)
    return None


async def _answer(stream: asyncio.StreamReader) -> bytes:
    size = HEADER.unpack(await stream.readexactly(HEADER.size))[0]
    if size > _MAX_ANSWER:
        raise EOFError
    return await stream.readexactly(size)


async def _soon(reading: asyncio.Task[bytes]) -> bool:
    """Whether an answer nobody wants any more comes at once, so that its worker can be kept."""
    try:
        await asyncio.wait({reading}, timeout=_GRACE_SECONDS)
    except asyncio.CancelledError:
        return False
    return reading.done() and not reading.cancelled() and reading.exception() is None


def _append(columns: list[list[FunctionResult]], result: FunctionResult, count: int) -> None:
    for column in columns:
        column.extend([result] * count)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill without asking for the state first, which would take it from asyncio's own watcher."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a child and close its pipes, so that nothing of it is left."""
    await process.wait()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
    await asyncio.sleep(0)
