"""What a real service holds, record by record, compared with the preview."""

from __future__ import annotations

import html
import json
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QTextBrowser, QWidget

from routestudio.api.reading import ReadBack, ReadRow, RecordSide
from routestudio.model.wording import counted
from routestudio.ui.panels.run_tables import Column, RowsModel, chosen_rows, rows_table
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Banner
from routestudio.ui.widgets.html_page import page
from routestudio.ui.widgets.layout import column

_TITLES: Final = {"other": "not from this preview"}
_ROLES: Final = {"equal": "positive", "different": "danger", "missing": "danger",
                 "unread": "warning"}  # fmt: skip
_ORDER: Final = ("different", "missing", "unread", "repeated", "other", "replaced", "equal")
"""What needs somebody's eyes first."""


def verdict_of(row: ReadRow) -> str:
    """The result of a row, as it is shown."""
    name = row.verdict
    return _TITLES.get(name, name)


_COLUMNS: Final[tuple[Column[ReadRow], ...]] = (
    Column("Result", verdict_of, 140, role=lambda row: _ROLES.get(row.verdict, "muted"),
           tip=lambda row: row.meaning),
    Column("Differs in", lambda row: ", ".join(row.parts), 90, role=lambda _: "danger"),
    Column("Row", lambda row: "" if row.row is None else str(row.row), 50, right=True),
    Column("Key", lambda row: str(row.key or ""), 150),
    Column("Destination", lambda row: row.destination, 0),
    Column("Read at", lambda row: row.place, 150, role=lambda _: "muted"),
)  # fmt: skip
_KEY, _PLACE = 3, 5


class ReadBackView(QWidget):
    """The records with a column of results; the chosen one with both of its sides."""

    def __init__(self) -> None:
        super().__init__()
        self._row: ReadRow | None = None
        body = column(self)
        self.banner = Banner()
        body.addWidget(self.banner)
        self.model = RowsModel[ReadRow](_COLUMNS)
        self.table = rows_table(self.model, "What the service holds, compared with the preview")
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._chosen())
        self.detail = QTextBrowser()
        self.detail.setOpenLinks(False)
        self.detail.setAccessibleName("Both sides of the selected record")
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.table)
        split.addWidget(self.detail)
        split.setSizes([640, 420])
        split.setChildrenCollapsible(False)
        body.addWidget(split, 1)
        theme().changed.connect(self._show)

    def wait(self, text: str) -> None:
        """Show that something is being read."""
        self.clear()
        self.banner.say("info", text)

    def fail(self, text: str) -> None:
        """Show why nothing was read."""
        self.clear()
        self.banner.say("error", text)

    def clear(self) -> None:
        """There is nothing to show."""
        self.banner.hide()
        self.model.show([])
        self._row = None
        self._show()

    def take(self, found: ReadBack) -> None:
        """Show what was read."""
        rows = sorted(found.rows, key=lambda row: _ORDER.index(row.verdict))
        self.model.show(rows)
        # What repeats another column, or is nowhere, takes no room.
        keys = [row.key for row in rows]
        hide = self.table.setColumnHidden
        hide(_KEY, not any(keys) or keys == [row.destination for row in rows])
        hide(_PLACE, all(row.place in ("", row.key) for row in rows))
        kind = "success" if found.good else "error"
        if found.good and (found.counts["unread"] or not found.previewed):
            kind = "warning"
        self.banner.say(kind, summary(found))
        self._row = None
        if rows:
            self.table.selectRow(0)
        self._chosen()

    def _chosen(self) -> None:
        rows = chosen_rows(self.table)
        self._row = self.model.row(rows[0]) if rows else None
        self._show()

    def _show(self) -> None:
        self.detail.setHtml(page(detail_of(self._row)) if self._row is not None else "")


def summary(found: ReadBack) -> str:
    """The result in sentences."""
    counts = found.counts
    read = sum(place.read for place in found.destinations)
    parts = [f"{counted(read, 'record')} read, {found.previewed:,} previewed: "
             f"{counts['equal'] + counts['repeated']:,} as previewed, "
             f"{counts['different']:,} different, {counts['missing']:,} missing."]  # fmt: skip
    if counts["other"]:
        parts.append(f"{counts['other']:,} are not from this preview.")
    if counts["replaced"]:
        parts.append(f"{counts['replaced']:,} were replaced by a later record of the preview.")
    if counts["unread"]:
        parts.append(f"{counts['unread']:,} may be beyond what was read: read more records.")
    if found.failed:
        parts.append(f"{counted(found.failed, 'row')} failed in the preview.")
    if found.uncompared:
        parts.append(f"{counted(found.uncompared, 'edit')} cannot be compared.")
    if found.cut is not None:
        parts.append(f"Only the first {found.cut:,} rows were previewed.")
    if found.more_destinations:
        parts.append(f"{counted(found.more_destinations, 'destination')} more were not read.")
    return " ".join([*parts, *(_sentence(note) for note in found.notes)])


def detail_of(row: ReadRow) -> str:
    """A record as rich text: the differences, then both sides."""
    expected, found = row.expected, row.found
    role = {"positive": "good", "danger": "error"}.get(_ROLES.get(row.verdict, ""), "muted")
    parts = [f"<p><span class='name {role}'>{html.escape(verdict_of(row))}</span> "
             f"<span class='muted'>{html.escape(row.meaning)}</span></p>"]  # fmt: skip
    if row.changes:
        lines = [
            f"<tr><td class='name'>{html.escape(change.path)}</td>"
            f"<td class='over'>{_value(change.expected)}</td>"
            f"<td class='error'>{_value(change.found)}</td></tr>"
            for change in row.changes
        ]
        head = "<tr><td class='muted'>Differs in</td><td class='muted'>Previewed</td>" \
               "<td class='muted'>Read</td></tr>"  # fmt: skip
        parts.append(f"<table>{head}{''.join(lines)}</table>")
    for title, side in (("Previewed", expected), ("Read", found)):
        if side is not None:
            parts.append(_side(title if expected and found else "", side))
    return "".join(parts)


def _side(title: str, side: RecordSide) -> str:
    facts = [("Destination", side.destination), ("Key", side.key),
             *side.headers.items()]  # fmt: skip
    lines = "".join(
        f"<tr><td class='muted'>{html.escape(str(name))}</td>"
        f"<td>{html.escape(str(value))}</td></tr>"
        for name, value in facts if value
    )  # fmt: skip
    body = "<i>nothing is held</i>" if side.body is None else f"<pre>{_body(side)}</pre>"
    cut = f"<p class='muted'>cut: it has {side.size:,} bytes</p>" if side.cut else ""
    head = f"<p class='name'>{title}</p>" if title else ""
    return f"{head}<table>{lines}</table>{body}{cut}"


def _body(side: RecordSide) -> str:
    text = side.body or ""
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        pass
    return html.escape(text)


def _value(value: Any) -> str:
    if value is None:
        return "<i>nothing</i>"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return html.escape(text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
