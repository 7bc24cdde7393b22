"""The overview: a card for each sink, with what decides its routing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from routestudio.ui.documents.overview import OverviewDocument
from routestudio.ui.widgets.basics import Card
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


def cards(document: OverviewDocument) -> dict[str, Card]:
    return {card.title.text(): card for card in document.findChildren(Card)}


@in_qt
async def test_every_sink_has_a_card_that_opens_it(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.trigger("overview")
    document = desk.window.document()
    assert isinstance(document, OverviewDocument)
    found = cards(document)
    assert list(found) == ["orders-to-kafka", "customers-to-redis", "events-to-http"]
    texts = [
        item.toolTip() or item.text() for item in found["orders-to-kafka"].findChildren(QLabel)
    ]
    assert "determined by orders-by-region" in texts
    assert "transform rest-path" not in texts
    opens = found["customers-to-redis"].findChildren(QPushButton)
    await desk.act(opens[0].click)
    opened = desk.window.document()
    assert opened is not None
    assert (opened.kind, opened.name) == ("sink", "customers-to-redis")


@in_qt
async def test_the_cards_follow_the_project(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.trigger("overview")
    document = desk.window.document()
    assert isinstance(document, OverviewDocument)
    desk.window.session.set_value(["sinks", "customers-to-redis", "destination", "database"], 7)
    await desk.until(
        lambda: (
            "7" in [i.toolTip() for i in cards(document)["customers-to-redis"].findChildren(QLabel)]
        ),
        "the card",
    )


@in_qt
async def test_every_card_is_seen_and_equally_wide_at_any_width(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.trigger("overview")
    document = desk.window.document()
    assert isinstance(document, OverviewDocument)
    for width in (1280, 1920, 900):
        await desk.act(lambda w=width: desk.window.resize(w, 800))

        def uneven() -> int:
            found = [card.width() for card in cards(document).values()]
            return max(found) - min(found)

        await desk.until(lambda: uneven() <= 1, "equal widths")  # whole pixels
        assert all(card.width() > 250 for card in cards(document).values())
