"""The project file as text: edits, undo, errors at their lines, what is changed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def opened(desk: Desk, project: Path) -> Any:
    await desk.start(project)
    await desk.trigger("open_yaml")
    document: Any = desk.window.document()
    assert (document.kind, document.name) == ("yaml", "sequin.yaml")
    await desk.until(document.editor.toPlainText, "the text")
    return document


def replaced(document: Any, old: str, new: str) -> None:
    text = document.editor.toPlainText()
    assert old in text
    cursor = document.editor.textCursor()
    cursor.setPosition(text.index(old))
    cursor.setPosition(text.index(old) + len(old), cursor.MoveMode.KeepAnchor)
    cursor.insertText(new)


def line_of(document: Any) -> int:
    return int(document.editor.textCursor().blockNumber()) + 1


@in_qt
async def test_what_is_typed_is_one_edit_that_others_show_and_that_is_saved(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    session = desk.window.session
    before = (project / "sequin.yaml").read_text()
    assert document.editor.toPlainText() == before
    sink = await desk.open("sink", "orders-to-kafka")
    await desk.trigger("open_yaml")
    await desk.act(lambda: replaced(document, "SHOP_KAFKA_HOSTS:-localhost", "HOSTS:-other"))
    await desk.until(lambda: "sequin.yaml" in session.snapshot["dirty"], "the edit")
    hosts = session.sink("orders-to-kafka")["destination"]["hosts"]  # type: ignore[index]
    assert hosts == "${HOSTS:-other:9092}"
    assert sink.name == "orders-to-kafka"
    assert session.snapshot["undo"] == "Edit sequin.yaml"
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    assert (project / "sequin.yaml").read_text() == before.replace(
        "SHOP_KAFKA_HOSTS:-localhost", "HOSTS:-other"
    )
    await desk.act(lambda: session.undo())
    await desk.until(lambda: document.editor.toPlainText() == before, "the text as it was")


@in_qt
async def test_undo_with_the_cursor_in_the_text_takes_the_last_letters_back(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    before = document.editor.toPlainText()
    document.editor.setFocus()
    QTest.keyClicks(document.editor, "# mine")
    QTest.keyClick(document.editor, Qt.Key.Key_Return)
    session = desk.window.session
    await desk.until(lambda: session.dirty, "the edit")
    for _ in range(2):
        await desk.trigger("undo")
    assert document.editor.toPlainText() == before
    await desk.until(lambda: not session.dirty, "the project as it was")
    await desk.trigger("redo")
    await desk.until(lambda: document.editor.toPlainText() != before, "the letters again")


@in_qt
async def test_a_text_that_cannot_be_read_shows_its_line_and_is_kept(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    session, panel = desk.window.session, desk.window.problems
    sinks = [sink["name"] for sink in session.sinks()]
    text = document.editor.toPlainText()
    line = text[: text.index("    filter: only-customers")].count("\n") + 1
    await desk.act(lambda: replaced(document, "    filter: only-customers", "   filter: [x"))
    await desk.until(lambda: session.dirty, "the edit")
    assert [sink["name"] for sink in session.sinks()] == sinks, "the project is what it was"
    found = [p for p in session.snapshot["problems"] if p["code"] == "draft"]
    assert len(found) == 1
    assert line <= found[0]["line"] <= line + 2
    assert document.pill.text() == "1 problem"
    assert document.banner.isVisible()
    assert [d.line for d in document.editor.diagnostics if d.severity == "error"] == [
        found[0]["line"]
    ]
    await desk.trigger("save")
    await desk.until(lambda: any("nothing was saved" in text for _, text in desk.notices), "a word")
    await desk.open("sink", "orders-to-kafka")
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 7)
    await desk.until(
        lambda: any("cannot be changed elsewhere" in text for _, text in desk.notices), "a word"
    )
    item = next(
        panel.tree.topLevelItem(n) for n in range(panel.count)
        if panel.tree.topLevelItem(n).text(1) == f"sequin.yaml:{found[0]['line']}"
    )  # fmt: skip
    await desk.act(lambda: panel.tree.itemActivated.emit(item, 0))
    assert desk.window.document() is document
    assert line_of(document) == found[0]["line"]
    await desk.act(lambda: replaced(document, "   filter: [x", "    filter: only-customers"))
    await desk.until(lambda: not session.dirty, "the text as it is on the disk")
    assert document.pill.text() != "1 problem"


@in_qt
async def test_edits_of_forms_and_of_other_programs_come_into_the_text(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    session = desk.window.session
    session.set_value(["sinks", "orders-to-kafka", "batch_size"], 7)
    await desk.until(lambda: "batch_size: 7" in document.editor.toPlainText(), "the form's edit")
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    file = project / "sequin.yaml"
    file.write_text(file.read_text().replace("batch_size: 7", "batch_size: 8"))
    await desk.until(lambda: "batch_size: 8" in document.editor.toPlainText(), "the other program")
    assert not session.dirty


@in_qt
async def test_a_long_file_opens_without_colours_and_takes_edits(desk: Desk, project: Path) -> None:
    file = project / "sequin.yaml"
    file.write_text(file.read_text() + "".join(f"# {n:060}\n" for n in range(5_000)))
    document = await opened(desk, project)
    assert document.highlighter is None
    assert document.plain.isVisible()
    await desk.act(lambda: document.editor.appendPlainText("# the end"))
    await desk.until(lambda: desk.window.session.dirty, "the edit")
    assert desk.window.session.sinks()


@in_qt
async def test_new_lines_keep_the_form_of_yaml(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    editor = document.editor
    await desk.act(lambda: editor.setPlainText(""))
    for line in ("sinks:", "- name: a", "destination:", "type: kafka"):
        QTest.keyClicks(editor, line)
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert editor.toPlainText() == (
        "sinks:\n  - name: a\n    destination:\n      type: kafka\n      "
    )


@in_qt
@pytest.mark.parametrize("special", ["\u00a0", "\r\n"], ids=["no-break space", "CRLF"])
async def test_a_file_is_changed_only_where_somebody_types(
    desk: Desk, project: Path, special: str
) -> None:
    path = project / "sequin.yaml"
    before = path.read_bytes().decode()
    if special == "\r\n":
        before = before.replace("\n", special)
    else:
        before = before.replace("An online shop", f"An{special}online shop")
    path.write_bytes(before.encode())
    document = await opened(desk, project)
    session = desk.window.session
    await desk.act(document.flush)
    await desk.quiet(0.1)
    assert not session.dirty
    await desk.act(lambda: replaced(document, "SHOP_KAFKA_HOSTS:-localhost", "HOSTS:-other"))
    await desk.until(lambda: "sequin.yaml" in session.snapshot["dirty"], "the edit")
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    assert path.read_bytes().decode() == before.replace(
        "SHOP_KAFKA_HOSTS:-localhost", "HOSTS:-other"
    )
