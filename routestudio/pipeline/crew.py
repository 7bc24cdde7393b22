"""The worker processes of a run: started, spoken to, and replaced when they die."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import sys
from collections.abc import Callable
from typing import Any, Final

from routestudio import tasks
from routestudio.errors import WorkerError
from routestudio.pipeline import share_frames as frames
from routestudio.system import current as system

PROGRAM: Final = "routestudio.pipeline.share_worker"
_CLOSE_SECONDS: Final = 2.0
_READ: Final = 1 << 16

Heard = Callable[[int, Any], None]
"""Gets the kind and the value of a frame."""


def _unheard(kind: int, value: Any) -> None:
    """For what a worker says while nobody delivers."""


def _unmissed(how: str) -> None:
    """For a worker that ends while nobody delivers; the next delivery starts another one."""


class Member:
    """One worker process. `heard` gets its reports, `died` is called when it ended unasked."""

    def __init__(self, number: int, setup: bytes) -> None:
        self.number = number
        self.heard: Heard = _unheard
        self.died: Callable[[str], None] = _unmissed
        self._setup = setup
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def pid(self) -> int | None:
        """The number of its process; `None` while there is none."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def start(self) -> None:
        """Start the process, if it does not run. Raises `WorkerError`."""
        if self.pid is not None:
            return
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-B", "-X", "utf8", "-m", PROGRAM,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, limit=1 << 20, **system.workers.options,
            )  # fmt: skip
        except OSError as error:
            raise WorkerError(f"a worker process cannot be started: {error}") from None
        self._reading = tasks.spawn(self._read(process), name=f"worker {self.number}")
        self.send(frames.frame(frames.SETUP, self._setup))

    def send(self, data: bytes) -> None:
        """Frames for the process. What a dead one is sent is lost: `died` is called then."""
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(data)

    def kill(self) -> None:
        """End it at once."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                system.processes.end(self.pid)

    async def close(self) -> None:
        """Let it end by itself, or end it when it takes long."""
        self._closing = True
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await process.wait()
        except TimeoutError:
            self.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()
        await asyncio.sleep(0)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Give on what it says, all of it, and only then report its end."""
        assert process.stdout is not None
        received = frames.Frames()
        while data := await process.stdout.read(_READ):
            for kind, payload in received.feed(data):
                value = pickle.loads(payload)  # noqa: S301 - written by our own process
                if kind == frames.LOG:
                    _log(self.number, *value)
                else:
                    self.heard(kind, value)
        code = await process.wait()
        if not self._closing:
            self.died(f"signal {-code}" if code < 0 else f"exit code {code}")


class Crew:
    """The worker processes of a run, for as long as it lasts, over all of its deliveries."""

    def __init__(self, setup: frames.Setup, size: int) -> None:
        packed = pickle.dumps(setup, protocol=5)
        self.members = [Member(number, packed) for number in range(size)]

    async def start(self) -> None:
        """Start those that do not run. Raises `WorkerError`."""
        await asyncio.gather(*(member.start() for member in self.members))

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(member.close() for member in self.members))


def _log(number: int, name: str, level: int, text: str) -> None:
    logger = logging.getLogger(name)
    if logger.isEnabledFor(level):
        logger.handle(
            logger.makeRecord(name, level, "", 0, f"worker {number + 1}: {text}", (), None)
        )
