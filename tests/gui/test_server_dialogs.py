"""Servers' configurations in the window: a file is opened, an import summed up, a plan shown."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QLabel

from routestudio.ui.plan_dialog import PlanDialog
from routestudio.ui.widgets.dialog import Message
from tests.gui.desk import Desk, in_qt

TEXT = """\
x-note: kept
databases:
  - {name: shop, hostname: localhost, database: shop, password: geheim-1}
sinks:
  - name: k
    database: shop
    destination: {type: kafka, hosts: "a:9092", topic: t}
"""
ROW = '{"action": "insert", "record": {"id": 1}, "changes": null, "metadata": {}}\n'


@in_qt
async def test_a_file_is_opened_and_compared(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(TEXT)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "rows.jsonl").write_text(ROW * 3)
    other = tmp_path / "other.yaml"
    other.write_text(TEXT.replace("topic: t", "topic: u").replace("geheim-1", "geheim-2"))
    await desk.start(file)
    assert [sink["name"] for sink in desk.window.session.sinks()] == ["k"]
    desk.window.commands.servers.plan_against(other)
    await desk.until(lambda: bool(desk.window.findChildren(PlanDialog)), "the plan")
    dialog = desk.window.findChildren(PlanDialog)[0]
    tops = [dialog.changes.topLevelItem(n) for n in range(dialog.changes.topLevelItemCount())]
    shown = [(top.text(0), top.child(0).text(0), top.child(0).text(1)) for top in tops if top]
    assert shown == [("database shop  (changed)", "password", "••••"),
                     ("sink k  (changed)", "destination.topic", "u")]  # fmt: skip
    move = dialog.moves.topLevelItem(0)
    assert move is not None
    assert [move.text(n) for n in range(4)] == ["k", "u", "t", "3"]
    dialog.accept()
    assert file.read_text() == TEXT
    assert desk.failures == []


@in_qt
async def test_an_import_is_summed_up(desk: Desk, project: Path, tmp_path: Path) -> None:
    await desk.start(project)
    source = tmp_path / "server.yaml"
    source.write_text(TEXT)
    target = tmp_path / "imported"
    desk.window.commands.project.import_to(str(source), str(target))
    await desk.until(lambda: desk.window.session.path == target, "the imported project")
    await desk.until(lambda: bool(desk.window.findChildren(Message)), "what was kept")
    boxes = desk.window.findChildren(Message)
    texts = [label.text() for box in boxes for label in box.findChildren(QLabel)]
    assert any("line 1: the key `x-note`" in text for text in texts), texts
    boxes[0].accept()
    assert ("success", "Imported to imported; secrets moved to .env: SHOP_PASSWORD") in desk.notices
    assert desk.failures == []
