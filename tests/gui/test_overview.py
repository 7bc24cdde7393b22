"""The overview: a picture of where rows go, and a card for each sink."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton

from routestudio.ui.documents.overview import OverviewDocument, state_text
from routestudio.ui.widgets.basics import Card
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


async def overview(desk: Desk, view: str = "picture") -> OverviewDocument:
    await desk.trigger("overview")
    document = desk.window.document()
    assert isinstance(document, OverviewDocument)
    if view == "cards":
        await desk.act(document.views.button("cards").click)
    else:
        await desk.until(lambda: document.view.nodes, "the picture")
    return document


def cards(document: OverviewDocument) -> dict[str, Card]:
    return {card.title.text(): card for card in document.findChildren(Card)}


def front(desk: Desk) -> tuple[str, str]:
    document = desk.window.document()
    assert document is not None
    return document.kind, document.name


# --- the picture -------------------------------------------------------------------------------


@in_qt
async def test_every_node_leads_where_it_says(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await overview(desk)
    view = document.view
    places = {
        "table:public.customers": ("sample", "awkward"),
        "filter:only-customers": ("function", "only-customers"),
        "routing:rest-path": ("function", "rest-path"),
        "sink:events-to-http": ("sink", "events-to-http"),
        "destination:orders-to-kafka:orders.eu": ("sink", "orders-to-kafka"),
        "failed:routing:orders-by-region": ("sink", "orders-to-kafka"),
        "filtered:filter:only-customers": ("sink", "customers-to-redis"),
        "destinations:sink:events-to-http": ("sink", "events-to-http"),
    }
    for name, place in places.items():
        await overview(desk)
        view.setFocus()
        view.choose(name)
        await desk.act(lambda: QTest.keyClick(view, Qt.Key.Key_Return))
        assert front(desk) == place, name
    sample = await desk.open("sample", "awkward")
    await desk.until(lambda: sample.rows.row == 4, "the row of the table")
    sink = await desk.open("sink", "events-to-http")
    assert sink.preview.bar.views.button("destinations").isChecked()


@in_qt
async def test_a_destination_leads_to_its_rows(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await overview(desk)
    name = "destination:orders-to-kafka:orders.apac"
    rows = document.view.nodes[name].node["rows"]
    await desk.act(lambda: document.view.lead.emit(document.view.nodes[name].node["to"]))
    preview = (await desk.open("sink", "orders-to-kafka")).preview
    await desk.until(lambda: preview.model.rowCount() == rows, "the rows")
    assert preview.bar.filter.currentText() == "To orders.apac"
    await desk.quiet()
    assert {preview.model.row(n)["routing"]["topic"] for n in range(rows)} == {"orders.apac"}
    await overview(desk)
    failed = document.view.nodes["failed:routing:orders-by-region"].node
    await desk.act(lambda: document.view.lead.emit(failed["to"]))
    await desk.until(lambda: preview.model.rowCount() == 1, "the failing row")
    await desk.quiet()
    assert not preview.model.row(0)["ok"]
    assert desk.failures == []


@in_qt
async def test_what_fails_leads_to_its_line(desk: Desk, project: Path) -> None:
    file = project / "functions/orders_by_region.py"
    lines = file.read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("def "))
    lines.insert(start + 1, '    x = record["nothing"]')
    file.write_text("\n".join(lines) + "\n")
    await desk.start(project)
    document = await overview(desk)
    item = document.view.nodes["failed:routing:orders-by-region"]
    assert item.node["title"] == "70 failed"
    place = document.view.mapFromScene(item.sceneBoundingRect().center())
    document.view.ensureVisible(item.sceneBoundingRect())
    place = document.view.mapFromScene(item.sceneBoundingRect().center())
    await desk.act(
        lambda: QTest.mouseClick(document.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    )
    assert front(desk) == ("function", "orders-by-region")
    editor = desk.window.document().editor
    assert editor.textCursor().blockNumber() == start + 1


@in_qt
async def test_the_keyboard_goes_through_the_picture(desk: Desk, project: Path) -> None:
    await desk.start(project)
    view = (await overview(desk)).view
    view.setFocus()
    await desk.until(view.hasFocus, "the focus")
    texts = []
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right,
                Qt.Key.Key_Down, Qt.Key.Key_Left):  # fmt: skip
        QTest.keyClick(view, key)
        texts.append(view.accessibleDescription())
        marked = [item for item in view.nodes.values() if item.marked]
        assert [item.node["id"] for item in marked] == [view.current]
        looked = [line for line in view.lines if line.marked]
        assert looked
        assert all(view.current in (line.line.start, line.line.end) for line in looked)
        assert (
            view.viewport()
            .rect()
            .contains(view.mapFromScene(marked[0].sceneBoundingRect().center()))
        )
    assert texts[0] == "table public.orders, 41 rows"
    assert texts[1].startswith(("filter", "routing function"))
    assert view.accessibleName()
    assert all(item.node["text"] for item in view.nodes.values())
    # Tab leaves the picture.
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert not view.hasFocus()


@in_qt
async def test_the_picture_follows_the_project_while_it_is_seen(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    document = await overview(desk)
    asked: list[str] = []
    request = desk.window.session.request

    def ask(method: str, **params: Any) -> Any:
        asked.append(method)
        return request(method, **params)

    monkeypatch.setattr(desk.window.session, "request", ask)
    code = (project / "functions/orders_by_region.py").read_text().replace("orders.", "o.")
    edit = {"op": "set_code", "name": "orders-by-region", "code": code}
    desk.window.session.apply(edit)
    key = "destination:orders-to-kafka:o.eu"
    await desk.until(lambda: key in document.view.nodes, "the new destination")
    await desk.open("sink", "orders-to-kafka")
    asked.clear()
    for number in range(3):
        text = code.replace("o.", f"o{number}.")
        desk.window.session.apply({**edit, "code": text})
        await desk.quiet()
    assert "picture" not in asked
    await desk.act(lambda: document.views.button("cards").click())
    await overview(desk)
    await desk.quiet()
    assert "picture" not in asked  # the cards are shown
    await desk.act(document.views.button("picture").click)
    key = "destination:orders-to-kafka:o2.eu"
    await desk.until(lambda: key in document.view.nodes, "the last edit")
    assert asked.count("picture") <= 2


def many_sinks(folder: Path, count: int) -> Path:
    (folder / "samples").mkdir(parents=True)
    sinks = "".join(
        f"  - name: s{number:03}\n    database: shop\n    destination:\n"
        + ("      type: redis_string\n      host: localhost\n" if number % 2 else
           "      type: redis_stream\n      host: localhost\n      stream_key: s\n")
        for number in range(count)
    )  # fmt: skip
    database = "databases:\n  - name: shop\n    hostname: localhost\n"
    (folder / "sequin.yaml").write_text(f"{database}sinks:\n{sinks}")
    table = {"table_schema": "public", "table_name": "t"}
    rows = [
        {"action": "insert", "record": {"id": n}, "changes": None, "metadata": table}
        for n in range(500)
    ]
    (folder / "samples/s.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@in_qt
async def test_many_sinks_are_opened_by_type_found_and_folded(desk: Desk, tmp_path: Path) -> None:
    await desk.start(many_sinks(tmp_path / "many", 120))
    document = await overview(desk)
    view = document.view
    assert document.state._text == (
        "120 sinks, shown by type · first 200 rows of the sample set"
    )  # fmt: skip
    assert not document.fold.isVisible()
    view.setFocus()
    view.choose("sinks:redis_string")
    await desk.act(lambda: QTest.keyClick(view, Qt.Key.Key_Space))
    await desk.until(lambda: "sink:s001" in view.nodes, "the sinks")
    assert "sinks:redis_string" in view.nodes
    assert document.state._text.startswith("120 sinks, 24 shown alone")
    await desk.act(lambda: QTest.keyClick(view, Qt.Key.Key_Escape))
    await desk.until(lambda: "sink:s001" not in view.nodes, "the fold")
    document.only.setText("s07")
    await desk.until(lambda: "sink:s077" in view.nodes, "what was looked for")
    assert len([n for n in view.nodes if n.startswith("sink:")]) == 10
    assert document.state._text.startswith("10 of 120 sinks")
    await desk.act(document.only.clear)
    await desk.until(lambda: "sinks:redis_stream" in view.nodes, "all")


@in_qt
async def test_the_picture_is_made_larger_and_fits(desk: Desk, project: Path) -> None:
    await desk.start(project)
    view = (await overview(desk)).view
    before = view.scale_now
    await desk.trigger("zoom_in")
    assert view.scale_now > before
    for _ in range(30):
        await desk.trigger("zoom_out")
    small = view.scale_now
    assert small > 0.1
    await desk.trigger("picture_fit")
    seen = view.mapToScene(view.viewport().rect()).boundingRect()
    assert all(seen.contains(item.sceneBoundingRect()) for item in view.nodes.values())
    for _ in range(30):
        await desk.trigger("zoom_in")
    assert view.scale_now < 4


@in_qt
async def test_the_picture_is_saved_as_svg_and_png(
    desk: Desk, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.start(project)
    document = await overview(desk)
    wanted = [str(tmp_path / "shop.svg"), str(tmp_path / "shop"), ""]
    shown: list[str] = []

    def ask(parent: Any, title: str, path: str, filters: str, first: str) -> tuple[str, str]:
        shown.append(first)
        return wanted.pop(0), first

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    document.view.setFocus()
    await desk.trigger("picture_svg")
    await desk.trigger("picture_png")
    await desk.trigger("picture_png")
    assert shown == ["SVG (*.svg)", "PNG (*.png)", "PNG (*.png)"]
    tree = ElementTree.parse(tmp_path / "shop.svg")
    texts = {"".join(item.itertext()).strip() for item in tree.iter()
             if item.tag.endswith("text")}  # fmt: skip
    assert {"public.orders", "orders-by-region", "orders-to-kafka", "1 failed", "77"} <= texts
    image = QImage(str(tmp_path / "shop.png"))
    area = document.view.sceneRect()
    assert (image.width(), image.height()) == (round(area.width() * 2), round(area.height() * 2))
    assert desk.notices[-1] == ("success", f"Wrote the picture to {tmp_path / 'shop.png'}")
    await desk.act(lambda: desk.window.commands.overview.save_to(tmp_path / "no" / "x.svg"))
    assert desk.notices[-1][0] == "error"
    assert "No such file" in desk.notices[-1][1]


@in_qt
async def test_any_name_can_be_saved_as_svg(desk: Desk, project: Path, tmp_path: Path) -> None:
    row = {"action": "insert", "record": {"id": 1}, "changes": None,
           "metadata": {"table_schema": "s", "table_name": "<i>\x01\x1b&\n\u202e"}}  # fmt: skip
    (project / "samples/strange.jsonl").write_text(json.dumps(row) + "\n")
    await desk.start(project)
    await overview(desk)
    path = tmp_path / "strange.svg"
    await desk.act(lambda: desk.window.commands.overview.save_to(path))
    text = "".join(ElementTree.parse(path).getroot().itertext())
    assert "<i>" in text
    assert "\u202e" not in text


@in_qt
async def test_a_project_without_sinks_or_samples(desk: Desk, tmp_path: Path) -> None:
    folder = many_sinks(tmp_path / "p", 1)
    (folder / "samples/s.jsonl").unlink()
    await desk.start(folder)
    document = await overview(desk)
    assert document.state._text == "1 sink · no sample rows"
    assert list(document.view.nodes) == ["sink:s000"]
    QTest.mouseClick(document.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert document.view.node_at(QPoint(1, 1)) is None


def test_what_a_picture_shows_is_said() -> None:
    node = {"kind": "sink", "form": "one"}
    picture = {"sinks": 1, "matching": 1, "nodes": [node], "rows": 1, "cut": False, "sets": 1,
               "first": 200}  # fmt: skip
    assert state_text(picture) == "1 sink · 1 sample row"
    cut = {**picture, "cut": True, "sets": 3, "rows": 450}
    assert state_text(cut) == "1 sink · first 200 rows of each of 3 sample sets"


# --- the cards ---------------------------------------------------------------------------------


@in_qt
async def test_every_sink_has_a_card_that_opens_it(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await overview(desk, "cards")
    found = cards(document)
    assert list(found) == ["orders-to-kafka", "customers-to-redis", "events-to-http"]
    texts = [
        item.toolTip() or item.text() for item in found["orders-to-kafka"].findChildren(QLabel)
    ]
    assert "determined by orders-by-region" in texts
    assert "transform rest-path" not in texts
    opens = found["customers-to-redis"].findChildren(QPushButton)
    await desk.act(opens[0].click)
    assert front(desk) == ("sink", "customers-to-redis")


@in_qt
async def test_the_cards_follow_the_project(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await overview(desk, "cards")
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
    document = await overview(desk, "cards")
    for width in (1280, 1920, 900):
        await desk.act(lambda w=width: desk.window.resize(w, 800))

        def uneven() -> int:
            found = [card.width() for card in cards(document).values()]
            return max(found) - min(found)

        await desk.until(lambda: uneven() <= 1, "equal widths")  # whole pixels
        assert all(card.width() > 250 for card in cards(document).values())
