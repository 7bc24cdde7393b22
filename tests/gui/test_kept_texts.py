"""A text that is opened is not changed before somebody types, and then only where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def left(desk: Desk, kind: str, name: str) -> Any:
    """A document after it was opened, and everything typed was taken."""
    document: Any = await desk.open(kind, name)
    await desk.until(document.editor.toPlainText, "the text")
    await desk.act(document.flush)
    await desk.quiet(0.1)
    return document


async def typed(desk: Desk, document: Any, text: str) -> None:
    """Type at the beginning, and save."""
    await desk.act(lambda: document.editor.textCursor().insertText(text))
    await desk.act(document.flush)
    await desk.until(lambda: desk.window.session.dirty, "the edit")
    await desk.trigger("save")
    await desk.until(lambda: not desk.window.session.dirty, "the save")


@in_qt
@pytest.mark.parametrize("special", ["\u00a0", "\u2028", "\r\n"], ids=["nbsp", "line", "crlf"])
async def test_a_function_keeps_its_signs(desk: Desk, project: Path, special: str) -> None:
    path = project / "functions/orders_by_region.py"
    before = path.read_bytes().decode()
    before = before.replace("\n", special) if special == "\r\n" else f"# a{special}b\n{before}"
    path.write_bytes(before.encode())
    await desk.start(project)
    document = await left(desk, "function", "orders-by-region")
    assert not desk.window.session.dirty
    await typed(desk, document, "# typed: ")
    assert path.read_bytes().decode() == "# typed: " + before


@in_qt
@pytest.mark.parametrize("special", ["\u00a0", "\r\n"], ids=["nbsp", "crlf"])
async def test_a_sample_keeps_its_signs(desk: Desk, project: Path, special: str) -> None:
    path = project / "samples/kept.jsonl"
    row = {"action": "insert", "record": {"id": 1, "price": "10\u00a0000"}, "changes": None}
    end = special if special == "\r\n" else "\n"
    before = 2 * (json.dumps(row, ensure_ascii=False) + end)
    path.write_bytes(before.encode())
    await desk.start(project)
    document = await left(desk, "sample", "kept")
    assert not desk.window.session.dirty
    await typed(desk, document, " ")
    assert "10\u00a0000" in path.read_bytes().decode()
    assert path.read_bytes().decode() == " " + before
