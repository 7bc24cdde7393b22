"""Run → Rehearse: faults are rehearsed on a stand-in of their own, with a verdict each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from routestudio.ui.rehearse_dialog import RehearseDialog, explained
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


@in_qt
async def test_chosen_faults_are_rehearsed(desk: Desk, project: Path) -> None:
    rows = [{"action": "insert", "record": {"id": n, "name": "x"},
             "metadata": {"table_schema": "public", "table_name": "customers",
                          "record_pks": [str(n)], "commit_lsn": n + 1, "commit_idx": 0}}
            for n in range(40)]  # fmt: skip
    (project / "samples/many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    await desk.start(project)
    await desk.open("sink", "customers-to-redis")
    await desk.trigger("rehearse")
    [dialog] = desk.window.findChildren(RehearseDialog)
    await desk.until(lambda: dialog.tree.topLevelItemCount() == 6, "the faults")
    dialog.sample.setCurrentIndex(dialog.sample.findData("many"))
    wanted = {"slow", "duplicate"}
    for item in dialog._items():
        chosen = item.text(0) in wanted
        item.setCheckState(0, Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
    await desk.act(dialog.start_button.click)
    assert dialog.running
    assert dialog.start_button.text() == "Stop"
    await desk.until(lambda: not dialog.running, "the rehearsal")
    assert dialog.results.keys() == wanted
    texts = {item.text(0): [item.text(n) for n in range(1, 5)] for item in dialog._items()}
    assert texts["slow"] == ["no harm", "40 of 40", "0", "0"]
    assert texts["duplicate"][:3] == ["no harm", "40 of 40", "0"]
    assert int(texts["duplicate"][3]) > 0
    assert texts["down"] == ["", "", "", ""]
    assert "Doubled after an answer that was lost" in dialog.banner.text
    assert desk.window.session.snapshot["dirty"] == []
    dialog.reject()


def test_harm_is_explained() -> None:
    found = {
        "fault": "down", "good": False, "sent": 10, "arrived": 7, "lost": 2, "doubled": 1,
        "unexplained": 1, "disorder": 1, "dead_letters": 1, "seconds": 1.5, "stopped": "",
        "filtered": 3, "failed": 0, "untraced": 2,
        "examples": {"lost": [4, 5], "dead": [{"reason": "refused"}]},
    }  # fmt: skip
    assert explained(found) == (
        "7 of 10 messages arrived in 1.50 s. 2 messages did not arrive (rows 4, 5). The order of "
        "groups was broken 1 time. Doubled although the answer had arrived: 1. 1 dead letter: "
        "refused. Aside: 3 filtered, 2 without content, not followed."
    )
