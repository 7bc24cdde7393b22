"""What arrived, and the log."""

from __future__ import annotations

import html
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QPlainTextEdit,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from routestudio.api.checks import Arrived
from routestudio.api.reading import ReadAnswer, ReadingSide
from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.icons import icon
from routestudio.ui.panels.read_back import ReadBackView
from routestudio.ui.panels.run_tables import Column, RowsModel, rows_table
from routestudio.ui.read_back_dialog import Wanted
from routestudio.ui.session import Session
from routestudio.ui.theme import follow_mono
from routestudio.ui.widgets.basics import Button, ElidedLabel, EmptyState
from routestudio.ui.widgets.layout import Pair, bar, column
from routestudio.ui.widgets.table_tools import TableTools

SHOWN = 5_000
LOGGED = 5_000
_NOTHING = "Nothing has arrived"
_RUN = (
    "Run a sink on its stand-in; what the stand-in receives is read back and shown here by "
    "destination."
)


class ArrivedPanel(QWidget):
    """What arrived at a stand-in, by destination, with the content of each message; or what a real
    service holds, compared with the preview."""

    read_back_asked = Signal()
    """The real service is to be read."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._sink: str | None = None
        body = column(self)
        row = bar(body)
        self.title = ElidedLabel("What arrived", "heading")
        row.addWidget(self.title, 1)
        self.read_button = Button("Read back…", "arrived", action=self.read_back_asked.emit)
        self.read_button.setToolTip("Compare what the real service holds with the preview")
        row.addWidget(self.read_button)
        row.addWidget(Button("Refresh", "refresh", action=self.refresh))
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("What arrived, by destination")
        self.tree.setHeaderLabels(["Destination", "Key", "Details"])
        self.tree.setUniformRowHeights(True)
        self.tree.header().resizeSection(0, 240)
        self.tree.header().resizeSection(1, 140)
        self.tree.currentItemChanged.connect(lambda item, _: self._show(item))
        TableTools(self.tree)
        self.body = QPlainTextEdit()
        self.body.setObjectName("plain")
        self.body.setReadOnly(True)
        follow_mono(self.body)
        self.body.setAccessibleName("Content of the selected message")
        split = Pair(self.tree, self.body, (560, 420))
        self._stack = QStackedWidget()
        self._empty = EmptyState("arrived", _NOTHING, _RUN)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(split)
        self.held = ReadBackView()
        self._stack.addWidget(self.held)
        body.addWidget(self._stack, 1)
        self._again: tuple[str, ReadingSide, Wanted] | None = None
        self._job: Job | None = None
        session.opened.connect(self.forget)

    def show_real(self, name: str) -> None:
        """Show what was read back of the real service last, or how it is."""
        environment = str((self._session.environment or {}).get("name", ""))
        last = self._again
        if last is not None and (last[0], last[1].environment) == (name, environment):
            return
        self._clear()
        place = (self._session.sink(name) or {}).get("target") or "the real service"
        self._empty.title.setText(f"{name} delivers to {place}")
        self._empty.text.setText(
            "Read back… reads what the service holds and compares it with the preview. What was "
            "delivered is listed in Run, under Delivered."
        )

    def show_unreadable(self, name: str, side: ReadingSide) -> None:
        """Show why a service cannot be read, and what to do instead."""
        self._clear()
        self._empty.title.setText(f"{name} cannot be read back")
        self._empty.text.setText(f"{side.why} Instead: {side.instead}.")

    def read_back(
        self, name: str, side: ReadingSide, wanted: Wanted, *, agreed: bool = False
    ) -> None:
        """Read what the real service of a sink holds, and compare it with the preview."""
        self._clear()
        self._again = (name, side, wanted)
        self.title.show_text(f"What {side.place} holds of {name}")
        self._stack.setCurrentIndex(2)
        self.held.wait(f"Reading from {side.place}…")
        work = self._session.api.reading.read_back(
            name, wanted.source, limit=wanted.limit, destination=wanted.destination, agreed=agreed
        )
        self._job = self._session.engine.run(
            work, owner=self, title="Read back", done=self._held, failed=self._failed
        )

    def _held(self, answer: ReadAnswer) -> None:
        if answer.found is not None:
            self.held.take(answer.found)
            return
        from routestudio.ui import dialogs

        text = answer.ask
        if self._again is None:
            return
        if dialogs.ask(self, "Read back", f"{text[:1].upper()}{text[1:]}.", "Read", danger=True):
            self.read_back(*self._again, agreed=True)
        else:
            self.held.wait("Nothing was read.")

    def _failed(self, error: RouteStudioError) -> None:
        self.held.fail(str(error))

    def _clear(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = self._again = self._sink = None
        self.held.clear()
        self.tree.clear()
        self.body.clear()
        self.title.show_text("What arrived")
        self._stack.setCurrentIndex(0)
        self._empty.title.setText(_NOTHING)
        self._empty.text.setText(_RUN)

    def forget(self) -> None:
        """Show nothing: another project is open."""
        self._clear()

    def show_sink(self, name: str) -> None:
        """Show what arrived at the stand-in of this sink."""
        if self._again is not None:
            self._clear()
        self._sink = name
        self._empty.title.setText(_NOTHING)
        self._empty.text.setText(_RUN)
        self.refresh()

    def refresh(self) -> None:
        """Read back again."""
        if self._again is not None:
            self.read_back(*self._again)
        if self._sink is None:
            return
        engine = self._session.engine
        engine.run(
            engine.api.checks.arrived(self._sink, SHOWN),
            owner=self, title="Read back", done=self._fill,
        )  # fmt: skip

    def _fill(self, items: Sequence[Arrived]) -> None:
        self.tree.clear()
        self._stack.setCurrentIndex(1 if items else 0)
        self.title.show_text(f"What arrived at the stand-in of {self._sink}: {len(items):,}")
        groups: dict[str, QTreeWidgetItem] = {}
        for item in items:
            group = groups.get(item.destination)
            if group is None:
                group = QTreeWidgetItem([item.destination, "", ""])
                group.setIcon(0, icon("destination"))
                groups[item.destination] = group
                self.tree.addTopLevelItem(group)
            details = ", ".join(f"{k}: {_short(v)}" for k, v in item.details.items())
            child = QTreeWidgetItem(["message", item.key or "", details])
            child.setToolTip(2, html.escape(details))
            child.setData(0, Qt.ItemDataRole.UserRole, item.body)
            group.addChild(child)
        for name, group in groups.items():
            group.setText(0, f"{name}  ({group.childCount():,})")
        if groups:
            first = next(iter(groups.values()))
            first.setExpanded(True)
            chosen = first.child(0)
            if chosen is not None:
                self.tree.setCurrentItem(chosen)

    def _show(self, item: QTreeWidgetItem | None) -> None:
        body = item.data(0, Qt.ItemDataRole.UserRole) if item is not None else None
        self.body.setPlainText(_pretty(body) if isinstance(body, str) else "")


@dataclass(frozen=True, slots=True)
class _Line:
    time: str
    text: str


class LogPanel(QWidget):
    """What the engine and the window reported, newest last."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: deque[_Line] = deque(maxlen=LOGGED)
        self.model = RowsModel[_Line](
            (Column("Time", lambda row: row.time, 84, role=lambda _: "muted"),
             Column("Message", lambda row: row.text))
        )  # fmt: skip
        self.table = rows_table(self.model, "Log")
        follow_mono(self.table)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState("log", "Nothing was logged yet",
                       "What the engine and the window report is listed here.")
        )  # fmt: skip
        self._stack.addWidget(self.table)
        column(self).addWidget(self._stack)
        self.setFocusProxy(self.table)

    def add(self, text: str) -> None:
        """Append a message with the time."""
        last = self.table.verticalScrollBar()
        follow = last.value() == last.maximum()
        self._rows.append(_Line(time.strftime("%H:%M:%S"), text))
        self.model.show(list(self._rows))
        self._stack.setCurrentIndex(1)
        if follow:
            self.table.scrollToBottom()

    def text(self) -> str:
        """All messages, one a line."""
        return "\n".join(f"{row.time}  {row.text}" for row in self._rows)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
