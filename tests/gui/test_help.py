"""Help inside the window: for the field that has the focus, pages, links, hazards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from routestudio.ui import help_pages
from routestudio.ui.help_card import HelpCard
from routestudio.ui.help_topics import PAGES, Topic, topic_of
from routestudio.ui.help_window import HelpWindow
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture
def reader(qtbot: QtBot) -> HelpWindow:
    made = HelpWindow(None)
    qtbot.addWidget(made)
    made.show()
    return made


def in_sight(reader: HelpWindow) -> str:
    """The text of the first block that is to be seen."""
    return reader.text.cursorForPosition(reader.text.viewport().rect().topLeft()).block().text()


@in_qt
async def test_f1_explains_the_field_that_has_the_focus(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sink", "orders-to-kafka")
    await desk.quiet()
    row = document.config.rows["hosts"]
    await desk.focus(row.editor.control())
    await desk.trigger("help")
    (card,) = desk.window.findChildren(HelpCard)
    assert row.field.help in card.text.text().replace("\u200b", "")
    await desk.act(card.more.click)
    (reader,) = desk.window.findChildren(HelpWindow)
    assert reader.isVisible()
    assert reader.address == "sinks/kafka.md"
    assert reader.text.textCursor().selectedText() == "hosts"
    reader.close()


@in_qt
async def test_f1_elsewhere_opens_the_page_about_it(desk: Desk, project: Path) -> None:
    await desk.start(project)
    window = desk.window
    await desk.open("sample", "awkward")
    window.activateWindow()
    for widget, page in (
        (window.tree.tree, "guides/getting-started.md"), (window.search.text, "guides/finding.md"),
        (window.tests.run_button, "guides/route-tests.md"),
    ):  # fmt: skip
        assert topic_of(widget) == Topic(page)
    await desk.focus(window.tree.tree)
    await desk.trigger("help")
    (reader,) = window.findChildren(HelpWindow)
    assert reader.address == "guides/getting-started.md"
    reader.close()


@in_qt
async def test_the_id_of_a_hazard_leads_to_its_entry(desk: Desk, project: Path) -> None:
    await desk.start(project)
    problems = desk.window.problems
    await desk.until(
        lambda: any(row.code for row in map(problems._row_of, items(desk))), "a hazard"
    )
    item = next(item for item in items(desk) if problems._row_of(item).code)
    problems.tree.setCurrentItem(item)
    code = problems._row_of(item).code
    assert f'href="#hazard:{code}"' in problems.detail.toHtml()
    await desk.act(lambda: problems.detail.anchorClicked.emit(QUrl(f"#hazard:{code}")))
    (reader,) = desk.window.findChildren(HelpWindow)
    assert reader.address == "hazards.md"
    assert reader.text.textCursor().selectedText() == code
    assert reader.text.cursorRect().top() < reader.text.viewport().height()
    reader.close()


def items(desk: Desk) -> list[Any]:
    tree = desk.window.problems.tree
    return [tree.topLevelItem(number) for number in range(tree.topLevelItemCount())]


def test_every_page_is_listed_and_shows_its_title(reader: HelpWindow) -> None:
    pages = [page for _, group in help_pages.contents() for page in group]
    assert len(pages) > 40
    for title, address in pages:
        reader.show_page(address)
        assert reader.text.toPlainText().startswith(title), address
        assert "<!--" not in reader.text.toPlainText()
        assert "{ ." not in reader.text.toPlainText()
    assert set(PAGES.values()) <= {address for _, address in pages}


def test_links_between_pages_lead_somewhere(
    reader: HelpWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    monkeypatch.setattr(HelpWindow, "_load", lambda *_: None)  # the addresses are looked at
    root = help_pages.folder()
    assert root is not None
    tried = 0
    for path in sorted((root / "guides").glob("*.md")):
        address = path.relative_to(root).as_posix()
        for link in LINK.findall(help_pages.text_of(path)):
            reader.show_page(address)
            opened.clear()
            reader._follow(QUrl(link))
            target = (path.parent / link.partition("#")[0]).resolve()
            if link.startswith("http"):
                assert opened == [link]
            elif target.is_relative_to(root) and target.suffix == ".md":
                assert reader.address.partition("#")[0] == target.relative_to(root).as_posix()
                tried += 1
            assert not (opened and not link.startswith("http"))
    assert tried > 30


def test_a_fragment_scrolls_to_its_heading_and_back_returns(reader: HelpWindow) -> None:
    reader.show_page("guides/finding.md")
    reader._follow(QUrl("sources.md#postgresql"))
    assert reader.address == "guides/sources.md#postgresql"
    assert "PostgreSQL" in in_sight(reader)
    reader.back_button.click()
    assert reader.address == "guides/finding.md"


@pytest.mark.parametrize("link", ["file:///etc/passwd", "../../../etc/passwd", "javascript:x",
                                  "../../pyproject.toml", "x://y"])  # fmt: skip
def test_no_link_leads_out_of_the_pages(
    reader: HelpWindow, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    before = reader.text.toPlainText()
    reader._follow(QUrl(link))
    assert reader.text.toPlainText() == before
    assert opened == []


def test_without_pages_it_says_so(reader: HelpWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help_pages, "documentation", lambda: None)
    reader.show_page("guides/rows.md")
    assert "has no pages of documentation" in reader.text.toPlainText()


def test_escape_closes_a_card(qtbot: QtBot, reader: HelpWindow) -> None:
    card = HelpCard(reader.list, Topic("guides/rows.md", "A title", "A text"), lambda: None)
    card.show_card()
    QTest.keyClick(card, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not reader.findChildren(HelpCard))
