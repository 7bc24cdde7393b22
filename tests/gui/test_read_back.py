"""Run → Read back: what a service holds is compared with the preview, in What arrived."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from routestudio.api.reading import (
    ReadAnswer,
    ReadBack,
    ReadChange,
    ReadingSide,
    ReadPlace,
    ReadRow,
    RecordSide,
)
from routestudio.api.sources import Source
from routestudio.sinks._shared.redis.standin import RedisStandin
from routestudio.sinks.base import StandinAddress
from routestudio.ui.panels.read_back import detail_of, summary
from routestudio.ui.read_back_dialog import ReadBackDialog, Wanted
from routestudio.ui.widgets.dialog import Question
from tests.gui.desk import Desk, in_qt
from tests.gui.test_dialogs import in_dialog

pytestmark = pytest.mark.gui

SINK = "customers-to-redis"


@asynccontextmanager
async def service(project: Path) -> AsyncIterator[StandinAddress]:
    """A service on loopback, which the sink delivers to as to a real one."""
    server = RedisStandin()
    address = await server.start()
    file = project / "sequin.yaml"
    file.write_text(file.read_text().replace("port: 6379", f"port: {address.port}"))
    try:
        yield address
    finally:
        await server.stop()


async def run_for_real(desk: Desk) -> None:
    """Deliver the samples to the service."""
    await desk.open("sink", SINK)
    desk.window.bar.choose_target("real")
    panel = desk.window.run_panel
    samples = {item["name"]: item["rows"] for item in desk.window.session.samples()}
    await desk.act(lambda: panel.start(SINK, "shop", samples["shop"], standin=False, confirmed=""))
    await desk.until(lambda: getattr(panel.run, "status", "") == "done", "the run")


async def read(desk: Desk, **fields: str) -> list[ReadRow]:
    """Trigger the action, answer its dialog, and wait for the result."""
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        assert isinstance(dialog, ReadBackDialog)
        asked.append(dialog.windowTitle())
        dialog.sample.setCurrentIndex(dialog.sample.findData("shop"))
        for name, text in fields.items():
            getattr(dialog, name).setText(text)
        dialog.try_accept()

    in_dialog(answer)
    await desk.trigger("read_back")
    await desk.until(lambda: asked, "the dialog")
    return await result(desk)


async def result(desk: Desk) -> list[ReadRow]:
    held = desk.window.arrived.held
    await desk.until(lambda: "previewed" in held.banner.text, "what is held")
    rows = (held.model.row(number) for number in range(held.model.rowCount()))
    return [row for row in rows if row is not None]


def command(address: StandinAddress, *words: str) -> Any:
    import redis

    with redis.Redis(port=address.port) as client:
        return client.execute_command(*words)


@in_qt
async def test_what_the_service_holds_is_compared(desk: Desk, project: Path) -> None:
    import asyncio

    async with service(project) as address:
        await desk.start(project)
        await run_for_real(desk)
        place = f"localhost:{address.port}"
        hint = f"Run → Read back compares what {place} holds with the preview."
        assert ("info", hint) in desk.notices
        arrived = desk.window.arrived
        assert place in arrived._empty.title.text()
        rows = await read(desk)
        assert {row.verdict for row in rows} <= {"equal", "replaced"}
        assert f"What {place} holds of {SINK}" in arrived.title.toolTip()
        assert arrived.held.banner.property("banner") == "success"
        key = next(row.key for row in rows if row.verdict == "equal")
        body = json.loads((await asyncio.to_thread(command, address, "GET", key)).decode())
        body["record"]["name"] = "Somebody <b>else</b>"
        await asyncio.to_thread(command, address, "SET", key, json.dumps(body))
        arrived.held.wait("again")
        await desk.act(arrived.refresh)
        first, *_ = await result(desk)
        assert (first.verdict, first.parts, first.key) == ("different", ("body",), key)
        assert arrived.held.banner.property("banner") == "error"
        text = arrived.held.detail.toPlainText()
        assert "record.name" in text
        assert "Somebody <b>else</b>" in text
        # The other target shows its own, and the result is gone with another project.
        desk.window.bar.choose_target("standin")
        await desk.trigger("show_arrived")
        assert arrived.held.model.rowCount() == 0


@in_qt
async def test_a_service_that_is_away_or_cannot_be_read_is_explained(
    desk: Desk, project: Path
) -> None:
    async with service(project):
        pass
    await desk.start(project)
    await desk.open("sink", SINK)
    in_dialog(lambda dialog: dialog.try_accept())  # type: ignore[attr-defined]
    await desk.trigger("read_back")
    held = desk.window.arrived.held
    await desk.until(lambda: "cannot be read" in held.banner.text, "the failure")
    await desk.open("sink", "events-to-http")
    await desk.trigger("read_back")
    empty = desk.window.arrived._empty
    await desk.until(lambda: "cannot be read back" in empty.title.text(), "the reason")
    assert "deliver to the stand-in" in empty.text.text()


@in_qt
async def test_a_trace_is_asked_about_first(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    arrived = desk.window.arrived
    sent: list[bool] = []

    async def read_back(sink: str, source: Source, *, agreed: bool, **_: Any) -> ReadAnswer:
        sent.append(agreed)
        return ReadAnswer(ask="the queue hides its messages")

    monkeypatch.setattr(
        desk.window.session, "api", SimpleNamespace(reading=SimpleNamespace(read_back=read_back))
    )
    texts: list[str] = []

    def refuse(dialog: Any) -> None:
        assert isinstance(dialog, Question)
        texts.append(dialog.windowTitle())

    in_dialog(refuse)
    await desk.act(
        lambda: arrived.read_back("q", ReadingSide("sqs"), Wanted(Source(sample="shop")))
    )
    await desk.until(lambda: texts, "the question")
    await desk.until(lambda: arrived.held.banner.text == "Nothing was read.", "the end")
    assert sent == [False]


def test_the_dialog_takes_what_can_be_read(qtbot: Any) -> None:
    side = ReadingSide("rabbit:5672", "staging", True, how="x", names="queue")
    dialog = ReadBackDialog(None, "out", side, ["a", "b"], "b")
    qtbot.addWidget(dialog)
    assert dialog.windowTitle() == "Read back from rabbit:5672 (staging)"
    dialog.try_accept()
    assert dialog.error.text() == "Name the queue."
    dialog.destination.setText(" orders ")
    for text in ("0", "x", "-1", "10001", "²"):
        dialog.records.setText(text)
        dialog.try_accept()
        assert "number of records" in dialog.error.text()
    dialog.records.setText("20")
    dialog.try_accept()
    assert dialog.wanted == Wanted(Source(sample="b"), "orders", 20)


def test_the_result_is_in_sentences() -> None:
    counts = {"equal": 3, "repeated": 1, "different": 1, "replaced": 2, "missing": 1, "unread": 4,
              "other": 5}  # fmt: skip
    found = ReadBack(
        counts, destinations=[ReadPlace("q", 10)], previewed=12, failed=1, uncompared=1,
        cut=10_000, more_destinations=2, notes=("a queue gives its oldest messages first",),
    )  # fmt: skip
    assert summary(found) == (
        "10 records read, 12 previewed: 4 as previewed, 1 different, 1 missing. 5 are not from "
        "this preview. 2 were replaced by a later record of the preview. 4 may be beyond what was "
        "read: read more records. 1 row failed in the preview. 1 edit cannot be compared. Only the "
        "first 10,000 rows were previewed. 2 destinations more were not read. A queue gives its "
        "oldest messages first."
    )


def test_details_escape_what_a_service_gives() -> None:
    side = RecordSide("<d>", "<k>", {"<h>": "<v>"}, "<b>x</b>", cut=True, size=99)
    row = ReadRow(
        "different", "not as previewed", parts=("body",), changes=[ReadChange("<d>", None, "<f>")],
        expected=replace(side, body=None), found=side,
    )  # fmt: skip
    text = detail_of(row)
    assert not re.search(r"<(d|k|h|v|f|b)>", text)
    assert "nothing is held" in text
