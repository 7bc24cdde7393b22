"""Everything can be reached by keyboard and has a name; nothing stays after it was closed."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)

from tests.gui.desk import Desk, in_qt

pytestmark = pytest.mark.gui

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit,
    QTextEdit,
)  # fmt: skip


def controls(window: QWidget) -> list[QWidget]:
    found: list[QWidget] = []
    for widget in window.findChildren(QWidget):
        if not isinstance(widget, CONTROLS) or not widget.isVisible() or not widget.isEnabled():
            continue
        if isinstance(widget, QHeaderView):  # a part of its table, which is reached as a whole
            continue
        part_of = widget.parent()
        if isinstance(part_of, QTabBar) and widget.objectName().startswith("Scroll"):
            continue  # arrows of a narrow tab bar: its tabs are reached by arrow keys
        if isinstance(part_of, QAbstractItemView) and isinstance(widget, QAbstractButton):
            continue  # the corner of a table
        found.append(widget)
    return found


def by_arrow(widget: QWidget) -> bool:
    """Of exclusive buttons Qt reaches the chosen one by Tab and the others by arrow keys."""
    return isinstance(widget, QAbstractButton) and widget.autoExclusive()


def described(widget: QWidget) -> str:
    parent = widget.parent()
    return f"{type(widget).__name__} {widget.accessibleName() or widget.toolTip()!r} in " \
        f"{type(parent).__name__}"  # fmt: skip


def reached_by_tab(window: QWidget) -> set[int]:
    seen: set[int] = set()
    widget: QWidget | None = window
    while widget is not None and id(widget) not in seen:
        seen.add(id(widget))
        widget = widget.nextInFocusChain()
    return seen


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("", ""),
        ("sink", "orders-to-kafka"),
        ("sink", "customers-to-redis"),
        ("sink", "events-to-http"),
        ("function", "orders-by-region"),
        ("sample", "shop"),
        ("overview", "Overview"),
    ],
)
@in_qt
async def test_every_control_has_a_name_and_is_reached_by_tab(
    desk: Desk, project: Path, kind: str, name: str
) -> None:
    await desk.start(project if kind else None)
    if kind:
        await desk.open(kind, name)
        await desk.quiet()
    window = desk.window
    window.open_bottom(window.log)
    found = controls(window)
    assert len(found) >= 8
    nameless = [described(w) for w in found if not w.accessibleName() and not _text(w)]
    assert nameless == []
    chain = reached_by_tab(window)
    unreached = [
        described(w)
        for w in found
        if id(w) not in chain or not (by_arrow(w) or w.focusPolicy() & Qt.FocusPolicy.TabFocus)
    ]
    assert unreached == []


def _text(widget: QWidget) -> str:
    return widget.text() if isinstance(widget, QAbstractButton) else ""


@in_qt
async def test_arrow_keys_choose_among_exclusive_buttons(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("sink", "orders-to-kafka")
    dynamic = document.mode.button("dynamic")
    dynamic.setFocus()
    await desk.until(dynamic.hasFocus)
    QTest.keyClick(dynamic, Qt.Key.Key_Left)
    await desk.until(lambda: document.static_form.isVisible(), "static routing")
    assert document.mode.button("static").isChecked()


@in_qt
async def test_closed_documents_are_collected(desk: Desk, project: Path) -> None:
    await desk.start(project)
    kept: list[tuple[str, weakref.ref[QWidget]]] = []
    for kind, name in (("sink", "orders-to-kafka"), ("function", "rest-path"), ("sample", "shop"),
                       ("overview", "Overview")):  # fmt: skip
        document = await desk.open(kind, name)
        await desk.quiet()
        kept.append((f"{kind} document", weakref.ref(document)))
        for part in ("preview", "editor", "config", "docs"):
            if hasattr(document, part):
                kept.append((f"{part} of {kind}", weakref.ref(getattr(document, part))))
        desk.window.close_document(document)
        del document
    await desk.quiet()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert [name for name, found in kept if found() is not None] == []
    desk.window.session.changed.emit()
    await desk.trigger("toggle_theme")
    assert desk.failures == []


@in_qt
async def test_a_hostile_function_does_not_freeze_the_window(desk: Desk, project: Path) -> None:
    await desk.start(project)
    document = await desk.open("function", "orders-by-region")
    await desk.quiet(0.3)
    document.editor.setPlainText(
        "def route(action, record, changes, metadata):\n    while True:\n        pass\n"
    )
    # It is stopped after a second a row; the window goes on meanwhile.
    await desk.until(lambda: "updating" in document.preview.state.text(), "the preview to begin")
    for _ in range(2):
        await desk.trigger("toggle_theme")
        assert "updating" in document.preview.state.text()
    await desk.until(
        lambda: any((row := document.preview.model.row(n)) and row["error"] for n in range(3)),
        "an overrun to be said",
    )
    errors = [r["error"]["message"] for n in range(3) if (r := document.preview.model.row(n))]
    assert any("longer than 1 s" in text for text in errors), errors
    document.editor.setPlainText(
        'def route(action, record, changes, metadata):\n    return {"topic": "fine"}\n'
    )
    await desk.until(
        lambda: ((document.preview.model.row(0) or {}).get("routing") or {}).get("topic") == "fine",
        "a fresh preview",
    )
