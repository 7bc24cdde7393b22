"""Steps of tests about runs: a project that delivers to an HTTP server of the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from routestudio.ui import dialogs
from routestudio.ui.panels.run import RunPanel
from routestudio.ui.panels.run_tables import RowsModel
from tests.gui.desk import Desk
from tests.support.run_project import SINK, rows, write_run_project


async def at_run_project(desk: Desk, folder: Path, url: str, count: int, **more: Any) -> RunPanel:
    """Open a project with `count` messages for the real service at `url`."""
    without = more.pop("without", ())
    await desk.start(write_run_project(folder, url, rows(count, without=without), **more))
    await desk.open("sink", SINK)
    desk.window.where.button("real").click()
    desk.window.run_panel.after = None
    return desk.window.run_panel


async def run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, and confirm that the real service is meant."""
    monkeypatch.setattr(dialogs, "ask", lambda *_, **__: True)
    await desk.trigger("run")


def column_of(model: RowsModel, title: str) -> list[str]:  # type: ignore[type-arg]
    """The texts of one column, all rows that are here."""
    number = [column.title for column in model.columns].index(title)
    found = (model.row(row) for row in range(model.rowCount()))
    return [model.columns[number].text(row) for row in found if row is not None]


def tree_texts(desk: Desk, group: str) -> list[str]:
    """What the project tree lists in a group."""
    item = desk.window.tree._groups[group]
    children = (item.child(number) for number in range(item.childCount()))
    return [child.text(0) for child in children if child is not None]
