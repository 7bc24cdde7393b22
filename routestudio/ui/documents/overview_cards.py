"""The sinks at a glance: a card for each, with where it delivers to and by what."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QWidget

from routestudio.derive import catalog
from routestudio.ui.documents.sink import readiness
from routestudio.ui.environment_bar import PILLS
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Button, Card, ElidedLabel, EmptyState, Pill, label
from routestudio.ui.widgets.layout import column

_WIDTH = 400
"""Pixels that a card should have at least."""

_PILLS = {"static": "info", "function": "function", "default": "neutral"}


class SinkCards(QWidget):
    """One card a sink, as many beside each other as there is room for. A card opens its sink.

    Cards are made when they are looked at.
    """

    open_asked = Signal(str, str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._cards: list[QWidget] = []
        self._stale = True
        self._page = QWidget()
        self._page.setObjectName("page")
        self._grid = QGridLayout(self._page)
        self._grid.setContentsMargins(20, 18, 20, 18)
        self._grid.setSpacing(14)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._page)
        scroll.setAccessibleName("Sinks of the project")
        column(self).addWidget(scroll)
        session.changed.connect(self._changed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._fill()

    def _changed(self) -> None:
        self._stale = True
        if self.isVisible():
            self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _fill(self) -> None:
        self._stale = False
        for card in self._cards:
            self._grid.removeWidget(card)
            card.deleteLater()
        self._cards = [self._card(sink) for sink in self.session.sinks()]
        if not self._cards:
            text = "Add a sink to choose where the changes of your tables go."
            self._cards = [EmptyState("sink", "No sinks yet", text)]
        self._arrange()

    def _arrange(self) -> None:
        """Lay the cards out in rows of equal columns."""
        count = max(1, min(len(self._cards), (self.width() - 26) // (_WIDTH + 14)))
        for number in range(max(count, self._grid.columnCount())):
            self._grid.setColumnStretch(number, 1 if number < count else 0)
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // count, number % count)
        last = -(-len(self._cards) // count)
        for number in range(self._grid.rowCount()):
            self._grid.setRowStretch(number, 0)
        self._grid.setRowStretch(last, 1)

    def _card(self, sink: dict[str, Any]) -> Card:
        key, name = sink.get("key"), sink["name"]
        card = Card(name, catalog.icon_name(key))
        card.setAccessibleName(f"Sink {name}")
        # Columns are equally wide, whatever the cards in them contain.
        card.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        card.header.addWidget(label(catalog.title(key) if key else "unknown type", "muted"))
        card.header.addWidget(
            Button("Open", kind="link", action=partial(self.open_asked.emit, "sink", name))
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        rows = catalog.card_rows(key, sink["destination"], sink.get("routing")) if key else []
        for number, (title, text, source) in enumerate(rows):
            grid.addWidget(label(title, "muted"), number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(ElidedLabel(text), number, 1)
            if source in _PILLS:
                grid.addWidget(Pill(source, _PILLS[source]), number, 2)
        card.body.addLayout(grid)
        card.body.addStretch(1)
        foot = QHBoxLayout()
        problems = sink.get("field_problems") or []
        if problems:
            foot.addWidget(Pill(*readiness(problems)))
        mark = self.session.environment
        if mark is not None:
            foot.addWidget(Pill(mark["name"], PILLS[mark["colour"]]))
        for role in ("filter", "transform"):
            if sink.get(role):
                foot.addWidget(Pill(f"{role} {sink[role]}", "neutral"))
        foot.addStretch(1)
        if foot.count() > 1:
            card.body.addLayout(foot)
        return card
