"""The steps of the guide "From a table to a route" in the real window, with a real database."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from routestudio.ui.documents.sink_tables import TablesDialog
from routestudio.ui.rows_dialog import RowsDialog
from routestudio.ui.widgets.dialog import AskDialog, Question
from tests.gui.desk import Desk, in_qt
from tests.support.postgres_server import PostgresServer

pytestmark = [pytest.mark.real, pytest.mark.slow]

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "from-a-table.md"


def blocks(language: str) -> list[str]:
    """The blocks of the guide in a language."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text("utf-8"), re.S)
    return found


class Walk:
    """The steps, each as a person does it: by buttons, fields and actions of the window."""

    def __init__(self, desk: Desk, server: PostgresServer, folder: Path) -> None:
        self.desk, self.server, self.folder = desk, server, folder
        self.pictures: list[str] = []

    async def shoot(self, name: str, *, busy: bool = False) -> None:
        self.pictures.append(name)
        if not busy:
            await self.desk.quiet(0.3)
        if place := os.environ.get("ROUTESTUDIO_PICTURES"):
            self.desk.window.grab().save(str(Path(place) / f"{name}.png"))

    async def answer(self, action: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        """Do something that shows a modal dialog, and answer it."""
        seen: list[Any] = []
        timer = QTimer(self.desk.window)

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if dialog is not None and not seen:
                seen.append(dialog)
                timer.stop()
                answer(dialog)

        timer.setInterval(20)
        timer.timeout.connect(look)
        timer.start()
        await self.desk.act(action)
        await self.desk.until(lambda: seen, "the dialog")

    def trigger(self, name: str) -> Callable[[], None]:
        return self.desk.window.action_table.qaction(name).trigger

    @property
    def document(self) -> Any:
        return self.desk.window.document()

    async def open(self, kind: str, name: str, *, busy: bool = False) -> Any:
        """Open a document; wait until all is quiet, unless something goes on."""
        await self.desk.act(lambda: self.desk.window.commands.open(kind, name))
        await self.desk.until(
            lambda: (
                self.document is not None
                and (self.document.kind, self.document.name) == (kind, name)
            ),
            name,
        )
        if not busy:
            await self.desk.quiet()
        return self.document

    async def type(self, code: str) -> None:
        """Replace the text of the function in front."""
        self.document.editor.selectAll()
        self.document.editor.insertPlainText(code)
        await self.desk.quiet(0.4)

    def streams(self, preview: Any) -> list[Any]:
        rows = [preview.model.row(number) for number in range(preview.model.rowCount())]
        return [row["routing"]["stream_key"] if row and row["ok"] else None for row in rows]

    async def database(self) -> None:
        desk, session = self.desk, self.desk.window.session

        def project(dialog: Any) -> None:
            dialog.folder.setText(str(self.folder))
            dialog.type.setCurrentIndex(dialog.type.findData("redis_stream"))
            dialog.try_accept()

        await self.answer(self.trigger("new_project"), project)
        await desk.until(lambda: session.is_open and self.document is not None, "the project")

        await desk.until(lambda: "shop" in session.databases(), "the database")
        document = await self.open("databases", "shop")
        for name, text in (("hostname", "127.0.0.1"), ("port", str(self.server.port)),
                           ("database", "shop"), ("username", "postgres")):  # fmt: skip
            field = document.form.rows[name].editor.control()
            field.setFocus()
            field.selectAll()
            QTest.keyClicks(field, text)
            document.flush()
            await desk.quiet()
        document.form.secret_typed.emit("password", "not-asked-for", "env")
        await desk.quiet()
        await desk.act(self.trigger("check"))
        panel = desk.window.check_panel
        await desk.until(lambda: panel.verdict.text() in ("passed", "failed", "inconclusive"),
                         "the check")  # fmt: skip
        found = {step.step: step for step in panel.steps}
        assert "version" in found, panel.steps
        assert found["version"].status == "passed", panel.steps
        await self.shoot("table-1-check")

    async def tables(self) -> None:
        desk, pane = self.desk, self.document.tables
        await desk.act(self.trigger("toggle_panel"))
        QTest.mouseClick(pane.show_button, Qt.MouseButton.LeftButton)
        await desk.until(lambda: pane.list.topLevelItemCount() == 2, "the tables")
        pane.list.setCurrentItem(pane.list.topLevelItem(1))
        await desk.until(lambda: pane.columns.topLevelItemCount() == 5, "the columns")
        assert "Key: id." in pane.facts.text()
        await self.shoot("table-2-tables")
        QTest.mouseClick(pane.take_button, Qt.MouseButton.LeftButton)

        def dialogs() -> list[RowsDialog]:
            return [d for d in desk.window.findChildren(RowsDialog) if d.isVisible()]

        await desk.until(dialogs, "the rows")
        dialogs()[0].name.setText("taken")
        await desk.act(dialogs()[0].try_accept)
        await desk.until(lambda: any(s["name"] == "taken" for s in desk.window.session.samples()),
                         "the samples")  # fmt: skip
        await desk.until(lambda: self.document.kind == "sample", "what was taken")

    async def route(self) -> None:
        desk, session = self.desk, self.desk.window.session
        sink = session.sinks()[0]["name"]
        document = await self.open("sink", sink)
        source = document.source
        if source.database.currentData() != "shop":
            source.database.setCurrentIndex(source.database.findData("shop"))
            source.database.activated.emit(source.database.currentIndex())
            await desk.quiet()

        def choose(dialog: TablesDialog) -> None:
            def mark() -> None:
                if dialog.tables.topLevelItemCount() < 2:
                    QTimer.singleShot(20, mark)
                    return
                dialog.tables.topLevelItem(1).setCheckState(0, Qt.CheckState.Checked)
                dialog.try_accept()

            mark()

        await self.answer(source.choose_button.click, choose)
        await desk.until(lambda: session.sink(sink)["source"], "the source")  # type: ignore[index]
        assert session.sink(sink)["source"] == {"include_tables": ["public.orders"]}  # type: ignore[index]
        function = session.sink(sink)["routing"]  # type: ignore[index]
        assert function, "a new project's sink has a function"
        document = await self.open("function", function)
        preview = document.preview
        preview.samples.setCurrentIndex(preview.samples.findData("taken"))
        preview.samples.activated.emit(preview.samples.currentIndex())
        await self.type(blocks("python")[0])
        await desk.until(lambda: any(item.code == "drift" for item in document._found), "the mark")
        item = next(item for item in document._found if item.code == "drift")
        assert (item.line, item.hint) == (2, "did you mean `region`?")
        assert self.streams(preview) == [None, None, None]
        await self.shoot("table-3-drift")

    async def enrichment(self) -> None:
        desk, session = self.desk, self.desk.window.session
        sink = session.sinks()[0]["name"]
        function = session.sink(sink)["routing"]  # type: ignore[index]

        def named(dialog: Any) -> None:
            dialog.kind.setCurrentIndex(dialog.kind.findData("enrichment"))
            dialog.name.setText("plan")
            dialog.try_accept()

        await self.answer(self.trigger("add_function"), named)
        await desk.until(lambda: self.document.name == "plan", "the query")
        await self.type(blocks("sql")[1])
        self.document.flush()
        await desk.quiet(0.3)
        document = await self.open("sink", sink)
        document.settings.edited.emit("enrichment", "plan")
        await desk.until(lambda: session.sink(sink)["enrichment"] == "plan", "its use")  # type: ignore[index]
        document = await self.open("function", function)
        await self.type(blocks("python")[1])
        preview = document.preview
        await desk.until(preview.banner.isVisible, "that it is unknown")
        assert self.streams(preview) == ["orders.eu.none", "orders.us.none", "orders.eu.none"]

        def agree(dialog: Question) -> None:
            dialog.answer = "yes"
            dialog.accept()

        await self.answer(preview.banner._button.click, agree)
        await desk.until(
            lambda: self.streams(preview) == ["orders.eu.pro", "orders.us.free", "orders.eu.pro"],
            "what the query gives",
        )
        await self.shoot("table-4-enrichment")

    async def live(self) -> None:
        desk = self.desk
        sink = desk.window.session.sinks()[0]["name"]
        pane = (await self.open("databases", "shop")).tables
        if pane.list.currentItem() is None:
            await desk.act(pane.load)
            await desk.until(lambda: pane.list.topLevelItemCount() == 2, "the tables")
            pane.list.setCurrentItem(pane.list.topLevelItem(1))
            await desk.until(lambda: pane.columns.topLevelItemCount() == 5, "the columns")
        pane.live.setChecked(True)

        def agree(dialog: AskDialog) -> None:
            dialog.try_accept()

        await self.answer(pane.capture_button.click, agree)
        await desk.until(lambda: "captured from now on" in pane.facts.text(), "the slot")
        preview = (await self.open("sink", sink, busy=True)).preview
        self.server.run("update orders set region = 'UK' where id = 2", database="shop")
        await desk.until(lambda: self.streams(preview) == ["orders.uk.free"], "the change")
        await self.shoot("table-5-live", busy=True)
        await desk.act(pane.capture)
        await desk.until(lambda: not pane._capturing, "the end")


@in_qt
async def test_the_guide_works_as_written(
    desk: Desk, tmp_path: Path, postgres_15: PostgresServer
) -> None:
    with postgres_15.database("shop", *blocks("sql")[0].split(";\n")[:-1]):
        await desk.start()
        desk.window.resize(1360, 860)
        walk = Walk(desk, postgres_15, tmp_path / "orders")
        await walk.database()
        await walk.tables()
        await walk.route()
        await walk.enrichment()
        await walk.live()
        assert walk.pictures == re.findall(r"images/(table-[\w-]+)\.png", GUIDE.read_text("utf-8"))
        # What the last step makes stays; before it, nothing did.
        assert postgres_15.ask("select slot_name from pg_replication_slots", "shop") == []
        assert postgres_15.ask("select pubname from pg_publication", "shop") == []
        publication, slot = blocks("sql")[2].strip().rstrip(";").split(";\n")
        postgres_15.run(publication, database="shop")
        assert postgres_15.ask(slot, "shop")
