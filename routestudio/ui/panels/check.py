"""The check panel: named, timed steps with a verdict and what to do."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHeaderView,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from routestudio.api.checks import FailingRows, Step
from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.icons import icon
from routestudio.ui.session import Session
from routestudio.ui.theme import colour, theme
from routestudio.ui.widgets.basics import (
    Banner,
    Button,
    ElidedLabel,
    EmptyState,
    Pill,
)
from routestudio.ui.widgets.layout import bar, column
from routestudio.ui.widgets.table_tools import TableTools
from routestudio.ui.widgets.tips import in_words

_PADDING = 14
"""Pixels left and right of the text in a cell."""
_AROUND = 10
"""Pixels above and below it."""
_ICONS = {"passed": ("ok", "positive"), "failed": ("error", "danger"),
          "inconclusive": ("inconclusive", "warning"), "skipped": ("skip", "muted")}  # fmt: skip


class CheckPanel(QWidget):
    """Runs the check of one sink and shows its steps as they finish."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._job: Job | None = None
        self._sink = ""
        self.steps: list[Step] = []
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
        self.table = _table()
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState("check", "Nothing checked yet",
                       "Check proves, step by step, that a sink can be reached, that its "
                       "credentials work and that its target takes messages. It writes nothing.")
        )  # fmt: skip
        self._stack.addWidget(self.table)
        body.addWidget(self._stack, 1)
        theme().changed.connect(self._recolour)

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
            self._session.api.checks.sink(sink, standin=standin, tell=self._add),
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
            engine.api.checks.database(name, tell=self._add),
            owner=self, title="Check", done=self._done, failed=self._failed,
        )  # fmt: skip

    def cancel(self) -> None:
        """Stop the running check."""
        if self._job is not None and self._job.running:
            self._job.cancel()
            self.verdict.show_status("cancelled", "neutral")
        self._job = None
        self.cancel_button.hide()

    def _done(self, steps: Sequence[Step]) -> None:
        self.cancel_button.hide()
        states = {step.status for step in steps}
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

        def show(found: FailingRows) -> None:
            if sink == self._sink and found.failed:
                self.verdict.show_status("service ready, rows fail", "warning")
                self.banner.say(
                    "warning",
                    f"{found.failed:,} of {found.rows:,} sample rows "
                    "do not get through the route; the preview shows why.",
                )

        engine.run(self._session.api.checks.failing_rows(sink), owner=self,
                   title="Check rows", done=show, failed=lambda _: None)  # fmt: skip

    def _failed(self, error: RouteStudioError) -> None:
        self.cancel_button.hide()
        self.verdict.show_status("failed", "error")
        self.banner.say("error", str(error))

    def _add(self, step: Step) -> None:
        self.steps.append(step)
        shown = step.hint is not None and step.status in ("failed", "inconclusive")
        hint = in_words(step.hint or "") if shown else ""
        ms = f"{step.ms:,.0f} ms" if step.ms else ""
        detail = in_words(_detail(step))
        item = QTreeWidgetItem([step.step, step.status, detail, hint, ms])
        name, role = _ICONS[step.status]
        item.setIcon(0, icon(name, role))
        item.setForeground(1, QColor(colour(role)))
        item.setForeground(4, QColor(colour("muted")))
        for number in range(5):
            side = Qt.AlignmentFlag.AlignRight if number == 4 else Qt.AlignmentFlag.AlignLeft
            item.setTextAlignment(number, side | Qt.AlignmentFlag.AlignTop)
        for number, text in ((2, detail), (3, hint)):
            item.setToolTip(number, html.escape(text))
        self.table.addTopLevelItem(item)
        if hint:
            self.table.setColumnHidden(3, False)

    def _recolour(self) -> None:
        steps, self.steps = self.steps, []
        self.table.clear()
        for step in steps:
            self._add(step)

    def _clear(self) -> None:
        self.steps = []
        self.table.clear()
        self.table.setColumnHidden(3, True)  # most checks have nothing to be done


def _detail(step: Step) -> str:
    target, detail = step.target, step.detail
    return f"{target}: {detail}" if target and target not in detail else detail


class _Wrapped(QStyledItemDelegate):
    """Gives a text the height of all its lines: the style sheet's padding makes lines shorter than
    Qt takes them for."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = super().sizeHint(option, index)
        view = self.parent()
        assert isinstance(view, QTreeWidget)
        room = QRect(0, 0, max(40, view.columnWidth(index.column()) - _PADDING), 10_000)
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
        text = view.fontMetrics().boundingRect(room, flags, str(index.data() or ""))
        return QSize(size.width(), max(size.height(), text.height() + _AROUND))


def _table() -> QTreeWidget:
    table = QTreeWidget()
    table.setAccessibleName("Steps of the check")
    table.setHeaderLabels(["Step", "Result", "What was found", "What to do", "Time"])
    table.setRootIsDecorated(False)
    table.setWordWrap(True)
    table.setTextElideMode(Qt.TextElideMode.ElideNone)
    table.setItemDelegate(_Wrapped(table))
    head = table.header()
    head.setStretchLastSection(False)
    for number, mode in enumerate((QHeaderView.ResizeMode.ResizeToContents,
                                   QHeaderView.ResizeMode.ResizeToContents,
                                   QHeaderView.ResizeMode.Stretch, QHeaderView.ResizeMode.Stretch,
                                   QHeaderView.ResizeMode.ResizeToContents)):  # fmt: skip
        head.setSectionResizeMode(number, mode)
    # Texts that are wrapped have another height when the columns have another width.
    head.sectionResized.connect(lambda *_: table.scheduleDelayedItemsLayout())
    TableTools(table)
    return table
