"""Search through the project in its panel, and where a found line leads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidgetItem

from routestudio.api.finding import FoundLine
from routestudio.ui.documents.sample import LARGEST
from routestudio.ui.panels.search import SearchPanel
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def search(desk: Desk, text: str) -> SearchPanel:
    """The panel after a search that its shortcut and Enter started."""
    panel = desk.window.search
    await desk.trigger("search_project")
    assert panel.isVisible()
    panel.text.clear()
    QTest.keyClicks(panel.text, text)
    await desk.act(lambda: QTest.keyClick(panel.text, Qt.Key.Key_Return))
    await desk.until(lambda: panel._job is None, "the search")
    return panel


def lines(panel: SearchPanel) -> list[tuple[str, FoundLine, QTreeWidgetItem]]:
    found = []
    for number in range(panel.list.topLevelItemCount()):
        group = panel.list.topLevelItem(number)
        for child in (group.child(n) for n in range(group.childCount())):
            found.append((group.text(0), child.data(1, Qt.ItemDataRole.UserRole), child))
    return found  # type: ignore[return-value]


async def go(desk: Desk, panel: SearchPanel, file: str, text: str) -> Any:
    """Press Enter on a found line; returns the document in front."""
    item = next(i for f, line, i in lines(panel) if f == file and text in line.text)
    panel.list.setCurrentItem(item)
    await desk.act(lambda: QTest.keyClick(panel.list, Qt.Key.Key_Return))
    return desk.window.document()


@in_qt
async def test_a_line_of_a_function_is_selected_in_its_editor(desk: Desk, project: Path) -> None:
    await desk.start(project)
    panel = await search(desk, "region")
    document = await go(desk, panel, "functions/orders_by_region.py", "region")
    assert (document.kind, document.name) == ("function", "orders-by-region")
    assert document.editor.textCursor().selectedText().lower() == "region"
    # Of the window, which need not be the active one beside another process.
    await desk.until(lambda: desk.window.focusWidget() is document.editor, "the focus")
    desk.window.activateWindow()
    await desk.until(document.editor.hasFocus, "the window to be the active one")
    # What is selected is what the shortcut looks for next.
    await desk.trigger("search_project")
    assert panel.text.text() == "region"
    assert panel.text.hasFocus()


@in_qt
async def test_a_line_of_a_sample_is_its_row(desk: Desk, project: Path) -> None:
    many = project / "samples/many.jsonl"
    row = {"action": "insert", "record": {"id": 0, "note": "x" * 100}}
    text = "".join(json.dumps({**row, "record": {**row["record"], "id": n}}) + "\n"  # type: ignore[dict-item]
                   for n in range(LARGEST // 120))  # fmt: skip
    assert len(text) > LARGEST
    many.write_text(text)
    await desk.start(project)
    panel = await search(desk, '"id": 15000,')
    document = await go(desk, panel, "samples/many.jsonl", '"id": 15000')
    await desk.until(lambda: document.rows.line == 15_000, "the row")
    panel = await search(desk, '"id": 1003, "customer_id"')
    document = await go(desk, panel, "samples/shop.jsonl", "1003")
    await desk.until(lambda: '"id": 1003' in document.rows.editor.toPlainText(), "the row")


@in_qt
async def test_lines_of_yaml_and_tests(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.open("sample", "awkward")
    panel = await search(desk, "SHOP_REDIS_HOST")
    document = await go(desk, panel, "sequin.yaml", "SHOP_REDIS_HOST")
    assert (document.kind, document.name) == ("yaml", "sequin.yaml")
    await desk.until(document.editor.toPlainText, "the text")
    assert document.editor.textCursor().selectedText() == "SHOP_REDIS_HOST"
    assert "customers-to-redis" in document.editor.toPlainText()
    panel = await search(desk, "payments are not")
    await go(desk, panel, "tests/orders.yaml", "payments are not")
    await desk.until(lambda: desk.window.tests.results, "the tests")
    await desk.until(
        lambda: (item := desk.window.tests.list.currentItem()) is not None
        and "payments are not" in item.text(0), "the test",
    )  # fmt: skip


@in_qt
async def test_switches_and_what_is_wrong(desk: Desk, project: Path) -> None:
    await desk.start(project)
    panel = await search(desk, "REGION")
    everything = len(lines(panel))
    assert everything
    assert panel.state._text.startswith(f"{everything:,} lines in ")
    panel.case.setChecked(True)  # searches again by itself, after a pause
    await desk.until(lambda: panel._job is not None, "the search")
    await desk.until(lambda: panel._job is None, "its end")
    assert len(lines(panel)) < everything
    panel.pattern.setChecked(True)
    await search(desk, "(")
    await desk.until(lambda: "not valid" in panel.banner.text, "the reason")
    await search(desk, "zebra crossing")
    assert panel.banner.text == ""
    assert panel._stack.currentIndex() == 1


@in_qt
async def test_what_was_not_searched_is_shown(desk: Desk, project: Path) -> None:
    (project / "samples/broken.jsonl").write_bytes(b"PK\x03\x04")
    await desk.start(project)
    panel = await search(desk, "region")
    assert "samples/broken.jsonl" in panel.banner.text
    desk.window.session.open(project)
    await desk.until(lambda: not panel.list.topLevelItemCount(), "the results to go")


@in_qt
async def test_another_text_ends_a_search_at_once(desk: Desk, project: Path) -> None:
    """Nothing that the text before has found comes under the new one."""
    (project / "samples/large.jsonl").write_text('{"note": "zebra"}\n' * 300_000)
    await desk.start(project)
    panel = desk.window.search
    await desk.trigger("search_project")
    panel.text.setText("zebra crossing")
    QTest.keyClick(panel.text, Qt.Key.Key_Return)
    job = panel._job
    assert job is not None
    panel.text.setText("z")  # too short to be looked for
    assert panel._job is None
    assert job.cancelled
    await desk.quiet(0.1)
    assert panel.list.topLevelItemCount() == 0
    assert panel.state._text == "stopped"


@in_qt
async def test_a_new_search_takes_the_place_of_one_that_goes_on(desk: Desk, project: Path) -> None:
    (project / "samples/big.jsonl").write_text(
        '{"record": "aaaaaaaaaaaaaaaaaaaaaaaaaaa"}\n' * 200_000
    )
    await desk.start(project)
    panel = desk.window.search
    panel.pattern.setChecked(True)
    panel.text.setText("nothing like this")
    await desk.act(panel.start)
    first = panel._job
    assert first is not None
    panel.text.setText("orders[.]eu")
    await desk.act(panel.start)
    assert first.cancelled
    await desk.until(lambda: panel._job is None, "the search")
    assert lines(panel)
    await desk.act(panel.start)
    await desk.act(panel.stop)
    assert panel.state._text == "stopped"
    await desk.quiet()
