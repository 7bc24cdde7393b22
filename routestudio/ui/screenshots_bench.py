"""Pictures of the workbench: `python -m routestudio.ui.screenshots FOLDER --bench`.

On the demo project: the editor with what it finds, the preview with its three views, a route test
that fails, and the outcome diff of an edited function.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

_SINK, _FUNCTION = "orders-to-kafka", "orders-by-region"
_EDIT = ('"topic": f"orders', '"topic": f"sales')
_TYPED = ('"topic": f"orders', '"topc": f"orders')


async def take_bench(
    window: Any, shoot: Callable[[str], Awaitable[None]], until: Callable[..., Awaitable[None]]
) -> None:
    """Open the demo project in `window` and take every picture. Nothing is saved."""
    from routestudio.ui.outcome_dialog import OutcomeDialog

    window.commands.project.open_demo()
    await until(lambda: window.document() is not None)
    window.commands.open("function", _FUNCTION)
    document = window.document()
    preview, editor = document.preview, document.editor
    await until(lambda: preview.model.row(0))

    def trigger(name: str) -> None:
        window.action_table.qaction(name).trigger()

    for number, view in enumerate(("rows", "destinations", "variants")):
        preview.table.selectRow(2)
        trigger(f"view_{view}")
        await asyncio.sleep(1.0 if number else 0.5)
        await shoot(f"preview-{view}")
    trigger("view_rows")
    editor.go_to(5, 9)
    await asyncio.sleep(1.0)
    preview.inspector.tabs.setCurrentIndex(preview.inspector.tabs.count() - 1)
    await asyncio.sleep(0.5)
    await shoot("editor-explain")
    preview.inspector.tabs.setCurrentIndex(0)
    text = editor.toPlainText()
    _type(editor, text.replace(*_TYPED) + "    \n")
    await until(lambda: editor.diagnostics)
    editor.go_to(_line(editor, "topc") + 1, 14)
    await asyncio.sleep(0.6)
    await shoot("editor-problem")
    _type(editor, text)
    await asyncio.sleep(0.6)

    line = _line(editor, "region")
    editor.go_to(line + 1, 1)
    editor.insert_at_cursor("    order = record[]\n")
    editor.go_to(line + 1, len("    order = record[") + 1)
    editor.insert_at_cursor('"')
    document.completion.offer(force=True)
    await asyncio.sleep(0.6)
    await shoot("editor-completion")
    document.completion.popup.hide()

    _type(editor, text.replace(*_EDIT))
    await asyncio.sleep(1.2)
    trigger("run_tests")
    await until(lambda: window.tests.results)
    await asyncio.sleep(0.4)
    await shoot("tests")
    window.place.toggle()
    trigger("compare")
    found: list[Any] = []

    def dialog() -> bool:
        found[:] = [w for w in window.findChildren(OutcomeDialog) if w.isVisible()]
        return bool(found)

    await until(dialog)
    await asyncio.sleep(0.5)
    await shoot("outcome-diff")
    found[0].reject()
    _type(editor, text)
    await asyncio.sleep(0.5)


def _type(editor: Any, text: str) -> None:
    editor.selectAll()
    editor.insertPlainText(text)


def _line(editor: Any, word: str) -> int:
    lines = editor.toPlainText().splitlines()
    return next(number for number, line in enumerate(lines) if word in line)
