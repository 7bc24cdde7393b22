"""Everything about one preview row, and the destinations of all of them."""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

from PySide6.QtCore import QEvent, QPoint, QUrl, Signal
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import (
    QPlainTextEdit,
    QTabWidget,
    QTextBrowser,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from routestudio.model.preview_text import problem_text
from routestudio.ui.editor.vocabulary import column_text
from routestudio.ui.theme import follow_mono, theme
from routestudio.ui.widgets.html_page import page
from routestudio.ui.widgets.tips import in_html, plain_tip

_FACTS: Final = ("used_ms", "limit", "partitions", "of")
"""What comes with the details of a row (`Preview.facts`)."""


class Inspector(QWidget):
    """Four tabs about the selected row."""

    line_chosen = Signal(int, int)
    """Line and column of the routing function that made a value."""
    explanation_asked = Signal()
    """The tab that explains the row came to the front, or another row did under it."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("narrow")
        self.tabs.tabBar().setAccessibleName("About the selected row")
        self.tabs.setUsesScrollButtons(False)
        self.routing = QTextBrowser()
        self.routing.setAccessibleName("Routing of the selected row")
        self.routing.setObjectName("plain")
        self.routing.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.request = _plain("Request of the selected row")
        self.message = MessageView("Message of the selected row")
        self.tabs.addTab(self.routing, "Routing")
        self.tabs.addTab(self.request, "Request")
        self.tabs.addTab(self.message, "Message")
        self.explain = QTextBrowser()
        self.explain.setAccessibleName("Why the selected row ends there")
        self.explain.setObjectName("plain")
        self.explain.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.explain.setOpenLinks(False)
        self.explain.anchorClicked.connect(self._followed)
        self.tabs.addTab(self.explain, "Explain")
        self.tabs.currentChanged.connect(lambda _: self._ask_explanation())
        column.addWidget(self.tabs)
        self._row: dict[str, Any] | None = None
        self._stages: list[dict[str, Any]] | None = None
        """What made the values; `None` while nobody has asked, or the answer is under way."""
        theme().changed.connect(self._draw)

    @property
    def row(self) -> dict[str, Any] | None:
        """The row that is shown."""
        return self._row

    def show_row(self, row: dict[str, Any] | None) -> None:
        """Show one row, or nothing."""
        before = self._row
        if row is None or before is None or row["index"] != before["index"]:
            self._stages = None
        else:
            if not self._explains:
                self._stages = None
            if row["routing"] == before["routing"] and row["size"] == before["size"]:
                row = {**{key: before[key] for key in _FACTS if key in before}, **row}
        self._row = row
        self._draw()
        self._ask_explanation()

    @property
    def _explains(self) -> bool:
        return self.tabs.currentWidget() is self.explain

    def _ask_explanation(self) -> None:
        if self._row is not None and self._explains:
            self.explanation_asked.emit()

    def show_explanation(self, index: int, stages: list[dict[str, Any]]) -> None:
        """Show which lines and branches made the values of row `index`, if it is still shown."""
        if self._row is not None and self._row["index"] == index and self._explains:
            self._stages = stages
            self._draw_explanation()

    def _followed(self, link: QUrl) -> None:
        line, _, place = link.toString().removeprefix("#").partition(":")
        self.line_chosen.emit(int(line), int(place or 1))

    def show_detail(self, row: dict[str, Any] | None) -> None:
        """Show request and message of the row, which come after it."""
        if row is None:
            return
        if "used_ms" in row and self._row is not None and self._row["index"] == row["index"]:
            self._row = {**self._row, **{key: row[key] for key in _FACTS}}
            self.routing.setHtml(page(_routing(self._row)))
        request, message = row.get("request"), row.get("message")
        self.message.types = row.get("types") or {}
        self.request.setPlainText(_pretty(request) if request else "Nothing is sent for this row.")
        invalid = "This line isn't a valid message."
        self.message.setPlainText(_pretty(message) if message else invalid)

    def _draw(self) -> None:
        row = self._row
        if row is None:
            self.routing.setHtml(page("<p>Select a row to see where each value comes from.</p>"))
            self.request.setPlainText("")
            self.message.setPlainText("")
            self.message.types = {}
            self.explain.setHtml("")
            return
        self.routing.setHtml(page(_routing(row)))
        self._draw_explanation()

    def _draw_explanation(self) -> None:
        text = ""
        if self._row is not None and self._stages is not None:
            text = page(_explanation(self._row, self._stages))
        self.explain.setHtml(text)


class MessageView(QPlainTextEdit):
    """A message as JSON. The tool tip of a column shows its type and who names it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.types: dict[str, dict[str, str]] = {}
        """Type and origin by column, as the engine has them for the row."""
        _dress(self, name)

    def tip_at(self, place: QPoint) -> str:
        """What is known of the column in the line at a place of the viewport."""
        block = self.cursorForPosition(place).block()
        found = _COLUMN.match(block.text())
        if found is None or not self.rect().contains(place):
            return ""
        part = block.previous()
        while part.isValid() and not part.text().startswith('  "'):
            part = part.previous()
        name = json.loads(found[1])
        if part.text().partition(":")[0].strip() not in _PARTS or name not in self.types:
            return ""
        known = self.types[name]
        return f"{name}: {known['type']}\n{column_text(known['origin'])}"

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            tip = self.tip_at(self.viewport().mapFrom(self, event.pos()))
            QToolTip.showText(event.globalPos(), plain_tip(tip), self)
            return True
        return super().event(event)


_COLUMN: Final = re.compile(r'    ("(?:[^"\\]|\\.)*"): ')
"""The line of a column: four blanks deep, directly in `record` or `changes`."""
_PARTS: Final = frozenset({'"record"', '"changes"'})


def _plain(name: str) -> QPlainTextEdit:
    edit = QPlainTextEdit()
    _dress(edit, name)
    return edit


def _dress(edit: QPlainTextEdit, name: str) -> None:
    edit.setObjectName("plain")
    edit.setReadOnly(True)
    follow_mono(edit)
    edit.setAccessibleName(name)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _routing(row: dict[str, Any]) -> str:
    parts = [f'<p class="error">✗ {in_html(problem_text(p))}</p>' for p in row["problems"]]
    parts += [
        f'<p class="warning">! {html.escape(w["field"])} {in_html(w["message"])}</p>'
        for w in row["warnings"]
    ]
    parts += [f'<p class="muted">{in_html(note)}</p>' for note in row.get("notes") or ()]
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
        ("size", _size(row)),
        ("partition", _partitions(row)),
        ("time used", f"{row['used_ms']:g} ms" if "used_ms" in row else None),
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


def _size(row: dict[str, Any]) -> str | None:
    """Bytes of the record, and how much that is of what the service takes."""
    size, limit = row.get("size"), row.get("limit")
    if not size:
        return None
    if not limit:
        return f"{size:,} bytes"
    share = size / limit
    part = f"{share:.0%}" if share >= 0.01 else "under 1%"
    return f"{size:,} bytes, {part} of {limit:,}"


def _partitions(row: dict[str, Any]) -> str | None:
    """The partition by each partitioner, of a topic with so many partitions."""
    found = row.get("partitions")
    if not found:
        return None
    return ", ".join(f"{number} ({name})" for name, number in found.items()) + f", of {row['of']}"


def _explanation(row: dict[str, Any], stages: list[dict[str, Any]]) -> str:
    """The stages of a row: branches in the order in which they were taken, then the values."""
    if not stages:
        return '<p class="muted">No function runs for this row: defaults and static values.</p>'
    parts = []
    for stage in stages:
        name = html.escape(stage["function"])
        parts.append(f'<p><b>{stage["stage"]}</b> <span class="muted">by {name}</span></p>')
        routed = stage["stage"] == "route"
        for point in stage["branches"]:
            text = html.escape(point["text"])
            said = "not " if point["kind"] == "else" else ""
            parts.append(f"<p>{_place(point, routed)} {said}<code>{text}</code></p>")
        values = row.get("routing") or {}
        for key, place in stage["values"].items():
            if routed and key in values:
                parts.append(
                    f'<p><b>{html.escape(key)}</b> <span class="function">'
                    f"{_show(values[key])}</span><br>{_place(place, routed)} "
                    f"<code>{html.escape(place['text'])}</code></p>"
                )
        if stage["dropped"]:
            parts.append(
                '<p class="muted">The filter returned false: the row is not delivered.</p>'
            )
    return "".join(parts)


def _place(place: dict[str, Any], link: bool) -> str:
    text = f"line {place['line']}"
    if not link:
        return f'<span class="muted">{text}</span>'
    return f'<a href="#{place["line"]}:{place["column"]}">{text}</a>'


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
