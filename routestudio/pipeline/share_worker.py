"""A worker of a run: a process that delivers the rows it is handed, and reports what is finished.

It reads frames (`share_frames`) from standard input, writes some to standard output, opens no
source, no checkpoint and no dead-letter file, and ends when the process of the run does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from routestudio import tasks
from routestudio.errors import RouteStudioError
from routestudio.functions.pool import FunctionPool
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.pipeline import share_frames as frames
from routestudio.pipeline.dead_letters import DeadLetter
from routestudio.pipeline.intake import Row
from routestudio.pipeline.keeping import fault_of
from routestudio.pipeline.run import Delivery
from routestudio.pipeline.sharing import unpacked
from routestudio.pipeline.stages import Stages
from routestudio.pipeline.tally import Tally
from routestudio.sinks.base import Link, SinkRouting
from routestudio.system import current as system

log = logging.getLogger(__name__)
Write = Callable[[bytes], None]


class Rows:
    """The rows of one delivery, as they come; they stay packed until they are wanted."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._more = asyncio.Event()
        self._ended = False
        self.soon = False

    def put(self, payload: bytes) -> None:
        """Rows from the process of the run."""
        self._waiting.append(payload)
        self._more.set()

    def end(self) -> None:
        """No more rows will come."""
        self._ended = True
        self.soon = False
        self._more.set()

    async def chunks(self) -> AsyncIterator[Sequence[Row]]:
        """All rows, as the source of a delivery."""
        while True:
            while self._waiting:
                yield unpacked(self._waiting.popleft())
            if self._ended:
                return
            self._more.clear()
            await self._more.wait()


class Reporter:
    """Tells the process of the run what is finished, and gives it letters to keep."""

    def __init__(self, write: Write, tally: Tally) -> None:
        self._write = write
        self._tally = tally
        self._finished: list[int] = []
        self._letters: list[DeadLetter] = []
        self._timer: asyncio.TimerHandle | None = None
        self._unkept = 0
        self._kept = asyncio.Event()
        self._kept.set()

    async def letters_kept(self) -> None:
        """Wait until all letters are kept: what follows a rejected message must not pass it."""
        await self._kept.wait()

    def kept(self) -> None:
        """The letters of one report are kept."""
        self._unkept -= 1
        if not self._unkept and not self._letters:
            self._kept.set()

    def finish(self, positions: Iterable[int]) -> None:
        """Rows that are delivered, filtered or rejected."""
        self._finished += positions
        if self._timer is None:
            self._timer = self._later()

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Letters go with the next report; until then their messages are not finished.

        What was finished before does not depend on whether they can be kept.
        """
        if self._finished and not self._letters:
            self.flush()
        self._letters += letters
        self._kept.clear()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(0, self.flush)

    def sync(self) -> None:
        """Whoever has the file sees to that."""

    def _later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(frames.REPORT_SECONDS, self.flush)

    def flush(self) -> None:
        """Report now, and begin to count again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._unkept += bool(self._letters)
        report = frames.Report(self._finished, self._letters, self._tally.part())
        self._finished, self._letters = [], []
        self._write(frames.said(frames.REPORT, report))


class PatientLink(Link):
    """Sends over a link once all letters are kept."""

    def __init__(self, link: Link, reporter: Reporter) -> None:
        self._link = link
        self._reporter = reporter

    def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        return self._link.check(targets)

    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        await self._reporter.letters_kept()
        return await self._link.send(batch)

    async def close(self) -> None:
        await self._link.close()


class ShareWorker:
    """Performs one delivery after the other over one link."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._setup: frames.Setup | None = None
        self._pool = FunctionPool()
        self._link: Link | None = None
        self._rows = Rows()
        self._delivery: Delivery | None = None
        self._reporter: Reporter | None = None
        self._task: asyncio.Task[None] | None = None

    def take(self, kind: int, payload: bytes) -> None:
        """Act on a frame."""
        if kind == frames.SETUP:
            setup: frames.Setup = pickle.loads(payload)  # noqa: S301 - from our own process
            self._setup = setup
            self._pool.expect(setup.functions.present)
            logging.getLogger("routestudio").setLevel(setup.log_level)
        elif kind == frames.BEGIN:
            self._rows = Rows()
            self._task = tasks.spawn(self._perform(self._rows, self._task), name="share")
        elif kind == frames.ROWS:
            self._rows.put(payload)
        elif kind == frames.KEPT and self._reporter is not None:
            self._reporter.kept()
        elif kind == frames.MORE:
            self._rows.soon = payload == b"1"
        elif kind == frames.END:
            self._rows.end()
        elif kind == frames.CANCEL and self._delivery is not None:
            self._delivery.cancel()

    async def close(self) -> None:
        """Give up what is under way; the process of the run is gone or wants nothing more."""
        await tasks.stop(self._task)
        if self._link is not None:
            await self._link.close()
        await self._pool.close()

    async def _perform(self, rows: Rows, before: asyncio.Task[None] | None) -> None:
        """One delivery, from its beginning to its end."""
        if before is not None:
            await before
        tally = Tally()
        reporter = self._reporter = Reporter(self._write, tally)
        try:
            await self._make(rows, tally, reporter).run()
            ended = frames.Ended()
        except RouteStudioError as error:
            ended = frames.Ended.by(error)
        except Exception as error:
            log.exception("a delivery failed")
            ended = frames.Ended.by(fault_of(error))
        finally:
            self._delivery = None
        reporter.flush()
        self._write(frames.said(frames.ENDED, ended))

    def _make(self, rows: Rows, tally: Tally, reporter: Reporter) -> Delivery:
        setup = self._setup
        assert setup is not None, "rows came before the setup"
        if self._link is None:
            if os.environ.get("ROUTESTUDIO_CLIENT_CERT"):
                from routestudio.sinks._shared.tls import load

                load()
            self._link = setup.bound.sink.connect(setup.bound.config)
        tally.max_attempts = setup.policy.max_attempts
        told = frames.State()

        def tell(state: frames.State) -> None:
            nonlocal told
            if state != told:
                told = state
                self._write(frames.said(frames.STATE, state))

        self._delivery = Delivery(
            Stages(setup.bound, setup.settings, setup.functions, self._pool, max_overruns=None),
            PatientLink(self._link, reporter),
            setup.bound.limits,
            rows.chunks(),
            policy=setup.policy,
            dead_letters=reporter,
            water=reporter,
            tally=tally,
            soon=lambda: rows.soon,
            on_progress=lambda progress: tell(frames.State.of(progress)),
            in_flight=setup.in_flight,
            per_destination=setup.per_destination,
            max_messages=setup.max_messages,
            max_bytes=setup.max_bytes,
        )
        return self._delivery


class ToOwner(logging.Handler):
    """Gives what is logged to the process of the run, which has the log.

    Of libraries' records only the text before its arguments, which may hold data.
    """

    def __init__(self, write: Write) -> None:
        super().__init__(logging.INFO)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        own = record.name.startswith("routestudio")
        if own or record.levelno >= logging.WARNING:
            text = record.getMessage() if own else str(record.msg)
            kind = record.exc_info[0] if record.exc_info else None
            text += f" ({kind.__name__})" if kind is not None else ""
            self._write(frames.said(frames.LOG, (record.name, record.levelno, text[:1000])))


async def serve() -> None:
    """Serve until the input ends."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    system.workers.widen(stdin.fileno(), stdout.fileno())
    streams = await system.streaming.serve(stdin, stdout)
    logging.getLogger().addHandler(ToOwner(streams.write))
    worker, received = ShareWorker(streams.write), frames.Frames()
    try:
        while data := await streams.read():
            for kind, payload in received.feed(data):
                worker.take(kind, payload)
    finally:
        await worker.close()
        streams.close()


def main() -> None:
    """Run a worker. Signals that stop a run are for its process, which acts on them."""
    system.workers.end_with_owner(0)
    system.workers.tie_children()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=system.streaming.loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
