"""The guide "Rows you already have", walked in a real window with the keyboard.

With `ROUTESTUDIO_GUIDE_PICTURES=docs/images` the two pictures of the guide are taken on the way.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from routestudio.ui.documents.sample_keys import KeyDialog
from routestudio.ui.documents.sample_types import TypesDialog
from routestudio.ui.rows_dialog import RowsDialog
from tests.gui.desk import Desk, in_qt

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "rows.md"
PICTURES = os.environ.get("ROUTESTUDIO_GUIDE_PICTURES")


def event(number: int, op: str = "c") -> dict[str, Any]:
    row = {"code": f"c-{number}", "qty": number, "price": f"{number}.50",
           "since": "2024-05-06T07:08:09.123456Z"}  # fmt: skip
    return {
        "before": None, "after": None if op == "t" else row, "op": op, "ts_ms": 1714979289000,
        "source": {"version": "3.6.1.Final", "connector": "postgresql", "name": "shop",
                   "ts_ms": 1714979289000, "db": "shop", "schema": "public", "table": "stock",
                   "lsn": 100 + number, "txId": 1},
    }  # fmt: skip


def picture(widget: QWidget, name: str) -> None:
    assert f"images/{name}.png" in GUIDE.read_text()
    if PICTURES:
        widget.grab().save(str(Path(PICTURES) / f"{name}.png"))


async def shown(desk: Desk, kind: type[QDialog]) -> Any:
    await desk.until(lambda: [d for d in desk.window.findChildren(kind) if d.isVisible()], "it")
    return next(d for d in desk.window.findChildren(kind) if d.isVisible())


@in_qt
async def test_the_guide_is_walked(desk: Desk, project: Path) -> None:
    await desk.start(project)
    desk.window.resize(1280, 800)
    lines = [event(n) for n in range(1, 6)] + [event(6, "t")]
    QApplication.clipboard().setText("".join(json.dumps(line) + "\n" for line in lines))
    await desk.act(desk.window.action_table.qaction("paste_sample").trigger)

    # A dialog shows what was recognised; what is changed is shown at once; Enter imports.
    dialog: RowsDialog = await shown(desk, RowsDialog)
    await desk.until(lambda: dialog.focusWidget() is dialog.name, "the focus")
    said = "Debezium, PostgreSQL: 5 messages; 1 passed over (1 truncate)"
    assert dialog.summary.text() == said
    QTest.keyClicks(dialog.name, "stock")
    for _ in range(3):
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    assert dialog.focusWidget() is dialog.key
    QTest.keyClicks(dialog.key, "code")
    await desk.until(lambda: dialog.messages.item(0, 3).text() == "c-1", "the key")
    picture(dialog, "rows-import")
    QTest.keyClick(dialog.key, Qt.Key.Key_Return)
    await desk.until(lambda: any(s["name"] == "stock" for s in desk.window.session.samples()), "it")

    # The types of the table are set in a form, which proposes what the values look like.
    document = await desk.open("sample", "stock")
    await desk.until(lambda: document.rows.model.rowCount() == 5, "the rows")
    await desk.trigger("name_types")
    types: TypesDialog = await shown(desk, TypesDialog)
    assert types.propose.isVisible()
    await desk.act(types.propose.click)
    picture(types, "rows-types")
    types.fields["price"].setFocus()
    QTest.keyClick(types.focusWidget(), Qt.Key.Key_Return)
    wanted = {"price": "numeric", "since": "timestamptz"}
    snapshot = lambda: desk.window.session.snapshot  # noqa: E731
    await desk.until(lambda: snapshot()["table_types"] == {"public.stock": wanted}, "the types")  # type: ignore[no-untyped-call]

    # The key of the table is asked for by its action; the message of a row shows the types.
    await desk.trigger("mark_key")
    key: KeyDialog = await shown(desk, KeyDialog)
    assert "public.stock" in key.windowTitle()
    QTest.keyClick(key.key, Qt.Key.Key_Escape)
    await desk.until(lambda: not key.isVisible(), "the end of the dialog")
    sink = await desk.open("sink", "orders-to-kafka")
    preview = sink.preview
    preview.samples.setCurrentIndex(preview.samples.findData("stock"))
    await desk.fresh(preview, preview.refresh)
    await desk.act(lambda: preview.table.selectRow(0))
    await desk.until(lambda: "price" in preview.inspector.message.types, "the details")
    assert preview.inspector.message.types["price"] == {"type": "numeric", "origin": "project"}
