"""Check and run on stand-ins from the window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routestudio.ui import dialogs
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("sink", ["orders-to-kafka", "customers-to-redis", "events-to-http"])
@in_qt
async def test_check_and_run_on_a_stand_in_to_the_end(desk: Desk, project: Path, sink: str) -> None:
    await desk.start(project)
    window = desk.window
    await desk.open("sink", sink)
    await desk.trigger("check")
    good = ("passed", "service ready, rows fail")  # the rows are counted behind the steps
    await desk.until(lambda: window.check_panel.verdict.text() in good, "the check")
    assert len(window.check_panel.steps) >= 2
    assert not window.check_panel.cancel_button.isVisible()
    await desk.trigger("run")
    await desk.until(lambda: window.run_panel.summary is not None, "the run")
    summary = window.run_panel.summary
    assert summary is not None
    assert summary.read == 84
    assert summary.delivered > 0
    assert summary.delivered + summary.filtered + summary.rejected == 84
    assert window.run_panel.counts["delivered"].text() == f"{summary.delivered}"
    await desk.until(lambda: window.arrived.tree.topLevelItemCount(), "what arrived")
    tree = window.arrived.tree
    arrived = sum(
        item.childCount()
        for i in range(tree.topLevelItemCount())
        if (item := tree.topLevelItem(i)) is not None
    )
    assert arrived >= 1
    assert window.arrived.body.toPlainText()
    assert desk.failures == []


@pytest.mark.slow
@in_qt
async def test_workers_are_chosen_and_remembered(desk: Desk, project: Path) -> None:
    many(project, 3_000)
    await desk.start(project)
    panel = desk.window.run_panel
    assert panel.workers.value() == 1
    await desk.open("sink", "orders-to-kafka")
    panel.workers.setValue(2)
    desk.window.session.remember_sample("orders-to-kafka", "many")
    desk.window.commands.run()
    await desk.until(lambda: panel.summary is not None, "the run")
    assert panel.summary is not None
    assert panel.run is not None
    assert (panel.run.workers, panel.summary.read) == (2, panel.run.total)
    assert panel.counts["delivered"].text() != "0"
    desk.window.session.workers = 1  # as after another project
    desk.window.session.workers_changed.connect(lambda: told.append(panel.workers.value()))
    told: list[int] = []
    desk.window.session.open(project)
    await desk.until(lambda: told, "what is remembered of the project")
    assert desk.window.session.workers == panel.workers.value() == 2
    assert desk.failures == []


def many(project: Path, count: int) -> None:
    row = {"action": "insert", "record": {"id": 0, "region": "EU"},
           "metadata": {"table_schema": "public", "table_name": "orders"}}  # fmt: skip
    with (project / "samples" / "many.jsonl").open("w") as file:
        for number in range(count):
            row["record"]["id"] = number  # type: ignore[index]
            file.write(json.dumps(row) + "\n")


@in_qt
async def test_a_run_is_cancelled(desk: Desk, project: Path) -> None:
    many(project, 60_000)
    await desk.start(project)
    panel = desk.window.run_panel
    await desk.open("sink", "orders-to-kafka")
    desk.window.commands.run()
    await desk.until(lambda: panel.counts["delivered"].text() != "0", "a first delivery")
    assert panel.cancel_button.isVisible()
    assert panel.running
    await desk.trigger("cancel")
    await desk.until(lambda: not panel.running, "the end")
    assert panel.verdict.text() == "cancelled"
    assert not panel.cancel_button.isVisible()
    before = panel.counts["delivered"].text()
    await desk.quiet(0.3)
    assert panel.counts["delivered"].text() == before
    assert panel.summary is None
    assert desk.failures == []
    desk.window.commands.run()
    await desk.until(lambda: panel.running and panel.counts["read"].text() != "0", "another run")
    await desk.trigger("cancel")


@in_qt
async def test_the_real_service_is_asked_about_first(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    asked: list[str] = []

    def no(_: object, title: str, text: str, *answers: str, danger: bool = False) -> bool:
        assert danger, "Enter must not send"
        asked.append(text)
        return False

    monkeypatch.setattr(dialogs, "ask", no)
    desk.window.where.button("real").click()
    await desk.trigger("run")
    assert asked == [
        'Send 84 messages from sample "shop" through orders-to-kafka to localhost:9092?'
    ]
    assert not desk.window.run_panel.running


@in_qt
async def test_a_killed_engine_ends_a_run_with_a_sentence(desk: Desk, project: Path) -> None:
    many(project, 60_000)
    await desk.start(project)
    panel = desk.window.run_panel
    desk.window.commands.run()
    await desk.until(lambda: panel.counts["delivered"].text() != "0", "a first delivery")
    desk.kill_engine()
    await desk.until(lambda: panel.verdict.text() == "failed", "the end")
    assert "engine" in panel.banner.text
    await desk.until(lambda: any("No edits were lost" in text for _, text in desk.notices), "again")


@in_qt
async def test_a_failing_check_says_what_to_do(desk: Desk, project: Path) -> None:
    await desk.start(project)
    session = desk.window.session
    session.set_value(["sinks", "customers-to-redis", "destination", "port"], 1)
    await desk.open("sink", "customers-to-redis")
    desk.window.where.button("real").click()
    await desk.trigger("check")
    panel = desk.window.check_panel
    await desk.until(lambda: panel.verdict.text() == "failed", "the check")
    failed = [step for step in panel.steps if step.status == "failed"]
    assert failed
    assert failed[0].hint
