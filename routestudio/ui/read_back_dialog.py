"""Asks what is read back of a real service: with which samples, how many records, where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtWidgets import QLineEdit, QWidget

from routestudio.api.reading import ReadingSide
from routestudio.api.sources import Source
from routestudio.ui.widgets.basics import label
from routestudio.ui.widgets.dialog import AskDialog
from routestudio.ui.widgets.inputs import ComboBox

MOST: Final = 10_000
"""Records that the engine reads of one destination."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows that are previewed, the one destination that is read, and how many records."""

    source: Source
    destination: str | None = None
    limit: int | None = None


class ReadBackDialog(AskDialog):
    """Names host and environment, and what is read there (`side`)."""

    def __init__(
        self,
        parent: QWidget | None,
        sink: str,
        side: ReadingSide,
        samples: Sequence[str],
        sample: str = "",
    ) -> None:
        super().__init__(
            parent, f"Read back from {side.place}",
            f"Compares what the service holds with the preview of {sink}. Nothing is written.",
            "Read back",
        )  # fmt: skip
        self.setMinimumWidth(560)
        self._names = side.names
        self.sample = ComboBox()
        self.sample.setAccessibleName("Sample set")
        for name in samples:
            self.sample.addItem(name, name)
        self.sample.setCurrentIndex(max(0, self.sample.findData(sample)))
        self.form.addRow("Sample set", self.sample)
        self.destination = QLineEdit()
        if not side.keyed:
            title = self._names.capitalize() or "Destination"
            self.destination.setAccessibleName(title)
            if not self._names:
                self.destination.setPlaceholderText("all of the preview")
            self.form.addRow(title, self.destination)
        self.records = QLineEdit()
        self.records.setAccessibleName("Records")
        self.records.setPlaceholderText("as many as were previewed")
        self.form.addRow("Records", self.records)
        self.extra.addWidget(label(side.how, "muted", wrap=True))
        self.validate = self._problem

    @property
    def wanted(self) -> Wanted:
        """What is to be read."""
        text = self.records.text().strip()
        return Wanted(
            Source(sample=str(self.sample.currentData())),
            self.destination.text().strip() or None,
            int(text) if text else None,
        )

    def _problem(self) -> str | None:
        text = self.records.text().strip()
        if text and not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST):
            return f"Enter a number of records from 1 to {MOST:,}, or nothing."
        if self._names and not self.destination.text().strip():
            return f"Name the {self._names}."
        return None
