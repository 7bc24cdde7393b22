"""Rows of any format become a sample set: pasted, dropped, corrected in a dialog by keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from routestudio.ui.documents.sample_keys import KeyDialog
from routestudio.ui.panels.inspector import Inspector
from routestudio.ui.rows_dialog import RowsDialog
from routestudio.ui.source_dialog import SourceDialog
from tests.gui.desk import Desk, in_qt
from tests.support.redis_server import RedisServer

CSV = "code,qty\nc-1,1\nc-2,2\n"


def event(number: int, op: str = "c") -> dict[str, Any]:
    """A change event as Debezium writes it, without schema."""
    after = None if op == "t" else {"code": f"c-{number}", "qty": number}
    return {"before": None, "after": after, "op": op, "ts_ms": 1_700_000_000,
            "source": {"connector": "postgresql", "name": "shop", "db": "shop",
                       "schema": "public", "table": "stock", "lsn": 100 + number,
                       "txId": 1}}  # fmt: skip


async def dialog_of(desk: Desk, step: Callable[[], object]) -> RowsDialog:
    """Do something, and wait for the dialog that it opens."""
    await desk.act(step)

    def shown() -> list[RowsDialog]:
        return [d for d in desk.window.findChildren(RowsDialog) if d.isVisible()]

    await desk.until(shown, "the dialog")
    return shown()[0]


async def paste(desk: Desk, text: str) -> RowsDialog:
    QApplication.clipboard().setText(text)
    return await dialog_of(desk, desk.window.action_table.qaction("paste_sample").trigger)


def messages_of(project: Path, desk: Desk, document: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in document.editor.toPlainText().splitlines()]


def has(desk: Desk, name: str) -> bool:
    return any(item["name"] == name for item in desk.window.session.samples())


@in_qt
async def test_a_pasted_table_becomes_messages_by_keyboard(desk: Desk, project: Path) -> None:
    await desk.start(project)
    dialog = await paste(desk, CSV)
    assert dialog.summary.text() == "Plain rows: 2 messages"
    await desk.until(lambda: dialog.focusWidget() is dialog.name, "the focus")
    assert dialog.messages.rowCount() == 2
    await desk.act(lambda: QTest.keyClicks(dialog.name, "stock"))
    for text, field in (("", dialog.format), ("shop.stock", dialog.table), ("code", dialog.key)):
        await desk.act(lambda: QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab))
        assert dialog.focusWidget() is field
        await desk.act(lambda text=text: text and QTest.keyClicks(dialog.focusWidget(), text))
    await desk.act(lambda: QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab))
    assert dialog.focusWidget() is dialog.action
    await desk.act(lambda: QTest.keyClick(dialog.action, Qt.Key.Key_Down))
    assert dialog.action.currentText() == "insert"
    await desk.until(lambda: dialog.messages.item(1, 3).text() == "c-2", "the key")
    assert dialog.messages.item(1, 1).text() == "insert"
    assert dialog.messages.item(1, 2).text() == "shop.stock"
    enter = Qt.Key.Key_Return
    await desk.act(lambda: (QTest.keyClick(dialog, enter), QTest.keyClick(dialog, enter)))
    await desk.until(lambda: has(desk, "stock"), "the set")
    await desk.quiet()
    assert [kind for kind, _ in desk.notices if kind == "error"] == []
    document = await desk.open("sample", "stock")
    await desk.until(lambda: document.rows.model.rowCount() == 2, "the rows")
    found = messages_of(project, desk, document)
    assert [m["action"] for m in found] == ["insert", "insert"]
    assert [m["metadata"]["record_pks"] for m in found] == [["c-1"], ["c-2"]]
    assert document.problems.text() == "all lines valid"


@in_qt
async def test_a_paste_of_envelopes_shows_what_is_passed_over(desk: Desk, project: Path) -> None:
    await desk.start(project)
    rows = [event(1), event(2), event(3, "t")]
    text = "".join(json.dumps(row) + "\n" for row in rows) + "{broken\n"
    dialog = await paste(desk, text)
    assert dialog.summary.text() == (
        "Debezium, PostgreSQL: 2 messages; 1 passed over (1 truncate); 1 row cannot be read"
    )
    assert dialog.faults.isVisible()
    assert dialog.faults.toPlainText().startswith("pasted:4: not JSON")
    assert not dialog.action.isEnabled()
    assert dialog.action.currentText() == ""
    assert dialog.action.placeholderText() == "as in the rows"
    assert dialog.table.placeholderText() == "public.stock"
    await desk.act(lambda: dialog.format.setCurrentIndex(dialog.format.findData("maxwell")))
    await desk.until(lambda: "No messages" in dialog.summary.text(), "the other format")
    assert not dialog.accept_button.isEnabled()
    await desk.act(lambda: dialog.format.setCurrentIndex(0))
    await desk.until(lambda: dialog.accept_button.isEnabled(), "the first format")
    await desk.act(lambda: QTest.keyClick(dialog, Qt.Key.Key_Escape))
    await desk.until(lambda: not desk.window.findChildren(RowsDialog), "the end of the dialog")
    await desk.quiet()
    assert not has(desk, "samples")


@in_qt
async def test_wrong_settings_are_said_in_the_dialog(desk: Desk, project: Path) -> None:
    await desk.start(project)
    dialog = await paste(desk, json.dumps([{"code": "c-1"}]))
    await desk.act(lambda: dialog.table.setText(".stock"))
    await desk.act(dialog.try_accept)
    await desk.until(lambda: "is not a table" in dialog.error.text(), "the reason")
    assert dialog.isVisible()
    await desk.act(lambda: dialog.name.setText("no name"))
    await desk.act(dialog.try_accept)
    assert "A name has" in dialog.error.text()
    await desk.act(dialog.reject)


@in_qt
async def test_everything_in_the_dialog_has_a_name(desk: Desk, project: Path) -> None:
    await desk.start(project)
    dialog = await paste(desk, CSV + "c-3\n")
    fields = (dialog.name, dialog.format, dialog.table, dialog.key, dialog.action,
              dialog.messages, dialog.faults, dialog.summary)  # fmt: skip
    assert all(field.accessibleName() for field in fields)
    assert "1 row cannot be read" in dialog.summary.text()
    await desk.act(dialog.reject)


@in_qt
async def test_a_large_file_is_copied_without_being_held(
    desk: Desk, project: Path, tmp_path: Path
) -> None:
    await desk.start(project)
    file = tmp_path / "big.jsonl"
    file.write_text("".join(json.dumps(event(n)) + "\n" for n in range(40_000)))
    dialog = await dialog_of(desk, lambda: desk.window.commands.project.drop(file))
    assert "is copied into the project as it is" in dialog.summary.text()
    assert not dialog.format.isEnabled()
    await desk.act(dialog.try_accept)
    await desk.until(lambda: has(desk, "big"), "the set")
    assert (project / "samples" / "big.jsonl").read_bytes() == file.read_bytes()


@in_qt
async def test_the_key_of_a_table_is_marked_in_its_header(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sample", "shop")
    await desk.until(lambda: document.rows.model.rowCount(), "the rows")
    keys = document._keys
    table = keys.table
    assert table is not None
    sink = await desk.open("sink", "orders-to-kafka")
    preview = sink.preview
    await desk.until(lambda: preview.model.row(0), "the preview")
    assert preview.model.row(0)["pks"] != [preview.model.row(0)["table"]]
    desk.window.commands.open("sample", "shop")
    menu = keys.menu("region")
    assert menu is not None
    action = menu.actions()[0]
    assert (action.text(), action.isChecked()) == (f"Key of {table}", False)
    await desk.act(action.trigger)
    await desk.until(lambda: keys.key(table) == ["region"], "the key")
    assert desk.window.session.snapshot["table_keys"] == {table: ["region"]}
    first = json.loads(document.rows.model.text(0))
    desk.window.commands.open("sink", "orders-to-kafka")
    await desk.until(
        lambda: (row := preview.model.row(0)) and row["pks"] == [first["record"]["region"]],
        "a preview with the key",
    )
    await desk.trigger("undo")
    await desk.until(lambda: keys.key(table) == [], "undo")


@in_qt
async def test_the_key_is_asked_for_by_an_action(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sample", "shop")
    await desk.until(lambda: document.rows.model.rowCount(), "the rows")
    await desk.trigger("mark_key")
    [dialog] = [d for d in document.findChildren(KeyDialog) if d.isVisible()]
    await desk.act(lambda: dialog.key.setText("nothing"))
    await desk.act(dialog.try_accept)
    assert "no column “nothing”" in dialog.error.text()
    await desk.act(lambda: dialog.key.setText("region, id"))
    await desk.act(dialog.try_accept)
    table = document._keys.table
    await desk.until(lambda: document._keys.key(table) == ["region", "id"], "the key")


@in_qt
async def test_the_head_of_a_preview_says_what_was_recognised(desk: Desk, project: Path) -> None:
    rows = [event(1), event(2), event(3, "t")]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (project / "samples" / "stock.jsonl").write_text(text)
    await desk.start(project)
    sink = await desk.open("sink", "orders-to-kafka")
    preview = sink.preview
    preview.samples.setCurrentIndex(preview.samples.findData("stock"))
    await desk.fresh(preview, preview.refresh)
    assert preview.bar.source.toolTip() == "Debezium, PostgreSQL: 2"
    assert preview.bar.passed.text() == "1 passed over"
    assert preview.bar.passed.toolTip() == "1 passed over (1 truncate)"
    await desk.act(lambda: preview.table.selectRow(0))
    await desk.until(
        lambda: "The key is unknown" in sink.findChild(Inspector).routing.toPlainText(), "the note"
    )
    preview.samples.setCurrentIndex(preview.samples.findData("shop"))
    await desk.fresh(preview, preview.refresh)
    assert preview.bar.source.toolTip() == ""
    assert preview.bar.passed.isHidden()


@in_qt
async def test_rows_of_a_stream_are_taken_without_a_trace(
    desk: Desk, project: Path, redis_server: RedisServer
) -> None:
    redis_server.command("DEL", "changes")
    for number in range(5):
        redis_server.command("XADD", "changes", "*", "message", json.dumps(event(number)))
    before = redis_server.command("XINFO", "GROUPS", "changes")
    await desk.start(project)
    await desk.trigger("sample_source")
    [asked] = [d for d in desk.window.findChildren(SourceDialog) if d.isVisible()]
    await desk.act(asked.try_accept)
    assert "Name the address" in asked.error.text()
    address = f"redis://127.0.0.1:{redis_server.port}/0?stream=changes"
    asked.address.setText(address)
    asked.rows.setText("3")
    dialog = await dialog_of(desk, asked.try_accept)
    assert dialog.summary.text() == "Debezium, PostgreSQL: 3 messages"
    assert dialog.name.text() == "changes"
    await desk.act(dialog.try_accept)
    await desk.until(lambda: has(desk, "changes"), "the set")
    assert redis_server.command("XINFO", "GROUPS", "changes") == before
