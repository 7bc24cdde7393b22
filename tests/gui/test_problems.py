"""The Problems panel names hazards and leads to their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QUrl

from routestudio.ui.panels.problems import hinted
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


def rows(desk: Desk) -> list[Any]:
    tree = desk.window.problems.tree
    return [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]


def by_hazard(desk: Desk, code: str) -> list[Any]:
    return [item for item in rows(desk) if item.text(3) == code]


@in_qt
async def test_hazards_appear_after_a_moment_with_their_title(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.until(lambda: by_hazard(desk, "GEN-02"), "the lint")
    item = by_hazard(desk, "GEN-02")[0]
    assert "orders.unknown" in item.text(0)
    assert item.text(1) == "functions/orders_by_region.py:3"
    assert "REPLICA IDENTITY FULL" in item.text(2)
    for number in range(4):
        assert "Deletes that carry the key only" in item.toolTip(number)
        assert "GEN-02" in item.toolTip(number)
    problems = desk.window.problems
    assert desk.window.panels.tabText(0) == f"Problems ({problems.count})"


@in_qt
async def test_a_hazard_opens_its_function_its_row_and_its_sink(desk: Desk, project: Path) -> None:
    file = project / "sequin.yaml"
    file.write_text(file.read_text().replace("      compression: none\n", ""))
    await desk.start(project)
    await desk.until(lambda: by_hazard(desk, "YML-07"), "the lint")
    window = desk.window
    window.problems._open(by_hazard(desk, "GEN-02")[0])
    await desk.quiet()
    document: Any = window.document()
    assert (document.kind, document.name) == ("function", "orders-by-region")
    assert document.editor.textCursor().blockNumber() == 2
    window.problems._open(by_hazard(desk, "GEN-13")[0])
    document = window.document()
    assert (document.kind, document.name) == ("sample", "awkward")
    await desk.until(lambda: document.editor.textCursor().blockNumber() == 7, "line 8")
    window.problems._open(by_hazard(desk, "GEN-13")[0])
    assert document.editor.textCursor().blockNumber() == 7
    window.problems._open(by_hazard(desk, "YML-07")[0])
    document = window.document()
    assert (document.kind, document.name) == ("sink", "orders-to-kafka")


@in_qt
async def test_a_problem_is_listed_once_and_goes_when_it_is_solved(
    desk: Desk, project: Path
) -> None:
    file = project / "sequin.yaml"
    file.write_text(file.read_text().replace("    batch_size: 200\n", "    ack_wait_ms: 5\n")
                    .replace("      hosts:", "      hsts: a:1\n      hosts:"))  # fmt: skip
    await desk.start(project)
    await desk.until(lambda: by_hazard(desk, "YML-04"), "the lint")
    assert len([item for item in rows(desk) if "hsts" in item.text(0)]) == 1
    assert len([item for item in rows(desk) if "ack_wait_ms" in item.text(0)]) == 1
    assert by_hazard(desk, "YML-05")
    assert by_hazard(desk, "GEN-26")
    desk.window.session.set_value(["sinks", "orders-to-kafka", "batch_size"], 100)
    await desk.until(lambda: not by_hazard(desk, "GEN-26"), "the hazard to go away")
    assert by_hazard(desk, "YML-05")


@in_qt
async def test_what_a_hint_says_to_write_is_written_by_a_link(desk: Desk, project: Path) -> None:
    file = project / "sequin.yaml"
    file.write_text(file.read_text().replace("      compression: none\n", ""))
    await desk.start(project)
    await desk.until(lambda: by_hazard(desk, "YML-07"), "the lint")
    window, panel = desk.window, desk.window.problems
    window.open_bottom(panel)
    await desk.act(lambda: panel.tree.setCurrentItem(by_hazard(desk, "YML-07")[0]))
    assert "Write compression: none" in panel.detail.toPlainText()
    await desk.act(lambda: panel.detail.anchorClicked.emit(QUrl("#yaml")))
    document: Any = window.document()
    assert document.kind == "yaml"
    await desk.until(
        lambda: "destination:" in document.editor.textCursor().block().text(), "the place"
    )
    await desk.act(lambda: panel.detail.anchorClicked.emit(QUrl("#write:0")))
    await desk.until(lambda: "compression: none" in document.editor.toPlainText(), "the key")
    await desk.until(lambda: not by_hazard(desk, "YML-07"), "the lint")
    destination = (window.session.sink("orders-to-kafka") or {})["destination"]
    assert destination["compression"] == "none"


@pytest.mark.parametrize(
    ("hint", "found"),
    [
        ("write `batch_size: 100`", [("batch_size", 100)]),
        ("write `batch: true` or `batch: false`", [("batch", True), ("batch", False)]),
        ("write `enrichment: none`", [("enrichment", "none")]),
        ("write `- name`, or remove it", []),
        ("write `batch_size` under `destination`", []),
        ("remove `port: 1`", []),
        ("write `Name: some value`", []),
    ],
)
def test_keys_of_hints(hint: str, found: list[tuple[str, Any]]) -> None:
    assert hinted(hint) == found


@in_qt
async def test_at_the_right_the_detail_is_below_the_list(desk: Desk, project: Path) -> None:
    await desk.start(project)
    window, panel = desk.window, desk.window.problems
    window.resize(1280, 800)
    await desk.until(lambda: by_hazard(desk, "GEN-02"), "the lint")
    window.open_bottom(panel)
    await desk.quiet()

    def below() -> bool:
        return panel.detail.mapTo(panel, QPoint()).y() >= panel.tree.height()

    assert not below()
    await desk.trigger("turn_panel")
    await desk.until(below, "one below the other")
    assert panel.detail.width() > 400
    assert panel.tree.width() > 400
    await desk.trigger("turn_panel")
    await desk.until(lambda: not below(), "one beside the other")
