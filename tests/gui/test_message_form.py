"""A message as a form: kinds, exact numbers, what is wrong, columns added and removed, undo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from routestudio.ui.documents.message_form import MessageForm, kind_of, text_of, written
from routestudio.ui.editor.json_text import entries_of
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

HARD = (
    '{"extra":[1],"action":"update","record":{"id":12345678901234567890,"price":1.10,"ok":true,'
    '"note":null,"tags":["a", {"b":1e3}],"name":"é \\"x\\"","lines":"a\\nb"},'
    '"changes":{"price":0.10},"metadata":{"table_name":"orders"}}'
)

MESSAGE = HARD.replace('"extra":[1],', "")


@pytest.mark.parametrize(
    ("kind", "text", "raw"),
    [
        ("text", 'a"b', '"a\\"b"'),
        ("text", "12", '"12"'),
        ("number", " 12345678901234567890.10 ", "12345678901234567890.10"),
        ("number", "-1e-7", "-1e-7"),
        ("true/false", "false", "false"),
        ("null", "left over", "null"),
        ("JSON", '{ "a" : [ 1.0 ] }', '{"a":[1.0]}'),
        ("JSON", '"a\\nb"', '"a\\nb"'),
    ],
)
def test_a_value_is_written_as_it_was_typed(kind: str, text: str, raw: str) -> None:
    assert written(kind, text) == raw
    assert kind_of(raw) == kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", ""), ("number", "012"), ("number", "NaN"), ("number", "1,5"), ("JSON", "{a: 1}")],
)
def test_what_has_no_such_kind_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="is written like"):
        written(kind, text)


def test_entries_keep_order_and_digits() -> None:
    found = entries_of(HARD)
    assert [name for name, _ in found] == ["extra", "action", "record", "changes", "metadata"]
    assert dict(entries_of(dict(found)["record"]))["price"] == "1.10"
    assert json.loads(text_of(found, {})) == json.loads(HARD)
    with pytest.raises(ValueError, match="not a JSON object"):
        entries_of("[1]")


async def _form(desk: Desk, project: Path) -> Any:
    await desk.start(project)
    document = await desk.open("sample", "awkward")
    await desk.until(lambda: document.rows.model.rowCount() == 8, "the rows")
    return document


def _entry(form: MessageForm, section: str, name: str) -> Any:
    return next(e for e in form.sections[section].entries if e.name.text() == name)


@in_qt
async def test_a_value_is_typed_by_keyboard_and_reaches_the_project(
    desk: Desk, project: Path
) -> None:
    document = await _form(desk, project)
    rows, form = document.rows, document.rows.form
    await desk.act(lambda: rows.choose(2))
    assert _entry(form, "record", "id").line.text() == "9007199254740993"
    before = document.editor.toPlainText()
    status = _entry(form, "record", "status").line
    await desk.act(lambda: (status.setFocus(), status.selectAll()))
    await desk.act(lambda: QTest.keyClicks(status, "paid"))
    await desk.until(lambda: document.editor.toPlainText() != before, "the new value")
    line = json.loads(document.editor.toPlainText().splitlines()[2])
    assert line["record"]["status"] == "paid"
    assert line["record"]["id"] == 9007199254740993
    assert desk.window.focusWidget() is status, "typing goes on"
    await desk.act(document.flush)
    await desk.quiet()
    await desk.act(desk.window.session.undo)
    await desk.until(lambda: document.editor.toPlainText() == before, "undo")
    await desk.until(
        lambda: _entry(form, "record", "status").line.text() == "new", "undo in the form"
    )


@in_qt
async def test_what_is_wrong_is_said_at_its_control_and_the_rest_goes_on(
    desk: Desk, project: Path
) -> None:
    document = await _form(desk, project)
    rows, form = document.rows, document.rows.form
    await desk.act(lambda: rows.choose(2))
    wrong, right = _entry(form, "record", "id"), _entry(form, "record", "region")
    await desk.act(lambda: (wrong.line.end(False), QTest.keyClicks(wrong.line, "x")))
    assert wrong.error.isVisible()
    assert "number" in wrong.error.text()
    assert "Not applied" in wrong.error.text()
    await desk.act(lambda: (right.line.end(False), QTest.keyClicks(right.line, "1")))
    await desk.act(rows.commit)
    line = json.loads(document.editor.toPlainText().splitlines()[2])
    assert (line["record"]["id"], line["record"]["region"]) == (9007199254740993, "US1")
    assert wrong.line.text().endswith("x"), "what was typed is still there"
    await desk.act(lambda: QTest.keyClick(wrong.line, Qt.Key.Key_Backspace))
    assert not wrong.error.isVisible()


@in_qt
async def test_columns_are_added_renamed_removed_and_change_their_kind(
    desk: Desk, project: Path
) -> None:
    document = await _form(desk, project)
    rows, form = document.rows, document.rows.form
    await desk.act(lambda: rows.choose(2))
    record = form.sections["record"]
    count = len(record.entries)
    await desk.act(record.add_button.click)
    new = record.entries[-1]
    assert desk.window.focusWidget() is new.name
    await desk.act(lambda: QTest.keyClicks(new.name, "id"))
    assert "another id" in new.error.text()
    await desk.act(lambda: QTest.keyClicks(new.name, "2"))
    await desk.act(lambda: new.kind.setCurrentText("number"))
    await desk.act(lambda: QTest.keyClicks(new.line, "1.50"))
    await desk.act(rows.commit)
    assert '"id2":1.50' in document.editor.toPlainText().splitlines()[2]
    await desk.act(new.remove.click)
    await desk.act(rows.commit)
    assert len(record.entries) == count
    assert "id2" not in document.editor.toPlainText()
    changes = form.sections["changes"]
    assert changes.null
    await desk.act(changes.add_button.click)
    await desk.act(lambda: QTest.keyClicks(changes.entries[0].name, "status"))
    await desk.act(lambda: (form.action.setCurrentText("update"), form.action.activated.emit(1)))
    await desk.act(rows.commit)
    line = json.loads(document.editor.toPlainText().splitlines()[2])
    assert (line["action"], line["changes"]) == ("update", {"status": ""})


@in_qt
async def test_form_and_json_show_the_same_message(desk: Desk, project: Path) -> None:
    document = await _form(desk, project)
    rows, form = document.rows, document.rows.form
    await desk.act(lambda: rows.choose(0))
    await desk.act(lambda: rows.ways.button("json").click())
    await desk.act(lambda: (rows.editor.selectAll(), rows.editor.insert_at_cursor(MESSAGE)))
    await desk.act(rows.commit)
    await desk.act(lambda: rows.ways.button("form").click())
    assert form.action.currentText() == "update"
    kinds = {e.name.text(): e.kind.currentText() for e in form.sections["record"].entries}
    assert kinds == {"id": "number", "price": "number", "ok": "true/false", "note": "null",
                     "tags": "JSON", "name": "text", "lines": "JSON"}  # fmt: skip
    note = _entry(form, "record", "note")
    await desk.act(lambda: (note.kind.setCurrentText("text"), note.kind.activated.emit(0)))
    await desk.act(rows.commit)
    line = document.editor.toPlainText().splitlines()[0]
    wanted = json.loads(MESSAGE)
    wanted["record"]["note"] = ""
    assert json.loads(line) == wanted
    assert '"price":1.10' in line
    assert "12345678901234567890" in line
    await desk.act(lambda: rows.ways.button("json").click())
    await desk.act(lambda: (rows.editor.selectAll(), rows.editor.insert_at_cursor("{")))
    await desk.act(lambda: rows.ways.button("form").click())
    assert form.broken.isVisible()
    assert not form.fields.isVisible()
    await desk.act(lambda: rows.choose(3))
    assert any("not applied" in text.lower() for _, text in desk.notices)
    assert form.fields.isVisible()


def test_a_very_long_value_stays_whole_when_another_is_edited(qtbot: Any) -> None:
    long = "x" * 100_000
    form = MessageForm("orders")
    qtbot.addWidget(form)
    text = {"action": "insert", "record": {"id": 1, "note": long}, "changes": None, "metadata": {}}
    heard: list[str] = []
    form.changed.connect(heard.append)
    form.show_text(json.dumps(text))
    number, note = form.sections["record"].entries
    assert note.line.isReadOnly()
    assert not note.kind.isEnabled()
    assert "JSON" in note.line.toolTip()
    QTest.keyClicks(number.line, "2")
    taken = json.loads(heard[-1])["record"]
    assert (taken["id"], taken["note"]) == (12, long) or (taken["id"], taken["note"]) == (21, long)
    note.show('"short"')
    assert not note.line.isReadOnly()
    assert note.line.text() == "short"


def test_a_long_text_that_is_pasted_into_a_field_is_not_cut(qtbot: Any) -> None:
    form = MessageForm("orders")
    qtbot.addWidget(form)
    heard: list[str] = []
    form.changed.connect(heard.append)
    form.show_text('{"action": "insert", "record": {"note": ""}, "changes": null, "metadata": {}}')
    (note,) = form.sections["record"].entries
    note.line.insert("y" * 50_000)
    note.line.textEdited.emit(note.line.text())
    assert json.loads(heard[-1])["record"]["note"] == "y" * 50_000
