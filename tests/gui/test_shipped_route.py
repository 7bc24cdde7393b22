"""The guide "From real rows to a shipped route", walked in a real window by its words.

With `ROUTESTUDIO_GUIDE_PICTURES=docs/images` the pictures of the guide are taken on the way.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from routestudio.ui.actions import TABLE
from routestudio.ui.dialogs import ExportDialog, NewProjectDialog
from routestudio.ui.documents.overview import OverviewDocument
from routestudio.ui.documents.sample_types import TypesDialog
from routestudio.ui.rehearse_dialog import RehearseDialog
from routestudio.ui.rows_dialog import RowsDialog
from tests.gui.desk import Desk, in_qt

pytestmark = [pytest.mark.gui, pytest.mark.slow]

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "shipped-route.md"
PICTURES = os.environ.get("ROUTESTUDIO_GUIDE_PICTURES")


def guide() -> str:
    return re.sub(r"[ \n]+", " ", GUIDE.read_text(encoding="utf-8"))


def action(words: str) -> str:
    """The id of the action that the guide names by menu and title, or by its keys."""
    assert words in guide(), words
    for row in TABLE:
        if words in (f"**{row.menu} → {row.title}**", f"`{row.shortcut}`"):
            return row.id
    raise AssertionError(f"no action is called {words}")


def picture(widget: QWidget, name: str) -> None:
    assert f"images/{name}.png" in guide()
    if PICTURES:
        widget.grab().save(str(Path(PICTURES) / f"{name}.png"))


async def answer(desk: Desk, words: str, kind: type[QDialog], fill: Callable[[Any], None]) -> None:
    """Trigger an action and fill in the dialog that it opens, from outside of its loop."""
    desk.loop.call_soon(desk.window.action_table.qaction(action(words)).trigger)
    await desk.until(lambda: isinstance(QApplication.activeModalWidget(), kind), words)
    dialog = QApplication.activeModalWidget()
    fill(dialog)
    await desk.until(lambda: QApplication.activeModalWidget() is not dialog, f"the end of {words}")


async def press(desk: Desk, words: str) -> None:
    """Press the keys of an action, as the guide names them."""
    await desk.act(desk.window.action_table.qaction(action(words)).trigger)


@in_qt
async def test_the_guide_is_walked(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    folder = tmp_path / "stock"
    await desk.start()
    window = desk.window
    window.resize(1280, 800)

    def new(dialog: NewProjectDialog) -> None:
        dialog.folder.setText(str(folder))
        dialog.type.setCurrentIndex(dialog.type.findText("Webhook"))
        dialog.try_accept()

    await answer(desk, "**File → New project…**", NewProjectDialog, new)
    await desk.until(lambda: window.session.is_open and window.document(), "the project")
    await desk.quiet()
    await rows_and_types(desk, re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    preview = await function(desk, re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0])
    await pin_and_rehearse(desk, preview)
    await deliver(desk)

    def export(dialog: ExportDialog) -> None:
        assert dialog.output.text().endswith("stock-server.yaml")
        dialog.try_accept()

    await answer(desk, "`Ctrl+E`", ExportDialog, export)
    file = tmp_path / "stock-server.yaml"
    await desk.until(file.exists, "the export")
    await desk.until(lambda: desk.notices[-1][0] == "success", "its note")
    assert "%{" in file.read_text()
    file.unlink()
    for line in re.findall(r"(?m)^    routestudio (.*)$", text):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "routestudio", *line.split(), cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, (line, said.decode())


async def rows_and_types(desk: Desk, rows: str) -> None:
    """Steps 2 and 3."""
    window = desk.window
    QApplication.clipboard().setText(rows)
    await desk.act(
        window.action_table.qaction(action("**Samples → Paste messages as sample set**")).trigger
    )
    await desk.until(lambda: window.findChildren(RowsDialog), "the dialog")
    [dialog] = window.findChildren(RowsDialog)
    await desk.until(lambda: dialog.summary.text().endswith("4 messages"), "what they are")
    assert dialog.summary.text().startswith("Debezium")
    dialog.name.selectAll()
    QTest.keyClicks(dialog.name, "stock")
    QTest.keyClicks(dialog.key, "code")
    await desk.until(lambda: dialog.messages.item(0, 3).text() == "a-1", "the key")
    picture(dialog, "shipped-1-rows")
    QTest.keyClick(dialog.key, Qt.Key.Key_Return)
    await desk.until(lambda: window.document().name == "stock", "the samples")
    document: Any = window.document()
    await desk.until(lambda: document.rows.model.rowCount() == 4, "the rows")
    assert action("**Samples → Sample from a topic or stream…**")
    assert action("**Samples → Import samples from a file…**")
    await press(desk, "**Samples → Column types of this table…**")
    await desk.until(lambda: window.findChildren(TypesDialog), "the types")
    [types] = window.findChildren(TypesDialog)
    assert f"**{types.propose.text()}**" in guide()
    await desk.act(types.propose.click)
    types.fields["price"].setFocus()
    QTest.keyClick(types.focusWidget(), Qt.Key.Key_Return)
    snapshot = window.session
    await desk.until(
        lambda: snapshot.snapshot["table_types"].get("public.stock", {}).get("price") == "numeric",
        "the type of the price",
    )


async def function(desk: Desk, code: str) -> Any:
    """Step 4."""
    window = desk.window
    document = await desk.open("function", "webhook-route")
    preview = document.preview
    await desk.until(lambda: preview.samples.findData("stock") >= 0, "the samples")
    preview.samples.setCurrentIndex(preview.samples.findData("stock"))

    def write() -> None:
        document.editor.selectAll()
        document.editor.insertPlainText(code)

    await desk.fresh(preview, write)
    routed = [preview.model.row(n)["routing"] for n in range(4)]
    assert [(r["method"], r["endpoint_path"]) for r in routed] == [
        ("PUT", "/stock/a-1"), ("PUT", "/vault/b-2"), ("PUT", "/stock/a-1"),
        ("DELETE", "/stock/b-2"),
    ]  # fmt: skip
    wanted = {2: ("if 1 row", "else 3 rows"), 4: ("if 1 row", "else 2 rows")}
    await desk.until(
        lambda: {n: m.note for n, m in document.editor.coverage.items()} == wanted, "the rows"
    )
    picture(window, "shipped-2-function")
    await press(desk, "**View → Project overview**")
    overview: Any = window.document()
    assert isinstance(overview, OverviewDocument)
    key = "destination:stock-to-webhook"
    await desk.until(
        lambda: any(n.node["title"].endswith("/vault/b-2") for n in overview.view.nodes.values()),
        key,
    )
    picture(window, "shipped-3-overview")
    await desk.open("function", "webhook-route")
    return preview


async def pin_and_rehearse(desk: Desk, preview: Any) -> None:
    """Steps 5 and 6."""
    window = desk.window
    for count, row in ((1, 3), (2, 1)):
        preview.table.selectRow(row)
        await desk.quiet()
        await press(desk, "`Ctrl+Shift+T`")
        await desk.until(
            lambda n=count: sum("Pinned" in text for _, text in desk.notices) == n, "the test"
        )
    await press(desk, "`Ctrl+T`")
    await desk.until(lambda: [item["ok"] for item in window.tests.results] == [True] * 2, "tests")
    await press(desk, "`Ctrl+S`")
    await desk.until(lambda: not window.session.dirty, "the save")
    await press(desk, "**Run → Rehearse a fault…**")
    await desk.until(lambda: window.findChildren(RehearseDialog), "the dialog")
    [dialog] = window.findChildren(RehearseDialog)
    await desk.until(lambda: dialog.tree.topLevelItemCount() == 6, "the faults")
    dialog.sample.setCurrentIndex(dialog.sample.findData("stock"))
    for item in dialog._items():
        chosen = f"*{item.text(0)}*" in guide()
        item.setCheckState(0, Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
    assert f"**{dialog.start_button.text()}**" in guide()
    await desk.act(dialog.start_button.click)
    await desk.until(lambda: not dialog.running and len(dialog.results) == 2, "the rehearsal", 60)
    assert all(item["good"] for item in dialog.results.values())
    dialog.reject()


async def deliver(desk: Desk) -> None:
    """Step 7."""
    window = desk.window
    assert window.bar.target == "standin"
    assert f"*{window.where.button('standin').text()}*" in guide()
    assert f"*{window.where.button('real').text()}*" in guide()
    await press(desk, "`F6`")
    await desk.until(lambda: window.check_panel.verdict.text() == "passed", "the check")
    await press(desk, "`F5`")
    await desk.until(lambda: window.run_panel.summary is not None, "the run")
    await desk.until(lambda: not window.run_panel.running, "its end")
    await press(desk, "`F7`")
    tree = window.arrived.tree
    await desk.until(lambda: tree.topLevelItemCount() == 3, "the destinations")
    assert sum(tree.topLevelItem(n).childCount() for n in range(3)) == 4
    tree.expandAll()
    await desk.quiet()
    picture(window, "shipped-4-arrived")
