"""Everything about one preview row, and the destinations of all of them."""

from __future__ import annotations

import html
import json
from typing import Any

from PySide6.QtWidgets import QPlainTextEdit, QTabWidget, QTextBrowser, QVBoxLayout, QWidget

from routestudio.ui.panels.preview_model import problem_text
from routestudio.ui.theme import mono_font, theme
from routestudio.ui.widgets.counts import count_list, fill_counts


class Inspector(QWidget):
    """Three tabs about the selected row, and one about where all rows go."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("narrow")
        self.tabs.setUsesScrollButtons(False)
        self.routing = QTextBrowser()
        self.routing.setAccessibleName("Routing of the selected row")
        self.routing.setObjectName("plain")
        self.routing.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.request = _plain("Request of the selected row")
        self.message = _plain("Message of the selected row")
        self.tabs.addTab(self.routing, "Routing")
        self.tabs.addTab(self.request, "Request")
        self.tabs.addTab(self.message, "Message")
        self.destinations = count_list("Destinations", ("Destination", "Messages"))
        self.tabs.addTab(self.destinations, "Destinations")
        column.addWidget(self.tabs)
        self._row: dict[str, Any] | None = None
        theme().changed.connect(self._draw)

    def show_row(self, row: dict[str, Any] | None) -> None:
        """Show one row, or nothing."""
        self._row = row
        self._draw()

    def show_destinations(self, totals: dict[str, Any]) -> None:
        """Show where the rows go: the most frequent destinations with their counts."""
        fill_counts(self.destinations, [(name, count) for name, count in totals["destinations"]])
        more = "+" if totals["more_destinations"] else ""
        self.tabs.setTabToolTip(3, f"{totals['distinct']:,}{more} distinct destinations")

    def show_detail(self, row: dict[str, Any] | None) -> None:
        """Show request and message of the row, which come after it."""
        if row is None:
            return
        request, message = row.get("request"), row.get("message")
        self.request.setPlainText(_pretty(request) if request else "Nothing is sent for this row.")
        self.message.setPlainText(_pretty(message) if message else "This line holds no message.")

    def _draw(self) -> None:
        row = self._row
        if row is None:
            self.routing.setHtml(_page("<p>Select a row to see where each value comes from.</p>"))
            self.request.setPlainText("")
            self.message.setPlainText("")
            return
        self.routing.setHtml(_page(_routing(row)))


def _plain(name: str) -> QPlainTextEdit:
    edit = QPlainTextEdit()
    edit.setObjectName("plain")
    edit.setReadOnly(True)
    edit.setFont(mono_font(9.0))
    edit.setAccessibleName(name)
    return edit


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _page(body: str) -> str:
    t = theme().tokens
    return f"""<style>
        body {{ color: {t.text}; }} p {{ margin: 4px 0; }}
        td {{ padding: 3px 14px 3px 0; vertical-align: top; }}
        .name {{ font-weight: 600; }} .muted {{ color: {t.muted}; }}
        .default {{ color: {t.default}; }} .static {{ color: {t.static}; }}
        .function {{ color: {t.function}; }} .error {{ color: {t.danger}; }}
        .warning {{ color: {t.warning}; }}
        .over {{ color: {t.muted}; text-decoration: line-through; }}
        </style><body>{body}</body>"""


def _routing(row: dict[str, Any]) -> str:
    parts = [f'<p class="error">✗ {html.escape(problem_text(p))}</p>' for p in row["problems"]]
    parts += [
        f'<p class="warning">! {html.escape(w["field"])} {html.escape(w["message"])}</p>'
        for w in row["warnings"]
    ]
    if row["filtered"]:
        parts.append(f'<p class="muted">Not delivered: filtered by {row["filtered"]}.</p>')
    values, sources = row.get("routing") or {}, row.get("provenance") or {}
    defaults = row.get("defaults") or {}
    lines = []
    for name, value in values.items():
        source = sources.get(name, "default")
        over = defaults.get(name)
        struck = (
            f'<br><span class="over">{_show(over)}</span> <span class="muted">default</span>'
            if source != "default" and over != value and over is not None
            else ""
        )
        lines.append(
            f'<tr><td class="name">{html.escape(name)}</td>'
            f'<td><span class="{source}">{_show(value)}</span>{struck}</td>'
            f'<td class="{source}">{source}</td></tr>'
        )
    if lines:
        parts.append(f"<table>{''.join(lines)}</table>")
    facts = [
        ("group id", row.get("group_id")),
        ("batch key", _flat(row.get("batch_key"))),
        ("size", f"{row['size']:,} bytes" if row.get("size") else None),
        ("converted", ", ".join(row.get("casts") or ()) or None),
    ]
    shown = "".join(
        f'<tr><td class="muted">{name}</td><td>{html.escape(str(value))}</td></tr>'
        for name, value in facts
        if value not in (None, "")
    )
    if shown:
        parts.append(f"<table>{shown}</table>")
    parts += [
        f'<p class="muted"><s>{html.escape(str(k))}: {_show(v)}</s> is set in the sink, and not '
        "used because a function does the routing.</p>"
        for k, v in (row.get("ignored") or {}).items()
    ]
    return "".join(parts)


def _show(value: Any) -> str:
    if value is None:
        return '<span class="muted">none</span>'
    if value == "":
        return '<span class="muted">(empty)</span>'
    return html.escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _flat(key: Any) -> str:
    if isinstance(key, list):
        return " · ".join(part for part in map(_flat, key) if part)
    return "" if key is None else str(key)
