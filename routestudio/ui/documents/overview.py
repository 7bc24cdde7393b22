"""The project at a glance: a picture of where its rows go, and a card for each sink."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QWidget

from routestudio.errors import RouteStudioError
from routestudio.model.wording import counted
from routestudio.ui.bridge import Job
from routestudio.ui.documents.base import Document
from routestudio.ui.documents.overview_cards import SinkCards
from routestudio.ui.documents.picture_view import PictureView
from routestudio.ui.session import Session
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import (
    Banner,
    Button,
    ElidedLabel,
    EmptyState,
    IconButton,
    Segments,
)
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.layout import column

PAUSE_MS: Final = 150
"""Time after a change before the picture is asked for again."""
_PICTURE, _CARDS, _EMPTY = range(3)


class OverviewDocument(Document):
    """The picture of the project, or the cards of its sinks. Out of sight it asks for nothing."""

    kind = "overview"
    lead = Signal(dict)
    """Where a node of the picture leads (`engine.picture`)."""
    save_asked = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Overview")
        self._job: Job | None = None
        self._stale = True
        self.pages: dict[str, int] = {}
        """Pages of opened nodes that stand for several, by their ids."""
        self.picture: Mapping[str, Any] = {}
        """What is shown, as the engine gave it."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        body = column(self)
        self.view = PictureView()
        body.addWidget(self._bar())
        self.banner = Banner()
        body.addWidget(self.banner)
        self.cards = SinkCards(session)
        self.cards.open_asked.connect(self.open_asked)
        self._stack = QStackedWidget()
        for page in (
            self.view, self.cards,
            EmptyState("sink", "No sinks yet",
                       "Add a sink to choose where the changes of your tables go."),
        ):  # fmt: skip
            self._stack.addWidget(page)
        body.addWidget(self._stack, 1)
        self.view.lead.connect(self._lead)
        session.changed.connect(self.refresh)
        self.show_view("picture")

    def _bar(self) -> CompactBar:
        bar = CompactBar(tall=True)
        self.views = Segments([("picture", "Picture"), ("cards", "Sinks")], "Overview as")
        self.views.chosen.connect(self.show_view)
        bar.add(self.views)
        self.only = QLineEdit()
        self.only.setPlaceholderText("Sink, table or function")
        self.only.setAccessibleName("Show only what has this in its name")
        self.only.setToolTip("Show only sinks with this in their name, type, tables or functions")
        self.only.setClearButtonEnabled(True)
        self.only.setMinimumWidth(round(150 * theme().scale))
        self.only.setMaximumWidth(240)
        self.only.textChanged.connect(lambda _: self.refresh())
        bar.add(self.only)
        self.fold = Button("Fold again", kind="link", action=self.fold_all)
        self.fold.setToolTip("Show sinks, functions and tables together again")
        self.fold.hide()
        bar.add(self.fold, yields=2)
        self.state = ElidedLabel("", "muted")
        self.state.setAccessibleName("What the picture shows")
        bar.add(self.state, stretch=1)
        self._tools = [
            IconButton("remove", "Smaller picture (Ctrl+-)", lambda: self.view.zoom(-1)),
            IconButton("add", "Larger picture (Ctrl++)", lambda: self.view.zoom(1)),
            IconButton("maximise", "Fit the picture (Ctrl+Shift+0)", self.view.fit),
            IconButton("export", "Save the picture as SVG or PNG", self.save_asked.emit),
        ]
        for tool in self._tools:
            bar.add(tool)
        return bar

    # --- asking ------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for the picture again after a pause, when it is in sight."""
        self._stale = True
        self._choose_page()
        if self.view.isVisible():
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._stop()

    def leave(self) -> None:
        self._stop()

    def _stop(self) -> None:
        self._timer.stop()
        if self._job is not None and self._job.running:
            self._job.cancel()
            self._stale = True

    def _ask(self) -> None:
        if not self.session.is_open or not self.view.isVisible():
            return
        self._stop()
        self._stale = False

        def on_event(name: str, data: dict[str, Any]) -> None:
            if name == "progress":
                self.state.show_text(f"{data['done']:,} of {data['sinks']:,} sinks evaluated…")

        self._job = self.session.engine.run(
            self.session.request("picture", on_event=on_event, only=self.only.text(),
                                 pages=self.pages),
            owner=self, title="Picture of the project", done=self._show, failed=self._failed,
        )  # fmt: skip

    def _show(self, picture: dict[str, Any]) -> None:
        self.picture = picture
        self.banner.hide()
        self.state.show_text(state_text(picture))
        self.fold.setVisible(bool(self.pages))
        self.view.show_picture(picture)

    def _failed(self, error: RouteStudioError) -> None:
        self.state.show_text("")
        self.banner.say("error", str(error), "Try again", self.refresh)

    # --- showing -----------------------------------------------------------------------------

    def show_view(self, name: str) -> None:
        """Show the `picture` or the `cards`."""
        self._shown = name
        self.views.choose(name)
        shown: list[QWidget] = [self.only, self.state, *self._tools]
        for widget in shown:
            widget.setVisible(name == "picture")
        self.fold.setVisible(name == "picture" and bool(self.pages))
        self._choose_page()
        if self._stale:
            self.refresh()

    def _choose_page(self) -> None:
        page = _PICTURE if self._shown == "picture" else _CARDS
        self._stack.setCurrentIndex(page if self.session.sinks() else _EMPTY)

    def fold_all(self) -> None:
        """Close every node that was opened."""
        self.pages = {}
        self.view.setFocus()
        self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.pages:
            self.fold_all()
            return
        super().keyPressEvent(event)

    def _lead(self, to: dict[str, Any]) -> None:
        if to.get("kind") == "more":
            self.pages = {**self.pages, to["id"]: to["pages"]}
            self.refresh()
        elif to:
            self.lead.emit(to)


def state_text(picture: Mapping[str, Any]) -> str:
    """What a picture shows: which rows, and how many of the sinks."""
    sinks = counted(picture["sinks"], "sink")
    if picture["matching"] != picture["sinks"]:
        sinks = f"{picture['matching']:,} of {sinks}"
    alone = sum(node["kind"] == "sink" and node["form"] in ("one", "broken")
                for node in picture["nodes"])  # fmt: skip
    if alone < picture["matching"]:
        sinks += f", {alone:,} shown alone" if alone else ", shown by type"
    if not picture["rows"]:
        return f"{sinks} · no sample rows"
    rows = counted(picture["rows"], "sample row")
    if picture["cut"]:
        sets = (
            "the sample set" if picture["sets"] == 1 else f"each of {picture['sets']} sample sets"
        )
        rows = f"first {picture['first']:,} rows of {sets}"
    return f"{sinks} · {rows}"
