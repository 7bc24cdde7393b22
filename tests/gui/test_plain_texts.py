"""Names from messages are shown as they are, whatever they look like."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QTreeWidget, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from routestudio.ui.widgets.basics import ElidedLabel, Pill
from routestudio.ui.widgets.tips import PlainTexts, plain_tip, rich_tip

pytestmark = pytest.mark.gui

NAME = '<img src="file:///etc/passwd"><b>orders</b>'


def test_labels_are_plain(qtbot: QtBot) -> None:
    app = QApplication.instance()
    assert app is not None
    plain = PlainTexts(app)
    app.installEventFilter(plain)
    try:
        bare = QLabel(NAME)
        rich = QLabel("<b>ours</b>")
        rich.setTextFormat(Qt.TextFormat.RichText)
        labels = [bare, ElidedLabel(NAME), Pill(NAME)]
        for label in [*labels, rich]:
            qtbot.addWidget(label)
            label.show()
        assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
        assert rich.textFormat() == Qt.TextFormat.RichText
    finally:
        app.removeEventFilter(plain)


@pytest.mark.parametrize("ours", [False, True])
def test_tool_tips_are_plain_unless_they_are_ours(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    shown: list[str] = []

    def show(_: object, text: str, *__: object) -> None:
        shown.append(text)

    monkeypatch.setattr(QToolTip, "showText", show)
    tip = rich_tip("<b>GEN-02</b>") if ours else NAME
    tree = QTreeWidget()
    item = QTreeWidgetItem(["x"])
    item.setToolTip(0, tip)
    tree.addTopLevelItem(item)
    label = QLabel("x")
    label.setToolTip(tip)
    for widget in (tree, label):
        qtbot.addWidget(widget)
        widget.show()
    plain = PlainTexts()
    place = tree.visualItemRect(item).center()
    event = QHelpEvent(QEvent.Type.ToolTip, place, tree.mapToGlobal(place))
    assert plain.eventFilter(tree.viewport(), event) is not ours
    assert plain.eventFilter(label, QHelpEvent(QEvent.Type.ToolTip, QPoint(), QPoint())) is not ours
    assert shown == ([] if ours else [plain_tip(NAME)] * 2)
    assert all("&lt;img" in text for text in shown)
