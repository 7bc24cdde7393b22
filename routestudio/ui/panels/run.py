"""The run panel: progress, counts, destinations and reasons of a delivery, with cancel."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, Button, EmptyState, Pill, label
from routestudio.ui.widgets.counts import count_list, fill_counts
from routestudio.ui.widgets.layout import bar, column

_COUNTS = (("read", "Read"), ("delivered", "Delivered"), ("filtered", "Filtered"),
           ("rejected", "Rejected"), ("retried", "Retried"), ("batches", "Batches"),
           ("rate", "Per second"), ("seconds", "Seconds"))  # fmt: skip


class RunPanel(QWidget):
    """Delivers a sample set and shows how it goes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._job: Job | None = None
        self._total = 0
        self.summary: dict[str, Any] | None = None
        self.after: Any = None
        body = column(self)
        row = bar(body)
        self.title = label("Run", "heading")
        row.addWidget(self.title)
        self.verdict = Pill()
        self.verdict.hide()
        row.addWidget(self.verdict)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the delivery")
        self.progress.hide()
        row.addWidget(self.progress, 1)
        self.time_left = label("", "muted")
        row.addWidget(self.time_left)
        row.addStretch(1)
        self.cancel_button = Button("Cancel", "stop", action=self.cancel)
        self.cancel_button.hide()
        row.addWidget(self.cancel_button)
        self.banner = Banner()
        body.addWidget(self.banner)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState("run", "Nothing delivered yet",
                       "Run delivers the sample set of the preview through the real pipeline: to a "
                       "stand-in on this machine, or to the real service.")
        )  # fmt: skip
        self._stack.addWidget(self._build_page())
        body.addWidget(self._stack, 1)

    def _build_page(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(24)
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(6)
        self.counts = {}
        for number, (key, text) in enumerate(_COUNTS):
            grid.addWidget(label(text, "muted"), number // 2, (number % 2) * 2)
            value = label("0", "heading")
            value.setMinimumWidth(64)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(value, number // 2, (number % 2) * 2 + 1)
            self.counts[key] = value
        holder = QVBoxLayout()
        holder.addLayout(grid)
        holder.addStretch(1)
        row.addLayout(holder)
        self.destinations = count_list("Destinations", ("Destination", "Delivered"))
        self.reasons = count_list("Reasons", ("What failed", "Messages"))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.destinations)
        split.addWidget(self.reasons)
        row.addWidget(split, 1)
        return page

    @property
    def running(self) -> bool:
        """Whether a delivery goes on."""
        return self._job is not None and self._job.running

    def start(self, sink: str, sample: str, total: int, *, standin: bool) -> None:
        """Deliver a sample set."""
        self.cancel()
        self.summary = None
        self._total = total
        self._stack.setCurrentIndex(1)
        self.banner.hide()
        where = "to its stand-in" if standin else "to the real service"
        self.title.setText(f"Deliver {sample} by {sink} {where}")
        self.verdict.show_status("running", "info")
        self.verdict.show()
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(0)
        self.progress.show()
        self.cancel_button.show()
        self.destinations.clear()
        self.reasons.clear()
        for value in self.counts.values():
            value.setText("0")
        engine = self._session.engine
        letters = f"{self._session.snapshot['state']}/dead-letters-{sink}.jsonl"
        self._job = engine.run(
            engine.request("run", on_event=self._event, sink=sink, sample=sample, standin=standin,
                           dead_letters=letters),
            owner=self, title="Run", done=self._done, failed=self._failed,
        )  # fmt: skip

    def cancel(self) -> None:
        """Stop the running delivery within 100 ms."""
        if self.running and self._job is not None:
            self._job.cancel()
            self.verdict.show_status("cancelled", "warning")
            self._end()
        self._job = None

    def _event(self, name: str, data: dict[str, Any]) -> None:
        for key, value in self.counts.items():
            number = data.get(key, 0)
            value.setText(f"{number:,.1f}" if key == "seconds" else f"{number:,.0f}")
        if name != "progress":
            return
        finished = data["delivered"] + data["filtered"] + data["rejected"]
        self.progress.setValue(min(self._total, finished))
        left = (self._total - finished) / data["rate"] if data["rate"] else 0
        waiting = f", {data['waiting_retries']} waiting" if data["waiting_retries"] else ""
        self.time_left.setText(f"{left:,.0f} s left{waiting}" if left >= 1 else waiting[2:])
        fill_counts(self.destinations, [(d["name"], d["delivered"]) for d in data["destinations"]])
        fill_counts(self.reasons, [(f"{r['stage']}: {r['message']}", r["count"])
                             for r in data["reasons"]])  # fmt: skip

    def _done(self, summary: dict[str, Any]) -> None:
        self.summary = summary
        rate = summary["delivered"] / summary["seconds"] if summary["seconds"] else 0
        self._event("summary", {**summary, "rate": rate})
        rejected = summary["rejected"]
        text = f"{rejected} rejected" if rejected else "delivered"
        self.verdict.show_status(text, "error" if rejected else "success")
        if rejected:
            self.banner.say("warning", f"{rejected} messages were rejected and kept in the "
                            "project's .routestudio folder as dead letters.")  # fmt: skip
        self._end()
        if self.after is not None:
            self.after()

    def _failed(self, error: RouteStudioError) -> None:
        self.verdict.show_status("failed", "error")
        self.banner.say("error", str(error))
        self._end()

    def _end(self) -> None:
        self.cancel_button.hide()
        self.progress.hide()
        self.time_left.setText("")
