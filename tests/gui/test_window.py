"""The window with a real engine on the demo project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from routestudio.ui.actions import TABLE
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


def tree_rows(desk: Desk) -> dict[str, list[str]]:
    tree = desk.window.tree.tree
    groups = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return {
        group.text(0): [
            group.child(i).data(0, Qt.ItemDataRole.UserRole)[1] for i in range(group.childCount())
        ]
        for group in groups
        if group is not None
    }


@in_qt
async def test_the_demo_opens_with_tree_panels_and_a_live_preview(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    assert tree_rows(desk) == {
        "Sinks": ["orders-to-kafka", "customers-to-redis", "events-to-http"],
        "Functions": ["orders-by-region", "rest-path", "only-customers"],
        "Samples": ["awkward", "shop"],
        "Databases": ["shop"],
        "HTTP endpoints": ["shop-api"],
        "Runs": [],
        "sequin.yaml": [],
    }
    document: Any = desk.window.document()
    assert document is not None
    assert (document.kind, document.name) == ("sink", "orders-to-kafka")
    hosts = document.config.rows["hosts"].editor.value()
    assert hosts == "${SHOP_KAFKA_HOSTS:-localhost:9092}"
    assert document.function_form.isVisible()
    assert not document.static_form.isVisible()
    preview = document.preview
    await desk.until(lambda: "rows in" in preview.state.text(), "the preview")
    await desk.until(lambda: (row := preview.model.row(0)) and row["routing"], "rows")
    assert preview.model.rowCount() == 84
    row = preview.model.row(0)
    assert row["routing"]["topic"] == "orders.eu"
    assert row["provenance"]["topic"] == "function"
    await desk.until(lambda: "time used" in preview.inspector.routing.toPlainText(), "inspector")
    shown = preview.inspector.routing.toPlainText()
    assert "orders.eu" in shown
    assert "bytes, under 1% of 1,048,588" in shown
    assert "(Java client), of 6" in shown
    assert "shop" in desk.window.windowTitle()
    assert desk.failures == []


@in_qt
async def test_every_document_of_the_demo_opens_and_closes(desk: Desk, project: Path) -> None:
    await desk.start(project)
    kinds = {"Sinks": "sink", "Functions": "function", "Samples": "sample"}
    names = [(kinds[g], n) for g, rows in tree_rows(desk).items() if g in kinds for n in rows]
    assert len(names) == 8
    for kind, name in names:
        await desk.open(kind, name)
    await desk.quiet()
    assert desk.window.tabs.count() == 8
    await desk.trigger("next_document")
    await desk.trigger("previous_document")
    for _ in names:
        await desk.trigger("close_document")
    assert desk.window.tabs.count() == 0
    assert desk.window.center.currentWidget() is desk.window.welcome
    assert desk.failures == []


@in_qt
async def test_every_action_has_one_handler(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []
    table = desk.window.action_table
    monkeypatch.setattr(table, "on", lambda name, handler: connected.append(name))
    desk.window.commands.connect_all()
    assert sorted(connected) == sorted(row.id for row in TABLE)


def test_no_shortcut_is_used_twice() -> None:
    shortcuts = [row.shortcut for row in TABLE if row.shortcut]
    assert len(shortcuts) == len(set(shortcuts))
    assert len({row.id for row in TABLE}) == len(TABLE)


@in_qt
async def test_without_a_project_only_what_works_is_offered(desk: Desk) -> None:
    offered = {row.id for row in desk.window.action_table.available()}
    assert {"new_project", "open_project", "open_demo", "palette", "quit"} <= offered
    assert not {"save", "export", "check", "run", "undo", "rename"} & offered
    assert not desk.window.run_button.isEnabled()
    assert desk.window.welcome.isVisible()


@in_qt
async def test_light_and_dark_repaint_everything(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.open("function", "orders-by-region")
    window = desk.window
    pictures = []
    for _ in range(2):
        await desk.trigger("toggle_theme")
        for panel in (window.problems, window.run_panel, window.check_panel, window.arrived,
                      window.log):  # fmt: skip
            window.open_bottom(panel)
            window.repaint()
        pictures.append(window.grab().toImage())
    assert pictures[0] != pictures[1]
    middle = [p.pixelColor(p.width() // 2, 20).lightness() for p in pictures]
    assert min(middle) < 80 < 170 < max(middle)
    assert desk.failures == []


@in_qt
async def test_problems_are_listed_and_lead_to_their_place(desk: Desk, project: Path) -> None:
    file = project / "sequin.yaml"
    text = file.read_text()
    file.write_text(text.replace("      compression: none\n", "      compression: zip\n"))
    await desk.start(project)
    window = desk.window
    assert window.problems.count >= 1
    item = window.problems.tree.topLevelItem(0)
    assert item is not None
    assert "compression" in item.text(0)
    assert window.panels.tabText(0) == f"Problems ({window.problems.count})"
    await desk.open("sink", "events-to-http")
    await desk.quiet(1.0)  # lint lists the problems anew
    rows = map(window.problems.tree.topLevelItem, range(window.problems.count))
    item = next(row for row in rows if row is not None and "compression" in row.text(0))
    window.problems._open(item)
    document = window.document()
    assert document is not None
    assert document.name == "orders-to-kafka"
    assert document.config.rows["compression"].error.text()  # type: ignore[attr-defined]
    window.session.set_value(["sinks", "orders-to-kafka", "destination", "compression"], "none")
    shown = window.problems.tree.topLevelItem
    await desk.until(
        lambda: not any("compression" in shown(n).text(0) for n in range(window.problems.count)),
        "the problem to go away",
    )
    count = window.problems.count  # what lint knows of the demo may have come by now
    assert window.panels.tabText(0) == (f"Problems ({count})" if count else "Problems")


@in_qt
async def test_a_problem_of_a_function_file_leads_to_its_line(desk: Desk, project: Path) -> None:
    await desk.start(project)
    desk.window.commands.places.problem("file", "functions/rest_path.py", 3)
    document: Any = desk.window.document()
    assert document is not None
    assert document.name == "rest-path"
    assert document.editor.textCursor().blockNumber() == 2


@in_qt
async def test_the_bottom_panel_folds(desk: Desk) -> None:
    window = desk.window
    window.open_bottom(window.log)
    assert window.vertical.sizes()[1] >= 120
    window.place.toggle()
    assert window.vertical.sizes()[1] < 120
    await desk.trigger("show_log")
    assert window.panels.currentWidget() is window.log
    assert window.vertical.sizes()[1] >= 120


@in_qt
async def test_route_tests_run_from_the_window(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.trigger("run_tests")
    panel = desk.window.tests
    await desk.until(lambda: panel.passed.text() == "4 passed", "the tests")
    assert panel.isVisible()
    file = project / "tests" / "orders.yaml"
    file.write_text(file.read_text().replace("topic: orders.eu", "topic: orders.us"))
    await desk.trigger("run_tests")
    await desk.until(lambda: panel.failed.text() == "1 failed", "a failed test")
    assert panel.passed.text() == "3 passed"
    assert "orders.us" in panel.detail.toPlainText()


@in_qt
async def test_messages_that_are_dropped_become_samples(
    desk: Desk, project: Path, tmp_path: Path
) -> None:
    await desk.start(project)
    file = tmp_path / "more rows.jsonl"
    file.write_text('{"action": "insert", "record": {"id": 5}, "metadata": {"table_name": "x"}}\n')
    await desk.act(lambda: desk.window.commands.project.drop(file))
    await desk.until(lambda: "more-rows" in tree_rows(desk)["Samples"], "the samples")
    binary = tmp_path / "picture.png"
    binary.write_bytes(b"\x89PNG\xff\xfe")
    await desk.act(lambda: desk.window.commands.project.drop(binary))
    await desk.until(lambda: any("looks like a picture" in text for _, text in desk.notices))


@in_qt
async def test_a_broken_project_is_refused_with_a_sentence(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "sequin.yaml").write_text("sinks: [}\n")
    await desk.start()
    desk.window.session.open(tmp_path)
    await desk.until(lambda: desk.failures, "a refusal")
    title, text = desk.failures[0]
    assert title.startswith("Open")
    assert "sequin.yaml" in text
    assert "Traceback" not in text
    assert not desk.window.session.is_open
    assert desk.window.toast.text == text


@in_qt
async def test_what_is_clicked_in_the_tree_opens(desk: Desk, project: Path) -> None:
    await desk.start(project)
    tree = desk.window.tree.tree
    item = tree.findItems("rest-path", Qt.MatchFlag.MatchRecursive)[0]
    place = tree.visualItemRect(item).center()
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    document: Any = desk.window.document()
    assert document is not None
    assert (document.kind, document.name) == ("function", "rest-path")


@in_qt
async def test_the_panel_has_room_in_every_window(desk: Desk, project: Path) -> None:
    """Too low a window for both shows it in place of the documents, a narrow one never at right."""
    await desk.start(project)
    window = desk.window
    await desk.open("sink", "orders-to-kafka")
    window.resize(853, 533)
    await desk.quiet()
    window.open_bottom(window.log)
    await desk.until(lambda: window.center.isHidden() and window.bottom.height() > 300, "room")
    await desk.open("sink", "customers-to-redis")
    assert window.center.isVisible()
    window.open_bottom(window.log)
    await desk.until(window.center.isHidden, "the panel in its place")
    await desk.trigger("focus_document")
    assert window.center.isVisible()
    assert window.tabs.hasFocus()
    window.resize(1280, 800)
    await desk.quiet()
    await desk.trigger("turn_panel")
    await desk.until(lambda: window.place.at_right and window.bottom.width() >= 440, "the right")
    window.resize(1000, 640)
    await desk.until(lambda: not window.place.at_right, "below, while there is little room")
    window.resize(1280, 800)
    await desk.until(lambda: window.place.at_right, "the right again")
    await desk.trigger("maximise_panel")
    assert window.center.isHidden()
    await desk.trigger("maximise_panel")
    assert window.center.isVisible()
