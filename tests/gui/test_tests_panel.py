"""The Tests panel: several tests at once, edited, run alone, reported, and run on every save."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PySide6.QtWidgets import QFileDialog, QMenu

from routestudio.ui.route_test_dialog import RouteTestDialog
from tests.gui.desk import Desk, in_qt


async def ran(desk: Desk, project: Path) -> Any:
    """The panel after a run of all tests."""
    await desk.start(project)
    await desk.trigger("run_tests")
    panel = desk.window.tests
    await desk.until(lambda: panel.results and panel.run_button.isEnabled(), "the tests")
    await desk.quiet()
    return panel


def items(panel: Any) -> list[Any]:
    """The items of tests, in order."""
    groups = [panel.list.topLevelItem(n) for n in range(panel.list.topLevelItemCount())]
    return [group.child(n) for group in groups for n in range(group.childCount())]


def select(panel: Any, *numbers: int) -> list[Any]:
    panel.list.clearSelection()
    found = [items(panel)[number] for number in numbers]
    panel.list.setCurrentItem(found[0])
    for item in found:
        item.setSelected(True)
    return found


@in_qt
async def test_selected_tests_run_alone_and_are_deleted_together(desk: Desk, project: Path) -> None:
    panel = await ran(desk, project)
    total = len(panel.results)
    select(panel, 0, 1)
    menu = QMenu()
    panel.edits.offer(menu)
    titles = [action.text() for action in menu.actions()]
    assert {"Run these 2 tests", "Delete 2 tests"} <= set(titles)
    heard: list[int] = []
    panel.finished.connect(lambda results: heard.append(len(results)))
    await desk.trigger("run_chosen_tests")
    await desk.until(lambda: heard, "the run of two tests")
    assert heard == [total]
    select(panel, 0, 1)
    await desk.act(panel.edits.delete)
    await desk.until(lambda: len(panel.results) == total - 2, "two tests less")
    await desk.quiet()
    await desk.act(desk.window.session.undo)
    await desk.quiet()
    await desk.trigger("run_tests")
    await desk.until(lambda: len(panel.results) == total, "the tests again")


@in_qt
async def test_a_test_is_edited_and_a_wrong_one_stays_in_the_dialog(
    desk: Desk, project: Path
) -> None:
    panel = await ran(desk, project)
    select(panel, 0)
    await desk.act(panel.edits.edit)
    await desk.until(lambda: panel.findChild(RouteTestDialog), "the dialog")
    dialog = panel.findChild(RouteTestDialog)
    body = dialog.new
    assert body is not None
    dialog.editor.setPlainText("{")
    assert not dialog.keep_button.isEnabled()
    dialog.editor.setPlainText('{"name": "nothing"}')
    await desk.act(dialog.keep_button.click)
    await desk.until(dialog.banner.isVisible, "the reason")
    assert "sink" in dialog.banner.text
    dialog.kept.emit({**body, "name": "another name"})
    await desk.until(
        lambda: "another name" in [result["name"] for result in panel.results], "the new name"
    )
    await desk.quiet()


@in_qt
async def test_a_report_is_exported_and_the_row_of_a_test_is_opened(
    desk: Desk, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await ran(desk, project)
    path = tmp_path / "report.xml"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    await desk.trigger("export_tests")
    await desk.until(path.is_file, "the report")
    suite = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert suite.attrib["tests"] == str(len(panel.results))
    places: list[tuple[str, str, int]] = []
    panel.edits.place_asked.connect(lambda *place: places.append(place))
    select(panel, 0)
    await desk.act(panel.edits.open_row)
    await desk.until(lambda: places, "the place")
    await desk.quiet()


@in_qt
async def test_a_save_runs_the_tests_where_that_is_wanted(desk: Desk, project: Path) -> None:
    await desk.start(project)
    panel = desk.window.tests
    switch = desk.window.action_table.qaction("tests_on_save")
    assert not switch.isChecked()
    await desk.trigger("save")
    await desk.quiet()
    assert panel.results == []
    await desk.trigger("tests_on_save")
    assert switch.isChecked()
    await desk.trigger("save")
    await desk.until(lambda: panel.results, "the tests of the save")
    await desk.quiet()


@in_qt
async def test_results_are_exported_by_actions(
    desk: Desk, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    for name in ("export_check", "export_run"):
        await desk.trigger(name)
        assert desk.notices[-1][0] == "info"
    await desk.open("sink", "orders-to-kafka")
    await desk.trigger("run")
    await desk.until(lambda: desk.window.run_panel.summary is not None, "the run")
    await desk.trigger("check")
    await desk.until(lambda: desk.window.check_panel.verdict.text() != "checking…", "the check")
    await desk.quiet()
    desk.window.run_panel.page.setCurrentWidget(desk.window.run_panel.page.destinations)
    await desk.quiet()
    for name in ("export_check", "export_run", "export_preview"):
        path = tmp_path / f"{name}.csv"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, p=path: (str(p), ""))
        await desk.trigger(name)
        await desk.until(path.is_file, name)
        assert len(path.read_text(encoding="utf-8").splitlines()) > 2, name
