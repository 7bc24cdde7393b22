"""The walk of the guide "One route, three environments", in a real window by its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit

from routestudio.ui import dialogs
from routestudio.ui.actions import TABLE
from routestudio.ui.widgets.dialog import AskDialog
from tests.gui.desk import Desk, in_qt
from tests.support.http_server import HttpReceiver
from tests.support.run_project import SINK
from tests.unit.engine.test_environment_guard import with_environments

pytestmark = pytest.mark.gui

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "environments.md"


def walk() -> str:
    """The section that is walked, on one line."""
    text = GUIDE.read_text(encoding="utf-8")
    return " ".join(re.findall(r"## 3\. Walk through them\n(.*?)\n## ", text, re.DOTALL)[0].split())


async def keys(desk: Desk, shortcut: str) -> None:
    """Trigger the action whose keys the guide names."""
    assert f"`{shortcut}`" in walk()
    [row] = [row for row in TABLE if row.shortcut == shortcut]
    await desk.act(desk.window.action_table.qaction(row.id).trigger)


async def switch(desk: Desk, name: str) -> None:
    """Switch as the guide does: by the menu that its keys open."""
    assert f"*{name}*" in walk()
    window = desk.window
    window.bar.environment.menu.aboutToShow.emit()
    [action] = [a for a in window.bar.environment.menu.actions() if a.text().startswith(name)]
    await desk.act(action.trigger)
    await desk.until(lambda: (window.session.environment or {}).get("name") == name, name)
    await desk.quiet()
    assert window.bar.target == "standin"  # each switch goes back to the stand-in


async def check_and_run(desk: Desk) -> None:
    window = desk.window
    await keys(desk, "F6")
    await desk.until(lambda: window.check_panel.verdict.text() not in ("", "checking…"), "check")
    await keys(desk, "F5")
    await desk.until(lambda: window.run_panel.summary is not None, "the run")
    await desk.until(lambda: not window.run_panel.running, "its end")
    await desk.quiet()


@in_qt
async def test_the_walk(
    desk: Desk, tmp_path: Path, http_receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_environments(tmp_path / "p", http_receiver.url)
    file = folder / "sequin.yaml"
    file.write_text(file.read_text().replace("${HOOK_URL}", "${HOOK_URL:-http://localhost:9}"))
    (folder / ".env.dev").rename(folder / ".env.staging")
    await desk.start(folder)
    window = desk.window
    await desk.open("sink", SINK)

    # Development: nothing is asked, and a stand-in gets it.
    monkeypatch.setattr(dialogs, "ask", lambda *_, **__: pytest.fail("a question"))
    await check_and_run(desk)
    await keys(desk, "F7")
    await desk.until(window.arrived.tree.topLevelItemCount, "what arrived")
    assert http_receiver.requests == []

    # Staging: a question with host and environment.
    await switch(desk, "staging")
    window.where.button("real").click()
    asked: list[str] = []
    monkeypatch.setattr(dialogs, "ask", lambda *found, **_: asked.append(found[2]) or True)
    await check_and_run(desk)
    assert asked == [
        f'Send 6 messages from sample "orders" through {SINK} to '
        f"{http_receiver.url.rstrip('/')} in environment staging?"
    ]
    assert len([r for r in http_receiver.requests if b'"record"' in r.body]) == 6

    # Production: its name, or nothing.
    await switch(desk, "production")
    http_receiver.reset()
    assert "read-only" in window.strip.accessibleName()
    window.where.button("real").click()
    answers = [None, "staging", "production"]

    def ask(dialog: AskDialog) -> int:
        [edit] = dialog.findChildren(QLineEdit)
        assert f"*{edit.accessibleName()}*" in walk()
        asked.append(" ".join(label.text() for label in dialog.findChildren(QLabel)))
        text = answers.pop(0)
        edit.setText(text or "")
        return int(text is not None and dialog.validate() is None)

    monkeypatch.setattr(AskDialog, "exec", ask)
    for _ in range(2):
        await keys(desk, "F5")
        await desk.quiet()
        assert [r for r in http_receiver.requests if b'"record"' in r.body] == []
    await keys(desk, "F5")
    await desk.until(lambda: len(http_receiver.requests) >= 6, "the delivery")
    assert asked[-1].count("production") >= 2
