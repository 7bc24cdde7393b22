"""A set too large for one text: shown by pages, one message edited, the other lines untouched.

`ROUTESTUDIO_LARGE_ROWS` is the number of rows (default 30,000); with `-s` the longest pauses of
the window are printed.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from routestudio.ui.documents.sample import LARGEST, ONE_BY_ONE
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

ROWS = int(os.environ.get("ROUTESTUDIO_LARGE_ROWS", "30000"))


def line_of(number: int) -> str:
    return (f'{{ "action":"insert","record":{{"id":{number},"price":1.10,"name":"somebody {number}"'
            '},"metadata":{"table_name":"orders"}}\n')  # fmt: skip


def write(path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(map(line_of, range(ROWS)))
    assert path.stat().st_size > LARGEST
    return path


async def opened(desk: Desk, project: Path) -> Any:
    await desk.start(project)
    document = await desk.open("sample", "big")
    await desk.until(lambda: document.rows.model.rowCount() == ROWS, "the rows", 60)
    return document


def cell(document: Any, row: int, column: str) -> str:
    model = document.rows.model
    return str(model.index(row, 3 + model.columns.index(column)).data())


@in_qt
async def test_one_message_of_a_large_set_is_edited(desk: Desk, project: Path) -> None:
    file = write(project / "samples" / "big.jsonl")
    before = file.read_bytes()
    document = await opened(desk, project)
    rows = document.rows
    number = ROWS // 2 + 7
    await desk.act(lambda: document.go_to(number + 1))
    await desk.until(lambda: rows.row == number and rows.form.isEnabled(), "the message")
    entry = next(e for e in rows.form.sections["record"].entries if e.name.text() == "price")
    assert (entry.kind.currentText(), entry.line.text()) == ("number", "1.10")
    entry.line.setFocus()
    await desk.act(lambda: QTest.keyClick(entry.line, Qt.Key.Key_End))
    await desk.act(lambda: QTest.keyClicks(entry.line, "0"))
    await desk.act(rows.commit)
    await desk.until(lambda: desk.window.session.snapshot["dirty"] == ["samples/big.jsonl"])
    await desk.quiet()
    assert cell(document, number, "price") == "1.100"
    assert rows.form.isEnabled()
    await desk.act(desk.window.session.undo)
    await desk.until(lambda: cell(document, number, "price") == "1.10", "undo in the table")
    await desk.until(lambda: entry.line.text() == "1.10", "undo in the form")
    await desk.act(desk.window.session.redo)
    await desk.until(lambda: cell(document, number, "price") == "1.100", "redo")
    await desk.act(lambda: rows.choose(0))
    await desk.trigger("save")
    await desk.until(lambda: file.read_bytes() != before, "the file")
    old, new = before.split(b"\n"), file.read_bytes().split(b"\n")
    assert [n for n, line in enumerate(new) if line != old[n]] == [number]
    assert len(new) == len(old)
    assert b'"price":1.100,' in new[number]
    await desk.act(document.add_message)
    assert desk.notices[-1][1] == ONE_BY_ONE
    assert desk.failures == []


@in_qt
async def test_a_wrong_message_of_a_large_set_is_kept_out(desk: Desk, project: Path) -> None:
    write(project / "samples" / "big.jsonl")
    document = await opened(desk, project)
    rows = document.rows
    await desk.until(lambda: rows.row == 0 and rows.form.isEnabled(), "the first message")
    await desk.act(lambda: rows.ways.button("json").click())
    await desk.act(lambda: (rows.editor.selectAll(), rows.editor.insert_at_cursor('{"a"')))
    await desk.act(rows.commit)
    assert "Not applied" in rows.problem.text()
    await desk.act(lambda: rows.choose(1))
    assert any("not applied" in text.lower() for _, text in desk.notices)
    assert desk.window.session.snapshot["dirty"] == []
    assert cell(document, 0, "id") == "0"
    await desk.act(lambda: rows.choose(0))
    assert rows.editor.toPlainText() == '{"a"'
    assert "Not applied" in rows.problem.text()


@in_qt
async def test_a_large_set_scrolls_by_pages(desk: Desk, project: Path) -> None:
    write(project / "samples" / "big.jsonl")
    begun = time.monotonic()
    document = await opened(desk, project)
    took = time.monotonic() - begun
    table = document.rows.table
    gaps: list[float] = []
    last = time.perf_counter()
    for step in range(200):
        bar = table.verticalScrollBar()
        bar.setValue(bar.maximum() * (step + 1) // 200)
        for _ in range(3):
            await asyncio.sleep(0.002)
            now = time.perf_counter()
            gaps.append((now - last) * 1000)
            last = now
    await desk.until(lambda: cell(document, ROWS - 1, "id") == str(ROWS - 1), "the last row")
    assert len(document.rows.model._pages) <= 60
    print(f"{ROWS:,} rows shown {took:.1f} s after the start of the engine; while scrolling the "
          f"longest pause was {max(gaps):.0f} ms")  # fmt: skip


@in_qt
async def test_other_files_say_that_they_are_not_edited(desk: Desk, project: Path) -> None:
    (project / "samples" / "table.csv").write_text("id,name\n1,x\n")
    await desk.start(project)
    document = await desk.open("sample", "table")
    await desk.until(lambda: document._stack.currentIndex() == 1, "the reason")
