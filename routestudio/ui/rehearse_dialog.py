"""Rehearse a fault: which one, and what became of the messages of a sample set."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from routestudio.errors import RouteStudioError
from routestudio.model.wording import counted
from routestudio.ui.bridge import Job
from routestudio.ui.icons import icon
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, Button, label
from routestudio.ui.widgets.dialog import Dialog
from routestudio.ui.widgets.inputs import ComboBox
from routestudio.ui.widgets.table_tools import TableTools
from routestudio.ui.widgets.tips import in_words

_HEAD = ("Fault", "Verdict", "Arrived", "Lost", "Doubled", "Out of order", "Dead letters",
         "Retried", "Seconds")  # fmt: skip
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_COUNTS = ("lost", "doubled", "disorder", "dead_letters", "retried")


class RehearseDialog(Dialog):
    """One line a fault; those that are chosen are rehearsed one after the other."""

    def __init__(self, parent: QWidget | None, session: Session, sink: str, sample: str) -> None:
        super().__init__(parent, "Rehearse a fault")
        self._session = session
        self._sink = sink
        self._job: Job | None = None
        self._left: list[str] = []
        self.results: dict[str, dict[str, Any]] = {}
        self.resize(940, 490)
        self.body.addWidget(label(f"Rehearse a fault of {sink}", "title"))
        text = ("The messages go through the real pipeline, with the sink's own retries, to a new "
                "stand-in that fails. Nothing reaches the real service.")  # fmt: skip
        self.body.addWidget(label(text, "muted", wrap=True))
        row = QHBoxLayout()
        row.addWidget(label("Messages of"))
        self.sample = ComboBox()
        self.sample.setAccessibleName("Sample set")
        for item in session.samples():
            self.sample.addItem(str(item["name"]), item["name"])
        self.sample.setCurrentIndex(max(0, self.sample.findData(sample)))
        row.addWidget(self.sample)
        row.addWidget(label("the first 1,000", "muted"))
        row.addStretch(1)
        self.body.addLayout(row)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Faults")
        self.tree.setHeaderLabels(list(_HEAD))
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        for number, width in enumerate((130, 115, 105, 60, 80, 105, 110, 75, 70)):
            self.tree.header().setSectionResizeMode(number, QHeaderView.ResizeMode.Interactive)
            self.tree.header().resizeSection(number, width)
        for number in range(2, len(_HEAD)):
            self.tree.headerItem().setTextAlignment(number, _RIGHT)
        self.tree.currentItemChanged.connect(lambda *_: self._explain())
        TableTools(self.tree)
        self.body.addWidget(self.tree, 1)
        self.banner = Banner()
        self.body.addWidget(self.banner)
        self.start_button = Button("Rehearse", "run", kind="primary", action=self.start)
        self.cancel_button = Button("Close", action=self.reject)
        self.foot(self.cancel_button, self.start_button)
        engine = session.engine
        engine.run(engine.request("faults"), owner=self, title="Rehearse", done=self._fill)

    def _fill(self, faults: dict[str, str]) -> None:
        for name, text in faults.items():
            item = QTreeWidgetItem([name, "", "", "", "", "", "", "", ""])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Checked)
            item.setToolTip(0, text)
            item.setData(0, Qt.ItemDataRole.UserRole, text)
            for number in range(2, len(_HEAD)):
                item.setTextAlignment(number, _RIGHT)
            self.tree.addTopLevelItem(item)
        first = self.tree.topLevelItem(0)
        if first is not None:
            self.tree.setCurrentItem(first)

    # --- rehearsing --------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether something is being rehearsed."""
        return self._job is not None

    def start(self) -> None:
        """Rehearse the chosen faults; once more stops."""
        if self.running:
            self.stop()
            return
        checked = Qt.CheckState.Checked
        self._left = [item.text(0) for item in self._items() if item.checkState(0) == checked]
        self.results.clear()
        self._next()

    def stop(self) -> None:
        """End the rehearsal."""
        if self._job is not None:
            self._job.cancel()
        self._job, self._left = None, []
        self._show_state()
        for name in [i.text(0) for i in self._items() if i.text(1) == "running…"]:
            self._set(name, "stopped", "muted")

    def reject(self) -> None:
        self.stop()
        super().reject()

    def _next(self) -> None:
        if not self._left:
            self._job = None
            self._show_state()
            return
        fault = self._left.pop(0)
        self._set(fault, "running…", "accent")
        work = self._session.request("rehearse", sink=self._sink, fault=fault,
                                     sample=self.sample.currentData())  # fmt: skip

        def failed(error: RouteStudioError) -> None:
            self._set(fault, "not possible", "danger")
            self.stop()
            self.banner.say("error", in_words(str(error)))

        self._job = self._session.engine.run(
            work, owner=self, title="Rehearse", done=self._take, failed=failed
        )
        self._show_state()

    def _take(self, found: dict[str, Any]) -> None:
        if not self.running:
            return
        fault = found["fault"]
        self.results[fault] = found
        good = found["good"]
        self._set(fault, "no harm" if good else "harm", "positive" if good else "danger")
        item = self._item(fault)
        if item is not None:
            item.setText(2, f"{found['arrived']:,} of {found['sent']:,}")
            for number, name in enumerate(_COUNTS, 3):
                item.setText(number, f"{found[name]:,}")
            item.setText(8, f"{found['seconds']:.2f}")
            self.tree.setCurrentItem(item)
        self._explain()
        self._next()

    # --- showing -----------------------------------------------------------------------------

    def _items(self) -> list[QTreeWidgetItem]:
        found = (self.tree.topLevelItem(n) for n in range(self.tree.topLevelItemCount()))
        return [item for item in found if item is not None]

    def _item(self, fault: str) -> QTreeWidgetItem | None:
        return next((item for item in self._items() if item.text(0) == fault), None)

    def _set(self, fault: str, text: str, role: str) -> None:
        item = self._item(fault)
        if item is not None:
            names = {"positive": "ok", "danger": "error", "accent": "run"}
            item.setText(1, text)
            item.setIcon(1, icon(names.get(role, "stop"), role))

    def _show_state(self) -> None:
        self.start_button.setText("Stop" if self.running else "Rehearse")
        self.sample.setEnabled(not self.running)

    def _explain(self) -> None:
        item = self.tree.currentItem()
        found = self.results.get(item.text(0)) if item is not None else None
        if item is None:
            return
        if found is None:
            text = str(item.data(0, Qt.ItemDataRole.UserRole))
            self.banner.say("info", f"{text[:1].upper()}{text[1:]}.")
            return
        self.banner.say("success" if found["good"] else "error", in_words(explained(found)))


def explained(found: dict[str, Any]) -> str:
    """The verdict in sentences."""
    parts = [f"{found['arrived']:,} of {found['sent']:,} messages arrived in "
             f"{found['seconds']:.2f} s."]  # fmt: skip
    if found["lost"]:
        numbers = ", ".join(map(str, found["examples"]["lost"][:5]))
        parts.append(f"{counted(found['lost'], 'message')} did not arrive (rows {numbers}).")
    if found["disorder"]:
        parts.append(f"The order of groups was broken {counted(found['disorder'], 'time')}.")
    if found["unexplained"]:
        parts.append(f"Doubled although the answer had arrived: {found['unexplained']:,}.")
    elif found["doubled"]:
        parts.append(f"Doubled after an answer that was lost: {found['doubled']:,}.")
    if found["dead_letters"]:
        reason = found["examples"]["dead"][0]["reason"]
        parts.append(f"{counted(found['dead_letters'], 'dead letter')}: {reason}.")
    if found["stopped"]:
        parts.append(f"The run stopped: {found['stopped']}.")
    aside = [f"{found[name]:,} {text}" for name, text in
             (("filtered", "filtered"), ("failed", "failed in the route"),
              ("untraced", "without content, not followed")) if found[name]]  # fmt: skip
    if aside:
        parts.append(f"Aside: {', '.join(aside)}.")
    return " ".join(parts)
