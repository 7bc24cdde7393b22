"""The head of a preview: what is shown, of which sample set, which rows, and how it stands."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Signal

from routestudio.model.message import ACTIONS
from routestudio.ui.rows_text import passed_text, source_text
from routestudio.ui.widgets.basics import Button, ElidedLabel, Pill, Segments, label
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.inputs import ComboBox

VIEWS = (("rows", "Rows"), ("destinations", "Destinations"), ("columns", "Columns"),
         ("variants", "Variants"))  # fmt: skip

_FILTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("All rows", {}),
    ("Failing", {"state": "failed"}),
    ("Filtered", {"state": "filtered"}),
    ("Changed by edits", {"changed": True}),
    *((f"Action: {action}", {"action": action}) for action in ACTIONS),
)


class _Source(ElidedLabel):
    """What rows were recognised as: cut, or left out where nothing of use would be left."""

    def __init__(self, text: str, role: str) -> None:
        super().__init__(text, role)
        self.setMinimumWidth(0)

    def minimumSizeHint(self) -> QSize:
        return QSize(130 if self.toolTip() else 0, super().minimumSizeHint().height())


class PreviewBar(CompactBar):
    """Views, sample set, filter, counts and how the preview stands."""

    view_chosen = Signal(str)
    sample_chosen = Signal()
    filter_chosen = Signal()
    pin_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._done = 0
        self.views = Segments(list(VIEWS), "Preview as")
        self.views.choose("rows")
        self.views.chosen.connect(self.view_chosen)
        self.add(self.views)
        self.samples = ComboBox()
        self.samples.setAccessibleName("Sample set of the preview")
        self.samples.setToolTip("Sample set")
        self.samples.setMinimumWidth(120)
        self.samples.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToContents)
        self.samples.activated.connect(lambda _: self.sample_chosen.emit())
        self.add(self.samples)
        self.filter = ComboBox()
        self.filter.setAccessibleName("Rows that are shown")
        self.filter.setToolTip("Rows that are shown")
        for text, only in _FILTERS:
            self.filter.addItem(text, only)
        self.filter.activated.connect(lambda _: self.filter_chosen.emit())
        self.add(self.filter, yields=1)
        self.ok, self.failed, self.filtered = Pill(), Pill(), Pill()
        for pill in (self.ok, self.failed, self.filtered):
            pill.hide()
        self.add(self.ok, yields=4)
        self.add(self.failed, yields=2)
        self.add(self.filtered, yields=5)
        self.passed = Pill()
        self.passed.hide()
        self.add(self.passed, yields=6)
        self.varying = Pill()
        self.varying.hide()
        self.add(self.varying, yields=6)
        self.source = _Source("", "muted")
        self.source.setAccessibleName("What the rows were recognised as")
        self.source.setProperty("elides", True)
        self.add(self.source, yields=7, stretch=1)
        self.state = label("", "muted")
        self.add(self.state, yields=6)
        self.pin_button = Button("Pin as test", "ok", action=self.pin_asked.emit)
        self.pin_button.setToolTip(
            "Make a route test of each selected row's outcome (Ctrl+Shift+T)"
        )
        self.add(self.pin_button, yields=3)

    @property
    def only(self) -> dict[str, Any]:
        """The filter as arguments of the request `select`; empty for all rows."""
        return dict(self.filter.currentData() or {})

    def choose_only(self, only: dict[str, Any]) -> None:
        """Choose which rows are shown (arguments of the request `select`), without a signal."""
        if "destination" in only:
            self._offer_destination(only["destination"])
        places = (n for n in range(self.filter.count()) if self.filter.itemData(n) == only)
        self.filter.setCurrentIndex(next(places, 0))

    def only_destination(self, name: str) -> None:
        """Show the rows of one destination."""
        self._offer_destination(name)
        self.filter.setCurrentIndex(self.filter.count() - 1)
        self.filter_chosen.emit()

    def _offer_destination(self, name: str) -> None:
        last = self.filter.count() - 1
        if "destination" in (self.filter.itemData(last) or {}):
            self.filter.removeItem(last)
        shown = name if len(name) <= 40 else name[:38] + "…"
        self.filter.addItem(f"To {shown}", {"destination": name})

    def show_source(self, data: dict[str, Any]) -> None:
        """What the rows of the set were recognised as, and what is passed over."""
        passed = data.get("passed_over") or {}
        source = source_text(data.get("recognised") or {}, passed)
        self.source.show_text(source)
        self.samples.setToolTip(f"Sample set ({source})" if source else "Sample set")
        self.passed.setVisible(bool(passed))
        self.passed.show_status(f"{sum(passed.values()):,} passed over", "neutral")
        self.passed.setToolTip(passed_text(passed))

    def show_evolution(self, found: dict[str, Any]) -> None:
        """How many columns come and go, and whether a function reads one."""
        columns, reads = found["columns"], found["reads"]
        self.varying.setVisible(bool(columns))
        many = "1 column varies" if len(columns) == 1 else f"{len(columns):,} columns vary"
        self.varying.show_status(many, "warning" if reads else "neutral")
        names = ", ".join(item["column"] for item in columns[:8])
        self.varying.setToolTip(f"Not in all rows of a table: {names} (see Columns)")

    def show_totals(self, totals: dict[str, Any], *, final: bool) -> None:
        """Counts of the rows so far, or of all."""
        for pill, key, kind in (
            (self.ok, "ok", "success"),
            (self.failed, "failed", "error"),
            (self.filtered, "filtered", "neutral"),
        ):
            pill.setVisible(bool(totals[key]))
            pill.show_status(f"{totals[key]:,} {key}", kind)
        rows, done = totals["rows"], totals["done"]
        self._done = done
        if not final:
            self.state.setText(f"{done:,} of {rows:,} …")
            return
        shown = f"{rows:,} rows" if done == rows else f"first {done:,} of {rows:,} rows"
        self.state.setText(f"{shown} in {totals['ms']:.0f} ms")

    def show_found(self, data: dict[str, Any]) -> None:
        """How many rows of a large file were found so far, and what they were recognised as."""
        if "recognised" in data:
            self.show_source(data)
        rows, read = data["rows"], data["fraction"]
        so_far = "" if read >= 1 else f" so far ({read:.0%} read)"
        self.state.setText(f"first {self._done:,} of {rows:,} rows{so_far}")

    def forget(self, text: str) -> None:
        """There is no preview; `text` reports it."""
        for pill in (self.ok, self.failed, self.filtered):
            pill.hide()
        self.source.show_text("")
        self.passed.hide()
        self.varying.hide()
        self.state.setText(text)
