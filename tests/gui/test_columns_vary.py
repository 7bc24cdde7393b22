"""Columns that come and go are shown beside the rows, and where a function reads one."""

from __future__ import annotations

import json
from pathlib import Path

from routestudio.ui.editor.fixes import MISSING_COLUMN
from tests.gui.desk import Desk, in_qt


def write_rows(project: Path) -> None:
    records = [{"id": n, "region": "eu", **({"note": "a"} if n > 2 else {})} for n in range(6)]
    lines = [{"action": "insert", "record": record, "metadata": {"table_name": "orders"}}
             for record in records]  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (project / "samples" / "changed.jsonl").write_text(text)


@in_qt
async def test_the_preview_shows_which_columns_come_and_go(desk: Desk, project: Path) -> None:
    write_rows(project)
    await desk.start(project)
    sink = await desk.open("sink", "orders-to-kafka")
    preview = sink.preview
    preview.samples.setCurrentIndex(preview.samples.findData("changed"))
    await desk.fresh(preview, preview.refresh)
    assert preview.bar.varying.text() == "1 column varies"
    await desk.act(lambda: preview.show_view("columns"))
    [row] = [preview.columns.tree.topLevelItem(0)]
    assert [row.text(n) for n in range(5)] == [
        "public.orders", "note", "3 of 6", "rows 3-5", "rows 0-2",
    ]  # fmt: skip
    preview.samples.setCurrentIndex(preview.samples.findData("shop"))
    await desk.fresh(preview, preview.refresh)
    assert preview.bar.varying.isHidden()
    assert preview.columns.tree.topLevelItemCount() == 0


@in_qt
async def test_a_function_that_reads_such_a_column_is_marked_at_its_line(
    desk: Desk, project: Path
) -> None:
    write_rows(project)
    await desk.start(project)
    name = next(s["routing"] for s in desk.window.session.sinks()
                if s["name"] == "orders-to-kafka")  # fmt: skip
    document = await desk.open("function", name)
    preview = document.preview
    text = 'def route(action, record, changes, metadata):\n    return {"topic": record["note"]}\n'
    await desk.act(lambda: (document.editor.selectAll(), document.editor.insert_at_cursor(text)))
    await desk.quiet()
    preview.samples.setCurrentIndex(preview.samples.findData("changed"))
    await desk.fresh(preview, preview._sample_chosen)

    def marks() -> list[tuple[int, str]]:
        return [(item.line, item.message) for item in document.editor.diagnostics
                if item.code == MISSING_COLUMN]  # fmt: skip

    await desk.until(lambda: marks(), "the mark")
    assert marks() == [(2, "`note` is missing in 3 of 6 rows of public.orders (rows 0-2)")]
    preview.show_view("columns")
    assert "is missing in 3 of 6 rows" in preview.columns.warning.text
