"""A database in the window, on a real server: form, check, tables, rows as a sample set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from routestudio.ui.documents import database_tables
from routestudio.ui.documents.database import DatabaseDocument
from routestudio.ui.rows_dialog import RowsDialog
from tests.gui.desk import Desk, in_qt
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.real

TABLES = (
    "create table orders (id bigint primary key, total numeric(10,2), note text not null, "
    "placed timestamptz, vat numeric generated always as (total * 0.2) stored)",
    "create table customers (id int primary key, name text)",
    "create view big_orders as select * from orders where total > 100",
    "insert into orders select n, n * 1.5, 'order ' || n, '2026-01-02 03:04:05+00' "
    "from generate_series(1, 500) n",
    "create publication routes for table orders",
    "analyze",
)


async def opened(desk: Desk, name: str) -> DatabaseDocument:
    await desk.act(lambda: desk.window.commands.open("databases", name))
    await desk.until(lambda: desk.window.document() is not None
                     and desk.window.document().kind == "databases", "the database")  # fmt: skip
    return cast(DatabaseDocument, desk.window.document())


def snap(desk: Desk, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    if folder := os.environ.get("ROUTESTUDIO_PICTURES"):
        desk.window.grab().save(str(Path(folder) / f"{name}.png"))


@in_qt
async def test_rows_of_a_table_become_a_sample_set(
    desk: Desk, project: Path, postgres_15: PostgresServer
) -> None:
    with postgres_15.database("shop", *TABLES):
        await desk.start(project)
        desk.window.resize(1360, 860)
        session = desk.window.session
        item: dict[str, Any] = {"name": "live", "hostname": "127.0.0.1", "database": "shop"}
        session.apply({"op": "add_database", "item": item})
        await desk.until(lambda: "live" in session.databases(), "the entry")
        document = await opened(desk, "live")
        port = document.form.rows["port"].editor
        QTest.keyClicks(port.control(), str(postgres_15.port))
        document.flush()
        await desk.until(lambda: session.databases()["live"].get("port") == postgres_15.port,
                         "the port")  # fmt: skip
        slot = document.form.rows["slot.name"].editor
        QTest.keyClicks(slot.control(), "routes")
        document.flush()
        await desk.until(lambda: session.databases()["live"].get("slot") == {"name": "routes"},
                         "a block that was not there")  # fmt: skip

        await desk.act(document.tables.load)
        await desk.until(lambda: document.tables.list.topLevelItemCount() == 3, "the tables")
        names = [document.tables.list.topLevelItem(n).text(0) for n in range(3)]
        assert names == ["public.big_orders", "public.customers", "public.orders"]
        document.tables.list.setCurrentItem(document.tables.list.topLevelItem(2))  # type: ignore[arg-type]
        await desk.until(lambda: document.tables.columns.topLevelItemCount() == 5, "columns")
        assert document.tables.columns.topLevelItem(0).text(2) == "key"
        assert "generated" in document.tables.columns.topLevelItem(4).text(2)
        assert "Key: id. Replica identity: the primary key" in document.tables.facts.text()
        assert "500 rows" in document.tables.facts.text()
        snap(desk, "database-tables")

        document.tables.where.setText("total > 700")
        document.tables.count.setText("20")
        QTest.mouseClick(document.tables.take_button, Qt.MouseButton.LeftButton)

        def dialogs() -> list[RowsDialog]:
            return [d for d in desk.window.findChildren(RowsDialog) if d.isVisible()]

        await desk.until(dialogs, "the rows")
        dialog = dialogs()[0]
        assert dialog.found["messages"] == 20
        assert dialog.windowTitle() == "Sample from a database"
        snap(desk, "database-rows")
        await desk.act(dialog.try_accept)
        await desk.until(lambda: any(s["name"] == "orders" for s in session.samples()), "the set")
        sample = next(s for s in session.samples() if s["name"] == "orders")
        assert sample["rows"] == 20


@in_qt
async def test_live_changes_become_a_sample_set(
    desk: Desk, project: Path, postgres_15: PostgresServer
) -> None:
    with postgres_15.database("shop", *TABLES):
        await desk.start(project)
        desk.window.resize(1360, 860)
        session = desk.window.session
        item = {"name": "live", "hostname": "127.0.0.1", "port": postgres_15.port,
                "database": "shop"}  # fmt: skip
        session.apply({"op": "add_database", "item": item})
        await desk.until(lambda: "live" in session.databases(), "the entry")
        pane = (await opened(desk, "live")).tables
        await desk.act(pane.capture)
        assert "name the publication" in pane.banner.text
        session.set_value(["databases", "live", "publication"], {"name": "routes"})
        await desk.until(lambda: "publication" in session.databases()["live"], "the publication")
        await desk.act(pane.capture)
        await desk.until(lambda: "captured from now on" in pane.facts.text(), "the slot")
        postgres_15.run("update orders set total = 9 where id = 1",
                        "delete from orders where id = 2", database="shop")  # fmt: skip
        await desk.until(lambda: "2 changes so far" in pane.facts.text(), "the changes")
        snap(desk, "database-capture")
        await desk.act(pane.capture)

        def dialogs() -> list[RowsDialog]:
            return [d for d in desk.window.findChildren(RowsDialog) if d.isVisible()]

        await desk.until(dialogs, "the rows")
        assert [row["action"] for row in dialogs()[0].found["rows"]] == ["update", "delete"]
        await desk.act(dialogs()[0].try_accept)
        await desk.until(lambda: any(s["name"] == "changes" for s in session.samples()), "the set")
        assert pane.capture_button.text() == "Capture changes…"
        assert postgres_15.value("select count(*) from pg_replication_slots") == 0


@in_qt
async def test_changes_come_straight_into_the_preview_through_a_publication_that_is_made(
    desk: Desk, tmp_path: Path, postgres_15: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = [None, "mine"]

    def ask(_: object, table: str) -> str | None:
        asked.append(table)
        return answers.pop(0)

    monkeypatch.setattr(database_tables, "ask_publication", ask)
    made = "select count(*) from pg_publication where pubname = 'mine'"
    with postgres_15.database("shop", *TABLES):
        (tmp_path / "sequin.yaml").write_text(
            "databases:\n  - {name: live, hostname: 127.0.0.1, database: shop, "
            f"port: {postgres_15.port}}}\n"
            "sinks:\n  - name: orders\n    database: live\n    destination: {type: redis_stream, "
            "host: 127.0.0.1, port: 1}\n"
        )
        await desk.start(tmp_path)
        desk.window.resize(1360, 860)
        session = desk.window.session
        pane = (await opened(desk, "live")).tables
        await desk.act(pane.load)
        await desk.until(lambda: pane.list.topLevelItemCount() == 3, "the tables")
        pane.list.setCurrentItem(pane.list.topLevelItem(2))  # type: ignore[arg-type]
        await desk.until(lambda: pane.columns.topLevelItemCount() == 5, "columns")
        pane.live.setChecked(True)
        await desk.act(pane.capture)
        assert asked == ["public.orders"]
        assert not pane._capturing  # the answer was no
        await desk.act(pane.capture)
        await desk.until(lambda: "captured from now on" in pane.facts.text(), "the slot")
        assert postgres_15.value(made, "shop") == 1
        await desk.act(lambda: desk.window.commands.open("sink", "orders"))
        await desk.until(lambda: desk.window.document().kind == "sink", "the sink")
        preview = cast(Any, desk.window.document()).preview
        for number, statement in enumerate(
            ("update orders set total = 9 where id = 1", "delete from orders where id = 2"), 1
        ):
            postgres_15.run(statement, database="shop")
            await desk.until(lambda wanted=number: preview.model.rowCount() == wanted,
                             "a row as it comes")  # fmt: skip
        await desk.until(lambda: preview.model.row(1), "what the rows are")
        assert [preview.model.row(n)["action"] for n in range(2)] == ["update", "delete"]
        assert preview.samples.currentData() == "live"
        snap(desk, "database-live")
        await desk.act(pane.capture)
        await desk.until(lambda: not pane._capturing, "the end")
        assert postgres_15.value(made, "shop") == 0
        assert next(s for s in session.samples() if s["name"] == "live")["rows"] == 2


@in_qt
async def test_a_database_is_checked_step_by_step(
    desk: Desk, project: Path, postgres_15: PostgresServer
) -> None:
    with postgres_15.database("shop", *TABLES):
        await desk.start(project)
        session = desk.window.session
        item = {"name": "live", "hostname": "127.0.0.1", "port": postgres_15.port,
                "database": "shop", "slot": {"name": "routes"},
                "publication": {"name": "routes"}}  # fmt: skip
        session.apply({"op": "add_database", "item": item})
        await desk.until(lambda: "live" in session.databases(), "the entry")
        await opened(desk, "live")
        await desk.act(desk.window.action_table.qaction("check").trigger)
        panel = desk.window.check_panel
        await desk.until(lambda: panel.verdict.text() == "failed", "the verdict")
        found = {step.step: step.status for step in panel.steps}
        assert found["slot"] == "failed"
        assert found["table"] == found["wal_level"] == "passed"
        snap(desk, "database-check")
        desk.window.action_table.qaction("toggle_theme").trigger()
        await desk.quiet()
        snap(desk, "database-check-dark")
        desk.window.action_table.qaction("toggle_theme").trigger()


@in_qt
async def test_a_server_that_is_not_there_is_said(
    desk: Desk, project: Path, closed_port: int
) -> None:
    await desk.start(project)
    session = desk.window.session
    item = {"name": "gone", "hostname": "127.0.0.1", "port": closed_port, "database": "shop"}
    session.apply({"op": "add_database", "item": item})
    await desk.until(lambda: "gone" in session.databases(), "the entry")
    document = await opened(desk, "gone")
    await desk.act(document.tables.load)
    await desk.until(lambda: document.tables.banner.isVisible(), "what is wrong")
    assert "check the port" in document.tables.banner.text
