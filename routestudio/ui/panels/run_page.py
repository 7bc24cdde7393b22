"""The content of the run panel: counts with the chart, and a tab for each thing to look into."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QGridLayout,
    QLabel,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from routestudio.api.runs import Counts, Percentiles, Reason, Run, RunProgress, RunStarted
from routestudio.ui.panels.run_chart import RunChart, shown_count, shown_ms, shown_seconds
from routestudio.ui.panels.run_letters import LettersView
from routestudio.ui.panels.run_tables import shown_bytes
from routestudio.ui.panels.run_views import DeliveredView, DestinationsView, RetriesView
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import label
from routestudio.ui.widgets.counts import count_list, fill_counts
from routestudio.ui.widgets.layout import column

_COUNTS = (
    ("read", "Read"), ("delivered", "Delivered"),
    ("filtered", "Filtered"), ("rejected", "Rejected"),
    ("duplicates", "Duplicates"), ("retried", "Retried"),
    ("waiting", "Waiting"), ("batches", "Batches"),
    ("bytes", "Bytes"),
    ("p50", "Latency"), ("p95", "95th percentile"),
    ("rate", "Per second"), ("seconds", "Seconds"),
)  # fmt: skip
_BESIDE = 640
"""Pixels from which the chart is beside the counts."""
OVERVIEW, DESTINATIONS, RETRIES, LETTERS, DELIVERED = range(5)


class RunPage(QTabWidget):
    """Five tabs about one run. `take` shows a progress event."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("narrow")
        self.setDocumentMode(True)
        self.setAccessibleName("About the run")
        self.tabBar().setAccessibleName("About the run")
        self._failed: dict[str, int] = {}
        self._failed_before: dict[str, int] = {}
        self._total = 0
        self._before = 0
        self._done = 0
        self._again = False
        self._run: str | None = None
        self.counts: dict[str, QLabel] = {}
        self.chart = RunChart()
        self.reasons = count_list("What failed", ("What failed", "Messages"))
        self.destinations = DestinationsView(session)
        self.retries = RetriesView()
        self.letters = LettersView(session)
        self.delivered = DeliveredView(session)
        self.addTab(self._overview(), "Overview")
        self.addTab(self.destinations, "Destinations")
        self.addTab(self.retries, "Retries")
        self.addTab(self.letters, "Dead letters")
        self.addTab(self.delivered, "Delivered")
        self.letters.counted.connect(lambda count: self._title(LETTERS, "Dead letters", count))
        self.currentChanged.connect(self._tab_chosen)

    def _overview(self) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        row = self._beside = QBoxLayout(QBoxLayout.Direction.LeftToRight, page)
        row.setContentsMargins(16, 10, 16, 8)
        row.setSpacing(24)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        for number, (key, text) in enumerate(_COUNTS):
            at, place = number // 2, (number % 2) * 3
            name = label(text, "muted")
            grid.addWidget(name, at, place)
            value = label("0", "heading")
            value.setMinimumWidth(62)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            name.setBuddy(value)
            grid.addWidget(value, at, place + 1)
            self.counts[key] = value
        grid.setColumnMinimumWidth(2, 10)
        holder = QVBoxLayout()
        holder.addLayout(grid)
        holder.addStretch(1)
        row.addLayout(holder)
        row.addWidget(self.chart, 3)
        self._failures = QWidget()
        column(self._failures).addWidget(self.reasons)
        self._failures.setMinimumWidth(200)
        self._failures.hide()
        row.addWidget(self._failures, 2)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("Counts of the run")
        area.setWidget(page)
        return area

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        direction = QBoxLayout.Direction
        narrow = self.width() < _BESIDE
        self._beside.setDirection(direction.TopToBottom if narrow else direction.LeftToRight)

    # --- the life of a run -------------------------------------------------------------------

    def begin(self, total: int, *, again: bool = False) -> None:
        """A run is asked for; `again` when it goes on where it was, with what failed before."""
        self._failed_before = dict(self._failed) if again else {}
        self._failed = {}
        self._total, self._before, self._done = total, 0, 0
        self.chart.clear()
        self.chart.waiting = "Waiting for the first messages"
        if not again:
            self.reasons.clear()
            self._failures.hide()
        self.retries.clear()
        self._title(RETRIES, "Retries", 0)
        for value in self.counts.values():
            value.setText("0")
        if self.currentIndex() in (LETTERS, DELIVERED):
            self.setCurrentIndex(OVERVIEW)

    def began(self, event: RunStarted) -> None:
        """The engine has begun; `done` rows are finished already."""
        self._total = event.run.total
        self._again = event.run.parent is not None
        self._done = event.done
        self._before = event.before.finished

    def show_run(self, run: Run, *, keep: bool = False) -> None:
        """Point the tables to a run; `keep` what they show until something else comes."""
        self._run = run.id
        if not keep:
            self.destinations.show_run(run.id, run.distinct)
            self.delivered.show_run(run.id)
            self._title(DESTINATIONS, "Destinations", run.distinct)
        self.letters.show_run(run.parent or run.id)

    def take(self, data: RunProgress) -> tuple[int, str]:
        """Show a progress event; returns how many rows are finished, and a line about it."""
        self._fill(data.counts, data.rate, data.waiting + data.waiting_retries, data.latency)
        self.chart.add(data.counts.seconds, data.rate, data.latency.p50, data.latency.p95)
        self.retries.take(data)
        self._title(RETRIES, "Retries", data.waiting_retries)
        self._title(DESTINATIONS, "Destinations", data.distinct)
        self.destinations.expect(data.distinct)
        if data.counts.delivered:
            self.delivered.touch()
        self._reasons(data.reasons)
        if not self._again:
            self._title(LETTERS, "Dead letters", data.counts.rejected)
        finished = self._done + max(0, data.counts.finished - self._before)
        return finished, self._line(finished, data)

    def ended(self, run: Run) -> None:
        """The run came to its end: its final counts."""
        self._run = run.id
        self.retries.clear()
        self._title(RETRIES, "Retries", 0)
        self._numbers(run)
        self._title(DESTINATIONS, "Destinations", run.distinct)
        self.destinations.expect(run.distinct)
        self.delivered.touch()
        self.letters.show_run(run.parent or run.id)
        if run.parent:
            self.show_letters()

    def show_past(self, run: Run) -> None:
        """A run that is not going on."""
        if not self.chart.points or self._run != run.id:
            self.chart.waiting = "Measurements are shown while a run is in progress"
        self._numbers(run)
        self._failures.hide()
        self.retries.clear()
        if run.letters and self.currentIndex() == OVERVIEW and not self.chart.points:
            self.show_letters()

    def quiet(self) -> None:
        """The engine is gone: nothing waits any more."""
        self.retries.clear()
        self._title(RETRIES, "Retries", 0)

    def show_letters(self) -> None:
        """Show the dead letters."""
        self.setCurrentIndex(LETTERS)

    # --- showing -----------------------------------------------------------------------------

    def _numbers(self, run: Run) -> None:
        counts = run.counts
        rate = counts.delivered / counts.seconds if counts.seconds else 0
        self._fill(counts, rate, 0, run.latency or Percentiles())

    def _fill(self, counts: Counts, rate: float, waiting: int, latency: Percentiles) -> None:
        read = min(counts.read, self._total) if self._total else counts.read
        texts = {
            "read": f"{read:,}",  # rows that a resumed run reads again count once
            "delivered": f"{counts.delivered:,}",
            "filtered": f"{counts.filtered:,}",
            "rejected": f"{counts.rejected:,}",
            "duplicates": f"{counts.duplicates:,}",
            "retried": f"{counts.retried:,}",
            "waiting": f"{waiting:,}",
            "batches": f"{counts.batches:,}",
            "bytes": shown_bytes(counts.bytes),
            "p50": shown_ms(latency.p50),
            "p95": shown_ms(latency.p95),
            "rate": shown_count(rate),
            "seconds": f"{counts.seconds:,.1f}",
        }
        for key, text in texts.items():
            value = self.counts[key]
            if value.text() != text:
                value.setText(text)

    def _reasons(self, reasons: Sequence[Reason]) -> None:
        self._failed = dict(self._failed_before)
        for reason in reasons:
            text = f"{reason.stage}: {reason.message}"
            self._failed[text] = self._failed.get(text, 0) + reason.count
        rows = sorted(self._failed.items(), key=lambda pair: -pair[1])
        fill_counts(self.reasons, rows)
        if bool(rows) == self._failures.isHidden():
            self._failures.setVisible(bool(rows))

    def _line(self, finished: int, data: RunProgress) -> str:
        share = 100 * finished / self._total if self._total else 0
        parts = [f"{min(100.0, share):.0f} %", f"{shown_count(data.rate)}/s"]
        left = (self._total - finished) / data.rate if data.rate else 0
        if data.circuit:
            parts.append("service down")
        elif left >= 1:
            parts.append(f"{shown_seconds(left)} left")
        if data.waiting_retries:
            parts.append(f"{data.waiting_retries:,} waiting")
        return " · ".join(parts)

    def _title(self, tab: int, text: str, count: int) -> None:
        shown = f"{text} ({count:,})" if count else text
        if self.tabText(tab) != shown:
            self.setTabText(tab, shown)

    def _tab_chosen(self, tab: int) -> None:
        if tab == DELIVERED:
            self.delivered.refresh()
        elif tab == DESTINATIONS:
            self.destinations.expect(self.destinations.model.rowCount())
        elif tab == LETTERS:
            self.letters.refresh()
