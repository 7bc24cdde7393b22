"""An enrichment in the window: unknown until the user agrees, then evaluated, and remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from routestudio.ui import dialogs
from routestudio.ui.documents.sink import SinkDocument
from tests.gui.desk import Desk, in_qt
from tests.gui.test_database import snap
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.real

TABLES = (
    "create table orders (id int primary key, region text)",
    "insert into orders values (1, 'eu'), (2, 'us')",
)
YAML = """\
databases:
  - {{name: shop, hostname: 127.0.0.1, port: {port}, database: {database}}}
functions:
  - name: region
    type: enrichment
    code: select id, region from orders where id = any($1)
  - name: route
    type: routing
    sink_type: redis_stream
    language: python
    code: |
      def route(action, record, changes, metadata):
          return {{"stream_key": (metadata["enrichment"] or {{"region": "nowhere"}})["region"]}}
sinks:
  - name: orders
    database: shop
    enrichment: region
    routing: route
    destination: {{type: redis_stream, host: 127.0.0.1, port: 1}}
"""
ROWS = "".join(
    json.dumps({"action": "insert", "record": {"id": number}, "metadata": {"table_name": "orders"}})
    + "\n"
    for number in (1, 2)
)


@in_qt
async def test_an_enrichment_is_unknown_until_the_user_agrees(
    desk: Desk, tmp_path: Path, postgres_15: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []
    answers = [False, True]

    def ask(_: object, title: str, text: str, *rest: object, **options: Any) -> bool:
        questions.append(f"{title}: {text}")
        return answers.pop(0)

    monkeypatch.setattr(dialogs, "ask", ask)
    with postgres_15.database("enriched", *TABLES) as name:
        (tmp_path / "samples").mkdir()
        (tmp_path / "samples" / "rows.jsonl").write_text(ROWS)
        (tmp_path / "sequin.yaml").write_text(YAML.format(port=postgres_15.port, database=name))
        await desk.start(tmp_path)
        desk.window.resize(1360, 860)
        await desk.act(lambda: desk.window.commands.open("sink", "orders"))
        await desk.until(lambda: isinstance(desk.window.document(), SinkDocument), "the sink")
        panel = cast(SinkDocument, desk.window.document()).preview
        await desk.until(panel.banner.isVisible, "that it is unknown")
        assert "metadata.enrichment is unknown: database “shop” was not asked" in panel.banner.text
        assert panel.banner._button.text() == "Evaluate enrichment on shop"
        asked = "select count(*) from pg_stat_activity where application_name = 'RouteStudio'"
        assert postgres_15.value(asked) == 0
        await desk.quiet()
        snap(desk, "enrichment-unknown")

        def routes() -> list[Any]:
            rows = [panel.model.row(number) for number in range(2)]
            return [row["routing"]["stream_key"] if row else None for row in rows]

        def press() -> None:
            QTest.mouseClick(panel.banner._button, Qt.MouseButton.LeftButton)

        await desk.until(lambda: routes() == ["nowhere", "nowhere"], "rows")
        await desk.act(press)
        await desk.until(lambda: questions, "the question")
        assert f"PostgreSQL database `{name}` at 127.0.0.1" in questions[0]
        assert "select id, region from orders" in questions[0]
        await desk.quiet()
        assert postgres_15.value(asked) == 0  # the answer was no
        await desk.act(press)
        await desk.until(lambda: routes() == ["eu", "us"], "what the database says")
        await desk.until(lambda: not panel.banner.isVisible(), "nothing more to ask")
        snap(desk, "enrichment-evaluated")

        # A run on a stand-in asks the same database: it was agreed to, so there is no question.
        await desk.act(lambda: desk.window.commands.open("function", "region"))
        await desk.until(lambda: desk.window.document().kind == "function", "the query")
        await desk.quiet()
        snap(desk, "enrichment-query")
        assert len(questions) == 2


@in_qt
async def test_the_question_shows_the_variables_that_go_to_the_database(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[tuple[str, bool]] = []

    def ask(_: object, title: str, text: str, *rest: object, danger: bool = False) -> bool:
        questions.append((text, danger))
        return False

    monkeypatch.setattr(dialogs, "ask", ask)
    monkeypatch.setenv("MY_PASSWORD", "not-for-others")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "rows.jsonl").write_text(ROWS)
    text = YAML.format(port=1, database="shop, password: '${MY_PASSWORD}'")
    (tmp_path / "sequin.yaml").write_text(text)
    await desk.start(tmp_path)
    panel = cast(SinkDocument, await desk.open("sink", "orders")).preview
    await desk.until(panel.banner.isVisible, "that it is unknown")
    await desk.act(panel.banner._button.click)
    await desk.until(lambda: questions, "the question")
    text, danger = questions[0]
    assert "select id, region from orders" in text
    assert "MY_PASSWORD to 127.0.0.1:1/shop" in text
    assert "not-for-others" not in text
    assert danger  # Enter does not send it


@in_qt
async def test_a_query_that_fails_is_marked_in_its_text(
    desk: Desk, tmp_path: Path, postgres_15: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "ask", lambda *rest, **options: True)
    with postgres_15.database("wrong", *TABLES) as name:
        (tmp_path / "samples").mkdir()
        (tmp_path / "samples" / "rows.jsonl").write_text(ROWS)
        text = YAML.format(port=postgres_15.port, database=name)
        (tmp_path / "sequin.yaml").write_text(text.replace("id, region", "id, regionn"))
        await desk.start(tmp_path)
        await desk.act(lambda: desk.window.commands.open("sink", "orders"))
        await desk.until(lambda: isinstance(desk.window.document(), SinkDocument), "the sink")
        panel = cast(SinkDocument, desk.window.document()).preview
        await desk.until(panel.banner.isVisible, "that it is unknown")
        await desk.act(panel.banner._button.click)

        def error() -> dict[str, Any]:
            row = panel.model.row(0)
            return (row or {}).get("error") or {}

        await desk.until(lambda: error().get("stage") == "enrich", "what is wrong")
        assert 'column "regionn" does not exist' in error()["message"]
        assert (error()["line"], error()["column"]) == (1, 12)
