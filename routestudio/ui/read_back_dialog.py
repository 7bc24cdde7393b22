"""Asks what is read back of a real service: with which samples, how many records, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtWidgets import QLineEdit, QWidget

from routestudio.ui.widgets.basics import label
from routestudio.ui.widgets.dialog import AskDialog
from routestudio.ui.widgets.inputs import ComboBox

MOST: Final = 10_000
"""Records that the engine reads of one destination."""


class ReadBackDialog(AskDialog):
    """Names host and environment, and what is read there (`side`, from `reading_side`)."""

    def __init__(
        self,
        parent: QWidget | None,
        sink: str,
        side: Mapping[str, Any],
        samples: Sequence[str],
        sample: str = "",
    ) -> None:
        super().__init__(
            parent, f"Read back from {place_of(side)}",
            f"Compares what the service holds with the preview of {sink}. Nothing is written.",
            "Read back",
        )  # fmt: skip
        self.setMinimumWidth(560)
        self._names = str(side.get("names") or "")
        self.sample = ComboBox()
        self.sample.setAccessibleName("Sample set")
        for name in samples:
            self.sample.addItem(name, name)
        self.sample.setCurrentIndex(max(0, self.sample.findData(sample)))
        self.form.addRow("Sample set", self.sample)
        self.destination = QLineEdit()
        if not side.get("keyed"):
            title = self._names.capitalize() or "Destination"
            self.destination.setAccessibleName(title)
            if not self._names:
                self.destination.setPlaceholderText("all of the preview")
            self.form.addRow(title, self.destination)
        self.records = QLineEdit()
        self.records.setAccessibleName("Records")
        self.records.setPlaceholderText("as many as were previewed")
        self.form.addRow("Records", self.records)
        self.extra.addWidget(label(str(side.get("how") or ""), "muted", wrap=True))
        self.validate = self._problem

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        found: dict[str, Any] = {"sample": self.sample.currentData()}
        if self.destination.text().strip():
            found["destination"] = self.destination.text().strip()
        if self.records.text().strip():
            found["limit"] = int(self.records.text())
        return found

    def _problem(self) -> str | None:
        text = self.records.text().strip()
        if text and not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST):
            return f"Enter a number of records from 1 to {MOST:,}, or nothing."
        if self._names and not self.destination.text().strip():
            return f"Name the {self._names}."
        return None


def place_of(side: Mapping[str, Any]) -> str:
    """Host and environment in a few words."""
    host = str(side.get("host") or "the real service")
    return f"{host} ({side['environment']})" if side.get("environment") else host
