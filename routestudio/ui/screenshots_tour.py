"""The steps of the guide "A first route", in a real window: for its pictures, and for its test.

`python -m routestudio.ui.screenshots FOLDER --tour`. Rows and functions are read from the guide.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "first-route.md"

Shoot = Callable[[str], Awaitable[None]]
Until = Callable[..., Awaitable[None]]


async def take_tour(window: Any, shoot: Shoot, until: Until, folder: Path | None = None) -> None:
    """Go through the steps; `shoot` is called with the name of each picture at its time.

    The project is made in `folder`, which must be empty or new (default: a temporary one).
    """
    if folder is not None:
        await _Tour(window, shoot, until, folder).go()
        return
    with tempfile.TemporaryDirectory(prefix="routestudio-tour-") as made:
        await _Tour(window, shoot, until, Path(made) / "orders-api").go()


class _Tour:
    def __init__(self, window: Any, shoot: Shoot, until: Until, folder: Path) -> None:
        self.window, self.shoot, self.until, self.folder = window, shoot, until, folder
        text = GUIDE.read_text(encoding="utf-8")
        self.rows = re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0]
        self.routes = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    async def go(self) -> None:
        """All steps."""
        await self._project()
        await self._samples()
        preview = await self._route()
        await self._pins(preview)
        await self._delete(preview)
        await self._fix()

    def _trigger(self, name: str) -> None:
        """As an event does: outside of any task, because dialogs run their own loop."""
        asyncio.get_running_loop().call_soon(self.window.action_table.qaction(name).trigger)

    async def _dialog(self, name: str) -> Any:
        from PySide6.QtWidgets import QApplication

        self._trigger(name)
        await self.until(lambda: QApplication.activeModalWidget() is not None)
        return QApplication.activeModalWidget()

    async def _project(self) -> None:
        dialog = await self._dialog("new_project")
        dialog.folder.setText(str(self.folder))
        dialog.type.setCurrentIndex(dialog.type.findText("Webhook"))
        dialog.try_accept()
        await self.until(lambda: self.window.document() is not None)
        document = self.window.document()
        await self.until(lambda: document.preview.model.row(0))
        await asyncio.sleep(0.5)
        await self.shoot("tour-1-project")

    async def _samples(self) -> None:
        from PySide6.QtGui import QGuiApplication
        from PySide6.QtWidgets import QLineEdit

        QGuiApplication.clipboard().setText(self.rows)
        dialog = await self._dialog("paste_sample")
        dialog.findChild(QLineEdit).setText("five")
        dialog.accept()
        await self.until(lambda: self.window.document().name == "five")
        await self.until(lambda: self.window.document().rows.model.rowCount() == 5)
        await asyncio.sleep(0.5)
        await self.shoot("tour-2-samples")

    async def _route(self) -> Any:
        self.window.commands.open("function", "webhook-route")
        document = self.window.document()
        preview = document.preview
        await self.until(lambda: preview.samples.findData("five") >= 0)
        preview.samples.setCurrentIndex(preview.samples.findData("five"))
        await self._type(self.routes[0])
        preview.table.selectRow(1)
        await asyncio.sleep(0.6)
        await self.shoot("tour-3-route")
        return preview

    async def _type(self, code: str) -> None:
        """Replace the function; wait until the preview shows what it does."""
        document = self.window.document()
        heard: list[object] = []
        document.preview.fresh.connect(heard.append)
        document.editor.selectAll()
        document.editor.insertPlainText(code)
        await self.until(lambda: heard and "updating" not in document.preview.state.text())
        await asyncio.sleep(0.3)
        document.preview.fresh.disconnect(heard.append)

    async def _pins(self, preview: Any) -> None:
        for row in (0, 4):
            preview.table.selectRow(row)
            await asyncio.sleep(0.2)
            before = self._pinned()
            self._trigger("pin_test")
            await self._save(before + 1)
        await self._test(2)
        await self.shoot("tour-4-tests")

    async def _save(self, count: int) -> None:
        """Save when a test was pinned, until so many are on the disk."""
        await self.until(lambda: any("tests/" in p for p in self.window.session.snapshot["dirty"]))
        self._trigger("save")
        await self.until(lambda: self._pinned() == count and not self.window.session.dirty)

    def _pinned(self) -> int:
        files = (self.folder / "tests").glob("*.yaml")
        return sum(path.read_text(encoding="utf-8").count("- name:") for path in files)

    async def _test(self, count: int) -> list[dict[str, Any]]:
        panel = self.window.tests
        panel.results = []
        self._trigger("run_tests")
        await self.until(lambda: len(panel.results) == count)
        await asyncio.sleep(0.3)
        return list(panel.results)

    async def _delete(self, preview: Any) -> None:
        from PySide6.QtCore import Qt

        self.window.place.toggle()
        preview.table.selectRow(4)
        self._trigger("view_variants")
        entries = preview.variants
        await self.until(lambda: "row 4" in entries.title.text() and entries.entries)
        keys = [entry["key"] for entry in entries.entries]
        item = entries.list.topLevelItem(keys.index("delete_keys"))
        entries.list.setCurrentItem(item)
        entries.list.scrollToItem(item)
        item.setCheckState(0, Qt.CheckState.Checked)
        await asyncio.sleep(0.4)
        await self.shoot("tour-5-delete")
        entries.pin_button.click()
        await self._save(3)
        self._trigger("view_rows")

    async def _fix(self) -> None:
        await self._type(self.routes[1])
        results = await self._test(3)
        panel = self.window.tests
        for _ in range(sum(not result["ok"] for result in results)):
            bad = sum(not result["ok"] for result in panel.results)
            panel.accept_button.click()
            await self.until(
                lambda bad=bad: (
                    len(panel.results) == 3
                    and sum(not result["ok"] for result in panel.results) < bad
                )
            )
        await asyncio.sleep(0.3)
        self.window.toast.hide()  # it tells of the save before
        await self.shoot("tour-6-fixed")
        self._trigger("save")
        await self.until(lambda: not self.window.session.dirty)
