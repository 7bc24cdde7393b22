"""A sample set as a table, and the chosen message beside it: as a form, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
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
from routestudio.ui.documents.sample_model import PagedModel, SampleModel
from routestudio.ui.editor.behaviours import install
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.highlighter import Highlighter
from routestudio.ui.editor.json_text import indented, on_one_line
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Segments, label
from routestudio.ui.widgets.layout import bar, column
from routestudio.ui.widgets.table_tools import TableTools

PAUSE_MS = 250
FOREIGN = (
    "This message cannot be edited here: it is very long, or no text in UTF-8. "
    "Change its file with another program."
)


class SampleRows(QSplitter):
    """`line_changed` has the number of a line, from 0, and its new text.

    The text of the chosen message is in `editor`; `form` shows it and types into it.
    """

    line_changed = Signal(int, str)
    refused = Signal(str)
    """A message was left while it was wrong: why it was not taken."""

    def __init__(self, name: str) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.model: SampleModel = SampleModel()
        self._tips: dict[str, str] = {}
        self.table = QTableView()
        self.table.setAccessibleName(f"Messages of {name} as a table")
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(27)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setDefaultSectionSize(round(header.defaultSectionSize() * theme().scale))
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show())
        self.tools = TableTools(self.table)
        self.paged: PagedModel | None = None
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
        self._shown = self._base = ""
        self._drafts: dict[tuple[int | None, str], str] = {}
        """What was typed and is wrong, by the line and text of the message that was left."""
        self.raw = ""
        """The line of the chosen message as it stands in a set that is shown by pages."""
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
        return self.model.line(self.row)

    @property
    def lines(self) -> list[int]:
        """The lines, from 0, of all selected rows that are in sight."""
        rows = {index.row() for index in self.table.selectionModel().selectedIndexes()}
        found = (self.model.line(row) for row in rows if not self.table.isRowHidden(row))
        return sorted(line for line in found if line is not None)

    def show_types(self, tips: dict[str, str]) -> None:
        """Show what is known of the columns' types, by column."""
        self._tips = tips
        self.model.show_types(tips)

    def show_pages(self, fetch: Callable[[int], None]) -> PagedModel:
        """Show a set that is too large for one text; `fetch` as in `PagedModel`."""
        if self.paged is None:
            old = self.table.selectionModel()
            self.paged = PagedModel(fetch)
            self.paged.show_types(self._tips)
            self.model = self.paged
            self.table.setModel(self.paged)
            self.tools.follow_model()
            old.deleteLater()
            self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show())
            self.paged.dataChanged.connect(self._given)
            self.paged.modelReset.connect(self._fit)
        return self.paged

    def refetch(self) -> None:
        """Ask again for the rows in sight and the chosen one."""
        if self.paged is not None:
            first = max(0, self.table.rowAt(0))
            last = self.table.rowAt(self.table.viewport().height() - 1)
            self.paged.refetch({first, last if last >= 0 else first + 50, max(0, self.row)})

    def show_text(self, text: str) -> None:
        """Show a changed set; the chosen row stays chosen."""
        row, columns = max(0, self.row), self.model.columns
        self.model.show_text(text)
        if columns != self.model.columns:
            self._fit()
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

    def _fit(self) -> None:
        first = 40 if self.paged is None else 72
        for number, width in enumerate((first, 68, 100)):
            self.table.horizontalHeader().resizeSection(number, width)

    def _given(self, first: QModelIndex, last: QModelIndex) -> None:
        if self.row < 0 and self.model.rowCount():
            self.table.selectRow(0)
        elif first.row() <= self.row <= last.row():
            self._show()

    def commit(self) -> None:
        """Take the message that is being typed, unless it is wrong."""
        self._pause.stop()
        text = self.editor.toPlainText()
        if self._line is None or text == self._shown or self._check(text):
            return
        self._shown = text
        self._base = line = on_one_line(text)
        self.line_changed.emit(self._line, line)
        self.raw = line

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
        raw = self.paged.raw(line) if self.paged is not None and line is not None else None
        if line == self._line and raw is not None and not self._pause.isActive():
            self.raw = raw
        if line == self._line and on_one_line(self.editor.toPlainText()) == on_one_line(text):
            return
        if line != self._line:
            self._leave()
        elif self._pause.isActive() or (line is not None and text == self._base):
            return  # it is being typed, or is wrong and waits to be corrected
        self._line, self._base = line, text
        self.raw = raw or ""
        self._shown = indented(text) if fault(text) is None else text
        typed = self._drafts.pop((line, text), self._shown)
        self.editor.show_text(typed)
        self.editor.setReadOnly(line is None)
        self.form.show_text(typed)
        self.form.setEnabled(line is not None)
        self.highlighter.lex()
        if line is None and text:
            self.problem.setText(FOREIGN)
            self.problem.show()
        else:
            self._check(typed)

    def _leave(self) -> None:
        """Take the message that is left; keep what was typed when it is wrong."""
        self.commit()
        text = self.editor.toPlainText()
        if self._line is not None and text != self._shown and self._check(text):
            self._drafts[self._line, self._base] = text
            self.refused.emit(self.problem.text() or "it is empty")

    def _check(self, text: str) -> bool:
        """Show what is wrong with the message; returns whether something is."""
        found = fault(text) if text.strip() else None
        empty = not text.strip()
        self.problem.setVisible(found is not None)
        self.editor.show_diagnostics([found] if found is not None else [])
        if found is not None:
            self.problem.setText(f"Line {found.line}: {found.message}. Not applied yet.")
        return found is not None or empty


def fault(text: str) -> Diagnostic | None:
    """Why a text is not a message, with the place; `None` for a message."""
    try:
        message_from(json.loads(text))
    except MessageError as error:
        return Diagnostic(1, 1, "sample", str(error))
    except json.JSONDecodeError as error:
        return Diagnostic(error.lineno, error.colno, "sample", f"not JSON: {error.msg.lower()}")
    except (ValueError, RecursionError) as error:
        return Diagnostic(1, 1, "sample", f"not JSON: {error}")
    return None
