"""Tables whose rows the engine has: answers that fail, come late or come from an older engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QTableView

from routestudio.errors import RouteStudioError
from routestudio.ui.documents.sample_model import PagedModel
from routestudio.ui.panels.preview_model import PreviewModel
from routestudio.ui.panels.run_tables import Column, RowsModel
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

ROWS = 350


def samples(project: Path, rows: int = ROWS) -> Path:
    path = project / "samples" / "many.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            message = {
                "action": "insert",
                "record": {"id": number},
                "changes": None,
                "metadata": {"table_schema": "public", "table_name": "orders"},
            }
            file.write(json.dumps(message) + "\n")
    return path


async def previewed(desk: Desk, project: Path) -> Any:
    """The preview of a sink over more rows than a page has."""
    samples(project)
    await desk.start(project)
    desk.window.session.remember_sample("events-to-http", "many")
    document = await desk.open("sink", "events-to-http")
    preview = document.preview
    await desk.until(lambda: preview.model.rowCount() == ROWS, "the rows")
    await desk.until(lambda: preview.model.row(0) is not None, "the first page")
    await desk.quiet()
    return preview


def shown(preview: Any, row: int) -> str:
    preview.table.scrollTo(preview.model.index(row, 0))
    return str(preview.model.index(row, 1).data())


class Engine:
    """Holds answers to some requests back, or refuses them."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ask = desk.engine.request
        self.held: list[str] = []
        self.go = asyncio.Event()
        self.refuse: Callable[[str, dict[str, Any]], bool] = lambda *_: False
        self.hold: Callable[[str, dict[str, Any]], bool] = lambda *_: False
        monkeypatch.setattr(desk.engine, "request", self.request)

    async def request(self, method: str, **params: Any) -> Any:
        if self.refuse(method, params):
            raise RouteStudioError("not now")
        found = await self._ask(method, **params)
        if self.hold(method, params):
            self.held.append(method)
            await self.go.wait()
        return found


@in_qt
async def test_a_page_of_the_preview_that_failed_is_asked_for_again(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = await previewed(desk, project)
    engine = Engine(desk, monkeypatch)
    engine.refuse = lambda method, params: method == "rows" and params["start"] == 300
    assert shown(preview, 320) == "…"
    await desk.until(lambda: desk.failures, "the refusal")
    engine.refuse = lambda *_: False
    await desk.until(lambda: shown(preview, 320) == "insert", "the rows of another try")


@in_qt
async def test_rows_of_an_older_selection_do_not_take_the_place_of_newer_ones(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = await previewed(desk, project)
    engine = Engine(desk, monkeypatch)
    engine.hold = lambda method, params: method == "rows" and params["start"] == 200
    assert shown(preview, 220) == "…"
    await desk.until(lambda: engine.held, "an answer that waits")
    engine.hold = lambda *_: False
    preview.rows.arrange((0, True), "", None)
    await desk.until(
        lambda: shown(preview, 220) == "insert" and preview.model.row(220)["index"] == 129,
        "the last rows first",
    )
    engine.go.set()
    await desk.quiet()
    assert preview.model.row(220)["index"] == ROWS - 1 - 220


@in_qt
async def test_a_preview_is_made_again_by_an_engine_that_was_started_again(
    desk: Desk, project: Path
) -> None:
    preview = await previewed(desk, project)
    killed = desk.kill_engine()
    await desk.until(lambda: desk.engine.process_id not in (0, killed), "another engine")
    await desk.until(lambda: shown(preview, 320) == "insert", "rows of the other engine")


@in_qt
async def test_samples_that_could_not_be_read_are_read_when_the_engine_is_back(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    engine = Engine(desk, monkeypatch)
    monkeypatch.setattr(desk.window.session, "request", engine.request)
    engine.refuse = lambda method, _: method == "sample_text"
    document = await desk.open("sample", "shop")
    await desk.until(lambda: desk.failures, "the refusal")
    engine.refuse = lambda *_: False
    killed = desk.kill_engine()
    await desk.until(lambda: desk.engine.process_id not in (0, killed), "another engine")
    await desk.until(lambda: document.rows.model.rowCount(), "the messages")


MODELS: dict[str, Callable[[Callable[[int], None]], Any]] = {
    "preview": lambda fetch: PreviewModel(fetch, pause=0.0),
    "run": lambda fetch: RowsModel([Column("Id", lambda row: row["id"])], fetch, pause=0.0),
    "samples": lambda fetch: PagedModel(fetch, pause=0.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_lost_page_is_asked_for_when_it_is_painted_again(name: str, qtbot: Any) -> None:
    asked: list[int] = []
    model = MODELS[name](asked.append)
    if name == "preview":
        model.reset_rows(150, [])
    elif name == "run":
        model.expect(150)
    else:
        model.give(150, 0, [(n + 1, "{}", True) for n in range(100)])
    view = QTableView()
    qtbot.addWidget(view)
    view.setModel(model)
    last = model.index(149, 0)
    for _ in range(3):
        model.data(last)
    assert asked.count(100) == 1
    model.lost(100)
    model.data(last)
    assert asked.count(100) == 2


def test_rows_that_came_before_others_were_known_are_asked_for_again(qtbot: Any) -> None:
    asked: list[int] = []
    model = RowsModel([Column("Id", lambda row: str(row["id"]))], asked.append)  # type: ignore[var-annotated]
    model.expect(3)
    assert model.data(model.index(0, 0)) == "…"
    model.give(0, [{"id": number} for number in range(3)])
    model.expect(5, fresh=False)
    assert model.data(model.index(4, 0)) == "…"
    assert asked == [0, 0]
    model.give(0, [{"id": number} for number in range(5)])
    assert model.data(model.index(4, 0)) == "4"
    model.fetch_all()
    assert asked == [0, 0]
