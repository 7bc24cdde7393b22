"""Look at an installed RouteStudio as its user would: run this with that installation's Python.

    python packaging/look.py [SCREENSHOT]

The demo opens in a real window, in each theme with every icon; the window is closed again, and one
JSON line shows what was seen. Ends with 1 when something is missing. Without a display it needs
QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import qInstallMessageHandler
from PySide6.QtWidgets import QApplication

STARTED = time.perf_counter()
PATIENCE = 120


def main(arguments: list[str]) -> int:
    """Open the demo in the window, look, close it."""
    from routestudio import paths, release, tasks
    from routestudio.ui import main as program

    said: list[str] = []
    qInstallMessageHandler(lambda kind, _context, text: said.append(f"{kind.name}: {text}"))
    seen: dict[str, Any] = {"version": release.description(), "program": program.__file__}
    show = program._show

    async def look() -> None:
        window = await shown()
        seen["first_window_seconds"] = round(time.perf_counter() - STARTED, 2)
        while not window.session.is_open:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.02)
        seen["demo_seconds"] = round(time.perf_counter() - STARTED, 2)
        await asyncio.sleep(0.5)
        seen.update(await look_around(paths.resources()))
        if arguments:
            window.grab().save(arguments[0])

    async def look_and_close() -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await look()
        except Exception as error:
            seen["error"] = f"{type(error).__name__}: {error}"
        finally:
            QApplication.closeAllWindows()

    async def watched(*chosen: Any) -> None:
        looking = tasks.spawn(look_and_close(), name="look")
        await show(*chosen)
        await looking

    program._show = watched
    code = program.run_window(None, demo=True)
    wrong = [text for text in said if not text.startswith(("QtDebugMsg", "QtInfoMsg"))]
    print(json.dumps({**seen, "code": code, "messages": wrong}))
    return 0 if code == 0 and "error" not in seen and seen["icons"] else 1


async def shown() -> Any:
    """The main window, once it is on the screen."""
    while True:
        for window in QApplication.topLevelWidgets():
            if type(window).__name__ == "MainWindow" and window.isVisible():
                return window
        await asyncio.sleep(0.01)


async def look_around(resources: Path) -> dict[str, Any]:
    """Apply each theme; count the icons that can be drawn."""
    from routestudio.ui.icons import pixmap
    from routestudio.ui.theme import theme

    drawn = 0
    names = sorted(each.stem for each in (resources / "icons").glob("*.svg"))
    modes = ("light", "dark", "system")
    application = QApplication.instance()
    for mode in modes:
        theme().apply(application, mode)
        await asyncio.sleep(0.05)
        drawn += sum(not blank(pixmap(name, 32, "text")) for name in names)
    return {"resources": str(resources), "icons": len(names) if drawn == 3 * len(names) else 0,
            "themes": len(modes)}  # fmt: skip


def blank(picture: Any) -> bool:
    """Whether nothing is drawn on a picture."""
    image = picture.toImage()
    return all(
        image.pixelColor(x, y).alpha() == 0
        for x in range(image.width())
        for y in range(image.height())
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
