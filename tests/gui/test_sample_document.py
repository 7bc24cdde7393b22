"""A sample set as a table: one message edited, duplicated, deleted, masked, pasted; imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from routestudio.ui.mask_dialog import MaskDialog
from tests.gui.desk import Desk, in_qt
from tests.gui.test_rows_dialog import dialog_of

pytestmark = pytest.mark.gui

MESSAGE = {"action": "insert", "record": {"id": 99, "region": "EU"}, "changes": None,
           "metadata": {"table_name": "orders"}}  # fmt: skip


async def opened(desk: Desk, project: Path) -> Any:
    await desk.start(project)
    document = await desk.open("sample", "awkward")
    await desk.until(lambda: document.rows.model.rowCount() == 8, "the rows")
    return document


def count(desk: Desk, name: str = "awkward") -> int:
    return next((s["rows"] for s in desk.window.session.samples() if s["name"] == name), -1)


@in_qt
async def test_a_message_is_edited_and_refused_while_it_is_wrong(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    rows = document.rows
    await desk.act(lambda: rows.choose(1))
    text = rows.editor.toPlainText()
    assert text.startswith('{\n  "action": ')
    before = document.editor.toPlainText()
    bad = text.replace('"action"', '"actoin"', 1)
    await desk.act(lambda: (rows.editor.selectAll(), rows.editor.insert_at_cursor(bad)))
    await desk.act(rows.commit)
    assert rows.problem.isVisible()
    assert "Not applied" in rows.problem.text()
    assert document.editor.toPlainText() == before
    changed = json.loads(text)
    changed["record"]["id"] = 4711
    good = json.dumps(changed, indent=1)
    await desk.act(lambda: (rows.editor.selectAll(), rows.editor.insert_at_cursor(good)))
    await desk.until(lambda: document.editor.toPlainText() != before, "the new message")
    line = document.editor.toPlainText().splitlines()[1]
    assert json.loads(line) == changed
    assert not rows.problem.isVisible()
    column = 3 + rows.model.columns.index("id")
    assert rows.model.index(1, column).data() == "4711"
    await desk.act(document.flush)
    await desk.quiet()
    await desk.act(desk.window.session.undo)
    await desk.until(lambda: document.editor.toPlainText() == before, "undo")
    await desk.until(lambda: "4711" not in rows.editor.toPlainText(), "undo beside the table")


@in_qt
async def test_messages_are_duplicated_deleted_added_and_pasted(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    rows = document.rows
    await desk.act(lambda: rows.choose(7))
    await desk.trigger("duplicate_message")
    assert (rows.model.rowCount(), rows.row) == (9, 8)
    assert rows.model.text(7) == rows.model.text(8)
    await desk.trigger("delete_message")
    await desk.trigger("delete_message")
    assert (rows.model.rowCount(), rows.row) == (7, 6)
    await desk.trigger("add_message")
    assert rows.row == 7
    QApplication.clipboard().setText(json.dumps([MESSAGE, MESSAGE], indent=2))
    await desk.trigger("paste_messages")
    assert json.loads(rows.model.text(9)) == MESSAGE
    await desk.act(document.flush)
    await desk.until(lambda: count(desk) == 10, "the rows in the project")
    QApplication.clipboard().setText("nothing of use\n")
    await desk.trigger("paste_messages")
    await desk.until(lambda: any("are not messages" in text for _, text in desk.notices), "why")
    assert rows.model.rowCount() == 10
    QApplication.clipboard().setText("code,qty\nc-1,1\nc-2,2\n")
    await desk.trigger("paste_messages")
    await desk.until(lambda: rows.model.rowCount() == 12, "rows of a table")
    pasted = json.loads(rows.model.text(11))
    assert (pasted["action"], pasted["record"]) == ("read", {"code": "c-2", "qty": "2"})


@in_qt
async def test_columns_are_masked_in_all_rows(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)

    def dialogs() -> list[MaskDialog]:
        return [w for w in document.findChildren(MaskDialog) if w.isVisible()]

    before = [json.loads(line)["record"] for line in document.editor.toPlainText().splitlines()]
    await desk.trigger("mask_columns")
    dialog = dialogs()[0]
    assert not dialog.ok.isEnabled()
    items = dialog.list.findItems("id", Qt.MatchFlag.MatchExactly)
    await desk.act(lambda: items[0].setCheckState(Qt.CheckState.Checked))
    await desk.act(dialog.ok.click)
    await desk.until(lambda: any("Masked id" in text for _, text in desk.notices), "masks")
    after = [json.loads(line)["record"] for line in document.editor.toPlainText().splitlines()]
    assert [list(row) for row in after] == [list(row) for row in before]
    changed = [(a["id"], b["id"]) for a, b in zip(before, after, strict=True) if a.get("id")]
    assert all(type(a) is type(b) for a, b in changed)
    assert any(a != b for a, b in changed)
    others = [({**a, "id": 0}, {**b, "id": 0}) for a, b in zip(before, after, strict=True)]
    assert all(a == b for a, b in others)


@in_qt
async def test_table_and_text_show_the_same(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    await desk.trigger("message_form")
    assert document.editor.isVisible()
    await desk.act(lambda: document.editor.go_to(1))
    await desk.act(lambda: document.editor.insert_at_cursor(json.dumps(MESSAGE) + "\n"))
    assert document.rows.model.rowCount() == 9
    await desk.act(lambda: document.editor.go_to(3))
    await desk.trigger("delete_message")
    assert document.rows.model.rowCount() == 8
    await desk.trigger("message_form")
    assert document.rows.isVisible()
    assert json.loads(document.rows.model.text(0)) == MESSAGE


@in_qt
async def test_tables_of_other_programs_are_imported(
    desk: Desk, project: Path, tmp_path: Path
) -> None:
    await desk.start(project)
    file = tmp_path / "people.csv"
    file.write_text("id,name\n1,Ada\n2\n3,Grace\n")
    dialog = await dialog_of(desk, lambda: desk.window.commands.project.drop(file))
    await desk.act(dialog.try_accept)
    await desk.until(lambda: count(desk, "people") == 2, "the samples")
    assert any("1 row of people.csv" in text for _, text in desk.notices)
    document = await desk.open("sample", "people")
    await desk.until(lambda: document.rows.model.columns == ["id", "name"], "the columns")
    bad = tmp_path / "people.parquet"
    bad.write_text("no parquet")
    await desk.act(lambda: desk.window.commands.samples.add_file(bad))
    await desk.until(lambda: any("Parquet" in text for _, text in desk.notices), "the reason")
