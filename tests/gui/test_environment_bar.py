"""Environments in the window: switched, seen, edited; production is written to by its name only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit

from routestudio.ui import dialogs
from routestudio.ui.documents.variables import VariablesDocument
from routestudio.ui.environment_dialogs import AddEnvironmentDialog, VariableDialog
from routestudio.ui.widgets.dialog import AskDialog, Dialog
from tests.gui.desk import Desk, in_qt
from tests.support.http_server import HttpReceiver, Reply
from tests.support.run_project import SINK
from tests.unit.engine.test_environment_guard import with_environments

pytestmark = pytest.mark.gui


async def at(desk: Desk, folder: Path, name: str | None) -> None:
    desk.window.bar.environment.chosen.emit(name)
    await desk.until(lambda: (desk.window.session.environment or {}).get("name") == name, "switch")
    await desk.quiet()


@in_qt
async def test_the_environment_is_switched_and_seen(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await desk.start(folder)
    window = desk.window
    sink = await desk.open("sink", SINK)
    assert not window.strip.isVisible()
    assert sink.ready_pill.text() == "1 variable not set"
    window.bar.environment.menu.aboutToShow.emit()
    texts = [action.text() for action in window.bar.environment.menu.actions()]
    assert texts == ["No environment (.env)", "dev", "production (read-only)", "",
                     "Add environment…", "Variables…"]  # fmt: skip
    window.where.button("real").click()
    await at(desk, folder, "production")
    assert window.bar.target == "standin"
    assert window.strip.isVisible()
    assert window.strip.accessibleName() == (
        "Environment production: read-only, check and preview only"
    )
    assert window.strip.property("banner") == "error"
    assert (sink.ready_pill.text(), sink.environment_pill.text()) == ("ready", "production")
    window.where.button("real").click()
    await desk.trigger("check")
    wanted = f"Check {SINK} on the real service of production"
    await desk.until(lambda: window.check_panel.title._text == wanted, "the check's title")
    await desk.until(lambda: window.check_panel.verdict.text() != "checking…", "the check")
    await at(desk, folder, None)
    assert not window.strip.isVisible()
    assert window.bar.environment.button.text() == "No environment"


@in_qt
async def test_forms_name_the_file_that_takes_a_secret(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await desk.start(folder)
    place = (await desk.open("databases", "shop")).form.rows["password"].editor.place
    assert place.itemText(0) == "in .env"
    await at(desk, folder, "dev")
    assert place.itemText(0) == "in .env.dev"
    await at(desk, folder, None)
    assert place.itemText(0) == "in .env"


def typing(monkeypatch: pytest.MonkeyPatch, text: str | None) -> list[str]:
    """Type into the dialog that asks for a name; returns what was asked."""
    asked: list[str] = []

    def run(dialog: AskDialog) -> int:
        asked.append(" ".join(item.text() for item in dialog.findChildren(QLabel)))
        if text is None:
            return 0
        dialog.findChildren(QLineEdit)[0].setText(text)
        found = dialog.validate()
        asked.append(found or "accepted")
        return int(found is None)

    monkeypatch.setattr(AskDialog, "exec", run)
    return asked


@in_qt
async def test_production_is_not_written_to_without_its_name(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await desk.start(folder)
    window = desk.window
    await desk.open("sink", SINK)
    await at(desk, folder, "production")
    window.run_panel.after = None
    monkeypatch.setattr(dialogs, "ask", lambda *_, **__: pytest.fail("a plain question"))
    window.commands.runs.with_consent = lambda sink, standin, then: then()  # type: ignore[method-assign]
    for text in (None, "", "dev", "Production", "productio"):
        window.where.button("real").click()
        asked = typing(monkeypatch, text)
        await desk.trigger("run")
        assert "in environment production? It is read-only." in asked[0]
        assert SINK in asked[0]
        assert "6 messages" in asked[0]
        assert "127.0.0.1" in asked[0]
    await desk.quiet()
    assert http_receiver.requests == []
    assert not window.run_panel.running
    typing(monkeypatch, "production")
    await desk.trigger("run")
    await desk.until(lambda: window.run_panel.summary is not None, "the run")
    assert len(http_receiver.requests) == 6
    assert window.run_panel.title._text.endswith("to the real service of production")


@in_qt
async def test_every_key_and_button_asks_in_production(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All actions of the table, and every button that is to be seen: nothing arrives."""
    folder = with_environments(tmp_path / "p", http_receiver.url, 200)
    await desk.start(folder)
    window = desk.window
    await desk.open("sink", SINK)
    await at(desk, folder, "production")
    window.run_panel.after = None
    window.commands.runs.with_consent = lambda sink, standin, then: then()  # type: ignore[method-assign]
    http_receiver.answer = lambda _: Reply(delay=0.2)
    window.where.button("real").click()
    typing(monkeypatch, "production")
    await desk.trigger("run")
    await desk.until(lambda: getattr(window.run_panel.run, "id", ""), "the run")
    await desk.trigger("cancel")
    await desk.until(lambda: window.run_panel.resumable, "the cancelled run")
    asked = typing(monkeypatch, None)
    sent = len(http_receiver.requests)
    for step in (window.run_panel.resume_button.click,
                 window.action_table.qaction("resume_run").trigger,
                 window.action_table.qaction("run").trigger,
                 window.bar.run_button.click):  # fmt: skip
        before = len(asked)
        await desk.act(step)
        await desk.quiet()
        assert len(asked) == before + 1
    QTest.keyClick(window, Qt.Key.Key_F5)
    QTest.keyClick(window, Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier)
    await desk.quiet()
    assert len(http_receiver.requests) == sent


@in_qt
async def test_variables_are_edited_where_they_belong(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await desk.start(folder)
    document = await desk.open("variables", "Variables")
    assert isinstance(document, VariablesDocument)
    await desk.until(lambda: document.rows, "the variables")
    assert "HOOK_URL" in document.banner.text
    assert document.tree.topLevelItem(0).text(3).startswith("api (url)")
    await at(desk, folder, "dev")
    await desk.until(lambda: not document.banner.text, "the value")
    assert document.tree.topLevelItem(0).text(2) == ".env.dev"

    def fill(dialog: VariableDialog) -> int:
        assert [dialog.place.itemText(n) for n in range(4)] == [
            "in .env.dev", "in the keyring, for dev", "in .env, for all environments",
            "in the keyring, for all environments",
        ]  # fmt: skip
        dialog.name.setText("API_TOKEN")
        dialog.value.setText("s3cret-value")
        return int(dialog.validate() is None)

    monkeypatch.setattr(VariableDialog, "exec", fill)
    await desk.act(document.add_button.click)
    await desk.until(lambda: len(document.rows) == 2, "the new variable")
    assert "API_TOKEN=s3cret-value" in (folder / ".env.dev").read_text()
    texts = [document.tree.topLevelItem(n).text(1) for n in range(2)]
    assert texts[0] == "••••••"
    document.filter.setText("hook_url")
    assert document.tree.topLevelItemCount() == 1
    document.filter.clear()
    document.choose("API_TOKEN")
    monkeypatch.setattr(dialogs, "ask", lambda *_, **__: True)
    await desk.act(document.remove_button.click)
    await desk.until(lambda: len(document.rows) == 1, "the removal")
    assert "API_TOKEN" not in (folder / ".env.dev").read_text()


@in_qt
async def test_an_environment_is_added_and_marked(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    document = await desk.open("variables", "Variables")

    def fill(dialog: Dialog) -> int:
        assert isinstance(dialog, AddEnvironmentDialog)
        for bad in ("", "No", "a b", "../x"):
            dialog.name.setText(bad)
            assert dialog.validate()
        dialog.name.setText("prod")
        return int(dialog.validate() is None)

    monkeypatch.setattr(AddEnvironmentDialog, "exec", fill)
    await desk.trigger("add_environment")
    await desk.until(lambda: desk.window.session.environment, "the environment")
    assert (project / ".env.prod").read_text() == ""
    assert document.read_only.isChecked()
    asked = typing(monkeypatch, "no")
    await desk.act(document.read_only.click)
    assert asked[-1] == "Type prod, or cancel."
    assert document.read_only.isChecked()
    typing(monkeypatch, "prod")
    await desk.act(document.read_only.click)
    await desk.until(lambda: not (desk.window.session.environment or {})["read_only"], "the mark")
    assert desk.window.session.dirty
    await desk.trigger("save")
    await desk.quiet()
    assert "environments:" in (project / "sequin.yaml").read_text()


@in_qt
async def test_an_engine_that_is_started_again_stays_in_the_environment(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    await desk.start(folder)
    await at(desk, folder, "production")
    desk.engine._process.kill()
    await desk.until(lambda: any("restarted" in text for _, text in desk.notices), "the restart")
    await desk.quiet()
    found: dict[str, Any] = desk.window.session.environment or {}
    assert (found.get("name"), found.get("read_only")) == ("production", True)
