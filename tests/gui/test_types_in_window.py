"""Types of columns in the window: tool tips, completion, and the form that sets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from routestudio.ui.documents.sample_types import TypesDialog
from routestudio.ui.editor.vocabulary import vocabulary
from tests.gui.desk import Desk, in_qt

TABLE = "public.bills"


def rows() -> list[dict[str, Any]]:
    return [
        {
            "action": "insert", "changes": None, "metadata": {"table_name": "bills"},
            "record": {"id": number, "total": f"{number}.50", "due": {"$date": "2024-05-06"},
                       "qty": str(number), "note": None if number else "x"},
        }
        for number in range(3)
    ]  # fmt: skip


def write(project: Path) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows())
    (project / "samples" / "bills.jsonl").write_text(text)


async def opened(desk: Desk, project: Path) -> Any:
    write(project)
    await desk.start(project)
    document = await desk.open("sample", "bills")
    await desk.until(lambda: document.rows.model.rowCount(), "the rows")
    await desk.until(lambda: tip(document, "total"), "the types")
    return document


def tip(document: Any, column: str) -> str:
    model = document.rows.model
    section = [
        model.headerData(n, Qt.Orientation.Horizontal) for n in range(model.columnCount())
    ].index(column)
    role = Qt.ItemDataRole.ToolTipRole
    return model.headerData(section, Qt.Orientation.Horizontal, role) or ""


async def dialog_of(desk: Desk, document: Any) -> TypesDialog:
    """The dialog, once its window is the active one: what is typed before goes elsewhere, and no
    field has the focus yet."""

    def active() -> list[TypesDialog]:
        return [d for d in document.findChildren(TypesDialog) if d.isActiveWindow()]

    await desk.until(active, "the dialog")
    [dialog] = active()
    return dialog


@in_qt
async def test_headers_and_completion_name_type_and_origin(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    assert tip(document, "total") == (
        "total: numeric\ncolumn of the samples; its type is a guess, by the form of its values"
    )
    assert tip(document, "due") == (
        "due: date\ncolumn of the samples; its type comes with the rows"
    )
    assert tip(document, "qty") == "qty: text\ncolumn of the samples"
    columns = desk.window.session.columns()
    items = {item.text: item for item in vocabulary("kafka", columns).columns}
    assert (items["total"].detail, "a guess" in items["total"].doc) == ("numeric", True)
    assert (items["due"].detail, "comes with the rows" in items["due"].doc) == ("date", True)


@in_qt
async def test_types_are_set_in_a_form_by_keyboard_alone(desk: Desk, project: Path) -> None:
    document = await opened(desk, project)
    await desk.trigger("name_types")
    dialog = await dialog_of(desk, document)
    assert set(dialog.fields) == {"id", "total", "due", "qty", "note"}
    first = dialog.fields["id"]
    assert first.hasFocus() or first.lineEdit().hasFocus()
    wanted = {"total": "numeric(10,2)", "qty": "integer"}
    for name, field in dialog.fields.items():
        assert field.hasFocus() or field.lineEdit().hasFocus(), name
        QTest.keyClicks(field.lineEdit(), wanted.get(name, ""))  # type: ignore[arg-type]
        QTest.keyClick(field.lineEdit(), Qt.Key.Key_Tab)  # type: ignore[arg-type]
    assert dialog.changes == wanted
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.fields["note"].lineEdit().hasFocus()
    QTest.keyClick(dialog.fields["note"].lineEdit(), Qt.Key.Key_Return)  # type: ignore[arg-type]
    types = lambda: desk.window.session.snapshot["table_types"].get(TABLE)  # noqa: E731
    await desk.until(lambda: types() == wanted, "the types")  # type: ignore[no-untyped-call]
    await desk.until(lambda: "named in the project" in tip(document, "total"), "the tool tip")
    assert tip(document, "qty").startswith("qty: int4\n")
    await desk.trigger("save")
    path = project / "sequin.yaml"
    await desk.until(lambda: "numeric(10,2)" in path.read_text(), "the file")
    tables = yaml.safe_load(path.read_text())["tables"]
    assert {"name": TABLE, "columns": wanted} in tables
    await desk.trigger("undo")
    await desk.until(lambda: types() is None, "undo")  # type: ignore[no-untyped-call]


@in_qt
async def test_what_the_values_look_like_is_proposed_and_a_type_is_taken_out(
    desk: Desk, project: Path
) -> None:
    document = await opened(desk, project)
    session = desk.window.session
    edit = {"op": "set_column_types", "table": TABLE, "columns": {"due": "text", "id": "bigint"}}
    await desk.act(lambda: session.apply(edit))
    await desk.until(lambda: session.snapshot["table_types"].get(TABLE), "the types")
    menu = document._keys.menu("qty")
    await desk.act(menu.actions()[-1].trigger)
    dialog = await dialog_of(desk, document)
    assert dialog.fields["qty"].hasFocus() or dialog.fields["qty"].lineEdit().hasFocus()
    await desk.act(dialog.propose.click)
    assert {name: field.currentText() for name, field in dialog.fields.items()} == {
        "id": "bigint", "total": "numeric", "due": "text", "qty": "integer", "note": "",
    }  # fmt: skip
    await desk.act(lambda: dialog.fields["due"].setCurrentText(""))
    await desk.act(dialog.try_accept)
    await desk.until(
        lambda: (
            session.snapshot["table_types"].get(TABLE)
            == {"id": "bigint", "total": "numeric", "qty": "integer"}
        ),
        "the types",
    )


@in_qt
async def test_the_message_of_a_preview_shows_types_of_its_columns(
    desk: Desk, project: Path
) -> None:
    write(project)
    await desk.start(project)
    sink = await desk.open("sink", "orders-to-kafka")
    preview = sink.preview
    preview.samples.setCurrentIndex(preview.samples.findData("bills"))
    await desk.fresh(preview, preview.refresh)
    await desk.act(lambda: preview.table.selectRow(0))
    view = preview.inspector.message
    await desk.until(lambda: view.types, "the types")
    preview.inspector.tabs.setCurrentWidget(view)
    await desk.act(view.show)

    def shown(column: str) -> str:
        block = view.document().begin()
        while block.isValid() and not block.text().strip().startswith(f'"{column}"'):
            block = block.next()
        place = view.blockBoundingGeometry(block).translated(view.contentOffset()).center()
        return view.tip_at(QPoint(20, int(place.y())))

    assert shown("total").startswith("total: numeric\n")
    assert "a guess" in shown("total")
    assert "comes with the rows" in shown("due")
    assert shown("id") == ""
    assert shown("table_name") == ""


@in_qt
async def test_a_preview_is_made_again_when_the_type_of_a_column_is_set(
    desk: Desk, project: Path
) -> None:
    write(project)
    await desk.start(project)
    preview = (await desk.open("sink", "orders-to-kafka")).preview
    preview.samples.setCurrentIndex(preview.samples.findData("bills"))
    await desk.fresh(preview, preview.refresh)
    edit = {"op": "set_column_types", "table": TABLE, "columns": {"qty": "integer"}}
    await desk.fresh(preview, lambda: desk.window.session.apply(edit))
    await desk.act(lambda: preview.table.selectRow(0))
    view = preview.inspector.message
    await desk.until(lambda: view.types.get("qty"), "the types")
    assert view.types["qty"] == {"type": "int4", "origin": "project"}
