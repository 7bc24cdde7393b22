"""Every document, panel and dialog in every size, looked through for texts that are cut.

`QT_SCALE_FACTOR=1.5 python -m tests.gui.sizes_run PROJECT [PICTURES [ONLY]]` on a copy of the demo
project. A line on the output for each fault; the last line counts what was looked through. With
PICTURES, each place is kept there as pictures, light and dark; ONLY names some places by a part.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

SIZES = ((1000, 640), (1280, 800), (1920, 1080), (960, 540), (853, 533))
"""Of the window. The last two are a screen of 1920 by 1080 at a scale of 2, and one of 1280 by 800
at 1.5."""
SCREEN = (1000, 640)
"""Of the screen, at any scale."""
PANELS = ("problems", "run_panel", "check_panel", "tests", "arrived", "search", "log")


def main(project: Path, pictures: Path | None, only: str) -> None:
    """Look through everything."""
    scale = float(os.environ.get("QT_SCALE_FACTOR", "1"))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as screen:
        json.dump(_screen(scale), screen)
        screen.flush()
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screen.name}"
        from PySide6.QtWidgets import QApplication
        from qasync import QEventLoop

        from tests.gui.desk import Desk

        app = QApplication([])
        app.setQuitOnLastWindowClosed(False)
        loop = QEventLoop(app)
        asyncio.set_event_loop(loop)
        desk = Desk(loop)
        desk.wait = 60.0
        walk = Walk(desk, pictures, only)
        loop.run_until_complete(walk.everything(project))
        print(f"{walk.places} places in {len(SIZES)} sizes at scale {scale:g}: "
              f"{walk.faults} faults")  # fmt: skip


def _screen(scale: float) -> dict[str, Any]:
    size = {"width": round(SCREEN[0] * scale), "height": round(SCREEN[1] * scale)}
    one = {"name": "one", "x": 0, "y": 0, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    return {"screens": [{**one, **size}]}


class Walk:
    """A walk through one window."""

    def __init__(self, desk: Any, pictures: Path | None, only: str) -> None:
        self.desk = desk
        self.pictures, self.only = pictures, only
        self.places = self.faults = 0
        self.seen: set[str] = set()

    async def everything(self, project: Path) -> None:
        """All places."""
        desk = self.desk
        desk.show()
        window = desk.window
        try:
            await desk.start()
            window.recent.remember(project)
            window.refresh()
            await self.look("welcome")
            window.session.open(project)
            await desk.until(lambda: window.session.is_open, "the project")
            await self._previews()
            await self._others()
            await self._panels()
            await self._dialogs(project)
            await self._every_sink()
        finally:
            window.commands.flush()
            await desk.quiet()
            await desk.leave()

    async def look(self, place: str) -> None:
        """Look through the window in every size."""
        from routestudio.ui.widgets.toast import Toast
        from tests.gui.cut_text import faults

        if self.only and self.only not in place:
            return
        self.places += 1
        window = self.desk.window
        for width, height in SIZES:
            window.resize(width, height)
            await asyncio.sleep(0.02)
            if place.startswith("panel"):
                window.open_bottom()
            await asyncio.sleep(0.06)
            found = faults(window, (Toast,))
            if (window.width(), window.height()) != (width, height):
                found.append(f"the window is {window.width()}x{window.height()}")
            self._tell(f"{place} {width}x{height}", found)
            await self._shoot(f"{place}-{width}x{height}")

    def _tell(self, place: str, found: list[str]) -> None:
        for text in found:
            self.faults += 1
            if text not in self.seen:  # the frame of the window is the same everywhere
                self.seen.add(text)
                print(f"{place}: {text}", flush=True)

    async def _shoot(self, name: str) -> None:
        if self.pictures is None:
            return
        from PySide6.QtWidgets import QApplication

        from routestudio.ui.screenshots import _picture
        from routestudio.ui.theme import theme

        app = QApplication.instance()
        for mode in ("light", "dark"):
            theme().apply(app, mode)  # type: ignore[arg-type]
            await asyncio.sleep(0.05)
            _picture(self.desk.window).save(str(self.pictures / f"{name}-{mode}.png"))

    async def _previews(self) -> None:
        desk = self.desk
        for kind, name in (("sink", "orders-to-kafka"), ("function", "orders-by-region")):
            document = await desk.open(kind, name)
            await desk.until(lambda d=document: d.preview.model.row(0), "the preview")
            for view in ("rows", "destinations", "columns", "variants"):
                document.preview.table.selectRow(1)
                document.preview.show_view(view)
                await desk.quiet(0.2)
                await self.look(f"{kind}-{view}")
            document.preview.show_view("rows")
        text = document.editor.toPlainText()
        document.editor.setPlainText(text.replace('"topic"', '"topc"', 1) + "    x = record.y\n")
        await desk.until(lambda: document.banner.text, "a diagnostic")
        await desk.quiet(0.3)
        await self.look("function-problem")
        document.editor.setPlainText(text)
        document.find_bar.open_bar()
        await desk.quiet(0.3)
        await self.look("function-find")
        await desk.open("function", "only-customers")
        await desk.quiet(0.3)
        await self.look("function-filter")

    async def _others(self) -> None:
        desk = self.desk
        for kind, name in (("overview", "Overview"), ("databases", "shop")):
            await desk.open(kind, name)
            await desk.quiet(0.3)
            await self.look(kind)
        document = await desk.open("sample", "awkward")
        await desk.quiet(0.3)
        await self.look("sample-table")
        await desk.trigger("message_form")
        await desk.quiet(0.3)
        await self.look("sample-text")
        await desk.trigger("message_form")
        document.rows.table.selectRow(1)
        await desk.quiet(0.3)

    async def _panels(self) -> None:
        desk, window = self.desk, self.desk.window
        await desk.open("sink", "orders-to-kafka")
        await desk.trigger("check")
        await desk.until(
            lambda: window.check_panel.verdict.text() not in ("", "checking…"), "the check"
        )
        await desk.trigger("run")
        await desk.until(lambda: window.run_panel.summary, "the run")
        window.commands.show_arrived()
        await desk.until(window.arrived.tree.topLevelItemCount, "what arrived")
        await desk.trigger("run_tests")
        await desk.until(lambda: window.tests.results, "the tests")
        window.search.text.setText("region")
        window.search.start()
        await desk.until(window.search.list.topLevelItemCount, "the search")
        await desk.quiet(0.8)
        for where in ("below", "maximised", "right"):
            if where == "maximised":
                window.place.toggle_maximised()
            elif where == "right":
                window.place.toggle_maximised()
                window.place.turn()
            for name in PANELS:
                panel = getattr(window, name)
                window.open_bottom(panel)
                await desk.quiet(0.1)
                if name == "run_panel":
                    for tab in range(panel.page.count()):
                        panel.page.setCurrentIndex(tab)
                        await desk.quiet(0.1)
                        await self.look(f"panel-{where}-run-{panel.page.tabText(tab).split()[0]}")
                else:
                    await self.look(f"panel-{where}-{name}")
        window.place.turn()
        window.place.toggle()

    async def _dialogs(self, project: Path) -> None:
        from tests.gui.all_dialogs import MAKERS
        from tests.gui.cut_text import faults

        for name, make in MAKERS.items():
            if self.only and self.only not in f"dialog-{name}":
                continue
            self.places += 1
            dialog = make(self.desk.window, project)
            dialog.show()
            await asyncio.sleep(0.1)
            found = faults(dialog)
            if dialog.width() > SCREEN[0] or dialog.height() > SCREEN[1]:
                found.append(f"is {dialog.width()}x{dialog.height()}")
            self._tell(f"dialog-{name}", found)
            await self._shoot(f"dialog-{name}")
            dialog.close()
            dialog.deleteLater()

    async def _every_sink(self) -> None:
        from routestudio.derive import catalog

        desk = self.desk
        for key in catalog.all_keys():
            item = {"name": f"changes-to-{key}", "database": "shop",
                    "batch_size": catalog.default_batch(key),
                    "destination": catalog.starter_destination(key)}  # fmt: skip
            added: Callable[[], Awaitable[Any]] = lambda n=item["name"]: desk.open("sink", n)  # noqa: E731
            desk.window.session.apply({"op": "add_sink", "item": item})
            await desk.until(lambda n=item["name"]: desk.window.session.sink(n), "the sink")
            document = await added()
            document._settings_part.set_open(True)
            await desk.quiet(0.2)
            await self.look(f"sink-{key}")
            desk.window.close_document(document)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None,
        sys.argv[3] if len(sys.argv) > 3 else "",
    )
