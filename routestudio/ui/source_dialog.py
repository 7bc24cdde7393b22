"""Asks for a topic or stream, and how many of its rows are taken."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from PySide6.QtWidgets import QLineEdit, QWidget

from routestudio.ui.widgets.dialog import AskDialog

MOST: Final = 10_000
"""Rows that the engine takes."""
_DEFAULT: Final = 100


class SourceDialog(AskDialog):
    """An address and a number of rows."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(
            parent, "Sample from a topic or stream",
            "Takes rows without joining a group or acknowledging them: nothing changes on the "
            "server. "
            "Secrets in an address are references such as ${KAFKA_PASSWORD}.", "Look",
        )  # fmt: skip
        self.setMinimumWidth(620)
        self.address = QLineEdit()
        self.address.setAccessibleName("Address")
        self.address.setPlaceholderText("kafka://localhost:9092/orders, redis://…?stream=orders")
        self.form.addRow("Address", self.address)
        self.rows = QLineEdit(str(_DEFAULT))
        self.rows.setAccessibleName("Rows")
        self.form.addRow("Rows", self.rows)
        self.validate = self._problem

    @property
    def limit(self) -> int:
        """How many rows, or 0 for what is not a number."""
        text = self.rows.text().strip().replace(",", "")
        return int(text) if text.isascii() and text.isdigit() else 0

    @property
    def name(self) -> str:
        """A name for the sample set: the last part of the address."""
        found = urlsplit(self.address.text().strip())
        stream = dict(part.partition("=")[::2] for part in found.query.split("&")).get("stream")
        return stream or found.path.strip("/").rpartition("/")[2] or "samples"

    def _problem(self) -> str | None:
        if "://" not in self.address.text():
            return "Name the address, such as kafka://localhost:9092/orders."
        if not 1 <= self.limit <= MOST:
            return f"Rows is a number from 1 to {MOST:,}."
        return None
