"""A person at a window with a real engine process, and tests that run in Qt's loop."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget
from qasync import QEventLoop

from routestudio.ui.bridge import Engine
from routestudio.ui.main_window import MainWindow
from tests.support.waiting import PATIENCE

WAIT = PATIENCE
"""Seconds that each step may take on a busy machine."""
LONGEST = 300.0
"""Seconds that one test may take, unless it says otherwise (`Desk.may_take`)."""


class Desk:
    """A person at a window. Steps of `act` run outside of any task, as events do."""

    def __init__(self, loop: QEventLoop) -> None:
        self.loop = loop
        self.wait = WAIT
        """Seconds that each step may take."""
        self._limit: asyncio.Timeout | None = None

    def within(self, seconds: float) -> asyncio.Timeout:
        """A time in which what is in it ends, unless it `may_take` longer."""
        self._limit = asyncio.timeout(seconds)
        return self._limit

    def may_take(self, seconds: float) -> None:
        """Let the running test take so long from now on."""
        assert self._limit is not None
        self._limit.reschedule(self.loop.time() + seconds)

    def show(self) -> None:
        """Make the window; needs a running loop."""
        self.engine = Engine()
        self.window = MainWindow(self.engine)
        self.notices: list[tuple[str, str]] = []
        self.failures: list[tuple[str, str]] = []
        self.window.session.notice.connect(lambda *found: self.notices.append(found))
        self.engine.failed.connect(lambda *found: self.failures.append(found))
        self.window.show()

    async def start(self, project: Path | None = None) -> None:
        """Start the engine and open a project."""
        self.engine.start()
        await self.until(lambda: self.engine.status == "ready", "the engine")
        if project is not None:
            self.window.session.open(project)
            await self.until(lambda: self.window.session.is_open, "the project")
            await self.quiet()

    async def until(
        self, condition: Callable[[], object], what: str = "", seconds: float | None = None
    ) -> None:
        """Spin the loop until `condition`; fail with `what` when it never comes."""
        seconds = self.wait if seconds is None else seconds
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"waited {seconds:g} s in vain: {what}; {self.notices[-3:]} "
                            f"{self.failures[-3:]}")  # fmt: skip
            await asyncio.sleep(0.01)

    async def quiet(self, seconds: float = 0.1) -> None:
        """Wait until the engine has answered everything and nothing was asked for a while."""
        end = time.monotonic() + self.wait
        idle = 0
        while idle * 0.01 < seconds:
            client = self.engine._client
            idle = 0 if client is None or client.busy else idle + 1
            assert time.monotonic() < end, "the engine is still busy"
            await asyncio.sleep(0.01)

    async def focus(self, widget: QWidget) -> None:
        """Give a widget the focus, in a window that is the active one."""

        def give() -> None:
            widget.window().activateWindow()
            widget.setFocus()

        await self.act(give)
        await self.until(lambda: widget.window().isActiveWindow(), "an active window")
        await self.act(widget.setFocus)
        await self.until(lambda: _in(QApplication.focusWidget(), widget), "the focus")

    async def act(self, step: Callable[[], object]) -> None:
        """Do something as an event does: not inside a task."""
        done: asyncio.Future[None] = self.loop.create_future()

        def perform() -> None:
            try:
                step()
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        self.loop.call_soon(perform)
        await done

    async def trigger(self, name: str) -> None:
        """Trigger an action of the table."""
        await self.act(self.window.action_table.qaction(name).trigger)

    async def open(self, kind: str, name: str) -> Any:
        """Open a document and return it."""
        self.window.commands.open(kind, name)
        await self.until(
            lambda: (d := self.window.document()) is not None and (d.kind, d.name) == (kind, name)
        )
        return self.window.document()

    async def fresh(self, preview: Any, change: Callable[[], object]) -> float:
        """Change something and wait until the preview is up to date."""
        heard: list[float] = []
        preview.fresh.connect(heard.append)
        change()
        await self.until(lambda: heard and "updating" not in preview.state.text(), "a preview")
        await self.quiet()
        preview.fresh.disconnect(heard.append)
        return heard[-1]

    async def leave(self) -> None:
        """Close without questions and end the engine."""
        for document in self.window.documents():
            self.window.close_document(document)
        await self.engine.stop()
        self.window.really_close()
        self.window.deleteLater()
        await asyncio.sleep(0)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def kill_engine(self) -> int:
        """`kill -9` the engine; returns its process id."""
        number = self.engine.process_id
        os.kill(number, signal.SIGKILL)
        return number


def _in(focus: QWidget | None, widget: QWidget) -> bool:
    """Whether the focus is in a widget, or in the one that has it for this one."""
    return focus is not None and (focus is widget or widget.isAncestorOf(focus))


Body = Callable[..., Coroutine[Any, Any, None]]


def in_qt(body: Body) -> Callable[..., None]:
    """Run an asynchronous test in the loop of its `desk` or `qt_loop`.

    The window of a desk is made and left in the same run of the loop: pytest-qt processes events
    between the phases of a test, and then no loop runs.
    """

    @functools.wraps(body)
    def test(**fixtures: Any) -> None:
        desk: Desk | None = fixtures.get("desk")

        async def run() -> None:
            if desk is None:
                await body(**fixtures)
                return
            desk.show()
            try:
                async with desk.within(LONGEST):
                    await body(**fixtures)
            finally:
                await desk.leave()

        loop: QEventLoop = desk.loop if desk is not None else fixtures["qt_loop"]
        loop.run_until_complete(run())

    return test
