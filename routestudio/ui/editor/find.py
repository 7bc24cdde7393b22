"""Find in a text, and replace where it can be edited: one bar for editors, panes and pages."""

from __future__ import annotations

import re
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import (
    QCheckBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)

from routestudio.ui.editor.code_edit import CodeEdit, utf16
from routestudio.ui.widgets.basics import Button, IconButton, label
from routestudio.ui.widgets.compact import CompactBar

Pane = QPlainTextEdit | QTextEdit | QScrollArea
"""What can be searched: a text, or a page of labels."""


class Surface(Protocol):
    """A text as the bar sees it. Places are in UTF-16 units, as Qt counts."""

    @property
    def editable(self) -> bool:
        """Whether places can be replaced."""
        ...

    @property
    def chosen(self) -> tuple[int, int]:
        """Beginning and end of what is selected."""
        ...

    def text(self) -> str:
        """All of it."""
        ...

    def choose(self, start: int, end: int) -> None:
        """Select a place and bring it into sight."""
        ...

    def replace(self, places: list[tuple[int, int, str]]) -> None:
        """Put other texts into places, as one step."""
        ...


class TextSurface:
    """A text area."""

    def __init__(self, edit: QPlainTextEdit | QTextEdit) -> None:
        self._edit = edit

    @property
    def editable(self) -> bool:
        return not self._edit.isReadOnly()

    @property
    def chosen(self) -> tuple[int, int]:
        cursor = self._edit.textCursor()
        return cursor.selectionStart(), cursor.selectionEnd()

    def text(self) -> str:
        return self._edit.toPlainText()

    def choose(self, start: int, end: int) -> None:
        cursor = self._edit.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self._edit.setTextCursor(cursor)
        self._edit.ensureCursorVisible()

    def replace(self, places: list[tuple[int, int, str]]) -> None:
        cursor = QTextCursor(self._edit.document())
        cursor.beginEditBlock()
        for start, end, text in reversed(places):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(text)
        cursor.endEditBlock()


class LabelSurface:
    """A page of labels that scrolls, such as the documentation beside an editor."""

    editable = False

    def __init__(self, area: QScrollArea) -> None:
        self._area = area
        self.chosen = (0, 0)

    def _labels(self) -> list[QLabel]:
        page: QWidget | None = self._area.widget()
        found = page.findChildren(QLabel) if page is not None else []
        return [item for item in found if item.isVisibleTo(self._area) and item.text()]

    def text(self) -> str:
        return "\n".join(item.text() for item in self._labels())

    def choose(self, start: int, end: int) -> None:
        self.chosen = (start, end)
        at = 0
        for item in self._labels():
            units = _units(item.text())
            if at <= start < at + units:
                flags = item.textInteractionFlags() | Qt.TextInteractionFlag.TextSelectableByMouse
                item.setTextInteractionFlags(flags)
                item.setSelection(start - at, end - start)
                self._area.ensureWidgetVisible(item, 0, 40)
            elif item.hasSelectedText():
                item.setSelection(0, 0)
            at += units + 1

    def replace(self, places: list[tuple[int, int, str]]) -> None:
        """Labels are never changed."""


class FindBar(CompactBar):
    """A bar for one text: what to find, how many, next and previous; replace where it can be."""

    def __init__(self, pane: Pane) -> None:
        super().__init__()
        self._pane: QWidget = pane
        self._surface: Surface = (
            LabelSurface(pane) if isinstance(pane, QScrollArea) else TextSurface(pane)
        )
        self.text = _field("Find")
        self.replacement = _field("Replace with")
        self.case = _switch("Aa", "Match case", "Match upper and lower case")
        self.pattern = _switch(".*", "Regular expression", "Regular expression")
        self.count = label("", "muted")
        self._replacing = (
            self.replacement,
            Button("Replace", kind="link", action=self.replace),
            Button("All", kind="link", action=self.replace_all),
        )
        self.add(self.text, stretch=1)
        self.add(self.replacement, stretch=1)
        self.add(self.case, yields=3)
        self.add(self.pattern, yields=4)
        self.add(self.count, yields=2)
        self.add(Button("Next", kind="link", action=self.find_next), yields=1)
        for button in self._replacing[1:]:
            self.add(button)
        self.add(IconButton("close", "Close", self.close_bar))
        self.text.textChanged.connect(lambda _: self._recount())
        self.replacement.textChanged.connect(lambda _: self._recount())
        for box in (self.case, self.pattern):
            box.toggled.connect(lambda _: self._recount())
        self.hide()

    def open_bar(self) -> None:
        """Show the bar with the selected text."""
        start, end = self._surface.chosen
        selected = _part(self._surface.text(), start, end)
        if selected and "\n" not in selected:
            self.text.setText(selected)
        for item in self._replacing:
            item.setVisible(self._surface.editable)
        self.show()
        self.text.setFocus()
        self.text.selectAll()
        self._recount()

    def close_bar(self) -> None:
        """Hide the bar and go back to the text."""
        self.hide()
        self._pane.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            (self.find_previous if shift else self.find_next)()
        else:
            super().keyPressEvent(event)

    def find_next(self) -> None:
        """Select the next place, from the cursor, around the end."""
        places = self._places()
        here = self._surface.chosen[1]
        if places:
            start, end, _ = next((p for p in places if p[0] >= here), places[0])
            self._surface.choose(start, end)

    def find_previous(self) -> None:
        """Select the place before, around the beginning."""
        places = self._places()
        here = self._surface.chosen[0]
        if places:
            start, end, _ = next((p for p in reversed(places) if p[1] <= here), places[-1])
            self._surface.choose(start, end)

    def replace(self) -> None:
        """Replace the selected place and go to the next."""
        chosen = self._surface.chosen
        self._surface.replace([place for place in self._places() if place[:2] == chosen])
        self._recount()
        self.find_next()

    def replace_all(self) -> None:
        """Replace every place as one undo step."""
        self._surface.replace(self._places())
        self._recount()

    def _places(self) -> list[tuple[int, int, str]]:
        """Start and end of each place in UTF-16 units, as Qt counts, and what replaces it."""
        try:
            return self._matches()
        except (re.error, IndexError):
            return []

    def _matches(self) -> list[tuple[int, int, str]]:
        wanted, instead = self.text.text(), self.replacement.text()
        if not wanted:
            return []
        pattern = self.pattern.isChecked()
        flags = re.MULTILINE if self.case.isChecked() else re.MULTILINE | re.IGNORECASE
        found = re.compile(wanted if pattern else re.escape(wanted), flags)
        text = self._surface.text()
        places = []
        before = units = 0
        for match in found.finditer(text):
            if match.end() == match.start():
                continue
            start = units + _units(text[before : match.start()])
            before, units = match.end(), start + _units(match[0])
            places.append((start, units, match.expand(instead) if pattern else instead))
        return places

    def _recount(self) -> None:
        try:
            found = len(self._matches())
        except (re.error, IndexError):
            self.count.setText("not a pattern")
            return
        self.count.setText(f"{found} found" if self.text.text() else "")


class PaneBar(QObject):
    """The bar of a pane that has no place for one: over its upper edge, the text moved down."""

    def __init__(self, pane: Pane) -> None:
        super().__init__(pane)
        self._pane = pane
        self.bar = FindBar(pane)
        self.bar.setParent(pane)
        for watched in (pane, self.bar):
            watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kinds = QEvent.Type
        if watched is self.bar and event.type() in (kinds.Show, kinds.Hide):
            self._fit(self.bar.sizeHint().height() if event.type() == kinds.Show else 0)
        elif watched is self._pane and event.type() == kinds.Resize and self.bar.isVisible():
            self._fit(self.bar.height())
        return False

    def _fit(self, height: int) -> None:
        pane = self._pane
        if isinstance(pane, CodeEdit):
            pane.set_headroom(height)
        else:
            pane.setViewportMargins(0, height, 0, 0)
        inside = pane.contentsRect()
        self.bar.setGeometry(inside.left(), inside.top(), inside.width(), height)
        self.bar.raise_()


def open_for(widget: QWidget | None) -> bool:
    """Open the bar of the text that has the focus, or of the page around it; whether there is
    one. A field or table that has the focus keeps it."""
    pane = _pane_of(widget)
    if pane is None:
        return False
    known = pane.findChild(FindBar)
    own = pane.property("findBar")
    bar = own if isinstance(own, FindBar) else known or PaneBar(pane).bar
    bar.open_bar()
    return True


def give_bar(pane: QPlainTextEdit) -> FindBar:
    """A bar for a text that has a place for it, which the caller puts there."""
    bar = FindBar(pane)
    pane.setProperty("findBar", bar)
    return bar


def _pane_of(widget: QWidget | None) -> Pane | None:
    while widget is not None:
        if isinstance(widget, FindBar):
            return None
        page = isinstance(widget, QScrollArea) and bool(widget.property("findable"))
        if isinstance(widget, (QPlainTextEdit, QTextEdit)) or page:
            return widget  # type: ignore[return-value]
        widget = widget.parentWidget()
    return None


def _field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(name)
    field.setAccessibleName(name)
    field.setToolTip(name)
    field.setMinimumWidth(80)
    field.setProperty("elides", True)
    return field


def _switch(text: str, name: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box


def _part(text: str, start: int, end: int) -> str:
    """The characters between two places in UTF-16 units."""
    data = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end]
    return data.decode("utf-16-le", "replace")


def _units(text: str) -> int:
    return utf16(text, len(text))
