"""One key press runs one preview, of what is visible; saving runs none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


class Traffic:
    """What the window asks of the engine, and how many bytes come back."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.bytes = 0
        real, client = desk.engine.request, desk.engine._client
        assert client is not None
        feed = client.feed

        async def request(method: str, **params: Any) -> Any:
            self.asked.append((method, params))
            return await real(method, **params)

        def take(data: bytes) -> None:
            self.bytes += len(data)
            feed(data)

        monkeypatch.setattr(desk.engine, "request", request)
        monkeypatch.setattr(client, "feed", take)

    def clear(self) -> None:
        self.asked.clear()
        self.bytes = 0

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.asked)

    def __str__(self) -> str:
        names = [name for name, _ in self.asked]
        counts = ", ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(names))
        return f"{len(names)} requests, {self.bytes:,} bytes: {counts}"


@in_qt
async def test_one_key_press_with_four_tabs_open(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    for kind, name in (
        ("sink", "orders-to-kafka"), ("sample", "shop"), ("sink", "customers-to-redis"),
        ("function", "orders-by-region"),
    ):  # fmt: skip
        document: Any = await desk.open(kind, name)
        await desk.quiet(0.3)
    await desk.until(lambda: "rows in" in document.preview.state.text(), "the preview")
    await desk.quiet(1.0)
    traffic = Traffic(desk, monkeypatch)
    session = desk.window.session
    await desk.act(lambda: document.editor.insert_at_cursor("\n"))
    await desk.until(lambda: session.dirty, "the edit")
    await desk.quiet(1.0)
    print(f"key press: {traffic}")
    previews = [params["view"] for method, params in traffic.asked if method == "preview"]
    assert previews == [document.preview.view]
    assert traffic.count("sample_text") == 0
    assert traffic.count("explain") == 0, "nobody looks at the tab that explains"
    assert len(traffic.asked) <= KEY, str(traffic)
    traffic.clear()
    await desk.trigger("save")
    await desk.until(lambda: not session.dirty, "the save")
    await desk.quiet(1.0)
    print(f"save: {traffic}")
    assert (
        traffic.count("preview")
        == traffic.count("sample_text")
        == traffic.count("checks.lint")
        == 0
    )
    assert len(traffic.asked) <= SAVE, str(traffic)


KEY = 11
"""7 on a quiet machine: the edit, preview and rows, the chosen row, diagnostics, coverage, lint; a
slow one asks for rows and lint more than once.
"""
SAVE = 6
"""2 on a quiet machine: the save, and the look at the files that follows."""
