"""The views of a run beside its chart: destinations, retries, and the last deliveries."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QWidget

from routestudio.api.codec import JsonMap
from routestudio.api.runs import DeliveredBrief, Destination, DestinationPage, RunProgress, Wait
from routestudio.errors import RouteStudioError
from routestudio.ui.panels.inspector import Inspector
from routestudio.ui.panels.run_chart import shown_ms, shown_seconds
from routestudio.ui.panels.run_tables import (
    PAGE,
    Column,
    RowsModel,
    chosen_rows,
    pages_in_sight,
    rows_table,
    shown_bytes,
)
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, EmptyState
from routestudio.ui.widgets.layout import Pair, column

T = TypeVar("T")

_REFRESH_MS = 700

_DESTINATIONS: tuple[Column[Destination], ...] = (
    Column("Destination", lambda row: row.name),
    Column("Delivered", lambda row: f"{row.delivered:,}", 92, right=True),
    Column("Bytes", lambda row: shown_bytes(row.bytes), 84, right=True),
    Column("Batches", lambda row: f"{row.batches:,}", 80, right=True),
    Column("Mean batch", lambda row: f"{row.mean:,.1f}", 92, right=True),
    Column("Retried", lambda row: f"{row.retried:,}", 76, right=True,
           role=lambda row: "warning" if row.retried else "muted"),
    Column("Rejected", lambda row: f"{row.rejected:,}", 80, right=True,
           role=lambda row: "danger" if row.rejected else "muted"),
    Column("Duplicates", lambda row: f"{row.duplicates:,}", 84, right=True,
           role=lambda row: "warning" if row.duplicates else "muted"),
    Column("Last error", lambda row: row.error, 230,
           role=lambda row: "danger" if row.error else "muted"),
)  # fmt: skip
_WAITS: tuple[Column[Wait], ...] = (
    Column("Destination", lambda row: row.destination, 220),
    Column("Messages", lambda row: f"{row.messages:,}", 84, right=True),
    Column("Attempt", lambda row: attempt_text(row), 84, right=True),
    Column("Next try in", lambda row: shown_seconds(max(0.0, row.due)), 96, right=True),
    Column("Why", lambda row: row.reason, role=lambda row: "warning"),
)
_RECENT: tuple[Column[DeliveredBrief], ...] = (
    Column("Row", lambda row: f"{row.index:,}", 70, right=True),
    Column("Action", lambda row: row.action, 70),
    Column("Keys", lambda row: ", ".join(row.pks) or "–", 90),
    Column("Destination", lambda row: row.destination),
    Column("Tries", lambda row: str(row.attempts), 54, right=True,
           role=lambda row: "warning" if row.attempts > 1 else "muted"),
    Column("Latency", lambda row: shown_ms(row.ms), 80, right=True),
)  # fmt: skip


class DestinationsView(QWidget):
    """Every destination of a run, the most frequent first; pages come as they are looked at."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._run: str | None = None
        self._asked = 0
        self.model = RowsModel(_DESTINATIONS, self._fetch)
        self.table = rows_table(self.model, "Destinations of the run")
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState("destination", "No destination yet",
                                         "Each destination is listed with its messages, bytes "
                                         "and batches."))  # fmt: skip
        self._stack.addWidget(self.table)
        column(self).addWidget(self._stack)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_REFRESH_MS)
        self._again.timeout.connect(lambda: self._refetch() if self.isVisible() else None)

    def show_run(self, run: str | None, distinct: int = 0) -> None:
        """Show another run."""
        self._run = run
        self._asked += 1
        self.model.clear()
        self.expect(distinct)

    def expect(self, distinct: int) -> None:
        """There are so many destinations; their counts have changed."""
        self._stack.setCurrentIndex(1 if distinct else 0)
        if distinct != self.model.rowCount():
            self.model.expect(distinct, fresh=False)
        if not self._again.isActive():
            self._again.start()

    def _refetch(self) -> None:
        """Ask again for what is in sight; the rest when it comes into sight."""
        if self._run is None or not self.model.rowCount():
            return
        pages = pages_in_sight(self.table)
        self.model.stale_beyond(pages)
        for page in sorted(pages):
            self._fetch(page * PAGE)

    def _fetch(self, start: int) -> None:
        asked = self._asked

        def give(told: DestinationPage) -> None:
            if asked == self._asked:
                self.model.expect(told.distinct, fresh=False)
                self.model.give(start, told.rows)

        def lost() -> None:
            if asked == self._asked:
                self.model.lost(start)

        if self._run is not None:
            work = self._session.engine.api.runs.destinations(self._run, start, PAGE)
            _ask(self, self._session, work, give, lost)


class RetriesView(QWidget):
    """What waits for its next attempt, and the circuit of the sink while it is open."""

    def __init__(self) -> None:
        super().__init__()
        body = column(self)
        self.circuit = Banner()
        body.addWidget(self.circuit)
        self.model = RowsModel(_WAITS)
        self.table = rows_table(self.model, "Destinations that wait for their next attempt")
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState("ok", "Nothing waits",
                                         "Messages that the service refuses for now are tried "
                                         "again here, later and later."))  # fmt: skip
        self._stack.addWidget(self.table)
        body.addWidget(self._stack, 1)

    def take(self, data: RunProgress) -> None:
        """Show the content of a progress event."""
        self._show(data.waits)
        text = circuit_text(data)
        if not text:
            self.circuit.hide()
        elif text != self.circuit.text:
            self.circuit.say("warning", text)

    def _show(self, waits: Sequence[Wait]) -> None:
        self.model.show(waits)
        self._stack.setCurrentIndex(1 if waits else 0)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._show(())
        self.circuit.hide()


class DeliveredView(QWidget):
    """The last delivered messages, and the routing that was used for the chosen one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._run: str | None = None
        self._shown: int | None = None
        self.model = RowsModel(_RECENT)
        self.table = rows_table(self.model, "The last delivered messages")
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._chosen())
        self.inspector = Inspector()
        while self.inspector.tabs.count() > 3:  # the others are about previews
            self.inspector.tabs.removeTab(3)
        split = Pair(self.table, self.inspector, (560, 440))
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState("arrived", "No delivered messages to show",
                       "The last 200 deliveries of a run are listed here while the engine runs; "
                       "choose one to see the routing that was used for it. A run by several "
                       "workers lists none: each of them has its own.")
        )  # fmt: skip
        self._stack.addWidget(split)
        column(self).addWidget(self._stack)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_REFRESH_MS)
        self._again.timeout.connect(lambda: self.refresh() if self.isVisible() else None)

    def show_run(self, run: str | None) -> None:
        """Show another run."""
        self._run = run
        self._shown = None
        self.model.clear()
        self.inspector.show_row(None)
        self._stack.setCurrentIndex(0)
        self.touch()

    def touch(self) -> None:
        """Something was delivered."""
        if not self._again.isActive():
            self._again.start()

    def refresh(self) -> None:
        """Read the list again; while a message is chosen it stays as it is."""
        if self._run is not None and self._shown is None:
            work = self._session.engine.api.runs.recent(self._run)
            _ask(self, self._session, work, self._take)

    def follow(self) -> None:
        """Choose nothing, so that the list goes on."""
        self._shown = None
        self.table.clearSelection()
        self.refresh()

    def _take(self, rows: Sequence[DeliveredBrief]) -> None:
        if self._shown is None:
            self.model.show(rows)
            self._stack.setCurrentIndex(1 if rows else 0)

    def _chosen(self) -> None:
        rows = chosen_rows(self.table)
        row = self.model.row(rows[0]) if rows else None
        if row is None or self._run is None:
            self._shown = None
            self.inspector.show_row(None)
            return
        number = self._shown = row.number

        def show(found: JsonMap | None) -> None:
            full = None if found is None else dict(found)
            if number != self._shown:
                return
            self.inspector.show_row(full)
            self.inspector.show_detail(full)
            if full is None:
                self._session.notice.emit("info", "Newer deliveries took the place of this one.")
                self.follow()

        _ask(self, self._session, self._session.engine.api.runs.delivered(self._run, number), show)


def attempt_text(row: Wait) -> str:
    """The next attempt of how many, e.g. `2 of 5`."""
    most = row.max_attempts
    following = row.attempts + 1
    return f"{following} of {most}" if most else str(following)


def circuit_text(data: RunProgress) -> str:
    """What the open circuit means, or nothing."""
    found = data.circuit
    if found is None:
        return ""
    of = f" of {found.max_failures}" if found.max_failures else ""
    down = shown_seconds(max(0.0, data.seconds - found.since))
    following = (f"next try in {found.next_try:.0f} s" if found.next_try >= 0.5
                 else "trying now")  # fmt: skip
    return (f"The service has not been reached for {down} (failure {found.failures}{of}), "
            f"{following}: {found.reason}")  # fmt: skip


def _ask(
    owner: QWidget,
    session: Session,
    work: Coroutine[Any, Any, T],
    done: Callable[[T], object],
    lost: Callable[[], object] = lambda: None,
) -> None:
    def failed(error: RouteStudioError) -> None:
        lost()
        session.notice.emit("error", str(error))

    session.engine.run(work, owner=owner, title="Run", done=done, failed=failed)
