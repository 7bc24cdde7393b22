"""Questions about the project come after the edits before them, however slow those are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

CHANGES = ("set_code", "outside")


class Slow:
    """An engine that takes its time to look at the files; what it was asked, in order."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        real = desk.engine.request

        async def request(method: str, **params: Any) -> Any:
            if method == "outside":
                await self.go_on.wait()
            self.asked.append(params["edit"]["op"] if method == "apply" else method)
            return await real(method, **params)

        monkeypatch.setattr(desk.engine, "request", request)


async def typed_while_files_are_read(desk: Desk, slow: Slow, text: str) -> None:
    """Replace the function's text while the engine looks at the files outside."""
    document: Any = desk.window.document()
    desk.window.session.look_outside()
    await asyncio.sleep(0)
    await desk.act(lambda: document.editor.selectAll())
    await desk.act(lambda: document.editor.insert_at_cursor(text))


@pytest.mark.parametrize(
    ("action", "method"),
    [("run_tests", "test"), ("check", "checks.sink"), ("run", "runs.deliver"),
     ("compare", "outcome_diff"), ("convert", "convert")],
)  # fmt: skip
@in_qt
async def test_what_is_asked_comes_after_what_was_typed(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch, action: str, method: str
) -> None:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.until(lambda: "rows in" in document.preview.state.text(), "the preview")
    await desk.quiet()
    slow = Slow(desk, monkeypatch)
    code = document.editor.toPlainText().replace('"orders.items"', '"orders.lines"')
    await typed_while_files_are_read(desk, slow, code)
    await desk.trigger(action)
    await asyncio.sleep(0.1)
    assert method not in slow.asked
    slow.go_on.set()
    await desk.until(lambda: method in slow.asked, f"the request {method}")
    assert slow.asked.index("set_code") < slow.asked.index(method)


@in_qt
async def test_a_text_that_is_being_typed_is_an_edit_before_its_file_is_read_again(
    desk: Desk, project: Path
) -> None:
    """Else the other program's text would be read, forgotten and overwritten without a question."""
    await desk.start(project)
    document: Any = await desk.open("function", "orders-by-region")
    await desk.quiet()
    file = project / "functions" / "orders_by_region.py"
    theirs = file.read_text() + "# theirs\n"
    file.write_text(theirs)
    await desk.act(lambda: document.editor.insert_at_cursor("# mine\n"))
    desk.window.watch.looking.emit()
    desk.window.session.look_outside()
    await desk.until(desk.window.outside.isVisible, "the question")
    assert "# mine" in document.editor.toPlainText()
    conflicts = desk.window.session.snapshot["conflicts"]
    assert [item["path"] for item in conflicts] == ["functions/orders_by_region.py"]
    assert file.read_text() == theirs


@in_qt
async def test_an_old_answer_does_not_replace_messages_that_are_being_typed(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    document: Any = await desk.open("sample", "awkward")
    await desk.until(lambda: document.rows.model.rowCount(), "the rows")
    await desk.quiet()
    held, real = asyncio.Event(), desk.engine.request
    answers: list[str] = []

    async def request(method: str, **params: Any) -> Any:
        found = await real(method, **params)
        if method == "sample_text":
            await held.wait()
            answers.append(method)
        return found

    monkeypatch.setattr(desk.engine, "request", request)
    document.refresh()
    await desk.quiet()
    await desk.act(document.add_message)
    await desk.act(document.flush)
    await desk.act(document.add_message)
    typed = document.editor.toPlainText()
    held.set()
    await desk.until(lambda: answers, "the old answer")
    await desk.quiet()
    assert document.editor.toPlainText() == typed
