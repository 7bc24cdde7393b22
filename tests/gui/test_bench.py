"""The function workbench: views of a preview, explain, filters, route tests, outcome diff."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QApplication

from routestudio.ui.outcome_dialog import OutcomeDialog
from routestudio.ui.panels.preview import PreviewPanel
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def opened(desk: Desk, project: Path) -> PreviewPanel:
    """The demo's routing function, its preview fresh and row 1 selected."""
    await desk.start(project)
    await desk.open("function", "orders-by-region")
    document: Any = desk.window.document()
    preview: PreviewPanel = document.preview
    await desk.until(lambda: "rows in" in preview.state.text(), "the preview")
    await desk.until(lambda: preview.model.row(1), "rows")
    await desk.act(lambda: preview.table.selectRow(1))
    await desk.quiet()
    return preview


@in_qt
async def test_a_row_is_explained_and_a_line_leads_into_the_text(desk: Desk, project: Path) -> None:
    preview = await opened(desk, project)
    shown = preview.inspector.explain
    await desk.act(lambda: preview.inspector.tabs.setCurrentWidget(shown))
    await desk.until(lambda: "line 6" in shown.toPlainText(), "the explanation")
    assert 'if metadata.table_name == "order_items":' in shown.toPlainText()
    await desk.act(lambda: preview.table.selectRow(0))
    await desk.until(lambda: "line 10" in shown.toPlainText(), "that of another row")
    assert "line 6" not in shown.toPlainText()
    await desk.act(lambda: shown.anchorClicked.emit(QUrl("#6:26")))
    document: Any = desk.window.document()
    assert document.editor.textCursor().blockNumber() == 5


@in_qt
async def test_destinations_are_counted_and_lead_to_their_rows(desk: Desk, project: Path) -> None:
    preview = await opened(desk, project)
    await desk.trigger("view_destinations")
    tree = preview.destinations.tree
    await desk.until(lambda: tree.topLevelItemCount() == 4, "the destinations")
    first = tree.topLevelItem(0)
    assert first is not None
    assert (first.text(0), first.text(1)) == ("orders.items", "28")
    assert not preview.bar.filter.isEnabled()
    await desk.act(lambda: tree.itemActivated.emit(first, 0))
    await desk.until(lambda: preview.model.rowCount() == 28, "its rows")
    assert preview.bar.filter.currentText() == "To orders.items"
    await desk.until(lambda: preview.model.row(0), "a row")
    row = preview.model.row(0)
    assert row is not None
    assert row["index"] == 1


@in_qt
async def test_rows_are_filtered_also_after_the_next_key(desk: Desk, project: Path) -> None:
    preview = await opened(desk, project)
    box = preview.bar.filter
    await desk.act(lambda: box.setCurrentIndex(box.findText("Filtered")))
    await desk.act(preview.bar.filter_chosen.emit)
    await desk.until(lambda: preview.model.rowCount() == 21, "filtered rows")
    document: Any = desk.window.document()
    await desk.act(lambda: document.editor.insert_at_cursor("\n"))
    await desk.quiet()
    await desk.until(lambda: preview.model.rowCount() == 21, "filtered rows again")


def on_disk(file: Path) -> bool:
    return file.exists()


async def saved_tests(desk: Desk, project: Path) -> Path:
    """A pinned test is an edit: it is on the disk when the project is saved, and not before."""
    file = project / "tests" / "orders-to-kafka.yaml"
    session = desk.window.session
    name = "tests/orders-to-kafka.yaml"
    await desk.until(lambda: name in session.snapshot["dirty"], "the edit")
    assert not on_disk(file)
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    return file


@in_qt
async def test_variants_of_a_row_are_kept_as_samples_and_pinned(desk: Desk, project: Path) -> None:
    preview = await opened(desk, project)
    await desk.trigger("view_variants")
    view = preview.variants
    await desk.until(lambda: view.list.topLevelItemCount() > 8, "the variants")
    names = [entry["key"] for entry in view.entries]
    bare = view.list.topLevelItem(names.index("delete_keys"))
    assert bare is not None
    assert not view.add_button.isEnabled()
    await desk.act(lambda: bare.setCheckState(0, Qt.CheckState.Checked))
    assert view.add_button.isEnabled()
    for count in (1, 2):
        await desk.act(view.add_button.click)
        await desk.until(
            lambda n=count: (
                {"variants": n}.items()
                <= {s["name"]: s["rows"] for s in desk.window.session.samples()}.items()
            ),
            "the sample set",
        )
    await desk.trigger("view_variants")
    await desk.until(lambda: view.pin_button.isEnabled(), "the variants again")
    await desk.act(view.pin_button.click)
    file = await saved_tests(desk, project)
    assert "action: delete" in file.read_text()


@in_qt
async def test_a_row_is_pinned_run_broken_and_accepted(desk: Desk, project: Path) -> None:
    await opened(desk, project)
    panel = desk.window.tests
    await desk.trigger("pin_test")
    file = await saved_tests(desk, project)
    await desk.trigger("run_tests")
    await desk.until(lambda: len(panel.results) == 5, "the tests")
    assert all(item["ok"] for item in panel.results)
    document: Any = desk.window.document()
    code = document.editor.toPlainText().replace('"orders.items"', '"orders.lines"')
    await desk.act(lambda: document.editor.selectAll())
    await desk.act(lambda: document.editor.insert_at_cursor(code))
    await desk.trigger("run_tests")
    await desk.until(lambda: panel.failed.isVisible(), "a failure")
    assert "orders.lines" in panel.detail.toPlainText()
    await desk.act(panel.accept_button.click)
    await desk.until(lambda: all(item["ok"] for item in panel.results), "the new outcome")
    await desk.trigger("save")
    await desk.until(lambda: not desk.window.session.dirty, "the save")
    assert "orders.lines" in file.read_text()


@in_qt
async def test_branches_that_no_test_takes_lead_into_the_function(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    await desk.trigger("run_tests")
    panel = desk.window.tests
    await desk.until(lambda: panel.reached.text(), "the coverage")
    await desk.act(lambda: panel.list.setCurrentItem(panel.list.topLevelItem(0)))  # type: ignore[arg-type]
    assert "orders-by-region" in panel.detail.toPlainText()
    await desk.act(lambda: panel.detail.anchorClicked.emit(QUrl("orders-by-region#4")))
    document: Any = desk.window.document()
    assert document.name == "orders-by-region"
    assert document.editor.textCursor().blockNumber() == 3


@in_qt
async def test_an_edit_is_compared_with_the_saved_project(desk: Desk, project: Path) -> None:
    await opened(desk, project)

    def dialogs() -> list[OutcomeDialog]:
        widgets = QApplication.topLevelWidgets()
        return [w for w in widgets if isinstance(w, OutcomeDialog) and w.isVisible()]

    document: Any = desk.window.document()
    code = document.editor.toPlainText().replace('"orders.items"', '"orders.lines"')
    await desk.act(lambda: document.editor.selectAll())
    await desk.act(lambda: document.editor.insert_at_cursor(code))
    await desk.quiet()
    await desk.trigger("compare")
    await desk.until(dialogs, "the dialog")
    dialog = dialogs()[0]
    move = dialog.moves.topLevelItem(0)
    assert move is not None
    assert [move.text(n) for n in range(3)] == ["orders.items", "orders.lines", "28"]
    assert dialog.rows.topLevelItemCount() == 28
    await desk.act(dialog.accept)
    await desk.until(lambda: not dialogs(), "its end")
