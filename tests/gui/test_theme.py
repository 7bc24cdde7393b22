"""Colours that can be read, in light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from routestudio.ui.style import style_sheet
from routestudio.ui.theme import DARK, LIGHT, Tokens, colour, theme
from tests.gui.desk import Desk, in_qt

READABLE = 4.5
"""WCAG 2.2, success criterion 1.4.3: least contrast of text."""

SURFACES = ("background", "surface", "raised", "hover", "selected")
TEXTS = (
    "text", "muted", "accent", "positive", "warning", "danger", "default", "static", "function",
    "keyword", "string", "number", "comment", "name_function", "builtin",
)  # fmt: skip

PAIRS = (
    ("on_accent", "accent"), ("accent", "accent_soft"), ("positive", "positive_soft"),
    ("warning", "warning_soft"), ("danger", "danger_soft"), ("text", "accent_soft"),
    ("text", "positive_soft"), ("text", "warning_soft"), ("text", "danger_soft"),
)  # fmt: skip


def luminance(value: str) -> float:
    """Relative luminance of a colour (WCAG 2.2)."""
    channels = (QColor(value).redF(), QColor(value).greenF(), QColor(value).blueF())
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Contrast ratio, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda t: t.name)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_text_on_every_surface(tokens: Tokens, surface: str) -> None:
    poor = {
        role: round(found, 2)
        for role in TEXTS
        if (found := contrast(getattr(tokens, role), getattr(tokens, surface))) < READABLE
    }
    assert not poor


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda t: t.name)
@pytest.mark.parametrize(("text", "surface"), PAIRS)
def test_text_on_its_own_tint(tokens: Tokens, text: str, surface: str) -> None:
    assert contrast(getattr(tokens, text), getattr(tokens, surface)) >= READABLE


def test_apply_sets_tokens_palette_and_sheet(qapp: QApplication) -> None:
    heard = []
    theme().changed.connect(lambda: heard.append(theme().tokens.name))
    theme().apply(qapp, "dark")
    assert colour("surface") == QColor(DARK.surface)
    assert qapp.palette().text().color() == QColor(DARK.text)
    window = QWidget()
    theme().dress(window)
    window.show()
    assert DARK.surface in window.styleSheet()
    assert not qapp.styleSheet(), "a sheet of the application makes a switch take seconds"
    theme().toggle(qapp)
    assert LIGHT.surface in window.styleSheet()
    assert theme().tokens is LIGHT
    assert qapp.palette().base().color() == QColor(LIGHT.surface)
    theme().toggle(qapp)
    assert heard == ["dark", "light", "dark"]


def test_what_is_not_in_sight_changes_when_it_is_shown(qapp: QApplication) -> None:
    theme().apply(qapp, "dark")
    seen, hidden = QWidget(), QWidget()
    theme().dress(seen, hidden)
    seen.show()
    theme().toggle(qapp)
    assert LIGHT.surface in seen.styleSheet()
    assert DARK.surface in hidden.styleSheet(), "each widget takes its time"
    hidden.show()
    assert LIGHT.surface in hidden.styleSheet()


@in_qt
async def test_every_part_of_the_window_and_what_opens_from_it_is_dressed(
    desk: Desk, project: Path
) -> None:
    await desk.start(project)
    for kind, name in (("sink", "orders-to-kafka"), ("function", "rest-path"), ("sample", "shop")):
        await desk.open(kind, name)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    await desk.act(lambda: theme().toggle(app))
    window = desk.window
    dialog = QFileDialog(window)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.show()
    widgets = [item for item in window.findChildren(QWidget) if item.isVisible()]
    surface = theme().tokens.surface
    plain = {
        type(item).__name__ for item in widgets
        if not any(surface in owner.styleSheet() for owner in _line_of(item))
    }  # fmt: skip
    assert len(widgets) > 50
    assert plain <= BARE
    front, *rest = [item for item in window.documents() if item.isVisible()]
    assert not rest
    for document in window.documents():
        assert (surface in document.styleSheet()) == (document is front)
    dialog.close()
    await desk.act(lambda: theme().toggle(app))


BARE = {"QWidget", "QStackedWidget", "QTabWidget", "PlainSplitter", "_Line"}
"""What stands around documents: a sheet of theirs would reach all documents."""


def _line_of(item: QWidget) -> list[QWidget]:
    found, now = [item], item.parentWidget()
    while now is not None:
        found.append(now)
        now = now.parentWidget()
    return found


def test_every_picture_of_the_style_sheet_exists() -> None:
    import re

    for tokens in (LIGHT, DARK):
        pictures = re.findall(r"url\(([^)]+)\)", style_sheet(tokens))
        assert pictures
        assert all(Path(name).is_file() for name in pictures), pictures
