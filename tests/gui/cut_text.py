"""Looks through a window for texts that are cut, widgets that overlap, and parts out of sight.

Every rule compares what a widget needs, by its own size hint or by the metrics of its font, with
the room that it was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitterHandle,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)

FOLDED = 60
"""Height below which the panel below shows its tabs alone."""
SLACK = 2
"""Pixels that rounding at odd scales takes."""


def faults(root: QWidget, free: tuple[type[QWidget], ...] = ()) -> list[str]:
    """What is cut, overlapped or out of sight in a window, each as a line. Widgets of the types
    `free` lie over others on purpose."""
    found: list[str] = []
    for widget in [root, *root.findChildren(QWidget)]:
        if not _shown(widget, root):
            continue
        found += [f"{_path(widget, root)}: {text}" for rule in RULES for text in rule(widget)]
        found += [f"{_path(widget, root)}: {text}" for text in _overlaps(widget, free)]
    return found


def _shown(widget: QWidget, root: QWidget) -> bool:
    """Whether a widget is to be seen: not hidden, and not folded away on purpose."""
    if not widget.isVisibleTo(root):
        return False
    at: QWidget | None = widget
    while at is not None and at is not root:
        if not at.maximumWidth() or not at.maximumHeight():
            return False
        if at.objectName() == "bottomTabs" and at.height() < FOLDED:
            return isinstance(widget, QTabBar)
        if at.isWindow():
            return False
        at = at.parentWidget()
    return True


def _label(widget: QWidget) -> Iterator[str]:
    if not isinstance(widget, QLabel) or not widget.text():
        return
    if widget.property("elides"):
        if widget.width() < 2 * widget.fontMetrics().averageCharWidth():
            yield f"no room for {widget.toolTip()[:40]!r}"
    elif widget.wordWrap():
        needed = widget.heightForWidth(widget.width())
        if needed > widget.height() + SLACK:
            yield f"{widget.text()[:50]!r} needs {needed} px of height, has {widget.height()}"
        longest = max(re.split(r"[\s\u200b]+", widget.text()), key=len, default="")
        width = widget.fontMetrics().horizontalAdvance(longest)
        if widget.textFormat() == Qt.TextFormat.PlainText and width > widget.width() + SLACK:
            yield f"the word {longest[:50]!r} needs {width} px, has {widget.width()}"
    else:
        yield from _less_than_hint(widget, widget.text())


def _button(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QAbstractButton) and widget.text():
        if isinstance(widget.parent(), (QTabBar, QAbstractScrollArea)):
            return
        yield from _less_than_hint(widget, widget.text())
    elif isinstance(widget, QToolButton) and not widget.icon().isNull():
        size = widget.iconSize()
        if isinstance(widget.parent(), QTabBar):
            return
        if widget.width() < size.width() or widget.height() < size.height():
            yield f"icon of {widget.toolTip()!r} is cut"


def _less_than_hint(widget: QWidget, text: str) -> Iterator[str]:
    hint = widget.sizeHint()
    if hint.width() > widget.width() + SLACK:
        yield f"{text[:50]!r} needs {hint.width()} px, has {widget.width()}"
    if min(hint.height(), widget.fontMetrics().height()) > widget.height() + SLACK:
        yield f"{text[:50]!r} needs {hint.height()} px of height, has {widget.height()}"


def _combo(widget: QWidget) -> Iterator[str]:
    if not isinstance(widget, QComboBox) or not widget.currentText():
        return
    option = QStyleOptionComboBox()
    widget.initStyleOption(option)
    room = widget.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, widget
    ).width()  # fmt: skip
    needed = widget.fontMetrics().horizontalAdvance(widget.currentText())
    if not widget.itemIcon(widget.currentIndex()).isNull():
        needed += widget.iconSize().width() + 4
    if needed > room + SLACK:
        yield f"{widget.currentText()!r} needs {needed} px, has {room}"


def _placeholder(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QLineEdit) and not widget.text() and widget.placeholderText():
        if isinstance(widget.parent(), QComboBox):
            return
        needed = widget.fontMetrics().horizontalAdvance(widget.placeholderText())
        whole = widget.placeholderText() in widget.toolTip()
        if needed > widget.width() - 8 and not whole:
            yield f"placeholder {widget.placeholderText()!r} needs {needed} px"


def _tabs(widget: QWidget) -> Iterator[str]:
    if not isinstance(widget, QTabBar):
        return
    for number in range(widget.count()):
        if not widget.isTabVisible(number) or widget.elideMode() != Qt.TextElideMode.ElideNone:
            continue
        rect, hint = widget.tabRect(number), widget.tabSizeHint(number)
        if rect.width() < hint.width() - SLACK:
            yield f"tab {widget.tabText(number)!r} needs {hint.width()} px, has {rect.width()}"
    current = widget.tabRect(widget.currentIndex())
    if widget.count() and current.width() <= widget.width():
        inside = QRect(0, 0, widget.width(), widget.height()).adjusted(-SLACK, -9, SLACK, 9)
        if not inside.contains(current):
            yield f"the tab in front, {widget.tabText(widget.currentIndex())!r}, is out of sight"
    total = sum(widget.tabSizeHint(number).width() for number in range(widget.count()))
    if total > widget.width() + SLACK and not widget.usesScrollButtons():
        yield "tabs without arrows are wider than their bar"


def _header(widget: QWidget) -> Iterator[str]:
    if not isinstance(widget, QHeaderView) or widget.orientation() != Qt.Orientation.Horizontal:
        return
    model = widget.model()
    if model is None:
        return
    metrics = QFontMetrics(widget.font())
    for number in range(widget.count()):
        if widget.isSectionHidden(number):
            continue
        text = str(model.headerData(number, Qt.Orientation.Horizontal) or "")
        needed = metrics.horizontalAdvance(text) + 16
        if text and needed > widget.sectionSize(number) + SLACK:
            yield f"column {text!r} needs {needed} px, has {widget.sectionSize(number)}"


def _inside(widget: QWidget) -> Iterator[str]:
    """A widget that reaches out of its parent is cut there; a scroll area's content may."""
    parent = widget.parentWidget()
    if parent is None or widget.isWindow():
        return
    area = parent.parentWidget()
    if isinstance(area, QAbstractScrollArea) and parent is area.viewport():
        bar = area.horizontalScrollBarPolicy()
        off = bar == Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if off and widget.width() > parent.width() + SLACK and _content_of(area) is widget:
            yield f"is {widget.width()} px wide in {parent.width()} px that do not scroll"
        return
    if isinstance(parent, (QTabBar, QAbstractScrollArea)):
        return
    if not parent.rect().adjusted(-SLACK, -SLACK, SLACK, SLACK).contains(widget.geometry()):
        yield f"at {_rect(widget.geometry())} is outside its parent, {_rect(parent.rect())}"


def _content_of(area: QAbstractScrollArea) -> Any:
    content: Callable[[], QWidget] | None = getattr(area, "widget", None)
    return content() if content is not None else None


RULES: tuple[Callable[[QWidget], Iterator[str]], ...] = (
    _label, _button, _combo, _placeholder, _tabs, _header, _inside,
)  # fmt: skip


def _overlaps(parent: QWidget, free: tuple[type[QWidget], ...]) -> Iterator[str]:
    """Children of one layout that lie over each other."""
    layout = parent.layout()
    if layout is None or isinstance(parent, free):
        return
    shown = [
        child
        for child in parent.children()
        if isinstance(child, QWidget) and child.isVisible() and not child.isWindow()
        and child.maximumWidth() and not isinstance(child, (*free, QSplitterHandle))
        and layout.indexOf(child) >= 0
    ]  # fmt: skip
    for number, one in enumerate(shown):
        for other in shown[number + 1 :]:
            both = one.geometry().intersected(other.geometry())
            if both.width() > SLACK and both.height() > SLACK:
                yield f"{_name(one)} and {_name(other)} overlap by {_rect(both)}"


def _rect(rect: QRect) -> str:
    return f"{rect.x()},{rect.y()} {rect.width()}x{rect.height()}"


def _name(widget: QWidget) -> str:
    text = widget.accessibleName() or widget.objectName()
    if isinstance(widget, (QLabel, QAbstractButton)) and not text:
        text = widget.text()
    return f"{type(widget).__name__} {text[:40]!r}" if text else type(widget).__name__


def _path(widget: QWidget, root: QWidget) -> str:
    """A widget with the named ones that it is in."""
    names = [_name(widget)]
    at = widget.parentWidget()
    while at is not None and at is not root:
        if type(at).__name__[0] != "Q":
            names.append(type(at).__name__)
        at = at.parentWidget()
    return " in ".join(names[:4])
