"""The live preview: a table of rows with provenance, and an inspector beside it."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QSplitter,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.panels.inspector import Inspector
from routestudio.ui.panels.preview_model import PAGE, PROVENANCE_ROLE, PreviewModel
from routestudio.ui.session import Session
from routestudio.ui.theme import colour
from routestudio.ui.widgets.basics import Banner, EmptyState, Pill, label
from routestudio.ui.widgets.layout import bar, column

LIMIT = 20_000
"""Rows that are evaluated without being looked at; further ones are when they are shown."""

PAUSE_MS = 12


class PreviewPanel(QWidget):
    """Previews one sink over one sample set, again after each change."""

    fresh = Signal(float)
    """A preview is up to date; seconds since it was asked for."""
    fault_chosen = Signal(int, int)
    """Line and column, in the function, of a chosen row's problem."""

    _views = 0

    def __init__(self, session: Session) -> None:
        super().__init__()
        PreviewPanel._views += 1
        self._view = f"view{PreviewPanel._views}"
        self._session = session
        self._sink: str | None = None
        self._code: dict[str, str] = {}
        self._job: Job | None = None
        self._asked = 0.0
        self._generation = 0
        self._complete = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._start)
        self.model = PreviewModel(self._fetch)
        self._build()
        session.changed.connect(self._samples_changed)

    def _build(self) -> None:
        body = column(self)
        row = bar(body)
        row.addWidget(label("Preview", "heading"))
        row.addWidget(label("Sample", "muted"))
        self.samples = QComboBox()
        self.samples.setAccessibleName("Sample set of the preview")
        self.samples.setMinimumWidth(130)
        self.samples.activated.connect(lambda _: self.refresh())
        row.addWidget(self.samples)
        self.ok, self.failed, self.filtered = Pill(), Pill(), Pill()
        for pill in (self.ok, self.failed, self.filtered):
            pill.hide()
            row.addWidget(pill)
        row.addStretch(1)
        for source, text in (("default", "default"), ("static", "static"),
                             ("function", "function")):  # fmt: skip
            row.addWidget(label(f"▪ {text}", source))
        self.state = label("", "muted")
        row.addWidget(self.state)
        self.banner = Banner()
        body.addWidget(self.banner)
        self.table = QTableView()
        self.table.setAccessibleName("Preview rows")
        self.table.setModel(self.model)
        self.table.setItemDelegate(_Delegate(self.table))
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(27)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.selectionModel().currentRowChanged.connect(self._chosen)
        self.table.doubleClicked.connect(self._opened)
        self.inspector = Inspector()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.table)
        split.addWidget(self.inspector)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([690, 350])
        split.setChildrenCollapsible(False)
        self._stack = QStackedWidget()
        self._stack.addWidget(split)
        self._empty = EmptyState(
            "sample", "No samples yet",
            "Add a sample set to see what this route does to real rows.",
        )  # fmt: skip
        self._stack.addWidget(self._empty)
        body.addWidget(self._stack, 1)

    # --- asking ------------------------------------------------------------------------------

    def show_sink(self, name: str | None) -> None:
        """Preview this sink from now on."""
        self._sink = name
        self.refresh()

    def show_code(self, function: str, code: str) -> None:
        """Preview with a function's text that is being typed."""
        self._code = {function: code}
        self.refresh()

    def refresh(self) -> None:
        """Preview again after a short pause; what is shown is marked as stale at once."""
        if not self._timer.isActive():
            self._asked = perf_counter()
        self.state.setText("updating…")
        self._timer.start()

    def _start(self) -> None:
        self._samples_changed(refresh=False)
        sample = self.samples.currentData()
        if self._sink is None or sample is None or not self._session.is_open:
            self._stack.setCurrentIndex(1)
            self.state.setText("")
            return
        self._stack.setCurrentIndex(0)
        if self._job is not None:
            self._job.cancel()
        self._generation += 1
        generation = self._generation
        engine = self._session.engine

        def on_event(name: str, data: dict[str, Any]) -> None:
            if generation != self._generation:
                return
            if name == "started":
                self._begin(data)
            elif name == "progress":
                self._totals(data, final=False)
                self._fetch_visible()

        self._job = engine.run(
            engine.request("preview", on_event=on_event, sink=self._sink, view=self._view,
                           code=self._code, limit=LIMIT, sample=sample),
            owner=self, title="Preview",
            done=lambda totals: self._done(generation, totals),
            failed=lambda error: self._failed(generation, error),
        )  # fmt: skip

    def _begin(self, data: dict[str, Any]) -> None:
        fields = data.get("fields") or self.model.fields
        columns = (data["rows"], list(fields))
        changed = list(fields) != self.model.fields
        self.model.reset_rows(*columns)
        if changed:
            self._widths()
        problems = data.get("problems") or []
        if problems:
            texts = [f"{p['field']}: {p['message']}" for p in problems[:3]]
            self.banner.say("warning", "Not ready for delivery — " + "; ".join(texts))
        else:
            self.banner.hide()

    def _totals(self, totals: dict[str, Any], *, final: bool) -> None:
        for pill, key, text, kind in (
            (self.ok, "ok", "ok", "success"),
            (self.failed, "failed", "failed", "error"),
            (self.filtered, "filtered", "filtered", "neutral"),
        ):
            pill.setVisible(bool(totals[key]))
            pill.show_status(f"{totals[key]:,} {text}", kind)
        rows, done = totals["rows"], totals["done"]
        if not final:
            self.state.setText(f"{done:,} of {rows:,} …")
            return
        self.inspector.show_destinations(totals)
        shown = f"{rows:,} rows" if done == rows else f"first {done:,} of {rows:,} rows"
        self.state.setText(f"{shown} in {totals['ms']:.0f} ms")

    def _done(self, generation: int, totals: dict[str, Any]) -> None:
        if generation != self._generation:
            return
        if totals["fields"] != self.model.fields:
            self.model.reset_rows(totals["rows"], totals["fields"])
            self._widths()
        self._totals(totals, final=True)
        self._complete = generation
        self._fetch_visible()
        self._tell_fresh()

    def _fetch_visible(self) -> None:
        first = max(0, self.table.rowAt(0))
        last = self.table.rowAt(self.table.viewport().height() - 1)
        self.model.refetch(first, last if last >= 0 else first + PAGE - 1)

    def _tell_fresh(self) -> None:
        if self._complete == self._generation and not self.model.stale:
            self.fresh.emit(perf_counter() - self._asked)

    def _failed(self, generation: int, error: RouteStudioError) -> None:
        if generation != self._generation:
            return
        self.model.reset_rows(0, self.model.fields)
        for pill in (self.ok, self.failed, self.filtered):
            pill.hide()
        self.state.setText("no preview")
        self.banner.say("error", str(error))

    def _fetch(self, start: int) -> None:
        generation = self._generation
        engine = self._session.engine

        def done(rows: list[dict[str, Any]]) -> None:
            if generation != self._generation:
                return
            self.model.give(start, rows)
            self._tell_fresh()
            current = self.table.currentIndex().row()
            if start <= current < start + PAGE:
                self._show(current)
            elif current < 0 and rows:
                self.table.selectRow(0)

        engine.run(
            engine.request("rows", start=start, count=PAGE, view=self._view),
            owner=self, title="Rows", done=done,
        )  # fmt: skip

    # --- showing -----------------------------------------------------------------------------

    def _chosen(self, index: QModelIndex, before: QModelIndex) -> None:
        self._show(index.row())

    def _show(self, number: int) -> None:
        """Show a row in the inspector; what only it needs is fetched."""
        self.inspector.show_row(self.model.row(number))
        engine = self._session.engine
        engine.run(
            engine.request("row", index=number, view=self._view),
            owner=self, title="Row", done=self.inspector.show_detail,
        )  # fmt: skip

    def _opened(self, index: QModelIndex) -> None:
        row = self.model.row(index.row())
        problem = row["error"] if row else None
        if problem and problem.get("line"):
            self.fault_chosen.emit(problem["line"], problem.get("column") or 1)

    def _samples_changed(self, *, refresh: bool = True) -> None:
        names = [item["name"] for item in self._session.samples()]
        shown = [self.samples.itemData(i) for i in range(self.samples.count())]
        if names != shown:
            current = self.samples.currentData()
            self.samples.clear()
            for item in self._session.samples():
                self.samples.addItem(f"{item['name']} ({item['rows']:,})", item["name"])
            preferred = current if current in names else max(
                self._session.samples(), key=lambda s: s["rows"], default={"name": None}
            )["name"]  # fmt: skip
            self.samples.setCurrentIndex(max(0, self.samples.findData(preferred)))
        if refresh and self._sink is not None:
            self.refresh()

    def _widths(self) -> None:
        header = self.table.horizontalHeader()
        scale = min(1.8, max(1.0, (self.table.viewport().width() - 60) / 640))
        for number, width in enumerate((40, 68, 88, 62, 66)):
            header.resizeSection(number, round(width * scale))
        for number in range(len(self.model.fields)):
            header.resizeSection(5 + number, round((150 if number == 0 else 112) * scale))


class _Delegate(QStyledItemDelegate):
    """Paints a routed value in the colour of its provenance, with the word behind it."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        source = index.data(PROVENANCE_ROLE)
        if not source:
            super().paint(painter, option, index)
            return
        area: QRect = option.rect
        metrics = painter.fontMetrics()
        tag = str(source)
        width = metrics.horizontalAdvance(tag) + 10
        super().paint(painter, option, index)
        text_width = metrics.horizontalAdvance(str(index.data())) + 20
        if area.width() - text_width > width:
            painter.save()
            painter.setPen(colour("muted"))
            font = painter.font()
            font.setPointSizeF(7.5)
            painter.setFont(font)
            painter.drawText(area.adjusted(0, 0, -8, 0),
                             Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             tag)  # fmt: skip
            painter.restore()
