"""Dialogs, the command palette, and what they lead to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from routestudio import __version__, release
from routestudio.ui import dialogs
from routestudio.ui.forms.fields import HIDDEN
from routestudio.ui.help_dialogs import AboutDialog, diagnostics
from routestudio.ui.palette import Palette, action_entries, rank
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


def in_dialog(step: Callable[[QDialog], object]) -> None:
    """Do something in the next dialog that opens; it is rejected afterwards if still open."""

    def perform() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog):
            QTimer.singleShot(20, perform)
            return
        try:
            step(dialog)
        finally:
            if dialog.isVisible():
                dialog.reject()

    QTimer.singleShot(20, perform)


@pytest.mark.parametrize(
    ("name", "good"),
    [("orders", True), ("a.b_c-1", True), ("", False), ("a b", False), ("ä", False),
     ("taken", False), ("../x", False), ("x\n", False)],
)  # fmt: skip
def test_names(name: str, good: bool) -> None:
    assert (dialogs.name_problem(name, {"taken"}) is None) is good


def test_free_names() -> None:
    assert dialogs.free_name("a", set()) == "a"
    assert dialogs.free_name("a", {"a", "a-2"}) == "a-3"


def test_a_new_project_needs_an_empty_folder(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialogs.NewProjectDialog(None)
    qtbot.addWidget(dialog)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for folder, said in (("", "Name a folder"), (str(tmp_path / "full"), "not an empty folder")):
        dialog.folder.setText(folder)
        dialog.try_accept()
        assert said in dialog.error.text()
        assert dialog.result() == 0
    dialog.folder.setText(str(tmp_path / "new"))
    dialog.try_accept()
    assert dialog.result() == 1


def test_the_export_proposes_a_place_beside_the_project(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = dialogs.ExportDialog(None, tmp_path / "shop")
    qtbot.addWidget(dialog)
    assert dialog.output.text() == str(tmp_path / "shop-server.yaml")
    dialog.target.setCurrentIndex(dialog.target.findData("routestudio"))
    assert dialog.output.text() == str(tmp_path / "shop-export")


def test_an_endpoint_gives_only_what_was_changed(qtbot: QtBot) -> None:
    values: dict[str, Any] = {
        "url": "https://a", "headers": {"x": "1"}, "encrypted_headers": {"auth": {"$secret": True}},
    }  # fmt: skip
    dialog = dialogs.ResourceDialog(
        None, "http_endpoints", "api", values, set()
    )  # fmt: skip
    qtbot.addWidget(dialog)
    assert dialog.changed_values() == {}
    assert dialog.typed_secrets() == {}
    secret = dialog.fields.rows["encrypted_headers"].editor
    assert secret.value() == {"auth": HIDDEN}
    secret.show_value({"auth": "Bearer 5"})
    url = dialog.fields.rows["url"].editor.control()
    assert isinstance(url, QLineEdit)
    url.setText("https://b")
    assert dialog.changed_values() == {"url": "https://b"}
    assert dialog.typed_secrets() == {("encrypted_headers", "auth"): "Bearer 5"}


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [("run run", "", 0), ("sink check", "check", 5), ("file save", "fs", 104), ("a", "b", -1)],
)
def test_rank(text: str, wanted: str, found: int) -> None:
    assert rank(text, wanted) == found


@in_qt
async def test_the_palette_lists_and_triggers(desk: Desk, project: Path) -> None:
    await desk.start(project)
    window = desk.window
    palette = Palette(action_entries(window.action_table), window)
    everything = palette.items.count()
    assert everything == len(window.action_table.available())
    QTest.keyClicks(palette.text, "light")
    assert 0 < palette.items.count() < everything
    first = palette.items.item(0)
    assert first is not None
    assert first.text().startswith("View: Toggle dark theme")
    before = window.grab().toImage()
    QTest.keyClick(palette.text, Qt.Key.Key_Return)
    assert palette.result() == 1
    assert window.grab().toImage() != before
    again = Palette(action_entries(window.action_table), window)
    QTest.keyClicks(again.text, "zzz")
    assert again.items.count() == 0
    QTest.keyClick(again.text, Qt.Key.Key_Return)
    last = Palette(action_entries(window.action_table), window)
    QTest.keyClick(last.text, Qt.Key.Key_Up)
    assert last.items.currentRow() == last.items.count() - 1
    for made in (palette, again, last):
        made.deleteLater()


@in_qt
async def test_a_sink_is_added_by_its_dialog(desk: Desk, project: Path) -> None:
    await desk.start(project)
    session = desk.window.session

    def fill(dialog: QDialog) -> None:
        assert isinstance(dialog, dialogs.AddSinkDialog)
        dialog.type.setCurrentIndex(dialog.type.findData("redis_string"))
        dialog.name.setText("orders-to-kafka")
        dialog.try_accept()
        assert "taken" in dialog.error.text()
        dialog.name.setText("cache")
        dialog.try_accept()

    in_dialog(fill)
    await desk.trigger("add_sink")
    await desk.until(lambda: session.sink("cache") is not None, "the sink")
    await desk.until(lambda: (d := desk.window.document()) is not None and d.name == "cache")
    await desk.quiet()
    await desk.trigger("undo")
    await desk.until(lambda: session.sink("cache") is None, "the undo")
    assert not session.dirty
    assert desk.failures == []


@in_qt
async def test_a_function_is_added_with_its_starter(desk: Desk, project: Path) -> None:
    await desk.start(project)
    session = desk.window.session

    def fill(dialog: QDialog) -> None:
        assert isinstance(dialog, dialogs.AddFunctionDialog)
        dialog.type.setCurrentIndex(dialog.type.findData("redis_string"))
        dialog.name.setText("cache-keys")
        dialog.try_accept()

    in_dialog(fill)
    await desk.trigger("add_function")
    await desk.until(lambda: session.function("cache-keys") is not None, "the function")
    document: Any = desk.window.document()
    assert document is not None
    assert "def route(" in document.editor.toPlainText()
    await desk.quiet(0.3)
    assert document.editor.diagnostics == []
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    assert "def route(" in (project / "functions" / "cache_keys.py").read_text()


@in_qt
async def test_renaming_takes_the_users_along(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    session = desk.window.session
    monkeypatch.setattr(dialogs, "ask_name", lambda *_, **__: "by-region")
    desk.window.tree.choose("function", "orders-by-region")
    await desk.trigger("rename")
    await desk.until(lambda: session.function("by-region") is not None, "the rename")
    assert (session.sink("orders-to-kafka") or {})["routing"] == "by-region"
    await desk.quiet()
    assert session.snapshot["problems"] == []


@in_qt
async def test_an_endpoint_can_be_renamed(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its form opens again under the new name."""
    await desk.start(project)
    monkeypatch.setattr(dialogs, "ask_name", lambda *_, **__: "api-2")
    desk.window.tree.choose("http_endpoints", "shop-api")
    seen: list[str] = []
    in_dialog(lambda dialog: seen.append(dialog.windowTitle()))
    await desk.trigger("rename")
    await desk.until(lambda: seen, "the form")
    assert "api-2" in desk.window.session.endpoints()
    sink = desk.window.session.sink("events-to-http") or {}
    assert sink["destination"]["http_endpoint"] == "api-2"
    assert desk.failures == []


@in_qt
async def test_export_for_a_server_says_what_stands_against_it(
    desk: Desk, project: Path, tmp_path: Path
) -> None:
    """A server cannot run Python functions that have no equal form; nothing is written."""
    function = project / "functions" / "orders_by_region.py"
    text = "def route(action, record, changes, metadata):\n    return {'topic': str(round(1.5))}\n"
    function.write_text(text, encoding="utf-8")
    await desk.start(project)
    output = tmp_path / "server.yaml"
    texts: list[str] = []

    def read(dialog: QDialog) -> None:
        texts.extend(item.text() for item in dialog.findChildren(QLabel))

    in_dialog(read)
    desk.window.commands.project.export_to("sequin", str(output))
    await desk.until(lambda: texts, "a sentence")
    assert "orders-by-region" in " ".join(texts)
    assert not output.exists()


@in_qt
async def test_export_and_import_give_the_same_project(
    desk: Desk, project: Path, tmp_path: Path
) -> None:
    await desk.start(project)
    session = desk.window.session
    output = tmp_path / "exported"
    desk.window.commands.project.export_to("routestudio", str(output))
    await desk.until(lambda: any("Exported" in text for _, text in desk.notices), "the export")
    sinks = [sink["name"] for sink in session.sinks()]
    target = tmp_path / "imported"
    server = tmp_path / "server.yaml"
    server.write_text(
        "databases: [{name: shop, hostname: localhost, database: shop, username: u, "
        "password: geheim-1}]\n"
        "sinks:\n- {name: k, database: shop, destination: {type: kafka, hosts: 'a:9092', "
        "topic: t}}\n"
    )
    session.open(output)
    await desk.until(lambda: session.path == output, "the exported project")
    assert [sink["name"] for sink in session.sinks()] == sinks
    desk.window.commands.project.import_to(str(server), str(target))
    await desk.until(lambda: session.path == target, "the imported project")
    assert [sink["name"] for sink in session.sinks()] == ["k"]
    assert "geheim-1" not in (target / "sequin.yaml").read_text()
    assert desk.failures == []


@in_qt
async def test_the_other_dialogs_open(desk: Desk, project: Path) -> None:
    await desk.start(project)
    seen: list[str] = []
    for name in ("new_project", "add_endpoint", "add_sample", "palette", "shortcuts", "about",
                 "export"):  # fmt: skip
        in_dialog(lambda dialog: seen.append(dialog.windowTitle()))
        await desk.trigger(name)
    assert len(seen) == 7
    assert all(seen), seen
    assert desk.failures == []


def test_the_version_is_shown_with_its_commit(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "commit", lambda: "0123456789ab")
    dialog = AboutDialog(None)
    qtbot.addWidget(dialog)
    texts = [each.text() for each in dialog.findChildren(QLabel)]
    assert f"RouteStudio {__version__} (commit 0123456789ab)" in texts
    assert "(commit 0123456789ab)\nPython " in diagnostics()
