"""Everything that has a name is opened by typing a part of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from routestudio.ui.palette import MOST, Entry, Palette
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def opened(desk: Desk) -> Palette:
    """Quick open as its shortcut shows it, with what the engine knows."""
    await desk.trigger("quick_open")
    palette = desk.window.findChildren(Palette)[-1]
    assert palette.isVisible()
    await desk.until(lambda: any("route test" in e.detail for e in palette._entries), "the tests")
    return palette


def shown(palette: Palette) -> list[str]:
    return [palette.items.item(number).text() for number in range(palette.items.count())]


async def take(desk: Desk, text: str) -> None:
    palette = await opened(desk)
    QTest.keyClicks(palette.text, text)
    assert palette.chosen is not None, text
    await desk.act(lambda: QTest.keyClick(palette.text, Qt.Key.Key_Return))


@in_qt
async def test_every_kind_of_name_is_there(desk: Desk, project: Path) -> None:
    (project / ".env.staging").write_text("SHOP_HOST=staging.example.com\n")
    await desk.start(project)
    palette = await opened(desk)
    kinds = {entry.detail.split("  ")[0] for entry in palette._entries}
    assert kinds >= {"sink", "function", "sample set", "database", "route test", "environment",
                     "variable"}  # fmt: skip
    names = {entry.text for entry in palette._entries}
    assert {"orders-to-kafka", "orders-by-region", "awkward", "shop", "staging"} <= names
    assert "staging.example.com" not in " ".join(e.words + e.text for e in palette._entries)
    palette.reject()


@in_qt
async def test_a_name_opens_what_has_it(desk: Desk, project: Path) -> None:
    await desk.start(project)
    for text, kind, name in (
        ("ordbyreg", "function", "orders-by-region"), ("awkw", "sample", "awkward"),
        ("shop data", "databases", "shop"), ("orders-to-k", "sink", "orders-to-kafka"),
    ):  # fmt: skip
        await take(desk, text)
        document = desk.window.document()
        assert document is not None
        assert (document.kind, document.name) == (kind, name), text
        await desk.quiet()


@in_qt
async def test_what_was_opened_last_is_first_and_what_is_in_front_last(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    await desk.open("sample", "awkward")
    await desk.open("function", "only-customers")
    await desk.open("sink", "orders-to-kafka")
    await desk.quiet()
    palette = await opened(desk)
    assert shown(palette)[:2] == ["only-customers", "awkward"]
    assert shown(palette)[-1] == "orders-to-kafka"
    palette.reject()
    desk.window.session.open(project)
    await desk.quiet(0.3)
    assert desk.window.memory.visited()[0] == ("sink", "orders-to-kafka")


@in_qt
async def test_a_route_test_is_chosen_in_its_panel(desk: Desk, project: Path) -> None:
    await desk.start(project)
    palette = await opened(desk)
    tests = [entry for entry in palette._entries if entry.detail.startswith("route test")]
    wanted = tests[-1]
    palette.reject()
    for _ in range(2):  # before any test has run, and after
        await take(desk, wanted.text.lower())
        await desk.until(lambda: desk.window.tests.results, "the tests")
        await desk.until(
            lambda: (item := desk.window.tests.list.currentItem()) is not None
            and item.text(0) == wanted.text, "the test to be chosen",
        )  # fmt: skip
        await desk.quiet()


@in_qt
async def test_a_variable_and_an_environment(desk: Desk, project: Path) -> None:
    (project / ".env").write_text("SHOP_REGION=eu\n")
    (project / ".env.staging").write_text("SHOP_REGION=us\n")
    await desk.start(project)
    await take(desk, "shop_region")
    document: Any = desk.window.document()
    assert document is not None
    assert document.kind == "variables"
    await desk.until(lambda: (document.current or {}).get("name") == "SHOP_REGION", "the variable")
    await take(desk, "staging env")
    await desk.until(
        lambda: (desk.window.session.environment or {}).get("name") == "staging", "the environment"
    )


@in_qt
async def test_nothing_found_is_shown_and_escape_leaves(desk: Desk, project: Path) -> None:
    await desk.start(project)
    before = desk.window.document()
    palette = await opened(desk)
    QTest.keyClicks(palette.text, "qqqzzz")
    assert palette.items.count() == 0
    assert palette.nothing.isVisible()
    assert palette.nothing.text() == "Nothing has this name"
    await desk.act(lambda: QTest.keyClick(palette.text, Qt.Key.Key_Escape))
    assert desk.window.document() is before
    assert QApplication.activeModalWidget() is None


@in_qt
async def test_quick_open_needs_a_project(desk: Desk) -> None:
    assert not desk.window.action_table.qaction("quick_open").isEnabled()


def test_thousands_of_names_do_not_hold_up_typing(qtbot: Any) -> None:
    taken: list[int] = []
    entries = [Entry(f"sink-{n}", f"sink-{n} sink", "sink", partial(taken.append, n), "sink")
               for n in range(3_000)]  # fmt: skip
    palette = Palette(entries, None)
    qtbot.addWidget(palette)
    assert palette.items.count() == MOST
    assert palette.nothing.text() == "The first 200 of 3,000: type more of the name"
    palette.text.setText("sink-2999")
    assert palette.items.count() == 1
    assert palette.nothing.isHidden()
    palette.trigger()
    assert taken == [2999]
