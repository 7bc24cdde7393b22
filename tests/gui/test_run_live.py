"""The run panel while a delivery goes on: chart, destinations, retries, circuit, deliveries."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from routestudio.ui.panels import run_page
from routestudio.ui.panels.run_chart import KEPT, RunChart, nice, shown_count, shown_seconds
from tests.gui.desk import Desk, in_qt
from tests.gui.run_desk import at_run_project, column_of, run
from tests.gui.test_access import by_arrow, controls, described, reached_by_tab
from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.ports import LOOPBACK, free_port
from tests.support.run_project import messages_of

pytestmark = pytest.mark.gui


@in_qt
async def test_rate_chart_and_destinations_are_shown_while_it_runs(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_receiver.answer = lambda _: Reply(delay=0.1)
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, 1_000)
    await run(desk, monkeypatch)
    page = panel.page
    await desk.until(lambda: len(page.chart.points) >= 5 and panel.progress.value() > 20, "points")
    assert "%" in panel.time_left.text()
    assert "/s" in panel.time_left.text()
    assert "messages per second" in page.chart.accessibleDescription()
    assert "median" in page.chart.accessibleDescription()
    assert any(point.p50 and point.p50 >= 15 for point in page.chart.points)
    assert panel.progress.maximum() == 1_000
    assert page.counts["waiting"].text() != "0"
    page.setCurrentIndex(run_page.DESTINATIONS)
    await desk.until(lambda: column_of(page.destinations.model, "Destination"), "destinations")
    first = column_of(page.destinations.model, "Delivered")[0]
    await desk.until(
        lambda: column_of(page.destinations.model, "Delivered")[0] != first, "newer counts"
    )
    assert column_of(page.destinations.model, "Destination") == ["POST /eu"]
    assert page.tabText(run_page.DESTINATIONS) == "Destinations (1)"
    await desk.trigger("cancel")
    await desk.until(lambda: not panel.running, "the end")


@in_qt
async def test_a_busy_service_is_seen_in_the_retries(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = True

    def answer(request: Received) -> Reply:
        waits = busy and any(item["record"]["id"] % 5 == 0 for item in messages_of(request))
        return Reply(503) if waits else Reply()

    http_receiver.answer = answer
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, 20, attempts=6)
    await run(desk, monkeypatch)
    retries = panel.page.retries
    await desk.until(
        lambda: (
            (column_of(retries.model, "Attempt"), column_of(retries.model, "Messages"))
            == (["3 of 6"], ["4"])
        ),
        "all four before a third attempt",
    )
    assert column_of(retries.model, "Destination") == ["POST /eu"]
    assert "503" in column_of(retries.model, "Why")[0]
    assert column_of(retries.model, "Next try in")[0].endswith(" s")
    assert panel.page.tabText(run_page.RETRIES) == "Retries (4)"
    assert "4 waiting" in panel.time_left.text()
    assert panel.page.counts["retried"].text() == "8"
    assert "503" in str(panel.page.reasons.topLevelItem(0).text(0))
    busy = False
    await desk.until(lambda: panel.summary is not None, "the end")
    assert panel.summary is not None
    assert panel.summary.delivered == 20
    assert retries.model.rowCount() == 0
    assert panel.page.tabText(run_page.RETRIES) == "Retries"


@in_qt
async def test_a_service_that_is_down_is_seen_as_an_open_circuit(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://{LOOPBACK}:{free_port()}"
    panel = await at_run_project(desk, tmp_path / "p", url, 5, attempts=3)
    await run(desk, monkeypatch)
    circuit = panel.page.retries.circuit
    await desk.until(lambda: "failure 2 of 3" in circuit.text, "the second failure")
    assert "next try in" in circuit.text or "trying now" in circuit.text
    assert "service down" in panel.time_left.text()
    await desk.until(lambda: panel.verdict.text() == "failed", "the end")
    assert "3 times in a row" in panel.banner.text
    assert circuit.text == ""
    await desk.until(lambda: panel.resume_button.isVisible(), "what remains")
    assert "5 left" in panel.resume_button.text()


@in_qt
async def test_a_delivered_message_shows_its_routing(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_receiver.script(503)
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, 6)
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.summary is not None, "the end")
    page = panel.page
    page.setCurrentIndex(run_page.DELIVERED)
    view = page.delivered
    await desk.until(lambda: view.model.rowCount() == 6, "the deliveries")
    assert sorted(column_of(view.model, "Row")) == list("012345")
    assert sorted(column_of(view.model, "Tries")) == ["1"] * 5 + ["2"]
    assert all(text.endswith((" ms", " s")) for text in column_of(view.model, "Latency"))
    view.table.selectRow(0)
    await desk.until(lambda: "endpoint_path" in view.inspector.routing.toPlainText(), "routing")
    text = view.inspector.routing.toPlainText()
    assert "/eu" in text
    assert "function" in text
    row = view.model.row(0)
    assert row is not None
    assert f'"id": {row.index}' in view.inspector.message.toPlainText()


@in_qt
async def test_thousands_of_destinations_are_paged(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "p"
    panel = await at_run_project(desk, folder, http_receiver.url, 2_500)
    code = "def route(action, record, changes, metadata):\n" \
           "    return {'method': 'POST', 'endpoint_path': f'/{record[\"id\"]}'}\n"  # fmt: skip
    desk.window.session.apply({"op": "set_code", "name": "by-region", "code": code})
    await desk.quiet()
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.summary is not None, "the end", 60)
    page = panel.page
    page.setCurrentIndex(run_page.DESTINATIONS)
    model = page.destinations.model
    await desk.until(lambda: model.rowCount() == 2_500 and model.row(0), "destinations")
    assert page.tabText(run_page.DESTINATIONS) == "Destinations (2,500)"
    assert model.row(2_000) is None

    def far() -> object:
        # Again and again, as a person would: rows may still be coming in.
        page.destinations.table.scrollTo(model.index(2_000, 0))
        return model.row(2_000)

    await desk.until(far, "a far page")


def test_the_chart_keeps_the_whole_run_in_few_points(qapp: object) -> None:
    chart = RunChart()
    chart.resize(500, 200)
    assert chart.accessibleDescription() == ""
    for number in range(5_000):
        chart.add(number / 10, number, 5.0 if number % 7 else None, 9.0)
    assert len(chart.points) <= KEPT
    assert chart.points[0].second == 0
    assert chart.points[-1].second == 499.9
    chart.add(3.0, 1, 1, 1)
    assert chart.points[-1].second == 499.9
    assert "4,999 messages per second" in chart.accessibleDescription()
    image = chart.grab().toImage()
    colours = {image.pixel(x, y) for x in range(0, 500, 3) for y in range(0, 200, 3)}
    assert len(colours) > 5
    chart.clear()
    assert "Nothing" in chart.accessibleDescription()
    assert not chart.grab().isNull()


def test_axes_are_labelled_in_round_numbers() -> None:
    assert [nice(value) for value in (0, 0.3, 7, 10, 11, 34_000)] == [0, 0.5, 10, 10, 20, 50_000]
    assert [shown_count(v) for v in (0, 0.5, 950, 1_500, 34_000, 1.2e6)] == [
        "0", "0.5", "950", "1.5k", "34k", "1.2M"
    ]  # fmt: skip
    assert [shown_seconds(v) for v in (0, 0.4, 8, 125, 3_900)] == [
        "0 s", "0.4 s", "8 s", "2 min 5 s", "1 h 5 min"
    ]  # fmt: skip


@in_qt
async def test_every_control_of_the_panel_has_a_name_and_is_reached_by_tab(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = await at_run_project(desk, tmp_path / "p", http_receiver.url, 6, without=(1,))
    await run(desk, monkeypatch)
    await desk.until(lambda: panel.summary is not None, "the end")
    await desk.quiet()
    for tab in range(panel.page.count()):
        panel.page.setCurrentIndex(tab)
        await desk.quiet()
        found = controls(panel)
        assert found
        nameless = [
            described(widget)
            for widget in found
            if not widget.accessibleName() and not getattr(widget, "text", str)()
        ]
        assert nameless == []
        chain = reached_by_tab(desk.window)
        unreached = [
            described(widget)
            for widget in found
            if id(widget) not in chain
            or not (by_arrow(widget) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        ]
        assert unreached == []
