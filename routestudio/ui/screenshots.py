"""Takes the pictures of the documentation: `python -m routestudio.ui.screenshots FOLDER`.

Drives the real window on the demo project and its stand-ins; needs no display.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap
    from PySide6.QtWidgets import QWidget

SIZES = ((1280, 800), (1920, 1080))


async def _until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    end = monotonic() + seconds
    while not condition():
        if monotonic() > end:
            raise TimeoutError("the window did not get there")
        await asyncio.sleep(0.02)


def _picture(window: QWidget) -> QPixmap:
    """The window with the dialogs and lists that are open over it."""
    from PySide6.QtCore import QRect
    from PySide6.QtGui import QPainter, QPalette
    from PySide6.QtWidgets import QApplication

    found = window.grab()
    painter = QPainter(found)
    for other in QApplication.topLevelWidgets():
        owner = other.parentWidget()
        if other.isVisible() and owner is not None and owner.window() is window:
            place = window.mapFromGlobal(other.pos())
            if other.isModal():
                place = window.rect().center() - other.rect().center()
            painter.drawPixmap(place, other.grab())
            painter.setPen(other.palette().color(QPalette.ColorRole.Mid))
            painter.drawRect(QRect(place, other.size()))
    painter.end()
    return found


async def _take(
    folder: Path, sizes: tuple[tuple[int, int], ...], modes: tuple[str, ...], *, only: Any = None
) -> None:
    from PySide6.QtWidgets import QApplication

    from routestudio.ui.bridge import Engine
    from routestudio.ui.documents.function import FunctionDocument
    from routestudio.ui.documents.sink import SinkDocument
    from routestudio.ui.main_window import MainWindow
    from routestudio.ui.theme import theme

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    engine = Engine()
    window = MainWindow(engine)
    window.show()
    engine.start()

    async def shoot(name: str) -> None:
        for mode in modes:
            theme().apply(app, "dark" if mode == "dark" else "light")
            for width, height in sizes:
                window.resize(width, height)
                await asyncio.sleep(0.25)
                only_one = len(modes) == len(sizes) == 1
                kind = "" if only_one else f"-{mode}-{width}x{height}"
                _picture(window).save(str(folder / f"{name}{kind}.png"))

    if only:
        try:
            await only(window, shoot, _until)
        finally:
            window.really_close()
            await engine.stop()
        return
    try:
        await shoot("welcome")
        window.commands.project.open_demo()
        await _until(lambda: window.document() is not None)
        sink = window.document()
        assert isinstance(sink, SinkDocument)
        await _until(lambda: sink.preview.model.row(0))
        await asyncio.sleep(0.5)
        await shoot("sink")
        window.commands.check()
        await _until(lambda: window.check_panel.verdict.text() == "passed")
        await shoot("check")
        window.commands.run()
        await _until(lambda: window.run_panel.summary)
        await shoot("run")
        window.commands.show_arrived()
        await _until(lambda: window.arrived.tree.topLevelItemCount())
        await shoot("arrived")
        window.place.toggle()
        window.commands.open("function", "orders-by-region")
        function = window.document()
        assert isinstance(function, FunctionDocument)
        await _until(lambda: function.preview.model.row(0))
        await shoot("function")
        text = function.editor.toPlainText()
        broken = text.replace('"topic": f"orders', '"topc": f"orders')
        function.editor.selectAll()
        function.editor.insertPlainText(broken + "\n    x = record.region\n")
        await asyncio.sleep(1.0)
        await shoot("problems")
        function.editor.selectAll()
        function.editor.insertPlainText(text)
        for name in ("customers-to-redis", "events-to-http"):
            window.commands.open("sink", name)
            await asyncio.sleep(0.8)
            await shoot(f"sink-{name}")
        window.commands.open("sample", "awkward")
        await asyncio.sleep(0.5)
        await shoot("sample")
        window.commands.open("overview", "Overview")
        await asyncio.sleep(1.0)
        await shoot("overview")
    finally:
        window.commands.flush()
        await asyncio.sleep(0.2)
        window.really_close()
        await engine.stop()


async def _take_sinks(
    folder: Path, sizes: tuple[tuple[int, int], ...], modes: tuple[str, ...]
) -> None:
    """Form and card of every sink type, in a new project of each."""
    from PySide6.QtWidgets import QApplication

    from routestudio.derive import catalog
    from routestudio.ui.bridge import Engine
    from routestudio.ui.main_window import MainWindow
    from routestudio.ui.theme import theme

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    engine = Engine()
    window = MainWindow(engine)
    window.show()
    engine.start()
    try:
        with tempfile.TemporaryDirectory() as place:
            for key in catalog.all_keys():
                project = Path(place) / key
                command = [sys.executable, "-m", "routestudio", "new", str(project), "--sink", key]
                made = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
                await made.wait()
                window.session.open(project)
                await _until(lambda p=project: window.session.path == p)  # type: ignore[misc]
                await _until(lambda: window.document() is not None)
                await asyncio.sleep(1.0)
                for name in ("form", "card"):
                    if name == "card":
                        window.commands.open("overview", "Overview")
                        cast(Any, window.document()).show_view("cards")
                    for mode in modes:
                        theme().apply(app, "dark" if mode == "dark" else "light")
                        for width, height in sizes:
                            window.resize(width, height)
                            await asyncio.sleep(0.25)
                            file = folder / f"{key}-{name}-{mode}-{width}x{height}.png"
                            window.grab().save(str(file))
                window.commands.flush()
    finally:
        window.really_close()
        await engine.stop()


def main() -> int:
    """Take every picture; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true", help="1280 x 800 only")
    parser.add_argument("--light", action="store_true", help="the light theme only")
    parser.add_argument("--sinks", action="store_true", help="form and card of every sink type")
    parser.add_argument("--runs", action="store_true", help="the run panel while it works")
    parser.add_argument("--bench", action="store_true", help="the workbench: editor to tests")
    parser.add_argument("--tour", action="store_true", help="the steps of the first route")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication
    from qasync import QEventLoop

    from routestudio.ui.screenshots_bench import take_bench
    from routestudio.ui.screenshots_run import take_runs
    from routestudio.ui.screenshots_tour import take_tour

    app = QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    options.folder.mkdir(parents=True, exist_ok=True)
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    sizes = SIZES[:1] if options.small else SIZES
    modes = ("light",) if options.light else ("light", "dark")
    chosen = {take_runs: options.runs, take_bench: options.bench, take_tour: options.tour}
    only = next((take for take, asked in chosen.items() if asked), None)
    take = _take_sinks if options.sinks else partial(_take, only=only)
    with loop:
        loop.run_until_complete(take(options.folder, sizes, modes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
