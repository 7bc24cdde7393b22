"""Jobs of the window: owners, cancellation, dialogs, an engine that cannot be started."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtWidgets import QDialog
from qasync import QEventLoop
from shiboken6 import delete

from routestudio.errors import RouteStudioError, UsageError
from routestudio.ui.bridge import Engine
from tests.gui.desk import WAIT, Desk, in_qt
from tests.support.guards import children
from tests.support.waiting import forever

pytestmark = pytest.mark.gui


async def answer(value: object = 7) -> object:
    await asyncio.sleep(0.01)
    return value


async def refuse() -> None:
    raise UsageError("no such sink", hint="add one")


async def until(condition: Callable[[], bool], seconds: float = 0.01) -> None:
    async with asyncio.timeout(WAIT):
        while not condition():  # noqa: ASYNC110 - Qt's signals set no event
            await asyncio.sleep(seconds)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0.005)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@in_qt
async def test_done_failed_and_ended(qt_loop: QEventLoop) -> None:
    engine, owner = Engine(), QObject()
    said: list[object] = []
    engine.failed.connect(lambda title, text: said.append((title, text)))
    engine.run(answer(), owner=owner, title="A", done=said.append, ended=lambda: said.append("end"))
    await settle()
    assert said == [7, "end"]
    said.clear()
    engine.run(refuse(), owner=owner, title="B")
    await settle()
    assert said == [("B", "no such sink (add one)")]
    said.clear()
    engine.run(refuse(), owner=owner, title="C", failed=lambda error: said.append(error.hint))
    await settle()
    assert said == ["add one"]


@pytest.mark.allow_log
@in_qt
async def test_a_fault_of_ours_is_said_without_a_traceback(qt_loop: QEventLoop) -> None:
    engine, owner = Engine(), QObject()
    said: list[str] = []
    engine.failed.connect(lambda _, text: said.append(text))

    def done(_: object) -> None:
        raise KeyError("totals")

    engine.run(answer(), owner=owner, title="A", done=done)
    await settle()
    assert len(said) == 1
    assert "internal fault" in said[0]
    assert "Traceback" not in said[0]


@in_qt
async def test_a_cancelled_job_says_nothing_more(qt_loop: QEventLoop) -> None:
    engine, owner = Engine(), QObject()
    said: list[object] = []
    before_it_began = engine.run(answer(), owner=owner, title="A", done=said.append)
    before_it_began.cancel()
    under_way = engine.run(answer(), owner=owner, title="B", done=said.append,
                           ended=lambda: said.append("end"))  # fmt: skip
    await asyncio.sleep(0)
    under_way.cancel()
    finished = engine.run(answer(), owner=owner, title="C", done=said.append)
    assert finished.task is not None
    finished.task.add_done_callback(lambda _: None)
    await until(finished.task.done, 0)
    await settle()
    assert said == ["end", 7]


@in_qt
async def test_a_dead_owner_gets_nothing_and_its_work_ends(qt_loop: QEventLoop) -> None:
    engine, owner = Engine(), QObject()
    said: list[object] = []
    endless = engine.run(forever(), owner=owner, title="A", done=said.append)
    task = endless.task
    assert task is not None
    await asyncio.sleep(0)
    delete(owner)
    await settle()
    assert task.cancelled()
    assert said == []


@in_qt
async def test_a_finished_job_is_kept_by_nothing(qt_loop: QEventLoop) -> None:
    engine, owner = Engine(), QObject()
    job = engine.run(answer(), owner=owner, title="A")
    kept = weakref.ref(job.task)
    del job
    await settle()
    gc.collect()
    assert owner.children() == []
    assert kept() is None


@in_qt
async def test_an_answer_may_open_a_dialog(qt_loop: QEventLoop) -> None:
    """The dialog's loop runs inside the answer; other tasks go on in it."""
    engine, owner = Engine(), QObject()
    dialog = QDialog()
    meanwhile: list[object] = []

    def done(_: object) -> None:
        engine.run(answer(8), owner=owner, title="B", done=meanwhile.append)
        QTimer.singleShot(150, dialog.accept)
        dialog.exec()

    engine.run(answer(), owner=owner, title="A", done=done)
    await until(lambda: meanwhile == [8] and not dialog.isVisible())
    assert not dialog.isVisible()


@in_qt
async def test_an_engine_that_cannot_be_started(
    qt_loop: QEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(command=("/no/such/program",), restart_ms=5)
    said: list[tuple[str, str]] = []
    engine.status_changed.connect(lambda *found: said.append(found))
    engine.start()
    await until(lambda: engine.status == "lost")
    assert "could not be started" in said[-1][1]
    with pytest.raises(RouteStudioError, match="not running"):
        await engine.request("ping")
    await engine.stop()


@in_qt
async def test_an_engine_that_ends_again_and_again_is_given_up(
    qt_loop: QEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(command=(sys.executable, "-S", "-c", "raise SystemExit(3)"), restart_ms=5)
    engine.start()
    await until(lambda: engine.status == "lost")
    await engine.stop()


@in_qt
async def test_unreadable_output_is_logged_and_harms_nothing(
    qt_loop: QEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine whose first words on its pipe are no frame."""
    code = ("import sys; sys.stdout.write('Content-Length: x\\r\\n\\r\\n'); sys.stdout.flush(); "
            "sys.stderr.write('hello\\n'); sys.stderr.flush(); sys.stdin.read()")  # fmt: skip
    engine = Engine(command=(sys.executable, "-S", "-c", code))
    lines: list[str] = []
    engine.log_line.connect(lines.append)
    engine.start()
    await until(lambda: len(lines) >= 2)
    assert any("unreadable" in line for line in lines)
    assert "hello" in lines
    assert engine.status == "ready"
    await engine.stop()
    assert engine.status == "stopped"


@in_qt
async def test_the_engine_ends_with_the_window(desk: Desk, project: Path) -> None:
    await desk.start(project)
    number = desk.engine.process_id
    assert number > 0
    await desk.engine.stop()
    assert desk.engine.process_id == 0
    assert number not in children()
