"""A sample set as a table, and the chosen message beside it: as a form, or as JSON."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QSplitter,
    QStackedWidget,
    QTableView,
    QWidget,
)

from routestudio.model.function import Diagnostic
from routestudio.model.message import MessageError, message_from
from routestudio.ui.documents.message_form import MessageForm
from routestudio.ui.documents.sample_model import SampleModel
from routestudio.ui.editor.behaviours import install
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.highlighter import Highlighter
from routestudio.ui.editor.json_text import indented, on_one_line
from routestudio.ui.widgets.basics import Segments, label
from routestudio.ui.widgets.layout import bar, column

PAUSE_MS = 250


class SampleRows(QSplitter):
    """`line_changed` tells the number of a line, from 0, and its new text.

    The text of the chosen message is in `editor`; `form` shows it and types into it.
    """

    line_changed = Signal(int, str)
    refused = Signal(str)
    """A message was left while it was wrong: why it was not taken."""

    def __init__(self, name: str) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.model = SampleModel()
        self.table = QTableView()
        self.table.setAccessibleName(f"Messages of {name} as a table")
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(27)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show())
        self.editor = CodeEdit(f"The chosen message of {name}")
        install(self.editor)
        self.highlighter = Highlighter(self.editor.document(), "json")
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.commit)
        self.editor.edited.connect(self._typed)
        self.form = MessageForm(name)
        self.form.changed.connect(self._fill)
        self.form.json_asked.connect(lambda: self.show_as("json"))
        self._line: int | None = None
        self._shown = ""
        side = QWidget()
        body = column(side)
        top = bar(body)
        top.addWidget(label("Message", "muted"))
        self.ways = Segments([("form", "Form"), ("json", "JSON")], "Message as")
        self.ways.chosen.connect(self.show_as)
        top.addStretch(1)
        top.addWidget(self.ways)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.form)
        self.pages.addWidget(self.editor)
        body.addWidget(self.pages, 1)
        body.addWidget(self.problem)
        self.show_as("form")
        self.addWidget(self.table)
        self.addWidget(side)
        self.setSizes([560, 480])
        self.setChildrenCollapsible(False)

    @property
    def row(self) -> int:
        """The chosen row, or -1."""
        return self.table.currentIndex().row()

    @property
    def line(self) -> int | None:
        """The line, from 0, of the chosen row."""
        return self.model.lines[self.row] if 0 <= self.row < len(self.model.lines) else None

    def show_text(self, text: str) -> None:
        """Show a changed set; the chosen row stays chosen."""
        row, columns = max(0, self.row), self.model.columns
        self.model.show_text(text)
        if columns != self.model.columns:
            for number, width in enumerate((40, 68, 100)):
                self.table.horizontalHeader().resizeSection(number, width)
        if self.model.rowCount() and self.row < 0:
            self.table.selectRow(min(row, self.model.rowCount() - 1))
        self._show()

    def show_as(self, way: str) -> None:
        """Show the chosen message as `form` or as `json`."""
        self.ways.choose(way)
        if way == "form":
            self.form.show_text(self.editor.toPlainText())
        self.pages.setCurrentIndex(0 if way == "form" else 1)

    def edit(self) -> None:
        """Go to the chosen message."""
        if self.pages.currentIndex() == 0 and self.form.fields.isVisibleTo(self.form):
            self.form.focus_first()
        else:
            self.editor.setFocus()

    def choose(self, row: int) -> None:
        """Choose a row and show it."""
        self.table.selectRow(row)
        self.table.scrollTo(self.model.index(row, 0))

    def commit(self) -> None:
        """Take the message that is being typed, unless it is wrong."""
        self._pause.stop()
        text = self.editor.toPlainText()
        if self._line is None or text == self._shown or self._check(text):
            return
        self._shown = text
        self.line_changed.emit(self._line, on_one_line(text))

    def _typed(self) -> None:
        text = self.editor.toPlainText()
        self._check(text)
        if self.pages.currentIndex() == 1:
            self.form.show_text(text)
        self._pause.start()

    def _fill(self, text: str) -> None:
        """The form has a new text."""
        cursor = QTextCursor(self.editor.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(indented(text))

    def _show(self) -> None:
        """Show the chosen message, unless it is the one that is being typed."""
        line, text = self.line, self.model.text(self.row)
        if line == self._line and on_one_line(self.editor.toPlainText()) == on_one_line(text):
            return
        if self._pause.isActive() and line != self._line:
            self.commit()
            if self.editor.toPlainText() != self._shown and self.problem.text():
                self.refused.emit(self.problem.text())
        elif self._pause.isActive():
            return
        self._line = line
        self._shown = indented(text) if fault(text) is None else text
        self.editor.show_text(self._shown)
        self.editor.setReadOnly(line is None)
        self.form.show_text(self._shown)
        self.form.setEnabled(line is not None)
        self.highlighter.lex()
        self._check(self._shown)

    def _check(self, text: str) -> bool:
        """Show what is wrong with the message; returns whether something is."""
        found = fault(text) if text.strip() else None
        empty = not text.strip()
        self.problem.setVisible(found is not None)
        self.editor.show_diagnostics([found] if found is not None else [])
        if found is not None:
            self.problem.setText(f"Line {found.line}: {found.message}. It is not taken yet.")
        return found is not None or empty


def fault(text: str) -> Diagnostic | None:
    """Why a text is no message, with the place; `None` for a message."""
    try:
        message_from(json.loads(text))
    except MessageError as error:
        return Diagnostic(1, 1, "sample", str(error))
    except json.JSONDecodeError as error:
        return Diagnostic(error.lineno, error.colno, "sample", f"not JSON: {error.msg.lower()}")
    except (ValueError, RecursionError) as error:
        return Diagnostic(1, 1, "sample", f"not JSON: {error}")
    return None
