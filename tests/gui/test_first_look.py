"""What a person meets first: the first page, menus that fit, and keys that do what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest

from routestudio.ui.actions import MENUS, TABLE
from routestudio.ui.documents.function import FunctionDocument
from routestudio.ui.documents.sample_model import _message, _shown
from routestudio.ui.theme import mono_font
from routestudio.ui.widgets.tips import in_html, in_words
from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui


@in_qt
async def test_the_first_page_explains_the_program_before_the_engine_runs(desk: Desk) -> None:
    welcome = desk.window.welcome
    assert welcome.title.text() == "See where every row change goes, before it ships"
    assert welcome.text.text().startswith("RouteStudio shows where every row change")
    assert welcome.recent.isHidden(), "an empty list of recent projects"


def test_each_menu_has_its_letter() -> None:
    letters = [title[title.index("&") + 1].lower() for title in MENUS.values()]
    assert len(set(letters)) == len(letters)
    assert {row.menu for row in TABLE} == set(MENUS)


@in_qt
async def test_what_cannot_be_done_is_not_offered(desk: Desk, project: Path) -> None:
    await desk.start(project)
    table = desk.window.action_table
    assert not any(table.qaction(name).isEnabled() for name in ("undo", "redo", "cancel"))
    desk.window.session.set_value(["sinks", "customers-to-redis", "batch_size"], 7)
    await desk.until(table.qaction("undo").isEnabled, "the edit")
    await desk.trigger("undo")
    await desk.until(table.qaction("redo").isEnabled, "the undone edit")
    assert not table.qaction("undo").isEnabled()


@in_qt
async def test_the_delete_key_deletes_what_is_chosen_in_the_tree(desk: Desk, project: Path) -> None:
    await desk.start(project)
    tree = desk.window.tree
    tree.choose("sink", "customers-to-redis")
    tree.tree.setFocus()
    await desk.act(lambda: QTest.keyClick(tree.tree, Qt.Key.Key_Delete))
    await desk.until(
        lambda: "customers-to-redis" not in [s["name"] for s in desk.window.session.sinks()],
        "the deletion",
    )


def test_lists_of_numbers_are_shown_as_numbers() -> None:
    found = _message('{"action": "insert", "record": {"n": [1, 2.50, "a"], "m": {"x": 1e3}}}')
    assert found is not None
    assert _shown(found["record"]["n"]) == '[1, 2.50, "a"]'
    assert _shown(found["record"]["m"]) == '{"x": 1e3}'


def test_code_has_no_ligatures(qapp: object) -> None:
    font = mono_font()
    assert {font.featureValue(QFont.Tag(tag)) for tag in ("calt", "liga")} == {0}


def test_sentences_have_quotation_marks_and_no_backticks() -> None:
    assert in_words("no column `nothing` in `a b`") == "no column “nothing” in “a b”"
    assert in_words("a lone ` stays") == "a lone ` stays"
    assert in_html("`<b>` is & is not") == "<code>&lt;b&gt;</code> is &amp; is not"


@in_qt
async def test_a_pinned_test_marks_what_it_reaches(desk: Desk, project: Path) -> None:
    await desk.start(project)
    await desk.act(lambda: desk.window.commands.open("function", "orders-by-region"))
    document = desk.window.document()
    assert isinstance(document, FunctionDocument)
    shown: list[int] = []
    document.insight.shown.connect(lambda: shown.append(1))
    await desk.until(lambda: shown, "the marks")
    await desk.until(lambda: document.preview.current, "a row to pin")
    await desk.quiet(1.0)
    before = len(shown)
    await desk.trigger("pin_test")
    await desk.until(lambda: len(shown) > before, "marks with the new test")
