"""The steps of the guide "A first route" in the real window, then its command."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from routestudio.ui.actions import TABLE
from routestudio.ui.screenshots_tour import GUIDE, take_tour
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


@in_qt
async def test_the_first_route_works_as_written(desk: Desk, tmp_path: Path) -> None:
    await desk.start()
    folder = tmp_path / "orders-api"
    pictures: list[str] = []
    tests = desk.window.tests

    async def shoot(name: str) -> None:
        pictures.append(name)
        if name == "tour-3-route":
            preview = desk.window.document().preview
            rows = [preview.model.row(n)["routing"] for n in range(5)]
            assert [(r["method"], r["endpoint_path"]) for r in rows] == [
                ("POST", "/eu/orders"), ("PATCH", "/eu/orders/1"), ("POST", "/us/orders"),
                ("PUT", "/eu/orders/3"), ("DELETE", "/us/orders/2"),
            ]  # fmt: skip
        if name == "tour-4-tests":
            assert [item["ok"] for item in tests.results] == [True, True]
        if name == "tour-5-delete":
            entries = desk.window.document().preview.variants.entries
            failed = {entry["key"] for entry in entries if entry["row"]["problems"]}
            assert "delete_keys" in failed
        if name == "tour-6-fixed":
            assert [item["ok"] for item in tests.results] == [True, True, True]

    await take_tour(desk.window, shoot, desk.until, folder)
    text = GUIDE.read_text(encoding="utf-8")
    assert pictures == re.findall(r"images/(tour-[\w-]+)\.png", text)
    [command] = re.findall(r"(?m)^    routestudio (.*)$", text)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "routestudio", *command.split(), cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "3 passed" in said.decode()


def test_menus_and_shortcuts_of_the_guides_are_those_of_the_window() -> None:
    rows = {(row.menu, row.title): row.shortcut for row in TABLE}
    menus, keys = [], []
    for guide in sorted(GUIDE.parent.glob("*.md")):
        text = re.sub(r"\s+", " ", guide.read_text(encoding="utf-8"))
        menus += re.findall(r"\*\*(\w+) → ([^*]+)\*\*", text)
        keys += re.findall(r"`((?:Ctrl|Alt|F\d)[^`]*)`", text)
        shown = re.findall(r"\*\*[^*]+\*\* \(((?:Ctrl|Alt|Shift|F\d)[^)]*)\)", text)
        keys += [each for each in shown if "**" not in each]
    assert len(menus) >= 8
    assert len(keys) >= 10
    assert [each for each in menus if each not in rows] == []
    known = {*rows.values(), "Ctrl", "Ctrl+A", "Ctrl+C"}  # the last three are those of any list
    assert [each for each in keys if each not in known] == []
