"""Runs that did not come to their end, and runs of the past, in the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gui.desk import Desk, in_qt
from tests.gui.run_desk import at_run_project, column_of, run, tree_texts
from tests.support.http_server import HttpReceiver, Reply
from tests.support.run_project import ids_of

pytestmark = pytest.mark.gui

COUNT = 1_500


@in_qt
async def test_a_cancelled_run_is_resumed(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_receiver.answer = lambda _: Reply(delay=0.1)
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, COUNT)
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.progress.value() > 50, "a first delivery")
    await desk.trigger("cancel")
    await desk.until(lambda: not panel.running, "the end")
    assert panel.verdict.text() == "cancelled"
    assert panel.run is not None
    left = panel.run.left
    assert 0 < left < COUNT
    assert f"{left:,} of {COUNT:,} messages remain" in panel.banner.text
    assert panel.resume_button.text() == f"Resume ({left:,} left)"
    await desk.until(lambda: f"({left:,})" in tree_texts(desk, "run")[0], "the tree")
    points = len(panel.page.chart.points)
    http_receiver.answer = None
    await desk.trigger("resume_run")
    await desk.until(lambda: panel.summary is not None, "the rest")
    assert panel.summary is not None
    assert panel.summary.delivered == COUNT
    assert len(panel.page.chart.points) >= points
    assert not panel.resume_button.isVisible()
    assert not desk.window.action_table.qaction("resume_run").isEnabled()
    ids = ids_of(http_receiver.requests)
    assert set(ids) == set(range(COUNT))
    assert len(ids) - COUNT <= 32, "more than what was in flight was sent twice"
    assert len(tree_texts(desk, "run")) == 1
    page = panel.page
    page.setCurrentIndex(1)
    await desk.until(lambda: column_of(page.destinations.model, "Delivered") == ["1,500"], "both")


@in_qt
async def test_a_run_whose_engine_was_killed_is_resumed(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_receiver.answer = lambda _: Reply(delay=0.1)
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, COUNT)
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.progress.value() > 100, "a first delivery")
    desk.kill_engine()
    await desk.until(lambda: panel.verdict.text() == "failed", "the loss")
    assert "can be resumed" in panel.banner.text
    await desk.until(lambda: panel.resume_button.isVisible(), "the engine again")
    assert panel.verdict.text() == "interrupted"
    http_receiver.answer = None
    await desk.act(panel.resume_button.click)
    await desk.until(lambda: panel.summary is not None, "the rest")
    assert set(ids_of(http_receiver.requests)) == set(range(COUNT))


@in_qt
async def test_past_runs_are_opened_from_the_tree(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, 12, without=(2,))
    for _ in range(2):
        await run(desk, monkeypatch)
        await desk.until(lambda: panel.summary is not None, "the end")
        await desk.quiet()
    assert len(tree_texts(desk, "run")) == 2
    assert panel.run is not None
    number = panel.run.id
    # As if the window had been started anew.
    desk.window.session.open(tmp_path / "p")
    await desk.until(lambda: panel.run is None, "another project")
    await desk.quiet()
    window = desk.window
    await desk.act(lambda: window.tree.open_asked.emit("run", number))
    await desk.until(lambda: panel.run is not None and panel.run.id == number, "the run")
    await desk.until(lambda: panel.page.letters.open == 1, "its letters")
    assert panel.verdict.text() == "1 rejected"
    assert panel.page.counts["delivered"].text() == "11"
    assert panel.summary is None
    assert not panel.resume_button.isVisible()
    assert window.action_table.qaction("retry_letters").isEnabled()


@in_qt
async def test_a_run_is_not_resumed_when_its_messages_changed(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_receiver.answer = lambda _: Reply(delay=0.1)
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, COUNT)
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.progress.value() > 10, "a first delivery")
    await desk.trigger("cancel")
    await desk.until(lambda: not panel.running, "the end")
    file = tmp_path / "p/samples/rows.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[1:]))
    await desk.trigger("resume_run")
    await desk.until(lambda: panel.verdict.text() == "failed", "the refusal")
    assert "have changed since this run" in panel.banner.text
    assert "from the start" in panel.banner.text
