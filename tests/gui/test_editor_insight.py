"""Coverage marks in the gutter and the pill of functions that read the clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QToolTip

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def opened(desk: Desk, project: Path) -> Any:
    """The demo's routing function with fresh marks."""
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.until(lambda: document.editor.coverage, "coverage")
    return document


@in_qt
async def test_branches_are_marked_pale_while_typing_and_can_be_switched_off(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    editor = document.editor
    condition = 'if metadata.table_name == "order_items":'
    line = next(n for n, text in enumerate(editor.toPlainText().splitlines(), 1)
                if condition in text)  # fmt: skip
    assert editor.coverage[line].text.startswith("Branch coverage")
    assert "rows" in editor.gutter_help(line)
    y = editor.cursorRect(editor.textCursor()).height() * (line - 1) + 10
    gutter = editor._gutter
    event = QHelpEvent(QEvent.Type.ToolTip, QPoint(5, y), gutter.mapToGlobal(QPoint(5, y)))
    await desk.act(lambda: QApplication.sendEvent(gutter, event))
    assert "Branch coverage" in QToolTip.text()
    await desk.act(QToolTip.hideText)

    await desk.act(lambda: editor.moveCursor(QTextCursor.MoveOperation.End))
    await desk.act(lambda: editor.insert_at_cursor("# "))
    assert editor.gutter_help(line) == ""
    await desk.until(lambda: editor.gutter_help(line), "marks of the new text")
    await desk.act(lambda: editor.moveCursor(QTextCursor.MoveOperation.Start))
    await desk.act(lambda: editor.insert_at_cursor("\n"))
    assert not editor.coverage
    await desk.until(lambda: editor.gutter_help(line + 1), "marks on the moved lines")

    await desk.trigger("toggle_coverage")
    assert not editor.coverage
    await desk.trigger("toggle_coverage")
    await desk.until(lambda: editor.coverage, "coverage again")


ELIXIR = """def route(action, record, changes, metadata) do
  case metadata.table_name do
    "order_items" -> %{topic: "orders.items"}
    "nothing" -> %{topic: "orders.nothing"}
    _ -> %{topic: "orders.all"}
  end
end
"""
PYTHON = """def route(action, record, changes, metadata):
    if metadata.table_name == "order_items":
        return {"topic": "orders.items"}
    if metadata.table_name == "nothing":
        return {"topic": "orders.nothing"}
    return {"topic": "orders.all"}
"""


@pytest.mark.parametrize(
    ("language", "code", "notes"),
    [
        ("python", PYTHON, {2: ("if 28 rows", "else 35 rows"), 4: ("if 0 rows", "else 35 rows")}),
        ("elixir", ELIXIR, {3: ("28 rows",), 4: ("0 rows",), 5: ("35 rows",)}),
    ],
)
@in_qt
async def test_each_way_has_its_rows_behind_its_line(
    desk: Desk, project: Path, language: str, code: str, notes: dict[int, tuple[str, ...]]
) -> None:
    write_function(project, language, code)
    document = await opened(desk, project)
    desk.window.resize(1400, 900)
    document.preview.samples.setCurrentIndex(document.preview.samples.findData("shop"))
    await desk.fresh(document.preview, document.preview.refresh)
    editor = document.editor
    await desk.until(lambda: {n: m.note for n, m in editor.coverage.items()} == notes, "the rows")
    assert [m.missing[0] for m in editor.coverage.values()].count(True) == 1

    def red() -> int:
        image = editor.viewport().grab().toImage()
        colours = (
            image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())
        )
        return sum(c.red() - max(c.green(), c.blue()) > 60 for c in colours)

    shown = red()
    assert shown > 10
    await desk.trigger("toggle_coverage")
    assert red() == 0
    await desk.trigger("toggle_coverage")  # it is one switch for all windows


def write_function(project: Path, language: str, code: str) -> None:
    """Let the demo's routing function be this."""
    file = "functions/orders_by_region." + {"python": "py", "elixir": "ex"}[language]
    (project / file).write_text(code)
    yaml = project / "sequin.yaml"
    text = yaml.read_text()
    old = "    language: python\n    file: functions/orders_by_region.py\n"
    assert old in text
    yaml.write_text(text.replace(old, f"    language: {language}\n    file: {file}\n"))


@in_qt
async def test_a_function_that_reads_the_clock_is_flagged_and_its_rows_counted(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    editor, pill = document.editor, document.steady
    assert not pill.isVisible()
    before = editor.toPlainText()
    after = before.replace('"orders.items"', 'f"items.{datetime.date.today()}"')
    await desk.act(lambda: (editor.selectAll(), editor.insert_at_cursor(after)))
    await desk.until(lambda: "28 rows depend on the time" in pill.text(), pill.text())
    assert "differs in topic" in pill.toolTip()
    await desk.until(lambda: [d.code for d in editor.diagnostics] == ["not_determined"], "the mark")
    await desk.act(lambda: (editor.selectAll(), editor.insert_at_cursor(before)))
    await desk.until(lambda: not pill.isVisible(), "no pill")
