"""One message as a form: a line for each column, its kind in sight, numbers as they are written."""

from __future__ import annotations

import json
import re
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from routestudio.model.message import ACTIONS
from routestudio.ui.editor.json_text import entries_of, on_one_line
from routestudio.ui.widgets.basics import Button, IconButton, label, restyle
from routestudio.ui.widgets.inputs import ComboBox

KINDS: Final = ("text", "number", "true/false", "null", "JSON")
SECTIONS: Final = {
    "record": ("Record", "column", "The row after the change (for a delete, before it)."),
    "changes": ("Changes", "old value", "Previous values of the updated columns."),
    "metadata": ("Metadata", "key", "Metadata from the change stream."),
}
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_BREAKS: Final = re.compile(r"[\x00-\x1f\u2028\u2029]")


def kind_of(raw: str) -> str:
    """The kind of a JSON value as it is written; text over several lines is edited as JSON."""
    if raw.startswith('"'):
        return "JSON" if _BREAKS.search(json.loads(raw)) else "text"
    if raw in ("true", "false"):
        return "true/false"
    return "null" if raw == "null" else "JSON" if raw[:1] in ("{", "[") else "number"


def written(kind: str, text: str) -> str:
    """The JSON of what was typed for a kind. Raises `ValueError`, in words for people."""
    if kind == "text":
        return json.dumps(text, ensure_ascii=False)
    if kind == "null":
        return "null"
    if kind == "true/false":
        return text
    body = text.strip()
    if kind == "number":
        if not _NUMBER.fullmatch(body):
            raise ValueError("a number is written like 12, -0.5 or 1e6")
        return body
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError('JSON is written like {"a": 1}, [1, 2] or "text"') from None
    return on_one_line(body)


_LONG = 10_000
"""Characters of a value that a field shows as a whole and edits; a longer one is edited as JSON."""
_SHOWN = 200
_NAME = 80
"""Pixels that the name of an entry has at least."""


class Entry:
    """The controls of one entry of a map. `raw` is the last value that was right."""

    def __init__(self, section: str, name: str, raw: str) -> None:
        self.raw = raw
        noun = SECTIONS[section][1]
        self.name = QLineEdit(name)
        self.name.setCursorPosition(0)  # a name that is cut shows how it begins
        self.name.setMinimumWidth(_NAME)
        self.name.setToolTip(name)
        self.name.setProperty("mono", True)
        self.name.setAccessibleName(f"Name of {noun} {name}" if name else f"Name of new {noun}")
        self.name.setPlaceholderText(noun)
        self.kind = ComboBox()
        self.kind.addItems(KINDS)
        self.kind.setAccessibleName(f"Kind of {name}")
        self.line = QLineEdit()
        self.line.setMaxLength(1 << 24)  # Qt's own limit would cut what is pasted
        self.line.setAccessibleName(f"Value of {name}")
        self.flag = ComboBox()
        self.flag.addItems(["true", "false"])
        self.flag.setAccessibleName(f"Value of {name}")
        self.error = label("", "error", wrap=True)
        self.remove = IconButton("close", f"Remove {noun} {name}".rstrip())
        self.show(raw)

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        """All controls."""
        return self.name, self.kind, self.line, self.flag, self.error, self.remove

    @property
    def long(self) -> bool:
        """Whether the value is too long for a field: the beginning is shown."""
        return self.line.isReadOnly()

    def show(self, raw: str) -> None:
        """Show a value, unless it is what is typed already."""
        self.error.hide()
        if raw == self.raw and self.line.property("raw") == raw:
            return
        self.raw = raw
        self.line.setProperty("raw", raw)
        kind = kind_of(raw)
        self.kind.setCurrentText(kind)
        self.line.setReadOnly(len(raw) > _LONG)
        self.kind.setEnabled(not self.long)
        self.line.setToolTip("Too long for a field: edit it as JSON" if self.long else "")
        if kind == "true/false":
            self.flag.setCurrentText(raw)
        elif self.long:
            self.line.setText(f"{raw[:_SHOWN]}…")
            self.line.setCursorPosition(0)
        else:
            self.line.setText(str(json.loads(raw)) if kind == "text" else
                              "" if kind == "null" else raw)  # fmt: skip
            self.line.setCursorPosition(0)
        self._fit()

    def take(self) -> bool:
        """Take what is typed; false, and shown at the control, when it is wrong."""
        self._fit()
        if self.long:  # as it was: what is shown is only its beginning
            return self.say("" if self.name.text() else "the name is missing")
        kind = self.kind.currentText()
        text = self.flag.currentText() if kind == "true/false" else self.line.text()
        problem = "" if self.name.text() else "the name is missing"
        try:
            raw = written(kind, text)
        except ValueError as error:
            problem = problem or str(error)
        else:
            self.raw = raw
            self.line.setProperty("raw", raw)
        return self.say(problem)

    def say(self, problem: str) -> bool:
        """Show what is wrong, or that nothing is; true when nothing is."""
        self.error.setText(f"{problem[:1].upper()}{problem[1:]}. Not applied yet."
                           if problem else "")  # fmt: skip
        self.error.setVisible(bool(problem))
        self.line.setProperty("invalid", bool(problem))
        restyle(self.line)
        return not problem

    def _fit(self) -> None:
        kind = self.kind.currentText()
        self.flag.setVisible(kind == "true/false")
        self.line.setVisible(kind != "true/false")
        self.line.setEnabled(kind != "null")
        self.line.setPlaceholderText("null" if kind == "null" else "")


class _Section(QWidget):
    """The entries of `record`, `changes` or `metadata`. `changed`: something was typed."""

    changed = Signal()

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.entries: list[Entry] = []
        self.null = False
        title, noun, tip = SECTIONS[key]
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 6, 0, 6)
        body.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(label(title, "heading"))
        head.addStretch(1)
        self.add_button = Button(f"Add {noun}", "add", action=self.add)
        head.addWidget(self.add_button)
        body.addLayout(head)
        body.addWidget(label(tip, "muted", wrap=True))
        self.empty = label("", "muted")
        body.addWidget(self.empty)
        self.grid = QGridLayout()
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(8)
        self.grid.setVerticalSpacing(6)
        self.grid.setColumnStretch(0, 3)
        self.grid.setColumnStretch(2, 5)
        body.addLayout(self.grid)

    def show_raw(self, raw: str) -> None:
        """Show a map as it is written, or null."""
        self.null = raw == "null"
        found = [] if self.null else list(dict(entries_of(raw)).items())
        if [name for name, _ in found] == [entry.name.text() for entry in self.entries]:
            for entry, (_, value) in zip(self.entries, found, strict=True):
                entry.show(value)
        else:
            self._clear()
            for name, value in found:
                self._append(Entry(self.key, name, value))
        self._say()

    def raw(self) -> str:
        """The map as text, of the last values that were right; of equal names the first."""
        if self.null and not self.entries:
            return "null"
        found: dict[str, str] = {}
        for entry in self.entries:
            if entry.name.text():
                found.setdefault(entry.name.text(), entry.raw)
        return "{" + ", ".join(f"{json.dumps(n, ensure_ascii=False)}: {v}"
                               for n, v in found.items()) + "}"  # fmt: skip

    def take(self) -> bool:
        """Take what is typed; false when something is wrong."""
        names: set[str] = set()
        good = True
        for entry in self.entries:
            name = entry.name.text()
            good = entry.take() and good
            if name and name in names:
                good = entry.say(f"there is another {name}")
            names.add(name)
        return good

    def add(self) -> None:
        """One more entry, to be named."""
        entry = Entry(self.key, "", '""')
        self._append(entry)
        self._say()
        entry.name.show()
        entry.name.setFocus()

    def remove(self, entry: Entry) -> None:
        """Remove an entry."""
        place = self.entries.index(entry)
        rest = [(each.name.text(), each.raw) for each in self.entries if each is not entry]
        self._clear()
        for name, raw in rest:
            self._append(Entry(self.key, name, raw))
        self._say()
        self.changed.emit()
        if rest:
            self.entries[min(place, len(rest) - 1)].name.setFocus()
        else:
            self.add_button.setFocus()

    def _append(self, entry: Entry) -> None:
        row = 2 * len(self.entries)
        self.entries.append(entry)
        value = QWidget()
        stack = QHBoxLayout(value)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.addWidget(entry.line)
        stack.addWidget(entry.flag)
        entry.take()
        for place, widget in enumerate((entry.name, entry.kind, value, entry.remove)):
            self.grid.addWidget(widget, row, place)
        self.grid.addWidget(entry.error, row + 1, 0, 1, 4)
        self._order()
        entry.name.textEdited.connect(lambda _: self.changed.emit())
        entry.line.textEdited.connect(lambda _: self.changed.emit())
        entry.kind.activated.connect(lambda _: self.changed.emit())
        entry.flag.activated.connect(lambda _: self.changed.emit())
        entry.remove.clicked.connect(lambda _=False, which=entry: self.remove(which))

    def _order(self) -> None:
        controls = [w for e in self.entries for w in (e.name, e.kind, e.line, e.flag, e.remove)]
        for first, second in zip([self.add_button, *controls], controls, strict=False):
            QWidget.setTabOrder(first, second)

    def _clear(self) -> None:
        self.entries = []
        while (item := self.grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _say(self) -> None:
        self.empty.setText("null" if self.null else "empty")
        self.empty.setVisible(not self.entries)


class MessageForm(QScrollArea):
    """Edits one message. `changed` has its new text; it stays valid JSON whatever is typed.

    Keys that are not part of a message are kept as they are. `json_asked`: the text is not a
    message, so only the JSON view can help.
    """

    changed = Signal(str)
    json_asked = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName("plain")
        self.setAccessibleName(f"The chosen message of {name} as a form")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._entries: list[tuple[str, str]] = []
        page = QWidget()
        page.setObjectName("page")
        body = QVBoxLayout(page)
        body.setContentsMargins(16, 12, 16, 16)
        body.setSpacing(10)
        self.broken = QWidget()
        row = QHBoxLayout(self.broken)
        row.setContentsMargins(0, 0, 0, 0)
        text = "This line isn't a valid message, so it can't be shown as a form."
        row.addWidget(label(text, "muted", wrap=True), 1)
        row.addWidget(Button("Edit as JSON", action=self.json_asked.emit))
        body.addWidget(self.broken)
        self.fields = QWidget()
        inner = QVBoxLayout(self.fields)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        top = QHBoxLayout()
        top.addWidget(label("Action", "heading"))
        self.action = ComboBox()
        self.action.addItems(ACTIONS)
        self.action.setAccessibleName("Action")
        self.action.activated.connect(lambda _: self._typed())
        top.addWidget(self.action)
        top.addStretch(1)
        inner.addLayout(top)
        self.sections = {key: _Section(key) for key in SECTIONS}
        for section in self.sections.values():
            section.changed.connect(self._typed)
            inner.addWidget(section)
        body.addWidget(self.fields)
        body.addStretch(1)
        self.setWidget(page)

    def show_text(self, text: str) -> None:
        """Show a message."""
        try:
            found = entries_of(text)
            kept = dict(found)
            good = json.loads(kept.get("action", "null")) in ACTIONS and all(
                kept.get(key, "null")[:1] in ("{", "n") for key in SECTIONS
            )
        except (ValueError, RecursionError):
            found, good = [], False
        self._entries = found
        self.broken.setVisible(not good)
        self.fields.setVisible(good)
        if not good or text_of(found, self._now()) == text_of(found, {}):
            return
        self.action.setCurrentText(json.loads(kept["action"]))
        for key, section in self.sections.items():
            section.show_raw(kept.get(key, "null"))

    def focus_first(self) -> None:
        """Go to the first column's value."""
        entries = self.sections["record"].entries
        (entries[0].line if entries else self.action).setFocus()

    def _now(self) -> dict[str, str]:
        now = {key: section.raw() for key, section in self.sections.items()}
        return {"action": json.dumps(self.action.currentText()), **now}

    def _typed(self) -> None:
        for section in self.sections.values():
            section.take()
        self.changed.emit(text_of(self._entries, self._now()))


def text_of(entries: list[tuple[str, str]], now: dict[str, str]) -> str:
    """A message of `entries` with the values of `now`; new keys come last, new nulls not at all."""
    known = {name for name, _ in entries}
    both = [(name, now.get(name, raw)) for name, raw in entries]
    both += [(name, raw) for name, raw in now.items() if name not in known and raw != "null"]
    return "{" + ", ".join(f"{json.dumps(n, ensure_ascii=False)}: {on_one_line(v)}"
                           for n, v in both) + "}"  # fmt: skip
