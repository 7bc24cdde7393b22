"""Tables of a sink in the window: chosen from what the database has, or written by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from routestudio.ui.documents.function import FunctionDocument
from routestudio.ui.documents.sink import SinkDocument
from routestudio.ui.documents.sink_tables import TablesDialog
from tests.gui.desk import Desk, in_qt
from tests.gui.test_database import snap
from tests.support.postgres_server import PostgresServer

pytestmark = pytest.mark.real

TABLES = (
    "create schema billing",
    "create table orders (id int primary key, region text not null)",
    "create table billing.invoices (id int primary key, customer int not null, total numeric)",
    "create view newest as select * from orders",
)
YAML = """\
databases:
  - {{name: shop, hostname: 127.0.0.1, port: {port}, database: {database}}}
functions:
  - name: route
    type: routing
    sink_type: redis_stream
    language: python
    code: |
      def route(action, record, changes, metadata):
          return {{"stream_key": record["regoin"]}}
sinks:
  - name: orders
    database: shop
    routing: route
    destination: {{type: redis_stream, host: 127.0.0.1, port: 1}}
"""


async def opened(desk: Desk, folder: Path, server: PostgresServer, database: str) -> SinkDocument:
    (folder / "samples").mkdir()
    (folder / "samples" / "rows.jsonl").write_text(
        '{"action": "insert", "record": {"id": 1, "regoin": "eu"}, '
        '"metadata": {"table_name": "orders"}}\n'
    )
    (folder / "sequin.yaml").write_text(YAML.format(port=server.port, database=database))
    await desk.start(folder)
    desk.window.resize(1360, 860)
    await desk.act(lambda: desk.window.commands.open("sink", "orders"))
    await desk.until(lambda: isinstance(desk.window.document(), SinkDocument), "the sink")
    return cast(SinkDocument, desk.window.document())


@in_qt
async def test_tables_are_chosen_from_what_is_there(
    desk: Desk, tmp_path: Path, postgres_15: PostgresServer
) -> None:
    with postgres_15.database("chosen", *TABLES) as name:
        document = await opened(desk, tmp_path, postgres_15, name)
        session = desk.window.session
        dialog = TablesDialog(document.source, session, "shop", session.sink("orders") or {})
        dialog.show()
        await desk.until(lambda: dialog.tables.topLevelItemCount() == 2, "the tables")
        names = [dialog.tables.topLevelItem(n).text(0) for n in range(2)]
        assert names == ["billing.invoices", "public.orders"]  # a view has no changes
        dialog.tables.setCurrentItem(dialog.tables.topLevelItem(0))  # type: ignore[arg-type]
        await desk.until(lambda: dialog.columns.topLevelItemCount() == 3, "the columns")
        dialog.tables.topLevelItem(0).setCheckState(0, Qt.CheckState.Checked)
        dialog.columns.topLevelItem(1).setCheckState(0, Qt.CheckState.Checked)
        if folder := os.environ.get("ROUTESTUDIO_PICTURES"):
            dialog.grab().save(str(Path(folder) / "sink-tables-dialog.png"))
        assert dialog.chosen() == ["billing.invoices"]
        assert dialog.groups() == {"billing.invoices": ["customer"]}
        document.source.take(dialog)
        dialog.close()
        await desk.until(lambda: (session.sink("orders") or {}).get("source"), "the source")
        await desk.quiet()
        sink: dict[str, Any] = session.sink("orders") or {}
        assert sink["source"] == {"include_tables": ["billing.invoices"]}
        assert document.source.names.text() == "billing.invoices"
        assert document.source.grouped.text() == (
            "Messages are grouped: billing.invoices by customer."
        )
        snap(desk, "sink-tables")
        # By hand, and back: an empty text is every table.
        document.source.names.setFocus()
        document.source.names.setText("")
        QTest.keyClick(document.source.names, Qt.Key.Key_Return)
        await desk.until(lambda: not (session.sink("orders") or {}).get("source"), "none")
        document.source.names.setText("public.orders, billing.invoices")
        document.source.mode.setCurrentIndex(1)
        document.source.commit()
        await desk.until(lambda: (session.sink("orders") or {}).get("source"), "by hand")
        assert (session.sink("orders") or {})["source"] == {
            "exclude_tables": ["public.orders", "billing.invoices"]}  # fmt: skip


@in_qt
async def test_lists_that_the_form_does_not_show_stay(desk: Desk, tmp_path: Path) -> None:
    source = "{include_schemas: [public], exclude_tables: [orders]}"
    text = YAML.format(port=1, database="shop").replace(
        "    database: shop\n", f"    database: shop\n    source: {source}\n"
    )
    (tmp_path / "sequin.yaml").write_text(text)
    await desk.start(tmp_path)
    document = cast(SinkDocument, await desk.open("sink", "orders"))
    session, form = desk.window.session, document.source
    assert (form.mode.currentData(), form.names.text()) == ("exclude_tables", "orders")
    await desk.act(document.flush)
    await desk.quiet()
    assert not session.dirty
    form.names.setText("orders, bills")
    await desk.act(form.commit)
    wanted = {"include_schemas": ["public"], "exclude_tables": ["orders", "bills"]}
    await desk.until(lambda: (session.sink("orders") or {})["source"] == wanted, "both lists")


@in_qt
async def test_a_database_that_does_not_answer_changes_no_table(desk: Desk, tmp_path: Path) -> None:
    text = YAML.format(port=1, database="shop").replace(
        "    database: shop\n", "    database: shop\n    source: {include_tables: [orders]}\n"
    )
    (tmp_path / "sequin.yaml").write_text(text)
    await desk.start(tmp_path)
    document = cast(SinkDocument, await desk.open("sink", "orders"))
    session = desk.window.session
    dialog = TablesDialog(document.source, session, "shop", session.sink("orders") or {})
    dialog.show()
    await desk.until(lambda: "Asking" not in dialog.state.text(), "the failure")
    assert "127.0.0.1:1" in dialog.state.text()
    await desk.act(dialog.try_accept)
    assert dialog.isVisible()
    assert "The database has not answered" in dialog.error.text()
    dialog.reject()


@in_qt
async def test_columns_are_compared_beside_the_line_once_the_database_was_looked_at(
    desk: Desk, tmp_path: Path, postgres_15: PostgresServer
) -> None:
    with postgres_15.database("beside", *TABLES) as name:
        await opened(desk, tmp_path, postgres_15, name)
        await desk.act(lambda: desk.window.commands.open("function", "route"))
        await desk.until(lambda: isinstance(desk.window.document(), FunctionDocument), "function")
        document = cast(FunctionDocument, desk.window.document())
        await desk.quiet()
        assert not any(item.code == "drift" for item in document._found)
        await desk.act(lambda: desk.window.commands.open("databases", "shop"))
        await desk.until(lambda: desk.window.document().kind == "databases", "the database")
        await desk.act(desk.window.document().tables.load)
        await desk.until(
            lambda: any(item.code == "drift" for item in document._found), "the difference"
        )
        item = next(item for item in document._found if item.code == "drift")
        assert item.line == 2
        assert "public.orders has no column `regoin`" in item.message
        assert item.hint == "did you mean `region`?"
        await desk.until(
            lambda: ("region", "text", "database") in desk.window.session.columns(), "completion"
        )
        await desk.act(lambda: desk.window.commands.open("function", "route"))
        await desk.quiet()
        snap(desk, "drift")
