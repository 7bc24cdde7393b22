"""What the engine finds out about a function while its preview is fresh: coverage, steadiness."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from routestudio.ui.bridge import Job
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.coverage import marks_of
from routestudio.ui.panels.preview import PreviewPanel
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Pill

PAUSE_MS = 400
"""Time without a key before branches are traced: that takes longer than a preview."""


class CoverageSwitch(QObject):
    """Whether branch coverage is shown, for all editors of the program."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.on = True

    def toggle(self) -> None:
        """Switch it on or off."""
        self.on = not self.on
        self.changed.emit()


class Insight(QObject):
    """Keeps the coverage marks of an editor and the pill about the clock up to date."""

    shown = Signal()
    """Marks of the text as it is are shown."""

    _switch: CoverageSwitch | None = None

    def __init__(
        self, session: Session, name: str, editor: CodeEdit, preview: PreviewPanel, pill: Pill
    ) -> None:
        super().__init__(editor)
        self._session, self._name = session, name
        self._editor, self._preview, self._pill = editor, preview, pill
        self._jobs: list[Job] = []
        self._unsteady = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        pill.hide()
        preview.fresh.connect(lambda _: self._timer.start())
        editor.edited.connect(self._edited)
        session.tests_changed.connect(self._tests_changed)
        self.switch().changed.connect(self._switched)

    @classmethod
    def switch(cls) -> CoverageSwitch:
        """The switch of all editors."""
        if Insight._switch is None:
            Insight._switch = CoverageSwitch()
        return Insight._switch

    def show_unsteady(self, flagged: bool) -> None:
        """Show whether the text reads the clock or random values."""
        if flagged == self._unsteady:
            return
        self._unsteady = flagged
        self._pill.setVisible(flagged)
        if flagged:
            self._pill.show_status("reads the clock", "warning")
            self._timer.start()

    def _edited(self) -> None:
        self._stop()
        self._editor.outdate_coverage()
        if self._unsteady:
            self._pill.show_status("reads the clock", "warning")

    def _stop(self) -> None:
        """A preview is more urgent than what was asked about the one before."""
        self._timer.stop()
        for job in self._jobs:
            job.cancel()
        self._jobs.clear()

    def _tests_changed(self) -> None:
        if self._editor.isVisible():
            self._timer.start()

    def _switched(self) -> None:
        if self.switch().on:
            self._timer.start()
        else:
            self._editor.show_coverage({})

    def _ask(self) -> None:
        if not self._session.is_open or self._session.function(self._name) is None:
            return
        self._stop()
        text = self._editor.toPlainText()
        engine, view = self._session.engine, self._preview.view

        def covered(found: list[dict[str, Any]]) -> None:
            if text == self._editor.toPlainText() and self.switch().on:
                here = [item for item in found if item["function"] == self._name]
                points = [point for item in here for point in item["points"]]
                first = next((item["first"] for item in here), None)
                self._editor.show_coverage(marks_of(points, first))
                self.shown.emit()

        def differing(found: list[dict[str, Any]]) -> None:
            if text == self._editor.toPlainText() and self._unsteady:
                self._tell(found)

        if self.switch().on:
            self._jobs.append(engine.run(
                engine.request("coverage", view=view),
                owner=self._editor, title="Branch coverage", done=covered,
                failed=lambda _: self._editor.show_coverage({}),
            ))  # fmt: skip
        if self._unsteady:
            self._jobs.append(engine.run(
                engine.request("determinism", view=view),
                owner=self._editor, title="Determinism", done=differing, failed=lambda _: None,
            ))  # fmt: skip

    def _tell(self, found: list[dict[str, Any]]) -> None:
        """Report how many rows have another destination at another time, and of the first what
        differs."""
        if not found:
            self._pill.show_status("no row depends on the time", "success")
            self._pill.setToolTip("Evaluated at two times, every row has the same destination")
            return
        rows = "1 row depends" if len(found) == 1 else f"{len(found):,} rows depend"
        self._pill.show_status(f"{rows} on the time", "warning")
        first = found[0]
        what = ", ".join(first["what"])
        self._pill.setToolTip(f"Row {first['index']} differs in {what} when it is evaluated at "
                              + " and at ".join(first["times"]))  # fmt: skip
