"""One worker process as its owner sees it: started when needed, watched, killed on overrun."""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import pickle
import site
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

import routestudio
from routestudio import tasks
from routestudio.errors import WorkerError
from routestudio.functions.frames import HEADER, IDLE, PROGRESS, ROW_BITS
from routestudio.functions.wire.decode import answer_of
from routestudio.system import current as system

_START: Final = """\
import sys
sys.path += {places!r}
from routestudio.functions.worker import main
main(sys.argv[1:])"""


def _program() -> tuple[str, ...]:
    """A worker without `site`, which would look for what no function can reach, and takes as long
    as the worker's own modules. It imports from where this program does, and from nowhere else."""
    root = str(Path(routestudio.__file__).parents[1])
    places = dict.fromkeys([*site.getsitepackages(), str(Path(orjson.__file__).parents[1]), root])
    return "-S", "-c", _START.format(places=list(places))


PROGRAM: Final = _program()
_WATCH_SECONDS: Final = 0.02
_GRACE_SECONDS: Final = 0.05
_MAX_ANSWER: Final = 1 << 30
_IDLE_SECONDS: Final = 30.0
"""Longest time that a worker may take to start, or to read a request before the first call."""
PATIENCE: Final = 10
"""How many times its limit a function may take on the clock while it uses less processor time: it
cannot wait for anything, so its worker was not given a processor."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a function may use.

    `seconds_per_message` is processor time where the system tells it, so that no function is
    stopped for what else the machine has to do, and `PATIENCE` times as long on the clock;
    elsewhere it is time on the clock.

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


class WorkerGone(Exception):  # noqa: N818 - internal
    """The worker ended in `row` (if it got that far) of the program with number `program`.

    `timeout` shows whether it was killed for taking too long.
    """

    def __init__(self, progress: int, timeout: bool) -> None:
        super().__init__()
        idle = progress == IDLE
        self.program = 0 if idle else progress >> ROW_BITS
        self.row = None if idle else progress & ((1 << ROW_BITS) - 1)
        self.timeout = timeout


class _Watch:
    """Kills a worker that spends too long on one message: then `late` is true.

    Also one that takes too much memory, where the system does not see to that itself.

    A timer, not a task: one is made for every request.
    """

    __slots__ = (
        "_board", "_every", "_limit", "_memory", "_process", "_row", "_since", "_timer", "_used",
        "late",
    )  # fmt: skip

    def __init__(
        self,
        board: mmap.mmap,
        process: asyncio.subprocess.Process,
        limits: Limits,
        seconds: float | None,
    ) -> None:
        self._board = board
        self._process = process
        self._limit = seconds or limits.seconds_per_message
        self._memory = limits.memory_bytes
        self._every = min(_WATCH_SECONDS, self._limit / 4)
        self._row, self._since = IDLE, time.monotonic()
        self._used: float | None = None
        self.late = False
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
            self._used = system.workers.processor(self._process.pid)
        elif self._overran(now - self._since):
            self.late = True
            _kill(self._process)
            return
        elif system.workers.memory(self._process.pid) > self._memory:
            _kill(self._process)
            return
        self._timer = asyncio.get_running_loop().call_later(self._every, self._look)

    def _overran(self, seconds: float) -> bool:
        """Whether a message that is `seconds` old on the clock has had its time."""
        if self._row == IDLE:
            return seconds > _IDLE_SECONDS
        if seconds <= self._limit:
            return False
        used = system.workers.processor(self._process.pid)
        if self._used is None or used is None or seconds > PATIENCE * self._limit:
            return True
        return used - self._used > self._limit


class Worker:
    """One child process. Used by one evaluation at a time."""

    def __init__(self, limits: Limits, *more: str) -> None:
        self._limits = limits
        self._more = set(more)
        self._process: asyncio.subprocess.Process | None = None
        self._made: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._closed = False
        self.doors = 0
        self._board = system.workers.board(PROGRESS.size)

    async def load(self, *more: str) -> None:
        """Have these loaded (`desk.LOADED`). A child that runs without them is ended: it has shut
        its doors, and another one starts with the next call."""
        if not self._more.issuperset(more):
            self._more.update(more)
            await self.kill()

    async def start(self) -> asyncio.subprocess.Process:
        """The running child. Raises `WorkerError` when it cannot be started or ends at once."""
        if self._closed:
            raise WorkerError("the function pool is closed")
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.kill()
        made = self._made = tasks.spawn(self._make(), name="start of a worker")
        try:
            process = self._process = await asyncio.shield(made)
        except OSError as error:
            raise WorkerError(f"the function worker cannot be started: {error}") from None
        except asyncio.CancelledError:
            # asyncio itself would wait for ever for a process that is cancelled half made.
            await asyncio.wait({made})
            if not made.cancelled() and made.exception() is None:
                self._process = made.result()
                await self.kill()
            raise
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                self.doors = HEADER.unpack(await process.stdout.readexactly(HEADER.size))[0]
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

    async def _make(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-B", "-X", "utf8", *PROGRAM,
            str(self._limits.memory_bytes), str(self._limits.output_bytes),
            self._board.name, *sorted(self._more),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, env=system.workers.environment(),
            cwd="/", limit=1 << 22, **system.workers.options, **self._board.options,
        )  # fmt: skip

    async def call(self, request: dict[str, Any], seconds: float | None = None) -> Any:
        """One request. Raises `WorkerGone` when the worker dies or is killed over it.

        `seconds` is its limit, where it is not that of a message.
        """
        process = await self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        PROGRESS.pack_into(self._board.memory, 0, IDLE)
        body = pickle.dumps(request, protocol=5)
        watch = _Watch(self._board.memory, process, self._limits, seconds)
        reading = tasks.spawn(_answer(process.stdout), name="function answer")
        try:
            if not process.stdin.is_closing():  # otherwise `drain` says so
                process.stdin.write(HEADER.pack(len(body)) + body)
            await process.stdin.drain()
            return answer_of(await asyncio.shield(reading))
        except (asyncio.IncompleteReadError, ConnectionError, EOFError, ValueError):
            if self._closed:
                raise WorkerError("the function pool was closed") from None
            progress = PROGRESS.unpack_from(self._board.memory, 0)[0]
            await self.kill()
            raise WorkerGone(progress, watch.late) from None
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
        if self._made is not None and not self._made.done():
            await asyncio.wait({self._made})
            await asyncio.sleep(0)  # whoever waits for it ends it, since this is closed
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
        self._board.close()


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


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill without asking for the state first, which would take it from asyncio's own watcher."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            system.processes.end(process.pid)


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a child and close its pipes, so that nothing of it is left."""
    await process.wait()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
    await asyncio.sleep(0)
