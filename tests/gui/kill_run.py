"""A window in a process of its own, in which somebody types and saves until it is killed.

`python -m tests.gui.kill_run PROJECT FUNCTION SEED`. Lines on the output: `engine PID` for each
engine that is ready, `kept N` when the text with line N is known to be in the recovery journal,
`saved N` when the window says so, `asked` when it asks what becomes of files, `refused` when an
edit or a save failed, `root` when the engine may write where nobody else may.
"""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import os
import random
import sys
from pathlib import Path
from typing import Any

LINES = 100_000
_PR_CAPBSET_DROP = 24
_RIGHTS_OF_ROOT = (1, 2, 3)
"""`CAP_DAC_OVERRIDE`, `CAP_DAC_READ_SEARCH` and `CAP_FOWNER`: to write where nobody else may."""
PATIENCE = 60.0
"""Seconds that a start may take while much else runs on the machine."""


def main(project: Path, function: str, seed: int) -> None:
    """Type until the end. What ends it before is on the error output."""
    faulthandler.enable()
    _be_nobody_special()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication
    from qasync import QEventLoop

    from tests.gui.desk import Desk

    app = QApplication([])
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_work(Desk(loop), project, function, random.Random(seed)))


def _be_nobody_special() -> None:
    """Let the rights of folders hold for the engine although root started this window."""
    if os.geteuid() == 0:
        library = ctypes.CDLL(None, use_errno=True)
        for right in _RIGHTS_OF_ROOT:
            if library.prctl(_PR_CAPBSET_DROP, right, 0, 0, 0):
                say("root", ctypes.get_errno())


def say(*words: object) -> None:
    """One line for the test, written at once: a kill may come at any moment."""
    os.write(sys.stdout.fileno(), (" ".join(map(str, words)) + "\n").encode())


def last_line(text: str) -> int:
    """The number of the last line that was typed into a text."""
    found = [line for line in text.splitlines() if line.startswith("# typed ")]
    return int(found[-1].rpartition(" ")[2]) if found else 0


async def _work(desk: Any, project: Path, function: str, chance: random.Random) -> None:
    desk.wait = PATIENCE
    desk.show()
    session = desk.window.session

    def number() -> int:
        return last_line((session.function(function) or {}).get("code", ""))

    def changed() -> None:
        if not session.snapshot.get("journal_problem"):
            say("kept", number())

    def told(kind: str, text: str) -> None:
        if text == "Saved":
            say("saved", number())
        elif kind == "error":
            say("refused", text.replace("\n", " "))

    desk.engine.status_changed.connect(
        lambda status, _: say("engine", desk.engine.process_id) if status == "ready" else None
    )
    session.notice.connect(told)
    session.conflict.disconnect()
    session.conflict.connect(lambda *_: say("asked"))
    desk.engine._stable.setInterval(0)  # an engine that is killed often is started again always
    await desk.start(project)
    session.changed.connect(changed)
    document = await desk.open("function", function)
    begin = last_line(document.editor.toPlainText())
    for line in range(begin + 1, LINES):
        text = document.editor.toPlainText()
        await desk.act(lambda n=line, t=text: document.editor.setPlainText(f"{t}# typed {n}\n"))
        if chance.random() < 0.7:
            await desk.act(document.flush)
        if chance.random() < 0.1:
            await desk.trigger("save")
        await asyncio.sleep(chance.random() * 0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
