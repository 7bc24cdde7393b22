"""What the window says of the walls around functions, and of a project's use of the user's own
variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from routestudio.ui import dialogs
from routestudio.ui.help_dialogs import AboutDialog
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


@in_qt
async def test_about_says_which_walls_hold_here(desk: Desk) -> None:
    await desk.start()
    dialog = AboutDialog(desk.window, desk.engine)
    dialog.show()
    await desk.until(lambda: dialog.walls.isVisible(), "what the engine knows")
    assert dialog.walls.text().startswith("Functions run in a separate process, behind ")
    dialog._copy()
    assert dialog.walls.text() in QApplication.clipboard().text()
    dialog.close()


def asked(monkeypatch: pytest.MonkeyPatch, answers: list[bool]) -> list[str]:
    """Questions about variables, answered one after the other; sending itself is agreed to."""
    found: list[str] = []

    def ask(_: object, title: str, text: str, *rest: object, **options: Any) -> bool:
        if title != "Your variables":
            return True
        found.append(text)
        return answers.pop(0)

    monkeypatch.setattr(dialogs, "ask", ask)
    return found


@in_qt
@pytest.mark.parametrize("action", ["check", "run"])
async def test_variables_of_the_user_are_shown_with_their_host_once(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setenv("MINE_ALONE", "canary-of-the-user")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "rows.jsonl").write_text(
        '{"action": "insert", "record": {"id": 1}, "metadata": {"table_name": "t"}}\n'
    )
    (tmp_path / ".env").write_text("THEIRS=of-the-project\n")
    (tmp_path / "sequin.yaml").write_text(
        "sinks:\n  - name: cache\n    database: shop\n    destination: {type: redis_string, "
        "host: 127.0.0.1, port: 1, username: '${THEIRS}', password: '${MINE_ALONE}'}\n"
    )
    questions = asked(monkeypatch, [False, True])
    await desk.start(tmp_path)
    await desk.open("sink", "cache")
    desk.window.where.button("real").click()
    panel = desk.window.run_panel if action == "run" else desk.window.check_panel
    started: list[object] = []
    start = panel.start
    monkeypatch.setattr(panel, "start", lambda *a, **k: (started.append(a), start(*a, **k)))
    for number in range(3):
        await desk.trigger(action)
        await desk.until(lambda n=number: len(questions) > min(n, 1), "the question")
        await desk.until(lambda n=number: len(started) == n, "the start, after it was agreed to")
        if action == "run" and number:
            await desk.until(lambda: desk.window.run_panel.running, "the run")
            await desk.trigger("cancel")
            await desk.until(lambda: not desk.window.run_panel.running, "its end")
    assert len(questions) == 2, "it was agreed to, so nobody is asked again"
    for text in questions:
        assert "MINE_ALONE to 127.0.0.1" in text
        assert "THEIRS" not in text
        assert "canary" not in text
