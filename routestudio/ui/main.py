"""Starts the window: application, event loop, engine."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from routestudio.ui import garbage
from routestudio.ui.bridge import Engine
from routestudio.ui.icons import icon
from routestudio.ui.main_window import MainWindow
from routestudio.ui.widgets.tips import PlainTexts


def run_window(project: Path | None, *, demo: bool = False, environment: str | None = None) -> int:
    """Show the window until it is closed; returns the exit code."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("RouteStudio")
    app.setDesktopFileName("routestudio")
    app.setQuitOnLastWindowClosed(False)
    plain = PlainTexts(app)
    app.installEventFilter(plain)
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    signal.signal(signal.SIGINT, lambda *_: QTimer.singleShot(0, app.closeAllWindows))
    with loop:
        loop.run_until_complete(_show(project, demo, environment))
    return 0


async def _show(project: Path | None, demo: bool, environment: str | None) -> None:
    engine = Engine()
    window = MainWindow(engine)
    window.setWindowIcon(icon("logo", "accent"))
    done = asyncio.Event()
    window.closed.connect(done.set)
    window.show()
    garbage.settle()
    engine.start()
    if project is not None:
        window.session.open(project, environment=environment)
    elif demo:
        window.commands.project.open_demo()
    await done.wait()
    await engine.stop()
    window.deleteLater()
