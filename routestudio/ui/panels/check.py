"""The check panel: named, timed steps with a verdict and what to do."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import (
    Banner,
    Button,
    ElidedLabel,
    EmptyState,
    IconLabel,
    Pill,
    label,
)
from routestudio.ui.widgets.layout import bar, column
from routestudio.ui.widgets.tips import in_words

_ICONS = {"passed": ("ok", "positive"), "failed": ("error", "danger"),
          "inconclusive": ("inconclusive", "warning"), "skipped": ("skip", "muted")}  # fmt: skip
_KINDS = {"passed": "success", "failed": "error", "inconclusive": "warning", "skipped": "neutral"}


class CheckPanel(QWidget):
    """Runs the check of one sink and shows its steps as they finish."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._job: Job | None = None
        self._sink = ""
        self.steps: list[dict[str, Any]] = []
        body = column(self)
        row = bar(body)
        self.title = ElidedLabel("Check", "heading")
        row.addWidget(self.title, 1)
        self.verdict = Pill()
        self.verdict.hide()
        row.addWidget(self.verdict)
        self.cancel_button = Button("Cancel", "stop", action=self.cancel)
        self.cancel_button.hide()
        row.addWidget(self.cancel_button)
        self.banner = Banner()
        body.addWidget(self.banner)
        self._page = QWidget()
        self._page.setObjectName("page")
        self._grid = QGridLayout(self._page)
        self._grid.setContentsMargins(16, 12, 16, 12)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(3, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(self._page)
        area.setAccessibleName("Steps of the check")
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState("check", "Nothing checked yet",
                       "Check proves, step by step, that a sink can be reached, that its "
                       "credentials work and that its target takes messages. It writes nothing.")
        )  # fmt: skip
        self._stack.addWidget(area)
        body.addWidget(self._stack, 1)

    def start(self, sink: str, *, standin: bool) -> None:
        """Check one sink, on its stand-in or for real."""
        self.cancel()
        self._clear()
        self._sink = sink
        self._stack.setCurrentIndex(1)
        self.banner.hide()
        mark = self._session.environment
        real = f"on the real service of {mark['name']}" if mark else "on the real service"
        where = "on its stand-in" if standin else real
        self.title.show_text(f"Check {sink} {where}")
        self.verdict.show_status("checking…", "info")
        self.verdict.show()
        self.cancel_button.show()
        engine = self._session.engine
        self._job = engine.run(
            self._session.request("check", on_event=self._event, sink=sink, standin=standin),
            owner=self, title="Check", done=self._done, failed=self._failed,
        )  # fmt: skip

    def start_database(self, name: str) -> None:
        """Check a database of the project."""
        self.cancel()
        self._clear()
        self._sink = ""
        self._stack.setCurrentIndex(1)
        self.banner.hide()
        self.title.show_text(f"Check the database {name}")
        self.verdict.show_status("checking…", "info")
        self.verdict.show()
        self.cancel_button.show()
        engine = self._session.engine
        self._job = engine.run(
            engine.request("check_database", on_event=self._event, database=name),
            owner=self, title="Check", done=self._done, failed=self._failed,
        )  # fmt: skip

    def cancel(self) -> None:
        """Stop the running check."""
        if self._job is not None and self._job.running:
            self._job.cancel()
            self.verdict.show_status("cancelled", "neutral")
        self._job = None
        self.cancel_button.hide()

    def _event(self, name: str, step: dict[str, Any]) -> None:
        if name == "step":
            self._add(step)

    def _done(self, steps: list[dict[str, Any]]) -> None:
        self.cancel_button.hide()
        states = {step["status"] for step in steps}
        if "failed" in states:
            self.verdict.show_status("failed", "error")
        elif "inconclusive" in states:
            self.verdict.show_status("not proven", "warning")
        else:
            self.verdict.show_status("passed", "success")
            if self._sink:
                self._count_rows()

    def _count_rows(self) -> None:
        """A service that answers is not all: show how many sample rows do not get that far."""
        sink, engine = self._sink, self._session.engine

        def show(found: dict[str, int]) -> None:
            if sink == self._sink and found["failed"]:
                self.verdict.show_status("service ready, rows fail", "warning")
                self.banner.say(
                    "warning",
                    f"{found['failed']:,} of {found['rows']:,} sample rows "
                    "do not get through the route; the preview shows why.",
                )

        engine.run(self._session.request("failing_rows", sink=sink), owner=self,
                   title="Check rows", done=show, failed=lambda _: None)  # fmt: skip

    def _failed(self, error: RouteStudioError) -> None:
        self.cancel_button.hide()
        self.verdict.show_status("failed", "error")
        self.banner.say("error", str(error))

    def _add(self, step: dict[str, Any]) -> None:
        self.steps.append(step)
        row = self._grid.rowCount()
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(IconLabel(*_named(step["status"])), row, 0, top)
        self._grid.addWidget(label(step["step"], "heading"), row, 1, top)
        self._grid.addWidget(Pill(step["status"], _KINDS[step["status"]]), row, 2, top)
        cell = QVBoxLayout()
        cell.setSpacing(2)
        cell.addWidget(label(in_words(_detail(step)), wrap=True, select=True))
        if step["hint"] and step["status"] in ("failed", "inconclusive"):
            cell.addWidget(label(in_words(f"→ {step['hint']}"), "muted", wrap=True, select=True))
        self._grid.addLayout(cell, row, 3)
        ms = f"{step['ms']:,.0f} ms" if step["ms"] else ""
        self._grid.addWidget(label(ms, "muted"), row, 4, top | Qt.AlignmentFlag.AlignRight)
        self._grid.setRowStretch(row, 0)
        self._grid.setRowStretch(row + 1, 1)

    def _clear(self) -> None:
        self.steps = []
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item is None:
                break
            _delete(item)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)


def _detail(step: dict[str, Any]) -> str:
    target, detail = step["target"], str(step["detail"])
    return f"{target}: {detail}" if target and target not in detail else detail


def _named(status: str) -> tuple[str, int, str]:
    name, role = _ICONS[status]
    return name, 16, role


def _delete(item: Any) -> None:
    if item.widget() is not None:
        item.widget().deleteLater()
    layout = item.layout()
    while layout is not None and layout.count():
        _delete(layout.takeAt(0))
