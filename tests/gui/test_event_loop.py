"""The toolkit's own loop, as this program drives it."""

from __future__ import annotations

import asyncio
import gc

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from routestudio.ui.garbage import settle

TURNS = 50_000


def test_fifty_thousand_turns_of_zero_timers(qapp: QApplication) -> None:
    """Some versions lose a reference to `None` per timer event and abort after some 8,000."""
    turns = 0
    loop = QEventLoop(qapp)

    async def turn() -> int:
        nonlocal turns
        for _ in range(TURNS):
            await asyncio.sleep(0)
            turns += 1
        return turns

    with loop:
        assert loop.run_until_complete(turn()) == TURNS


def test_many_turns_of_a_plain_zero_timer(qapp: QApplication) -> None:
    """The same through Qt's own signal, which has no asyncio in between."""
    turns = 0
    loop = QEventLoop(qapp)
    timer = QTimer()

    def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == TURNS:
            timer.stop()
            done.set_result(None)

    with loop:
        done: asyncio.Future[None] = loop.create_future()
        timer.timeout.connect(turn)
        timer.start(0)
        loop.run_until_complete(done)
    assert turns == TURNS


def test_what_the_start_made_is_left_out_of_collections() -> None:
    before = gc.get_freeze_count()
    settle()
    try:
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
