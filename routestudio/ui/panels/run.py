"""The run panel: a delivery while it goes on, past ones, and what is left of them to do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QStackedWidget, QWidget

from routestudio.api.client import EngineLost
from routestudio.api.runs import Counts, Run, RunProgress, RunStarted
from routestudio.api.sources import Source
from routestudio.errors import RouteStudioError
from routestudio.model.limits import MOST_WORKERS
from routestudio.ui.bridge import Job
from routestudio.ui.runs import Runs, duplicates, title
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, Button, ElidedLabel, EmptyState, Pill, label
from routestudio.ui.widgets.inputs import SpinBox
from routestudio.ui.widgets.layout import bar, column

if TYPE_CHECKING:
    from routestudio.ui.panels.run_page import RunPage

_VERDICTS = {
    "done": ("delivered", "success"), "running": ("running", "info"),
    "cancelled": ("cancelled", "warning"), "stopped": ("failed", "error"),
    "interrupted": ("interrupted", "warning"),
}  # fmt: skip
_BUSY = "A run is in progress. Wait for it to finish or cancel it."


class RunPanel(QWidget):
    """Delivers a sample set and shows how it goes; shows runs of the past."""

    changed = Signal()
    """It runs, or can be resumed, or not any more."""
    resume_asked = Signal()
    """The shown run is to go on; a real service is asked about first."""
    send_asked = Signal(object, object)
    """Dead letters are to be sent again: numbers (or `None`), and a group (or `None` for all)."""

    def __init__(self, session: Session, runs: Runs) -> None:
        super().__init__()
        self._session = session
        self._runs = runs
        self._job: Job | None = None
        self._page: RunPage | None = None
        self._stopping = False
        self._pointing = False
        self.run: Run | None = None
        """The run that is shown; without an id while it is only asked for."""
        self.summary: Counts | None = None
        self.after: Callable[[], object] | None = None
        body = column(self)
        row = bar(body)
        self.title = ElidedLabel("Run", "heading")
        row.addWidget(self.title, 1)
        self.verdict = Pill()
        self.verdict.hide()
        row.addWidget(self.verdict)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the delivery")
        self.progress.setMinimumWidth(140)
        self.progress.hide()
        row.addWidget(self.progress, 1)
        self.time_left = label("", "muted")
        row.addWidget(self.time_left)
        self._workers_label = label("Workers", "muted")
        row.addWidget(self._workers_label)
        self.workers = SpinBox()
        self.workers.setRange(1, MOST_WORKERS)
        self.workers.setAccessibleName("Workers")
        self.workers.setToolTip(
            "How many processes deliver a run; each message group stays with one of them"
        )
        self.workers.valueChanged.connect(self._workers_chosen)
        self._workers_label.setBuddy(self.workers)
        row.addWidget(self.workers)
        self.resume_button = Button("Resume", "run", kind="primary")
        self.resume_button.clicked.connect(lambda: self.resume_asked.emit())
        self.resume_button.setToolTip("Send what remains; what was delivered is not sent again")
        self.resume_button.hide()
        row.addWidget(self.resume_button)
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
        body.addWidget(self._stack, 1)
        runs.changed.connect(self._runs_changed)
        session.opened.connect(self.reset)
        session.workers_changed.connect(lambda: self.workers.setValue(session.workers))

    @property
    def page(self) -> RunPage:
        """Counts, chart and tables. Made when first needed: the window is painted before."""
        if self._page is None:
            from routestudio.ui.panels.run_page import RunPage

            self._page = RunPage(self._session)
            self._page.letters.retry_asked.connect(self.send_asked)
            self._page.currentChanged.connect(self._tab_chosen)
            self._stack.addWidget(self._page)
        return self._page

    @property
    def counts(self) -> dict[str, QLabel]:
        """The labels of the counts."""
        return self.page.counts

    @property
    def running(self) -> bool:
        """Whether a delivery goes on."""
        return self._job is not None

    @property
    def resumable(self) -> bool:
        """Whether something of the shown run remains."""
        run = self.run
        return not self.running and run is not None and run.resumable and run.left > 0

    def reset(self) -> None:
        """Show nothing: another project is open."""
        self._drop()
        self.workers.setEnabled(True)
        self.run = self.summary = None
        self._stack.setCurrentIndex(0)
        self.title.show_text("Run")
        for widget in (self.verdict, self.banner, self.resume_button):
            widget.hide()

    # --- doing -------------------------------------------------------------------------------

    def start(
        self, sink: str, sample: str, total: int, *, standin: bool, confirmed: str | None = None
    ) -> None:
        """Deliver a sample set; `confirmed` is the environment that a person confirmed."""
        mark = self._session.environment
        run = Run("", sink, sample, standin, total, environment=mark["name"] if mark else "")
        runs = self._session.api.runs
        self._begin(run, runs.deliver(sink, Source(sample=sample), standin=standin,
                                      confirmed=confirmed, workers=self._session.workers,
                                      tell=self._told))  # fmt: skip

    def resume(self, confirmed: str | None = None) -> None:
        """Go on with the shown run where it was."""
        if self.resumable and self.run is not None:
            run = self.run
            chart = self.page.chart.points
            work = self._session.api.runs.resume(
                run.id, confirmed=confirmed, workers=self._session.workers, tell=self._told
            )
            self._begin(run, work)
            for point in chart:
                self.page.chart.add(point.second, point.rate, point.p50, point.p95)

    def retry(
        self, numbers: list[int] | None, group: int | None, confirmed: str | None = None
    ) -> None:
        """Send dead letters of the shown run again."""
        if self.run is None:
            return
        if self.running:
            self._session.notice.emit("info", _BUSY)
            return
        origin = self.run.parent or self.run.id
        total = self.page.letters.group_count if numbers is None else len(numbers)
        run = replace(self.run, id="", parent=origin, total=total, left=0, letters=0)
        self._begin(run, self._session.api.runs.retry(
            origin, numbers=numbers, group=group, confirmed=confirmed, tell=self._told
        ))  # fmt: skip

    def cancel(self) -> None:
        """Stop the running delivery within 100 ms; what remains can be resumed."""
        if not self.running:
            return
        number = self.run.id if self.run is not None else ""
        if not number:  # it has not begun
            self._drop()
            self.verdict.show_status("cancelled", "warning")
            self._end()
            return
        if not self._stopping:
            self._stopping = True
            self.verdict.show_status("cancelling", "warning")
            engine = self._session.engine
            engine.run(engine.api.runs.stop(number), owner=self, title="Cancel")

    def show_run(self, number: str) -> None:
        """Show a run of the past; the one that goes on stays in front while it does."""
        if self.running:
            if self.run is not None and self.run.id != number:
                self._session.notice.emit("info", _BUSY)
            return
        engine = self._session.engine
        engine.run(engine.api.runs.detail(number), owner=self, title="Run", done=self._show_past)

    def _show_past(self, run: Run) -> None:
        if self.running:
            return
        same = self.run is not None and self.run.id == run.id
        self.run, self.summary = run, None
        page = self.page
        self._stack.setCurrentWidget(page)
        if not same:
            page.show_run(run)
        page.show_past(run)
        self.title.show_text(title(run))
        self.banner.hide()
        self._say(run)
        self._end()

    def _workers_chosen(self, count: int) -> None:
        if count != self._session.workers:
            self._session.workers = count
            self._session.workers_changed.emit()

    def _drop(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = None

    def _begin(self, about: Run, work: Coroutine[Any, Any, Run]) -> None:
        self._drop()
        self._stopping = self._pointing = False
        self.run = about
        self.summary = None
        page = self.page
        self._stack.setCurrentWidget(page)
        page.begin(about.total, again=bool(about.id))
        self.banner.hide()
        self.title.show_text(title(about))
        self.verdict.show_status("running", "info")
        self.verdict.show()
        self.progress.setRange(0, max(1, about.total))
        self.progress.setValue(0)
        self.progress.show()
        self.resume_button.hide()
        self.workers.setEnabled(False)
        self.cancel_button.show()
        engine = self._session.engine
        self._job = engine.run(
            work, owner=self, title="Run", done=self._done, failed=self._failed,
        )  # fmt: skip
        self.changed.emit()

    # --- being informed --------------------------------------------------------------------------

    def _told(self, event: RunStarted | RunProgress) -> None:
        if isinstance(event, RunStarted):
            self.run = event.run
            self.progress.setRange(0, max(1, event.run.total))
            self.page.show_run(event.run)
            self.page.began(event)
        else:
            finished, text = self.page.take(event)
            self.progress.setValue(min(self.progress.maximum(), finished))
            self.time_left.setText(text)

    def _done(self, run: Run) -> None:
        self.run = run
        self._job = None
        self.page.ended(run)
        if run.status == "done":
            self.summary = run.counts
        self._say(run)
        self._end()
        if self.after is not None and run.status == "done":
            self.after()

    def _failed(self, error: RouteStudioError) -> None:
        self._job = None
        self.verdict.show_status("failed", "error")
        lost = isinstance(error, EngineLost)
        more = ". It is restarted, and then the run can be resumed." if lost else ""
        self.banner.say("error", f"{error}{more}")
        self.page.quiet()
        self._end()
        number = self.run.id if self.run is not None else ""
        if number and not lost:
            engine = self._session.engine
            engine.run(engine.api.runs.detail(number), owner=self, title="Run",
                       done=self._refused)  # fmt: skip

    def _refused(self, run: Run) -> None:
        """The record of a run that could not go on: what remains of it."""
        if not self.running:
            self.run = run
            self.page.ended(run)
            self._offer()

    def _say(self, run: Run) -> None:
        text, kind = _VERDICTS[run.status]
        self._pointing = False
        letters, rejected = run.letters, run.counts.rejected
        if run.status == "done" and (rejected if run.parent else letters):
            text, kind = f"{rejected if run.parent else letters:,} rejected", "error"
        elif run.status == "done" and (lost := run.counts.duplicates_unconfirmed):
            text, kind = f"{lost:,.0f} not stored", "error"
        known = duplicates(run.counts)
        self.verdict.show_status(text, kind)
        self.verdict.show()
        if run.error:
            self.banner.say("error", run.error)
        elif run.resumable and run.left:
            self.banner.say(
                "info", f"{run.left:,} of {run.total:,} messages remain. Resume sends only "
                "these.",
            )  # fmt: skip
        elif letters and not run.parent:
            many = "message was" if letters == 1 else "messages were"
            self.banner.say("warning", f"{letters:,} {many} rejected and kept as dead letters.",
                            "Show", self.page.show_letters)  # fmt: skip
            self._pointing = True
            self._tab_chosen(0)
        elif known:
            self.banner.say("warning", known)
        elif run.parent and run.status == "done" and not run.counts.read:
            self.banner.say("info", "These rows are not messages. Correct them first.")
        self._offer()

    def _tab_chosen(self, _: int) -> None:
        """With the dead letters in sight, a banner about them only takes their room."""
        if self._pointing and self.page.letters.isVisible():
            self._pointing = False
            self.banner.hide()

    def _runs_changed(self) -> None:
        """What the engine kept of the shown run, after it was started again for instance."""
        if self.running or self.run is None or not self.run.id:
            return
        found = self._runs.get(self.run.id)
        if found is not None and found != replace(self.run, latency=None):
            known = self.run.status
            self.run = replace(found, latency=self.run.latency)
            if known == "running" and found.status == "interrupted":
                self._say(self.run)
                self.page.show_run(self.run, keep=True)
            self._offer()

    def _offer(self) -> None:
        left = self.run.left if self.resumable and self.run is not None else 0
        self.resume_button.setText(f"Resume ({left:,} left)")
        self.resume_button.setVisible(bool(left))
        self.changed.emit()

    def _end(self) -> None:
        self.cancel_button.hide()
        self.workers.setEnabled(True)
        self.progress.hide()
        self.time_left.setText("")
        self.time_left.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._offer()
