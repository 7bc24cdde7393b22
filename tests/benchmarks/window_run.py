"""The window under measurement, in a process of its own.

`keystroke`, `typing`, `gaps`, `tables`, `theme`, `paint` or `empty`.

Prints one JSON value. Draws off-screen unless told otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

KEYS = 40
CODE = """def route(action, record, changes, metadata):
    return {"topic": "orders.0", "message_key": str(record["id"])}
"""


def main(arguments: list[str]) -> None:
    """Measure what the first argument names."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if arguments[0] == "empty":
        _empty()
    elif arguments[0] == "paint":
        _paint()
    else:
        works = {"keystroke": _keystroke, "typing": _typing, "gaps": _gaps, "theme": _theme,
                 "tables": _tables}  # fmt: skip
        work = works[arguments[0]]
        _in_qt(lambda desk: work(desk, int(arguments[1])))


def _empty() -> None:
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QApplication, QMainWindow

    app = QApplication([])
    window = QMainWindow()
    window.resize(1280, 800)

    class First(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                app.quit()
            return False

    first = First()
    window.installEventFilter(first)
    window.show()
    app.exec()
    print(json.dumps(time.time()), flush=True)
    os._exit(0)


def _paint() -> None:
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QApplication
    from qasync import QEventLoop

    from routestudio.ui.bridge import Engine
    from routestudio.ui.icons import icon
    from routestudio.ui.main_window import MainWindow

    app = QApplication([])
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)

    async def show() -> None:
        window = MainWindow(Engine())
        window.setWindowIcon(icon("logo", "accent"))
        painted = asyncio.Event()

        class First(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    painted.set()
                return False

        first = First()
        window.installEventFilter(first)
        window.show()
        await painted.wait()

    loop.run_until_complete(show())
    print(json.dumps(time.time()), flush=True)
    os._exit(0)


def _in_qt(work: Callable[[Any], Coroutine[Any, Any, Any]]) -> None:
    from PySide6.QtWidgets import QApplication
    from qasync import QEventLoop

    from routestudio.ui.garbage import settle
    from tests.gui.desk import Desk

    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    desk = Desk(loop)

    async def run() -> Any:
        desk.show()
        settle()
        try:
            return await work(desk)
        finally:
            await desk.leave()

    print(json.dumps(loop.run_until_complete(run())), flush=True)
    loop.close()


async def _open(desk: Any, rows: int) -> None:
    """The demo project with a sample of `rows` orders."""
    from routestudio.paths import resources
    from tests.benchmarks.harness import make_messages

    folder = Path(tempfile.mkdtemp()) / "shop"
    shutil.copytree(resources() / "demo", folder)
    with (folder / "samples" / "bench.jsonl").open("w", encoding="utf-8") as file:
        for start in range(0, rows, 10_000):
            for message in make_messages(min(10_000, rows - start), start):
                file.write(json.dumps(message.as_json()) + "\n")
    await desk.start(folder)


async def _keystroke(desk: Any, rows: int) -> list[float]:
    """Milliseconds from a key press in the editor to the preview that shows what it changed."""
    from PySide6.QtTest import QTest

    await _open(desk, rows)
    document = await desk.open("function", "orders-by-region")
    preview = document.preview
    preview.samples.setCurrentIndex(preview.samples.findData("bench"))
    document.editor.setPlainText(CODE)
    await desk.quiet(1.0)
    document.editor.go_to(2, CODE.splitlines()[1].index('",') + 1)
    found = []
    topic = "orders.0"
    heard: list[float] = []
    preview.fresh.connect(lambda _: heard.append(time.perf_counter()))
    for number in range(KEYS):
        key = str(number % 10)
        topic += key
        heard.clear()
        begun = time.perf_counter()
        QTest.keyClicks(document.editor, key)
        while not heard or preview.model.row(0)["routing"]["topic"] != topic:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        found.append((heard[-1] - begun) * 1000)
        assert preview.model.rowCount() == rows
        await asyncio.sleep(0.12)
    return found


async def _theme(desk: Any, count: int) -> dict[str, Any]:
    """Milliseconds of processor time of switches, with our sheets and with the application's."""
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtWidgets import QApplication, QWidget

    from routestudio.ui.style import style_sheet
    from routestudio.ui.theme import theme

    await _open(desk, 1_000)
    session = desk.window.session
    found = [("function", item["name"]) for item in session.functions()]
    found += [("sample", item["name"]) for item in session.samples()]
    found += [("sink", item["name"]) for item in session.sinks()]
    for number in range(len(found), count):
        destination = {"type": "kafka", "hosts": "localhost:9092", "topic": "t"}
        item = {"name": f"more-{number}", "database": "shop", "destination": destination}
        session.apply({"op": "add_sink", "item": item})
        await desk.until(lambda n=f"more-{number}": session.sink(n), "a sink")
        found.append(("sink", f"more-{number}"))
    for kind, name in found[:count]:
        await desk.open(kind, name)
        await desk.quiet()
    app = QApplication.instance()
    assert isinstance(app, QApplication)

    def timed(switch: Callable[[], object]) -> float:
        begun = time.process_time()
        switch()
        for _ in range(5):
            QCoreApplication.processEvents()
        return (time.process_time() - begun) * 1000

    ours = [timed(lambda: theme().toggle(app)) for _ in range(5)]
    widgets = len(app.allWidgets())
    for part in [desk.window, *desk.window.findChildren(QWidget)]:
        if part.styleSheet():
            part.setStyleSheet("")
    app.setStyleSheet(style_sheet(theme().tokens))

    def whole() -> None:
        sheet = app.styleSheet()
        app.setStyleSheet(sheet + " ")

    return {"ours": ours, "application": [timed(whole) for _ in range(3)], "widgets": widgets}


class _Ticks:
    """Milliseconds between ticks of a 1 ms timer."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps: list[float] = []
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._timer.start(1)

    def stop(self) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last:
            self.gaps.append((now - self._last) * 1000)
        self._last = now


async def _typing(desk: Any, rows: int) -> dict[str, Any]:
    """Gaps while a person types and `rows` rows are previewed; keys during which a preview ran."""
    from PySide6.QtTest import QTest

    await _open(desk, rows)
    document = await desk.open("function", "orders-by-region")
    preview = document.preview
    preview.samples.setCurrentIndex(preview.samples.findData("bench"))
    document.editor.setPlainText(CODE)
    await desk.quiet(2.0)
    document.editor.go_to(2, CODE.splitlines()[1].index('",') + 1)
    ticks, busy = _Ticks(), 0
    ticks.start()
    for number in range(2 * KEYS):
        QTest.keyClicks(document.editor, str(number % 10))
        # Now and then a pause that is long enough for a preview to begin.
        await asyncio.sleep(0.4 if number % 4 == 3 else 0.09)
        client = desk.engine._client
        busy += bool(client is not None and client.busy)
    ticks.stop()
    await desk.quiet(0.5)
    assert preview.model.rowCount() == rows
    return {"gaps": ticks.gaps, "busy": busy, "keys": 2 * KEYS}


async def _gaps(desk: Any, rows: int) -> dict[str, Any]:
    """Milliseconds between ticks of a 1 ms timer while `rows` messages are delivered.

    The run panel is in sight with its live chart; every second another of its tabs is chosen.
    """
    from PySide6.QtCore import QTimer

    await _open(desk, rows)
    document = await desk.open("sink", "orders-to-kafka")
    document.preview.samples.setCurrentIndex(document.preview.samples.findData("bench"))
    for path, value in ((["routing"], "none"), (["destination", "topic"], "orders")):
        desk.window.session.set_value(["sinks", "orders-to-kafka", *path], value)
    await desk.quiet(1.0)
    panel = desk.window.run_panel
    panel.after = None
    ticks = _Ticks()
    desk.window.commands.run()
    ticks.start()
    charted = 0

    def step() -> None:
        nonlocal charted
        charted = max(charted, len(panel.page.chart.points) if panel.page.chart.isVisible() else 0)
        panel.page.setCurrentIndex((panel.page.currentIndex() + 1) % panel.page.count())

    tabs = QTimer()
    tabs.timeout.connect(step)
    tabs.start(1_000)
    await desk.until(lambda: panel.summary is not None or not panel.running, "the run", 300)
    ticks.stop()
    tabs.stop()
    return {"gaps": ticks.gaps, "summary": panel.summary, "charted": charted}


async def _tables(desk: Any, rows: int) -> dict[str, Any]:
    """Milliseconds until filter and sort of a preview show rows, and gaps meanwhile.

    All rows are evaluated before, and orders of their columns are made, as in a window that
    somebody has had a look at.
    """
    await _open(desk, rows)
    document = await desk.open("sink", "orders-to-kafka")
    preview = document.preview
    preview.samples.setCurrentIndex(preview.samples.findData("bench"))
    preview.refresh()
    await desk.quiet(1.0)
    begun = time.perf_counter()
    preview.evaluate_all()
    await desk.until(lambda: preview.bar._done == rows, "all rows", 600)
    await desk.quiet(1.0)
    evaluated = time.perf_counter() - begun
    tools, model = preview.tools, preview.model
    key = model.columnCount() - 2
    steps: list[tuple[str, Callable[[], object]]] = [
        ("sort by a key", lambda: tools.sort(key)),
        ("sort by a key, descending", lambda: tools.sort(key, descending=True)),
        ("sort by the destination", lambda: tools.sort(5)),
        ("filter any column", lambda: tools.filter("77", None)),
        ("filter a column of a sorted table", lambda: tools.filter("123", key)),
        ("filter for what most rows have", lambda: tools.filter("o", None)),
        ("filter for what is in no row", lambda: tools.filter("nowhere at all", None)),
        ("no order", lambda: tools.sort(None)),
        ("no filter", lambda: tools.filter("", None)),
    ]
    found: dict[str, list[float]] = {}
    resets: list[float] = []
    model.modelReset.connect(lambda: resets.append(time.perf_counter()))
    ticks = _Ticks()
    ticks.start()
    for _ in range(3):
        for name, step in steps:
            resets.clear()
            begun = time.perf_counter()
            step()
            while not resets or (model.rowCount() and model.row(0) is None):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            found.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(0.15)
    ticks.stop()
    return {"answers": found, "gaps": ticks.gaps, "evaluated": evaluated}


if __name__ == "__main__":
    main(sys.argv[1:])
