"""Help for what has the focus: a field's own text where there is one, and the page about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtWidgets import QWidget

from routestudio.ui.documents.base import Document
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.help_pages import HAZARDS, START

PAGES: Final = {
    "sink": "guides/deliveries.md", "function": "guides/functions.md", "sample": "guides/rows.md",
    "databases": "guides/from-a-table.md", "variables": "guides/environments.md",
    "overview": START, "ProblemsPanel": HAZARDS, "TestsPanel": "guides/route-tests.md",
    "RunPanel": "guides/deliveries.md", "CheckPanel": "guides/deliveries.md",
    "ArrivedPanel": "guides/deliveries.md", "SearchPanel": "guides/finding.md",
    "PreviewPanel": "guides/functions.md", "ProjectTree": START,
    "EnvironmentButton": "guides/environments.md",
}  # fmt: skip
"""Pages by the kind of a document, and by the class of a panel."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What help is about: a page, and of a field or a name in code its own help."""

    page: str
    title: str = ""
    text: str = ""
    find: str = ""
    """What the page is searched for."""


def topic_of(widget: QWidget | None) -> Topic:
    """The topic of a widget, by the nearest part around it that has one."""
    title = text = find = ""
    code = widget if isinstance(widget, CodeEdit) else None
    if code is not None:
        cursor = code.textCursor()
        text = code.help(cursor.block().text(), cursor.positionInBlock())
        title = "At the cursor" if text else ""
    at = widget
    while at is not None:
        field = getattr(at, "field", None)
        if not title and field is not None and hasattr(field, "limits"):
            title, find = field.label, field.name
            text = _help_of(field)
        page = _page_of(at)
        if page:
            return Topic(page, title, text, find)
        at = at.parentWidget()
    return Topic(START, title, text)


def _page_of(widget: QWidget) -> str:
    if isinstance(widget, Document):
        key = (widget.session.sink(widget.name) or {}).get("key") if widget.kind == "sink" else None
        return f"sinks/{key}.md" if key else PAGES.get(widget.kind, START)
    return PAGES.get(type(widget).__name__, "")


def _help_of(field: object) -> str:
    """Help, limits, default and example of a form's field, a line each."""
    lines = []
    for name, head in (("help", ""), ("limits", "Limits: "), ("default", "Default: "),
                       ("example", "Example: ")):  # fmt: skip
        value = getattr(field, name, None)
        if value not in (None, "", False):
            lines.append(f"{head}{value}")
    return "\n".join(lines)
