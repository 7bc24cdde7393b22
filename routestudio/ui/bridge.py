"""The engine process as the window sees it: started, watched, restarted; jobs with an owner.

The child's pipes are read through `QProcess`, so the window's loop needs no watcher threads. When
the engine dies, every waiting job fails with a sentence, the engine is started again, and
`restarted` asks the session to open its project again; edits are in the recovery journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal
from shiboken6 import isValid

from routestudio import tasks
from routestudio.api.calls import Hear
from routestudio.api.client import COMMAND, EngineClient, EngineLost, OnEvent
from routestudio.api.engine import EngineApi, engine_client, event_of
from routestudio.errors import ProtocolError, RouteStudioError

log = logging.getLogger(__name__)

T = TypeVar("T")

_RESTART_MS = 300
_MAX_RESTARTS = 5


class _PipeWriter:
    """Writes frames to the child's standard input."""

    def __init__(self, process: QProcess) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        if self._process.state() == QProcess.ProcessState.Running:
            self._process.write(data)


class Job(QObject):
    """One piece of work started by the window. Its owner's end cancels it."""

    finished = Signal()

    def __init__(self, owner: QObject, title: str) -> None:
        super().__init__(owner)
        self.title = title
        self.task: asyncio.Task[Any] | None = None
        self.cancelled = False

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self.task is not None and not self.task.done()

    def cancel(self) -> None:
        """Stop the work; neither `done` nor `failed` is called afterwards."""
        self.cancelled = True
        if self.task is not None:
            self.task.cancel()


class Engine(QObject):
    """Starts the engine, sends requests, restarts it when it dies."""

    status_changed = Signal(str, str)
    """State (`starting`, `ready`, `lost`, `stopped`) and a sentence about it."""
    restarted = Signal()
    engine_event = Signal(object)
    """What the engine reports although nothing was asked (`api.engine.Event`)."""
    log_line = Signal(str)
    failed = Signal(str, str)
    """Title and text of a failure that no job handles."""

    def __init__(
        self,
        parent: QObject | None = None,
        command: tuple[str, ...] = COMMAND,
        *,
        restart_ms: int = _RESTART_MS,
    ) -> None:
        """`restart_ms` passes before a first restart, and each time so much more."""
        super().__init__(parent)
        self._restart_ms = restart_ms
        self._command = command
        self._process: QProcess | None = None
        self._client: EngineClient | None = None
        self._api = engine_client(self._call)
        self._stopping = False
        self._restarts = 0
        self._ever_ready = False
        self._stable = QTimer(self)
        self._stable.setSingleShot(True)
        self._stable.setInterval(30_000)
        self._stable.timeout.connect(self._forget_restarts)
        self.status = "stopped"

    @property
    def process_id(self) -> int:
        """Process id of the running engine, 0 without one."""
        return self._process.processId() if self._process else 0

    def start(self) -> None:
        """Start the engine process; `status_changed` reports how it goes."""
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_log)
        process.started.connect(self._started)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._error)
        self._process = process
        self._client = EngineClient(
            _PipeWriter(process), on_event=self._told, on_bad_frame=self._bad_frame
        )
        self._set_status("starting", "The engine is starting")
        process.start(self._command[0], list(self._command[1:]))

    async def stop(self) -> None:
        """End the engine: input closed, a short wait, then killed."""
        self._stopping = True
        process, self._process = self._process, None
        if process is None:
            return
        if process.state() != QProcess.ProcessState.NotRunning:
            process.closeWriteChannel()
            for _ in range(40):
                if process.state() == QProcess.ProcessState.NotRunning:
                    break
                await asyncio.sleep(0.05)
            else:
                process.kill()
                process.waitForFinished(1000)
        if self._client is not None:
            self._client.lost("the engine was stopped")
        self._set_status("stopped", "The engine has stopped")

    @property
    def api(self) -> EngineApi:
        """The methods of the engine. Each raises `RouteStudioError`."""
        return self._api

    async def _call(self, method: str, params: Mapping[str, object], hear: Hear | None) -> object:
        return await self.request(method, on_event=hear, **params)

    async def request(self, method: str, *, on_event: OnEvent | None = None, **params: Any) -> Any:
        """Call a method of the engine (see `engine.service`). Raises `RouteStudioError`."""
        client = await self.ready()
        return await client.request(method, on_event=on_event, **params)

    async def ready(self) -> EngineClient:
        """Wait for an engine that runs. Raises `EngineLost` when there will be none."""
        for _ in range(200):
            if self.status == "ready" and self._client is not None:
                return self._client
            if self._stopping or self.status == "lost":
                break
            await asyncio.sleep(0.05)
        raise EngineLost("the engine is not running", hint="restart RouteStudio")

    def run(
        self,
        work: Coroutine[Any, Any, T],
        *,
        owner: QObject,
        title: str,
        done: Callable[[T], object] | None = None,
        failed: Callable[[RouteStudioError], object] | None = None,
        ended: Callable[[], object] | None = None,
    ) -> Job:
        """Start `work` for `owner`. Late results are dropped when the owner is gone.

        `failed` gets user errors; without it they go to the `failed` signal. `ended` is called in
        every case, also after a cancellation.
        """
        job = Job(owner, title)

        task: asyncio.Task[T] = tasks.spawn(work, name=title)
        job.task = task

        def finish(_: asyncio.Task[T]) -> None:
            # Outside of the task, so that `done` may open a dialog: its loop runs other tasks.
            try:
                if not task.cancelled() and not job.cancelled:
                    result = task.result()
                    if done is not None and isValid(owner):
                        done(result)
            except RouteStudioError as error:
                self._report(owner, title, error, failed)
            except Exception as error:  # a fault of ours: shown, logged, never a traceback
                log.exception("%s failed", title)
                fault = RouteStudioError(f"an internal fault: {type(error).__name__}: {error}")
                self._report(owner, title, fault, failed)
            finally:
                if ended is not None and isValid(owner):
                    ended()
                if isValid(job):
                    job.finished.emit()
                    job.deleteLater()

        task.add_done_callback(finish)
        # By the job, which ends with its work or its owner: nothing is kept longer than needed.
        job.destroyed.connect(lambda *_: task.cancel())
        return job

    def _report(
        self,
        owner: QObject,
        title: str,
        error: RouteStudioError,
        failed: Callable[[RouteStudioError], object] | None,
    ) -> None:
        if failed is not None and isValid(owner):
            failed(error)
        else:
            self.failed.emit(title, str(error))

    def _read(self) -> None:
        if self._process is not None and self._client is not None:
            self._client.feed(bytes(self._process.readAllStandardOutput().data()))

    def _read_log(self) -> None:
        if self._process is None:
            return
        text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        for line in text.splitlines():
            self.log_line.emit(line)

    def _told(self, name: str, data: object) -> None:
        event = event_of(name, data)
        if event is not None:
            self.engine_event.emit(event)

    def _bad_frame(self, error: ProtocolError) -> None:
        self.log_line.emit(f"the engine sent something unreadable: {error.message}")

    def _started(self) -> None:
        again = self._ever_ready
        self._ever_ready = True
        self._stable.start()
        self._set_status("ready", "The engine is running")
        if again:
            self.restarted.emit()

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._client is not None:
            self._client.lost("the engine ended before it answered")
        if self._stopping:
            return
        crashed = status == QProcess.ExitStatus.CrashExit
        how = "crashed" if crashed else f"ended with code {code}"
        self._again(f"The engine {how}")

    def _error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and not self._stopping:
            self._again("The engine could not be started")

    def _again(self, what: str) -> None:
        self._process = None
        self._stable.stop()
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            text = (
                f"{what} {self._restarts} times and is not restarted; save and restart RouteStudio"
            )
            self._set_status("lost", text)
            return
        self._set_status("starting", f"{what}; it is being restarted")
        QTimer.singleShot(self._restart_ms * self._restarts, self, self.start)

    def _forget_restarts(self) -> None:
        self._restarts = 0

    def _set_status(self, status: str, text: str) -> None:
        self.status = status
        self.status_changed.emit(status, text)
