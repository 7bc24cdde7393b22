"""The live preview: a table of rows with provenance, and an inspector beside it."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from PySide6.QtCore import QModelIndex, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QMenu,
    QStackedWidget,
    QWidget,
)

from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.panels import preview_state as states
from routestudio.ui.panels.columns import ColumnsView
from routestudio.ui.panels.destinations import DestinationsView
from routestudio.ui.panels.inspector import Inspector
from routestudio.ui.panels.preview_bar import PreviewBar
from routestudio.ui.panels.preview_model import PAGE, PreviewModel
from routestudio.ui.panels.preview_rows import PreviewRows
from routestudio.ui.panels.preview_table import PreviewTable
from routestudio.ui.panels.variants import VariantsView
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, EmptyState
from routestudio.ui.widgets.layout import Pair, column
from routestudio.ui.widgets.table_tools import TableTools

LIMIT = 20_000
"""Rows that are evaluated without being looked at; further ones are when they are shown."""

PAUSE_MS = 12

VARIANTS = "variants"
"""Sample set that takes the variants a person wants to keep."""

_EMPTY = 1
_PAGES = {"rows": 0, "destinations": 2, "variants": 3, "columns": 4}


class PreviewPanel(QWidget):
    """Previews one sink over one sample set, again after each change."""

    fresh = Signal(float)
    """A preview is up to date; seconds since it was asked for."""
    fault_chosen = Signal(int, int)
    """Line and column, in the function, of a chosen row's problem or value."""

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
        self._complete = self._count = 0
        self._shown = "rows"
        self._use: dict[str, str] = {}
        self._known = self._tool = ""
        self._stale = True
        self._failing = False
        self.failed = 0
        """Rows of the last preview that fail."""
        self.missing: list[dict[str, Any]] = []
        """Places of functions that read a column which some of its rows do not have."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._start)
        self.model = PreviewModel(self._fetch)
        self._build()
        session.changed.connect(self._session_changed)
        session.rows_come.connect(self._follow)

    def _build(self) -> None:
        body = column(self)
        self.bar = PreviewBar()
        body.addWidget(self.bar)
        self.samples, self.state = self.bar.samples, self.bar.state
        self.bar.sample_chosen.connect(self._sample_chosen)
        self.bar.view_chosen.connect(self.show_view)
        self.bar.filter_chosen.connect(self._filter)
        self.bar.pin_asked.connect(self.pin)
        self.banner = Banner()
        body.addWidget(self.banner)
        self.table = PreviewTable(self.model)
        self.table.selectionModel().currentRowChanged.connect(self._chosen)
        self.table.doubleClicked.connect(self._opened)
        self.rows = PreviewRows(self._session, self._view, self.table, self.model, self._filter)
        self.tools = TableTools(self.table, rows=self.rows, extend=self._offer)
        self.tools.rest_asked.connect(self.evaluate_all)
        self.inspector = Inspector()
        self.inspector.line_chosen.connect(self.fault_chosen)
        self.inspector.explanation_asked.connect(self._explain)
        self.destinations = DestinationsView()
        self.destinations.chosen.connect(self._only_destination)
        self.variants = VariantsView()
        self.variants.add_asked.connect(self._add_variants)
        self.variants.pin_asked.connect(self._pin_variants)
        split = Pair(self.table, self.inspector, (690, 350))
        self._stack = QStackedWidget()
        self._stack.addWidget(split)
        self._empty = EmptyState(
            "sample", "No samples yet",
            "Add a sample set to see what this route does to real rows.",
        )  # fmt: skip
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.destinations)
        self._stack.addWidget(self.variants)
        self.columns = ColumnsView()
        self._stack.addWidget(self.columns)
        body.addWidget(self._stack, 1)

    def _sample_chosen(self) -> None:
        if self._sink is not None:
            self._session.remember_sample(self._sink, str(self.samples.currentData()))
        self.refresh()

    # --- asking ------------------------------------------------------------------------------

    @property
    def view(self) -> str:
        """Name of the preview for requests about its rows."""
        return self._view

    def show_sink(self, name: str | None, use: dict[str, str] | None = None) -> None:
        """Preview this sink from now on; `use` names other functions by role."""
        if name != self._sink and name is not None:
            wanted = self._session.last_samples.get(name)
            if wanted is not None and (place := self.samples.findData(wanted)) >= 0:
                self.samples.setCurrentIndex(place)
        self._sink, self._use = name, dict(use or {})
        self.refresh()

    def show_code(self, function: str, code: str) -> None:
        """Preview with a function's text that is being typed."""
        self._code = {function: code}
        self.refresh()

    def refresh(self) -> None:
        """Preview again after a short pause; what is shown is marked as stale at once.

        One that is not in sight waits until it is.
        """
        self._stale = True
        if not self.isVisible():
            return
        if not self._timer.isActive():
            self._asked = perf_counter()
        self.state.setText("updating…")
        self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def leave(self) -> None:
        """Let the engine forget this preview: its document is being closed."""
        self._timer.stop()
        if self._job is not None:
            self._job.cancel()
        if self._generation and self._session.is_open:
            engine = self._session.engine
            engine.run(engine.request("forget_preview", view=self._view), owner=self._session,
                       title="Close preview", failed=lambda _: None)  # fmt: skip

    def _session_changed(self) -> None:
        """Preview again when something changed that this preview depends on."""
        self._list_samples()
        if self._sink is not None and self._now() != self._known:
            self.refresh()

    def _now(self) -> str:
        sample = self.samples.currentData()
        on = states.depends_on(self._session, self._sink, sample, self._code, self._use)
        # Another engine knows nothing of a preview that was made before it started.
        return f"{self._session.engine.process_id} {on}"

    def _start(self) -> None:
        self._list_samples()
        self._known, self._stale = self._now(), False
        sample = self.samples.currentData()
        if self._sink is None or sample is None or not self._session.is_open:
            self._stack.setCurrentIndex(_EMPTY)
            self.state.setText("")
            return
        self._stack.setCurrentIndex(_PAGES[self._shown])
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
                self.bar.show_totals(data, final=False)
                self._grow(data["rows"])
                if not self._only:
                    self._fetch_visible()

        self._job = engine.run(
            engine.request("preview", on_event=on_event, sink=self._sink, view=self._view,
                           code=self._code, use=self._use, limit=LIMIT, sample=sample),
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
        self._tool = str(data["tool"])
        self.bar.show_source(data)
        states.say_readiness(self.banner, data, self._evaluate)

    def _evaluate(self, found: Mapping[str, Any]) -> None:
        states.evaluate_enrichment(self._session, self, str(self._sink), found, self.refresh)

    def _done(self, generation: int, totals: dict[str, Any]) -> None:
        if generation != self._generation:
            return
        if totals["fields"] != self.model.fields:
            self.model.reset_rows(totals["rows"], totals["fields"])
            self._widths()
        self.bar.show_totals(totals, final=True)
        self._grow(totals["rows"])
        self.failed = int(totals["failed"])
        self.missing = list(totals["evolution"]["reads"])
        self.bar.show_evolution(totals["evolution"])
        self.columns.show_evolution(totals["evolution"])
        self._show_reasons(bool(self.failed))
        self._complete = generation
        self._count = totals["rows"]
        if self._only:
            self._filter()
        else:
            self._fetch_visible()
        self._tell_fresh()
        self._show_beside()
        if not totals["whole"]:
            self._find_rows()

    def _grow(self, rows: int) -> None:
        """A large file has more rows than were known."""
        self._count = rows
        if not self._only:
            self.model.grow(rows)

    def _find_rows(self) -> None:
        """Let the engine find all rows of a large file, which takes its time."""
        generation = self._generation

        def found(data: dict[str, Any]) -> None:
            if generation == self._generation:
                self._grow(data["rows"])
                self.bar.show_found(data)

        self._job = states.find_rows(self._session, self, self._view, found)

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
        self.bar.forget("no preview")
        self.banner.say("error", str(error))

    def _fetch(self, start: int) -> None:
        asked = self._generation, self.model.resets
        engine = self._session.engine

        def done(rows: list[dict[str, Any]]) -> None:
            if asked != (self._generation, self.model.resets):
                return
            self.model.give(start, rows)
            self._tell_fresh()
            current = self.table.currentIndex().row()
            if start <= current < start + PAGE:
                self._show(current)
            elif current < 0 and rows:
                self.table.selectRow(0)

        def failed(error: RouteStudioError) -> None:
            if asked == (self._generation, self.model.resets):
                self.model.lost(start)
            engine.failed.emit("Rows", str(error))

        engine.run(
            engine.request("rows", start=start, count=PAGE, view=self._view),
            owner=self, title="Rows", done=done, failed=failed,
        )  # fmt: skip

    # --- other views -------------------------------------------------------------------------

    @property
    def current(self) -> dict[str, Any] | None:
        """The selected row, if it is here."""
        return self.model.row(self.table.currentIndex().row())

    @property
    def code(self) -> dict[str, str]:
        """The text being typed, by name of the function."""
        return dict(self._code)

    def show_view(self, name: str) -> None:
        """Show `rows`, `destinations`, `columns` or the `variants` of the selected row."""
        self._shown = name
        self.bar.views.choose(name)
        self.bar.filter.setEnabled(name == "rows")
        if self._stack.currentIndex() != _EMPTY:
            self._stack.setCurrentIndex(_PAGES[name])
            self._show_beside()

    def show_only(self, sample: str, only: dict[str, Any]) -> None:
        """Show the rows of a sample set that `only` is about (arguments of `select`)."""
        self.show_view("rows")
        self.bar.choose_only(only)
        place = self.samples.findData(sample)
        if place >= 0 and place != self.samples.currentIndex():
            self.samples.setCurrentIndex(place)
            self._sample_chosen()
        elif self._complete == self._generation > 0:
            self._filter()

    def _show_beside(self) -> None:
        """Ask for what the view in front shows beside the rows."""
        engine, generation = self._session.engine, self._generation
        if self._complete != generation:
            return
        if self._shown == "destinations":

            def forecast(data: dict[str, Any]) -> None:
                if generation == self._generation:
                    self.destinations.show_forecast(data)

            engine.run(
                engine.request("forecast", view=self._view),
                owner=self, title="Destinations", done=forecast,
            )  # fmt: skip
        elif self._shown == "variants" and (row := self.current) is not None:
            index = row["index"]

            def entries(found: list[dict[str, Any]]) -> None:
                if generation == self._generation:
                    self.variants.show_entries(index, found)

            engine.run(
                engine.request("vary", index=index, view=self._view),
                owner=self, title="Variants", done=entries,
            )  # fmt: skip

    def _only_destination(self, name: str) -> None:
        self.show_view("rows")
        self.bar.only_destination(name)

    @property
    def _only(self) -> dict[str, Any]:
        """Which rows are wanted and in which order, as arguments of the request `select`."""
        return {**self.bar.only, **self.rows.asked}

    def _filter(self) -> None:
        """Show the rows of the chosen filter, in the chosen order."""
        engine, generation, asked = self._session.engine, self._generation, self._only

        def done(found: dict[str, Any]) -> None:
            if generation == self._generation and asked == self._only:
                self.model.reset_rows(found["count"], self.model.fields, again=True)
                self.rows.show_found(found, self._count)
                self._fetch_visible()

        engine.run(
            engine.request("select", view=self._view, **asked),
            owner=self, title="Rows", done=done,
        )  # fmt: skip

    def evaluate_all(self) -> None:
        """Evaluate the rows behind the first ones, so that filter and order cover all."""
        if self._complete != self._generation:
            return
        generation = self._generation

        def progress(totals: dict[str, Any]) -> None:
            if generation == self._generation:
                self.bar.show_totals(totals, final=False)

        def done(totals: dict[str, Any]) -> None:
            if generation == self._generation:
                self._count = totals["rows"]
                self.bar.show_totals(totals, final=True)
                self._filter()
                self._show_beside()

        self._job = states.evaluate_all(self._session, self, self._view, progress, done)

    def _offer(self, menu: QMenu) -> None:
        """What the context menu has for the selected rows."""
        if (rows := self.rows.chosen) > 1:
            menu.addAction(f"Pin {rows:,} rows as route tests", self.pin)
        elif (row := self.current) is not None and row["action"] is not None:
            menu.addAction("Pin as route test", self.pin)
        if rows and self._tool:
            menu.addAction(f"Copy request as {self._tool}", self.rows.copy_commands)

    def pin(self) -> None:
        """Make a route test of each selected row's outcome."""
        row, sample = self.current, self.samples.currentData()
        if self.rows.chosen > 1:
            self._pin("pin_rows", ranges=self.rows.ranges, sample=sample)
        elif row is None or row["action"] is None:
            self._session.notice.emit("info", "Select a row with a message first")
        else:
            self._pin(index=row["index"], sample=sample)

    def _add_variants(self, messages: list[dict[str, Any]]) -> None:
        states.add_messages(self._session, VARIANTS, messages)

    def _pin_variants(self, keys: list[str]) -> None:
        for entry in self.variants.entries:
            if entry["key"] in keys:
                self._pin(message=entry["message"])

    def _pin(self, method: str = "pin", **what: Any) -> None:
        self._session.edit_tests(method, self._pinned, sink=self._sink, view=self._view, **what)

    def _pinned(self, place: dict[str, Any]) -> None:
        count = place.get("count", 1)
        what = place["name"] if count == 1 else f"{count:,} tests"
        self._session.notice.emit("success", f"Pinned in {place['file']}: {what}")

    # --- showing -----------------------------------------------------------------------------

    def _chosen(self, index: QModelIndex, before: QModelIndex) -> None:
        self._show(index.row())

    def _show(self, number: int) -> None:
        """Show a row in the inspector; what only it needs is fetched."""
        row = self.model.row(number)
        self.inspector.show_row(row)
        if row is None:
            return
        engine, index = self._session.engine, row["index"]
        engine.run(
            engine.request("row", index=index, view=self._view),
            owner=self, title="Row", done=self.inspector.show_detail,
        )  # fmt: skip
        if self._shown == "variants":
            self._show_beside()

    def _explain(self) -> None:
        """Ask which lines made the values of the row in the inspector."""
        row = self.inspector.row
        if row is None or row["action"] is None:
            return
        engine, index = self._session.engine, row["index"]
        engine.run(
            engine.request("explain", index=index, view=self._view),
            owner=self, title="Explain", failed=lambda _: None,
            done=lambda found: self.inspector.show_explanation(index, found),
        )  # fmt: skip

    def _opened(self, index: QModelIndex) -> None:
        row = self.model.row(index.row())
        problem = row["error"] if row else None
        if problem and problem.get("line"):
            self.fault_chosen.emit(problem["line"], problem.get("column") or 1)

    def _list_samples(self) -> None:
        states.list_samples(self._session, self.samples, self._sink)

    def _follow(self, sink: str, sample: str) -> None:
        """Rows come into a sample set while somebody looks: show that one."""
        self._list_samples()
        place = self.samples.findData(sample)
        if sink == self._sink and place >= 0 and place != self.samples.currentIndex():
            self.samples.setCurrentIndex(place)
            self.refresh()

    def _widths(self) -> None:
        """Columns in proportion; while rows fail, the reason has the room that it needs."""
        header = self.table.horizontalHeader()
        scale = min(1.8, max(1.0, (self.table.viewport().width() - 60) / 640))
        for number, width in enumerate((40, 68, 88, 62, 66)):
            header.resizeSection(number, round(width * scale))
        fields = len(self.model.fields)
        for number in range(fields):
            wanted = round((150 if number == 0 else 112) * scale)
            header.resizeSection(5 + number, max(wanted, header.sectionSizeHint(5 + number)))
        why = 5 + fields
        header.moveSection(header.visualIndex(why), 5 if self._failing else why)
        header.resizeSection(why, 190)
        if self._failing:
            header.resizeSection(why, max(340, round(self.table.viewport().width() * 0.5)))

    def _show_reasons(self, failing: bool) -> None:
        if failing != self._failing:
            self._failing = failing
            self._widths()
