"""One change asks the engine for one preview, of what is in sight; closed previews are dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

MOST = 9
"""Requests that one key press may cause: preview, its rows, the row in front, diagnostics, the
journaled edit, coverage and a lint."""


def counting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The requests from now on, by method."""
    found: Counter[str] = Counter()
    client = desk.engine._client
    assert client is not None
    before: Callable[..., Any] = client.request

    async def request(method: str, **params: Any) -> Any:
        found[method] += 1
        return await before(method, **params)

    monkeypatch.setattr(client, "request", request)
    return found


@in_qt
async def test_a_key_previews_once_and_a_save_not_at_all(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    for name in ("customers-to-redis", "events-to-http"):
        await desk.open("sink", name)
    document = await desk.open("function", "orders-by-region")
    await desk.until(lambda: "rows in" in document.preview.state.text(), "a preview")
    await desk.quiet(1.0)
    found = counting(desk, monkeypatch)
    document.editor.insert_at_cursor("# x\n")
    await desk.until(lambda: found["apply"] and found["checks.lint"], "the edit, and a lint")
    await desk.quiet(1.0)
    assert found["preview"] == 1, found
    assert sum(found.values()) <= MOST, found
    found.clear()
    await desk.trigger("save")
    await desk.until(lambda: not desk.window.session.dirty, "the save")
    await desk.quiet(0.5)
    assert found["preview"] == 0, found
    # A preview that is not in sight is made when it is looked at, if it is affected at all.
    found.clear()
    await desk.open("sink", "orders-to-kafka")
    await desk.until(lambda: found["preview"] == 1, "the preview of the sink of the function")
    await desk.quiet()
    found.clear()
    await desk.open("sink", "customers-to-redis")
    await desk.quiet(0.5)
    assert found["preview"] == 0, "nothing that this sink depends on has changed"
    await desk.trigger("close_document")
    await desk.until(lambda: found["forget_preview"] == 1, "the engine to forget a preview")


@in_qt
async def test_a_function_that_no_sink_uses_is_previewed_through_one_of_its_type(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    session = desk.window.session
    code = "def route(action, record, changes, metadata):\n    return {'topic': 'unused'}\n"
    item = {"name": "unused", "type": "routing", "sink_type": "kafka", "language": "python",
            "file": "functions/unused.py", "code": code}  # fmt: skip
    session.apply({"op": "add_function", "item": item})
    await desk.until(lambda: session.function("unused") is not None, "the function")
    document = await desk.open("function", "unused")
    assert "does not use it yet" in document.sinks.currentText()
    preview = document.preview
    await desk.until(
        lambda: ((preview.model.row(0) or {}).get("routing") or {}).get("topic") == "unused",
        "a preview of the function",
    )
    # A row that fails is counted where a green "no problems" would be.
    bad = code.replace("{'topic': 'unused'}", "{'topic': record['nowhere']}")
    document.editor.setPlainText(bad)
    await desk.until(lambda: "fail" in document.problems.text(), "the count of failing rows")
    header = preview.table.horizontalHeader()
    why = preview.model.columnCount() - 1
    assert header.visualIndex(why) == 5, "the reason stands beside the result"
    assert header.sectionSize(why) >= 340
