"""The views of a run beside its chart: destinations, retries, and the last deliveries."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QWidget

from routestudio.errors import RouteStudioError
from routestudio.ui.panels.inspector import Inspector
from routestudio.ui.panels.run_chart import shown_ms, shown_seconds
from routestudio.ui.panels.run_tables import (
    PAGE,
    Column,
    Row,
    RowsModel,
    chosen_rows,
    pages_in_sight,
    rows_table,
    shown_bytes,
)
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, EmptyState
from routestudio.ui.widgets.layout import Pair, column

_REFRESH_MS = 700

_DESTINATIONS = (
    Column("Destination", lambda row: str(row["name"])),
    Column("Delivered", lambda row: f"{row['delivered']:,}", 92, right=True),
    Column("Bytes", lambda row: shown_bytes(row["bytes"]), 84, right=True),
    Column("Batches", lambda row: f"{row['batches']:,}", 80, right=True),
    Column("Mean batch", lambda row: f"{row['mean']:,.1f}", 92, right=True),
    Column("Retried", lambda row: f"{row['retried']:,}", 76, right=True,
           role=lambda row: "warning" if row["retried"] else "muted"),
    Column("Rejected", lambda row: f"{row['rejected']:,}", 80, right=True,
           role=lambda row: "danger" if row["rejected"] else "muted"),
    Column("Duplicates", lambda row: f"{row.get('duplicates', 0):,}", 84, right=True,
           role=lambda row: "warning" if row.get("duplicates") else "muted"),
    Column("Last error", lambda row: str(row["error"]), 230,
           role=lambda row: "danger" if row["error"] else "muted"),
)  # fmt: skip
_WAITS = (
    Column("Destination", lambda row: str(row["destination"]), 220),
    Column("Messages", lambda row: f"{row['messages']:,}", 84, right=True),
    Column("Attempt", lambda row: attempt_text(row), 84, right=True),
    Column("Next try in", lambda row: shown_seconds(max(0.0, row["due"])), 96, right=True),
    Column("Why", lambda row: str(row["reason"]), role=lambda row: "warning"),
)
_RECENT = (
    Column("Row", lambda row: f"{row['index']:,}", 70, right=True),
    Column("Action", lambda row: str(row["action"]), 70),
    Column("Keys", lambda row: ", ".join(row["pks"]) or "–", 90),
    Column("Destination", lambda row: str(row["destination"])),
    Column("Tries", lambda row: str(row["attempts"]), 54, right=True,
           role=lambda row: "warning" if row["attempts"] > 1 else "muted"),
    Column("Latency", lambda row: shown_ms(row["ms"]), 80, right=True),
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

        def give(told: dict[str, Any]) -> None:
            if asked == self._asked:
                self.model.expect(told["distinct"], fresh=False)
                self.model.give(start, told["rows"])

        _ask(self, self._session, "run_destinations", give, run=self._run, start=start, count=PAGE)


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

    def take(self, data: dict[str, Any]) -> None:
        """Show the content of a progress event."""
        self.model.show(data["waits"])
        self._stack.setCurrentIndex(1 if data["waits"] else 0)
        text = circuit_text(data)
        if not text:
            self.circuit.hide()
        elif text != self.circuit.text:
            self.circuit.say("warning", text)

    def clear(self) -> None:
        """Nothing waits any more."""
        self.take({"waits": [], "circuit": None})


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
            _ask(self, self._session, "recent", self._take, run=self._run)

    def follow(self) -> None:
        """Choose nothing, so that the list goes on."""
        self._shown = None
        self.table.clearSelection()
        self.refresh()

    def _take(self, rows: list[Row]) -> None:
        if self._shown is None:
            self.model.show(rows)
            self._stack.setCurrentIndex(1 if rows else 0)

    def _chosen(self) -> None:
        rows = chosen_rows(self.table)
        row = self.model.row(rows[0]) if rows else None
        if row is None:
            self._shown = None
            self.inspector.show_row(None)
            return
        number = self._shown = int(row["number"])

        def show(full: Row | None) -> None:
            if number != self._shown:
                return
            self.inspector.show_row(full)
            self.inspector.show_detail(full)
            if full is None:
                self._session.notice.emit("info", "Newer deliveries took the place of this one.")
                self.follow()

        _ask(self, self._session, "delivered", show, run=self._run, number=number)


def attempt_text(row: Row) -> str:
    """The next attempt of how many, e.g. `2 of 5`."""
    most = row["max_attempts"]
    following = row["attempts"] + 1
    return f"{following} of {most}" if most else str(following)


def circuit_text(data: dict[str, Any]) -> str:
    """What the open circuit means, or nothing."""
    found = data.get("circuit")
    if not found:
        return ""
    of = f" of {found['max_failures']}" if found["max_failures"] else ""
    down = shown_seconds(max(0.0, data["part_seconds"] - found["since"]))
    following = (f"next try in {found['next_try']:.0f} s" if found["next_try"] >= 0.5
                 else "trying now")  # fmt: skip
    return (f"The service has not been reached for {down} (failure {found['failures']}{of}), "
            f"{following}: {found['reason']}")  # fmt: skip


def _ask(owner: QWidget, session: Session, method: str, done: Any, **params: Any) -> None:
    engine = session.engine

    def failed(error: RouteStudioError) -> None:
        session.notice.emit("error", str(error))

    engine.run(engine.request(method, **params), owner=owner, title="Run", done=done, failed=failed)
