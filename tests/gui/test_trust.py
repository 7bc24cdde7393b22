"""Nothing is lost or sent without being asked: leaving, saving, real services."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from routestudio.ui import dialogs
from routestudio.ui.conflict_dialog import ConflictDialog
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

SINK = ["sinks", "orders-to-kafka"]


def size(desk: Desk) -> object:
    return (desk.window.session.sink("orders-to-kafka") or {}).get("batch_size")


async def edit(desk: Desk, value: int) -> None:
    desk.window.session.set_value([*SINK, "batch_size"], value)
    await desk.until(lambda: size(desk) == value, "the edit")


def answering(monkeypatch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    asked: list[list[str]] = []

    def ask(_: object, files: list[str], *, going: str = "") -> str:
        asked.append([going, *files])
        return text

    monkeypatch.setattr(dialogs, "ask_save", ask)
    return asked


def deciding(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[list[dict[str, Any]]]:
    """Answer the dialog about changed files; returns what it was asked about."""
    asked: list[list[dict[str, Any]]] = []

    def run(dialog: ConflictDialog) -> int:
        rows = [dialog.list.item(n) for n in range(dialog.list.count())]
        asked.append([row.data(256) for row in rows if row is not None])
        dialog.answer = answer
        return 1

    monkeypatch.setattr(ConflictDialog, "exec", run)
    return asked


@in_qt
async def test_quitting_asks_although_the_demo_was_open_before(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start()
    window, session = desk.window, desk.window.session
    await desk.trigger("open_demo")
    await desk.until(lambda: session.is_open, "the demo")
    await desk.quiet()
    await desk.act(lambda: window.commands.project.open(project))
    await desk.until(lambda: session.path == project and window.documents(), "the project")
    await edit(desk, 77)
    asked = answering(monkeypatch, "cancel")
    window.close()
    await desk.until(lambda: asked, "a question")
    assert window.isVisible()
    assert asked[0] == ["closing", "sequin.yaml"]


@in_qt
async def test_a_changed_demo_is_asked_about_and_can_be_kept(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start()
    window, session = desk.window, desk.window.session
    await desk.trigger("open_demo")
    await desk.until(lambda: session.is_open, "the demo")
    await desk.quiet()
    await edit(desk, 78)
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    monkeypatch.setattr(dialogs, "ask_demo", lambda *_, **__: "keep")

    class Chosen(dialogs.SaveAsDialog):
        def exec(self) -> int:
            self.folder.setText(str(tmp_path / "kept"))
            return 1

    monkeypatch.setattr(dialogs, "SaveAsDialog", Chosen)
    closed: list[bool] = []
    window.closed.connect(lambda: closed.append(True))
    window.close()
    await desk.until(lambda: closed, "the window to close")
    assert "batch_size: 78" in (tmp_path / "kept" / "sequin.yaml").read_text()
    assert (tmp_path / "kept" / "samples" / "shop.jsonl").is_file()


@in_qt
async def test_opening_another_project_asks_about_unsaved_edits(
    desk: Desk, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other)
    await desk.start(project)
    session = desk.window.session
    await edit(desk, 79)
    asked = answering(monkeypatch, "cancel")
    await desk.act(lambda: desk.window.commands.project.open(other))
    await desk.until(lambda: asked, "a question")
    assert asked[0] == ["opening another project", "sequin.yaml"]
    assert session.path == project
    answering(monkeypatch, "save")
    await desk.act(lambda: desk.window.commands.project.drop(other))
    await desk.until(lambda: session.path == other, "the other project")
    assert "batch_size: 79" in (project / "sequin.yaml").read_text()


@in_qt
async def test_the_real_service_is_not_chosen_after_another_project_opens(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    bar = desk.window.bar
    bar.where.button("real").click()
    assert bar.target == "real"
    assert bar.run_button.property("kind") == "danger-primary"
    assert "localhost:9092" in bar.where.button("real").toolTip()
    desk.window.session.open(project)
    await desk.until(lambda: bar.target == "standin", "the stand-in")
    assert bar.run_button.property("kind") == "primary"


@in_qt
async def test_a_file_that_was_changed_outside_is_asked_about(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    session = desk.window.session
    file = project / "sequin.yaml"
    await edit(desk, 80)
    theirs = file.read_text().replace("batch_size: 200", "batch_size: 300")
    file.write_text(theirs)
    asked = deciding(monkeypatch, "cancel")
    await desk.trigger("save")
    await desk.until(lambda: asked, "a question")
    assert [(item["path"], item["state"]) for item in asked[0]] == [("sequin.yaml", "changed")]
    assert file.read_text() == theirs
    assert session.dirty
    assert ("success", "Saved") not in desk.notices
    deciding(monkeypatch, "overwrite")
    await desk.trigger("save")
    await desk.until(lambda: ("success", "Saved") in desk.notices, "the save")
    assert "batch_size: 80" in file.read_text()


@in_qt
async def test_reloading_takes_what_the_disk_has(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    file = project / "sequin.yaml"
    await edit(desk, 81)
    file.write_text(file.read_text().replace("batch_size: 200", "batch_size: 301"))
    deciding(monkeypatch, "reload")
    await desk.trigger("save")
    await desk.until(lambda: size(desk) == 301, "the version on the disk")
    await desk.until(lambda: not desk.window.session.dirty, "nothing to save")


@in_qt
async def test_a_deleted_folder_is_never_called_saved(
    desk: Desk, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    shutil.rmtree(project)
    asked = deciding(monkeypatch, "cancel")
    await desk.trigger("save")
    await desk.until(lambda: asked, "a question")
    assert {item["state"] for item in asked[0]} == {"removed"}
    assert ("success", "Saved") not in desk.notices
    deciding(monkeypatch, "overwrite")
    await desk.trigger("save")
    await desk.until(lambda: ("success", "Saved") in desk.notices, "the save")
    assert (project / "sequin.yaml").is_file()
    assert (project / "functions" / "orders_by_region.py").is_file()


@in_qt
async def test_what_another_program_changed_is_read_again_by_itself(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    document = await desk.open("function", "rest-path")
    file = project / "functions" / "rest_path.py"
    changed = file.read_text() + "\n# changed elsewhere\n"
    file.write_text(changed)
    await desk.until(lambda: document.editor.toPlainText() == changed, "the new text")
    assert not desk.window.session.dirty
    assert any("read again" in text for _, text in desk.notices)
    await edit(desk, 82)
    yaml = project / "sequin.yaml"
    yaml.write_text(yaml.read_text() + "\n# from git pull\n")
    await desk.until(lambda: desk.window.outside.text, "a banner")
    assert "sequin.yaml was changed by another program" in desk.window.outside.text
    assert size(desk) == 82
