"""Edits of the window: sent in order, undone everywhere, saved, recovered, never lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from routestudio.ui import dialogs
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


def holders(folder: Path, secret: bytes) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if secret in path.read_bytes()]


CODE = """def route(action, record, changes, metadata):
    return {"topic": "typed"}
"""


def line(widget: object) -> QLineEdit:
    assert isinstance(widget, QLineEdit)
    return widget


@in_qt
async def test_typing_in_the_editor_refreshes_the_preview(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.quiet(0.3)
    assert document.preview.model.row(0)["routing"]["topic"] == "orders.eu"
    await desk.fresh(document.preview, lambda: document.editor.setPlainText(CODE))
    await desk.until(lambda: (document.preview.model.row(0) or {}).get("ok"), "a row")
    assert document.preview.model.row(0)["routing"]["topic"] == "typed"
    assert "updating" not in document.preview.state.text()
    await desk.until(lambda: desk.window.session.dirty, "the edit to be kept")
    assert "orders-by-region" in desk.window.action_table.qaction("undo").text()
    assert (project / "functions" / "orders_by_region.py").read_text() != CODE
    await desk.trigger("save")
    await desk.until(lambda: not desk.window.session.dirty, "the save")
    assert (project / "functions" / "orders_by_region.py").read_text() == CODE


@in_qt
async def test_a_wrong_field_is_marked_and_has_a_hint(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.quiet()
    document.editor.setPlainText(CODE.replace('"topic"', '"topc"'))
    await desk.until(lambda: (document.preview.model.row(0) or {}).get("ok") is False, "a failure")
    row = document.preview.model.row(0)
    texts = [
        f"{problem['field']} {problem['message']}" + str(problem.get("hint"))
        for problem in row["problems"]
    ]
    assert any("topc" in text and "topic" in text for text in texts), texts
    document.editor.setPlainText("def route(action, record, changes, metadata):\n    import os\n")
    await desk.until(lambda: "Line 2" in document.banner.text, "the banner")
    assert document.editor.diagnostics[0].line == 2
    await desk.trigger("next_problem")
    assert document.editor.textCursor().blockNumber() == 1
    document.editor.setPlainText(CODE)
    await desk.until(lambda: not document.editor.diagnostics, "no diagnostic")
    assert document.banner.text == ""


@in_qt
async def test_an_edit_of_a_form_is_undone_and_redone(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sink", "customers-to-redis")
    edit = line(document.config.rows["port"].editor.control())
    edit.setText("6390")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    session = desk.window.session

    def port() -> object:
        return (session.sink("customers-to-redis") or {})["destination"]["port"]

    await desk.until(lambda: port() == 6390, "the edit")
    await desk.trigger("undo")
    await desk.until(lambda: port() == 6379, "the undo")
    assert edit.text() == "6379"
    await desk.trigger("redo")
    await desk.until(lambda: port() == 6390, "the redo")
    assert edit.text() == "6390"


@in_qt
async def test_undo_by_its_key_in_a_field_that_was_left_and_entered_again(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    document = await desk.open("sink", "customers-to-redis")
    edit = line(document.config.rows["host"].editor.control())
    before = edit.text()
    edit.setFocus()
    await desk.until(edit.hasFocus)
    edit.selectAll()
    QTest.keyClicks(edit, "cache.example")
    await desk.act(lambda: QTest.keyClick(edit, Qt.Key.Key_Tab))
    await desk.quiet()
    edit.setText(edit.text())  # as a field does that shows a value: its own steps are gone
    edit.setFocus()
    control = Qt.KeyboardModifier.ControlModifier
    await desk.act(lambda: QTest.keyClick(edit, Qt.Key.Key_Z, control))
    await desk.until(lambda: edit.text() == before, "the undo")


@in_qt
async def test_saving_takes_what_is_being_typed_in_a_field(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sink", "customers-to-redis")
    edit = line(document.config.rows["host"].editor.control())
    edit.setFocus()
    await desk.until(edit.hasFocus)
    edit.selectAll()
    QTest.keyClicks(edit, "cache.example")
    await desk.trigger("save")
    await desk.until(lambda: ("success", "Saved") in desk.notices, "the save")
    assert "host: cache.example" in (project / "sequin.yaml").read_text()


@in_qt
async def test_undo_goes_through_editor_form_and_tree(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    session = desk.window.session
    document = await desk.open("function", "only-customers")
    before = document.editor.toPlainText()
    document.editor.setPlainText(before + "# one\n")
    await desk.until(lambda: session.dirty, "the code")
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 77)
    await desk.until(lambda: (session.sink("orders-to-kafka") or {})["batch_size"] == 77)
    monkeypatch.setattr(dialogs, "ask_name", lambda *_, **__: "renamed")
    desk.window.tree.choose("sample", "awkward")
    await desk.trigger("rename")
    await desk.until(lambda: "renamed" in [s["name"] for s in session.samples()], "the rename")
    desk.window.tree.setFocus()
    for check in (
        lambda: "awkward" in [s["name"] for s in session.samples()],
        lambda: (session.sink("orders-to-kafka") or {})["batch_size"] == 200,
        lambda: (session.function("only-customers") or {})["code"] == before,
    ):
        await desk.trigger("undo")
        await desk.until(check, "an undo")
    assert not session.dirty
    assert document.editor.toPlainText() == before


@in_qt
async def test_delete_and_undo_of_a_sink(desk: Desk, project: Path) -> None:
    await desk.start(project)
    session = desk.window.session
    await desk.open("sink", "events-to-http")
    desk.window.tree.choose("sink", "events-to-http")
    await desk.trigger("delete")
    await desk.until(lambda: session.sink("events-to-http") is None, "the deletion")
    assert "events-to-http" not in [d.name for d in desk.window.documents()]
    await desk.trigger("undo")
    await desk.until(lambda: session.sink("events-to-http") is not None, "the undo")
    assert not session.dirty


@in_qt
async def test_switching_between_static_and_function(desk: Desk, project: Path) -> None:
    await desk.start(project)
    session = desk.window.session
    document = await desk.open("sink", "orders-to-kafka")
    QTest.mouseClick(document.mode.button("static"), Qt.MouseButton.LeftButton)
    await desk.until(lambda: document.static_form.isVisible(), "the static form")
    assert not document.function_form.isVisible()
    assert document.static_form.rows["topic"].error.text(), "a static topic is required"
    edit = line(document.static_form.rows["topic"].editor.control())
    edit.setText("orders.all")
    QTest.keyClick(edit, Qt.Key.Key_Return)

    def topic() -> tuple[object, object]:
        row = document.preview.model.row(0) or {}
        return (row.get("routing") or {}).get("topic"), (row.get("provenance") or {}).get("topic")

    await desk.until(lambda: topic() == ("orders.all", "static"), "a static preview")
    QTest.mouseClick(document.mode.button("dynamic"), Qt.MouseButton.LeftButton)
    await desk.until(lambda: topic() == ("orders.eu", "function"), "a dynamic preview")
    assert (session.sink("orders-to-kafka") or {})["routing"] == "orders-by-region"
    assert "topic" in (session.sink("orders-to-kafka") or {})["ignored"]


@in_qt
async def test_a_typed_secret_is_kept_outside_of_the_file(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sink", "customers-to-redis")
    edit = line(document.config.rows["password"].editor.control())
    QTest.keyClicks(edit, "hush-hush-9")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    session = desk.window.session
    await desk.until(lambda: session.dirty, "the reference")
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    assert holders(project, b"hush-hush-9") == [".env"]
    assert "password: ${CUSTOMERS_TO_REDIS_PASSWORD}" in (project / "sequin.yaml").read_text()
    assert "CUSTOMERS_TO_REDIS_PASSWORD" in edit.placeholderText()
    assert "hush" not in repr(session.snapshot)
    assert "hush" not in desk.window.log.text()


@in_qt
async def test_a_killed_engine_is_started_again_and_no_edit_is_lost(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    session = desk.window.session
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 91)
    await desk.until(lambda: (session.sink("orders-to-kafka") or {})["batch_size"] == 91)
    document = await desk.open("function", "only-customers")
    await desk.quiet()
    said: list[str] = []
    desk.engine.status_changed.connect(lambda _, text: said.append(text))
    killed = desk.kill_engine()
    document.editor.setPlainText(
        "def filter(action, record, changes, metadata):\n    return True\n"
    )
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 92)
    await desk.until(lambda: desk.engine.process_id not in (0, killed), "another engine")
    await desk.until(lambda: desk.engine.status == "ready", "a ready engine")
    await desk.until(lambda: (session.sink("orders-to-kafka") or {})["batch_size"] == 92, "edits")
    await desk.until(
        lambda: "return True" in (session.function("only-customers") or {})["code"], "the code"
    )
    assert "return True" in document.editor.toPlainText()
    assert any("crashed" in text and "restarted" in text for text in said)
    assert any("No edits were lost" in text for _, text in desk.notices)
    await desk.quiet()
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    assert "batch_size: 92" in (project / "sequin.yaml").read_text()


@in_qt
async def test_unsaved_edits_are_recovered_after_a_killed_window(desk: Desk, project: Path) -> None:
    await desk.start(project)
    session = desk.window.session
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 93)
    await desk.until(lambda: session.dirty, "the edit")
    offered: list[int] = []
    session.recoverable.connect(lambda count, _: offered.append(count))
    session.open(project)
    await desk.until(lambda: offered, "the offer")
    assert offered == [1]
    assert "1 unsaved edit" in desk.window.banner.text
    assert (session.sink("orders-to-kafka") or {})["batch_size"] == 200
    QTest.mouseClick(desk.window.banner._button, Qt.MouseButton.LeftButton)
    await desk.until(lambda: (session.sink("orders-to-kafka") or {})["batch_size"] == 93)
    assert desk.window.banner.text == ""
    assert session.dirty


@in_qt
async def test_text_typed_while_edits_are_under_way_stays(desk: Desk, project: Path) -> None:
    """An answer that is older than what is in the editor never takes its place."""
    await desk.start(project)
    document = await desk.open("function", "only-customers")
    await desk.quiet()
    code = "def filter(action, record, changes, metadata):\n    return {}\n"
    shown: list[str] = []
    document.editor.textChanged.connect(lambda: shown.append(document.editor.toPlainText()))
    for number in range(5):
        document.editor.setPlainText(code.format(number))
        document.flush()
    await desk.quiet(0.3)
    assert document.editor.toPlainText() == code.format(4)
    assert (desk.window.session.function("only-customers") or {})["code"] == code.format(4)


@in_qt
async def test_edits_are_sent_in_the_order_in_which_they_were_made(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    session = desk.window.session
    for number in range(20):
        session.set_value(["sinks", "orders-to-kafka", "batch_size"], 100 + number)
    await desk.quiet()
    assert (session.sink("orders-to-kafka") or {})["batch_size"] == 119
    for _ in range(20):
        session.undo()
    await desk.quiet()
    assert (session.sink("orders-to-kafka") or {})["batch_size"] == 200
    assert not session.dirty


@in_qt
async def test_a_refused_edit_is_said_and_changes_nothing(desk: Desk, project: Path) -> None:
    await desk.start(project)
    session = desk.window.session
    before = session.snapshot
    session.apply({"op": "rename", "kind": "sinks", "name": "orders-to-kafka",
                   "to": "events-to-http"})  # fmt: skip
    await desk.until(lambda: desk.notices, "a sentence")
    kind, text = desk.notices[-1]
    assert kind == "error"
    assert "events-to-http" in text
    assert session.snapshot["sinks"] == before["sinks"]


@in_qt
async def test_closing_asks_while_something_is_not_saved(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    window, session = desk.window, desk.window.session
    closed: list[bool] = []
    window.closed.connect(lambda: closed.append(True))
    asked: list[list[str]] = []

    def answer(text: str) -> None:
        def ask(_: object, files: list[str], **__: object) -> str:
            asked.append(files)
            return text

        monkeypatch.setattr(dialogs, "ask_save", ask)

    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 94)
    await desk.until(lambda: session.dirty, "the edit")
    answer("cancel")
    window.close()
    await desk.until(lambda: asked, "a question")
    assert window.isVisible()
    assert any("sequin.yaml" in name for name in asked[0])
    answer("save")
    window.close()
    await desk.until(lambda: closed, "the window to close")
    assert "batch_size: 94" in (project / "sequin.yaml").read_text()


@in_qt
async def test_closing_a_saved_project_asks_nothing(desk: Desk, project: Path) -> None:
    await desk.start(project)
    closed: list[bool] = []
    desk.window.closed.connect(lambda: closed.append(True))
    await desk.trigger("quit")
    await desk.until(lambda: closed, "the window to close")
    assert not desk.window.isVisible()


@in_qt
async def test_what_is_still_being_typed_counts_when_closing(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    document = await desk.open("function", "only-customers")
    await desk.quiet()
    asked: list[list[str]] = []

    def ask(_: object, files: list[str], **__: object) -> str:
        asked.append(files)
        return "cancel"

    monkeypatch.setattr(dialogs, "ask_save", ask)
    document.editor.setPlainText("# typed a moment ago\n")
    desk.window.close()
    await desk.until(lambda: asked, "a question")
    assert desk.window.isVisible()


@in_qt
async def test_closing_without_saving_leaves_nothing_to_recover(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    session = desk.window.session
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 94)
    await desk.until(lambda: session.dirty, "the edit")
    monkeypatch.setattr(dialogs, "ask_save", lambda *_, **__: "discard")
    closed: list[bool] = []
    desk.window.closed.connect(lambda: closed.append(True))
    desk.window.close()
    await desk.until(lambda: closed, "the window to close")
    await asyncio.sleep(0.1)
    offered: list[int] = []
    session.recoverable.connect(lambda count, _: offered.append(count))
    session.open(project)
    await desk.quiet(0.3)
    assert offered == []
    assert "batch_size: 200" in (project / "sequin.yaml").read_text()


@in_qt
async def test_an_edit_made_while_the_engine_starts_again_is_not_lost(
    desk: Desk, project: Path
) -> None:
    """It is sent to an engine that does not have the project open yet."""
    await desk.start(project)
    session = desk.window.session
    killed = desk.kill_engine()
    await desk.until(lambda: desk.engine.status == "starting", "the loss to be seen")
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 93)
    await desk.until(lambda: desk.engine.process_id not in (0, killed), "another engine")
    await desk.until(lambda: (session.sink("orders-to-kafka") or {})["batch_size"] == 93, "edit")
    assert not any(kind == "error" for kind, _ in desk.notices)
