"""The docs pane beside the editor: routed fields in place; a click inserts one."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from routestudio.derive import catalog
from routestudio.derive.docs import DocRow
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import (
    ClickableFrame,
    ElidedLabel,
    IconButton,
    Pill,
    label,
    restyle,
)
from routestudio.ui.widgets.tips import breakable, plain_tip

_METADATA = (
    "table_schema, table_name, database_name, commit_timestamp, commit_lsn, commit_idx, "
    "record_pks (list of text), idempotency_key, transaction_annotations, enrichment, "
    "consumer (id, name, annotations), database (id, name, hostname, …)"
)


class DocsPane(QScrollArea):
    """Routed fields of a sink type with type, limits, default and example."""

    insert = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(round(250 * theme().scale))
        self.setAccessibleName("Documentation of the function")
        self.setProperty("findable", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._language = "python"
        self.values: dict[str, ElidedLabel] = {}
        """The line of each routed field that shows the current row's value."""

    def show_routing(self, sink_type: str | None, language: str = "python") -> None:
        """Show the routed fields of a sink type."""
        page, column = _page()
        self._language = language
        if sink_type is None or not catalog.known(sink_type):
            column.addWidget(label("Routing function", "heading"))
            column.addWidget(label("Returns a map of routed fields.", "muted", wrap=True))
        else:
            heading = f"Routed fields of {catalog.title(sink_type)}"
            column.addWidget(label(heading, "heading"))
            column.addWidget(label("Return a map of these. What you leave out keeps its default. "
                                   "Click a field to insert it.", "muted", wrap=True))  # fmt: skip
            for row in catalog.docs(sink_type):
                column.addWidget(self._field(row))
            for name, text in catalog.differences(sink_type):
                column.addWidget(label(f"{name}: {text}", "help", wrap=True))
        self._finish(page, column)

    def show_row(self, row: dict[str, Any] | None) -> None:
        """Show the effective value of each routed field for one row of the preview, or none."""
        values = (row or {}).get("routing") or {}
        sources = (row or {}).get("provenance") or {}
        for name, line in self.values.items():
            known = row is not None and name in values and not row["filtered"]
            line.setVisible(known)
            if not known or row is None:
                continue
            source = str(sources.get(name, "default"))
            text = f"Row {row['index']}: {_text(values[name])} — {source}"
            line.show_text(text)
            line.setToolTip(plain_tip(text))
            line.setAccessibleName(f"{name} of the selected row, {source}")
            if line.property("role") != source:
                line.setProperty("role", source)
                restyle(line)

    def show_kind(self, kind: str, language: str = "python") -> None:
        """Show what a filter or transform function must return, and what it gets."""
        page, column = _page()
        self._language = language
        yes, no = ("True", "False") if language == "python" else ("true", "false")
        texts = {
            "filter": ("Filter function", f"Returns {yes} to keep a message and {no} to drop it."),
            "transform": ("Transform function", "Returns what is delivered instead of the whole "
                          "message: any JSON value."),
            "enrichment": ("Enrichment", "A query of the sink's database. Its row for a message is "
                           "metadata.enrichment: none gives null, several are an error. $1 is the "
                           "list of the keys' values of many messages; with a key of several "
                           "columns, $1, $2 … are theirs by the alphabet. Nothing can be "
                           "written."),
        }  # fmt: skip
        title, text = texts.get(kind, ("Function", ""))
        column.addWidget(label(title, "heading"))
        column.addWidget(label(text, "muted", wrap=True))
        if kind == "enrichment":
            column.addStretch(1)
            self.setWidget(page)
            return
        self._finish(page, column)

    def _finish(self, page: QWidget, column: QVBoxLayout) -> None:
        column.addSpacing(4)
        column.addWidget(label("Arguments", "heading"))
        nothing = "None" if self._language == "python" else "nil"
        for name, text in (
            ("action", "insert, update, delete, or read for rows of a backfill"),
            ("record", 'the row: record["column"]; a delete may hold key columns only'),
            ("changes", f"previous values of the updated columns, {nothing} for other actions"),
            ("metadata", _METADATA),
        ):
            column.addWidget(label(name, "mono"))
            column.addWidget(label(text, "help", wrap=True))
        column.addStretch(1)
        self.setWidget(page)

    def _field(self, row: DocRow) -> QWidget:
        frame = ClickableFrame()
        frame.setObjectName("card")
        frame.setToolTip(f"Insert {row.insert}")
        frame.setAccessibleName(f"Routed field {row.name}")
        column = QVBoxLayout(frame)
        column.setContentsMargins(10, 8, 8, 8)
        column.setSpacing(3)
        head = QHBoxLayout()
        head.addWidget(label(row.name, "mono"))
        head.addWidget(Pill(row.kind, "neutral"))
        if row.required:
            head.addWidget(Pill("required", "info"))
        head.addStretch(1)
        insert = partial(self.insert.emit, row.insert)
        head.addWidget(IconButton("add", f"Insert {row.name}", insert))
        column.addLayout(head)
        value = self.values[row.name] = ElidedLabel("", "default")
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.hide()
        column.addWidget(value)
        lines = [row.help, f"Default: {row.default}"]
        lines += [f"Limits: {row.limits}"] if row.limits else []
        lines += [f"Example: {row.example}"] if row.example else []
        lines += [row.note] if row.note else []
        for text in lines:
            item = label(breakable(text), "help", wrap=True)
            item.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
            column.addWidget(item)
        frame.clicked.connect(insert)
        return frame


def _text(value: Any) -> str:
    if value in (None, ""):
        return "none" if value is None else "(empty)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QFrame()
    page.setObjectName("page")
    column = QVBoxLayout(page)
    column.setContentsMargins(14, 12, 14, 14)
    column.setSpacing(8)
    return page, column
