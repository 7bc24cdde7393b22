"""The search panel: lines of the whole project that match, by file; Enter goes to the place."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from routestudio.api.finding import FileBegun, FileFound, SearchEnd
from routestudio.errors import RouteStudioError
from routestudio.ui.bridge import Job
from routestudio.ui.icons import icon
from routestudio.ui.session import Session
from routestudio.ui.theme import colour, mono_font, theme
from routestudio.ui.widgets.basics import Banner, Button, ElidedLabel, EmptyState
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.layout import column
from routestudio.ui.widgets.table_tools import TableTools

PAUSE_MS = 400
"""Milliseconds without typing after which the search starts by itself."""
_LINE = Qt.ItemDataRole.UserRole
_ICONS = {"function": "function", "yaml": "project", "test": "ok", "sample": "sample"}
_TRUNCATED = 3
"""Reasons that are shown in the bar; the tool tip has all."""


class SearchPanel(QWidget):
    """Searches function texts, the project file, route tests and samples, with unsaved edits."""

    chosen = Signal(object)
    """A found line (`api.finding.FoundLine`)."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._job: Job | None = None
        self._reading = ""
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.start)
        body = column(self)
        body.addWidget(self._bar())
        self.banner = Banner()
        body.addWidget(self.banner)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Lines found")
        self.list.setHeaderLabels(["Where", "Line"])
        self.list.setUniformRowHeights(True)
        self.list.setItemDelegateForColumn(1, _Lines(self.list))
        header = self.list.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, 250)
        self.list.itemActivated.connect(self._open)
        TableTools(self.list)
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState(
            "search", "Search the project",
            "Functions, sequin.yaml, route tests and samples are searched as they are now, with "
            "unsaved edits. Files of variables are not.",
        ))  # fmt: skip
        self._stack.addWidget(EmptyState("search", "Nothing was found",
                                         "No line of the project matches."))  # fmt: skip
        self._stack.addWidget(self.list)
        body.addWidget(self._stack, 1)
        session.opened.connect(self.forget)
        theme().changed.connect(self._retint)

    def _bar(self) -> CompactBar:
        row = CompactBar()
        self.text = QLineEdit()
        self.text.setPlaceholderText("Search the project")
        self.text.setAccessibleName("Search the project")
        self.text.setClearButtonEnabled(True)
        self.text.setMinimumWidth(180)
        self.text.textChanged.connect(lambda _: self._typed())
        self.text.returnPressed.connect(self._entered)
        row.add(self.text, stretch=2)
        self.case, self.word, self.pattern = (
            _switch(text, tip) for text, tip in (
                ("Aa", "Match case"), ("Word", "Whole words"), (".*", "Regular expression"))
        )  # fmt: skip
        for box in (self.case, self.word, self.pattern):
            box.toggled.connect(lambda _: self._typed())
            row.add(box)
        self.state = ElidedLabel("", "muted")
        row.add(self.state, stretch=3, yields=2)
        self.stop_button = Button("Stop", "stop", kind="link", action=self.stop)
        self.stop_button.hide()
        row.add(self.stop_button)
        return row

    def open_with(self, text: str) -> None:
        """Put the focus into the field; a text of one line that was selected is looked for."""
        if text and "\n" not in text and "\u2029" not in text:
            self.pattern.setChecked(False)
            self.text.setText(text)
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.text.selectAll()

    def forget(self) -> None:
        """Show nothing: another project is open."""
        self.stop()
        self.list.clear()
        self.banner.hide()
        self.state.show_text("")
        self._stack.setCurrentIndex(0)

    # --- searching ---------------------------------------------------------------------------

    def _typed(self) -> None:
        self._pause.stop()
        if self._job is not None:
            self.stop()
        if len(self.text.text()) > 1 and self._session.is_open:
            self._pause.start()
        elif not self.text.text():
            self.forget()

    def _entered(self) -> None:
        """Enter searches; where that is done, it goes to the first line."""
        if self._pause.isActive() or self._stack.currentIndex() == 0:
            self.start()
        elif self._stack.currentIndex() == 2:
            self.list.setFocus()

    def start(self) -> None:
        """Search for what the field has, in place of a search that goes on."""
        self.stop()
        if not self.text.text() or not self._session.is_open:
            return
        self.list.clear()
        self.banner.hide()
        self.stop_button.show()
        self.state.show_text("searching…")

        engine = self._session.engine
        work = self._session.api.finding.search(
            self.text.text(), case=self.case.isChecked(), word=self.word.isChecked(),
            pattern=self.pattern.isChecked(), tell=self._told,
        )  # fmt: skip
        self._job = job = engine.run(
            work, owner=self, title="Search", done=self._done, failed=self._failed,
            ended=lambda: self._ended(job),
        )  # fmt: skip

    def _told(self, event: FileBegun | FileFound) -> None:
        if isinstance(event, FileFound):
            self._add(event)
        else:
            self.state.show_text(f"searching {event.file}…")

    def stop(self) -> None:
        """End a search that goes on; what it found stays."""
        self._pause.stop()
        job, self._job = self._job, None
        if job is not None and job.running:
            job.cancel()
            self.state.show_text("stopped")
        self.stop_button.hide()

    def _done(self, found: SearchEnd) -> None:
        lines = "1 line" if found.lines == 1 else f"{found.lines:,} lines"
        files = "1 file" if found.files == 1 else f"{found.files:,} files"
        self.state.show_text(f"{lines} in {files}" if found.lines else "nothing found")
        if not found.lines:
            self._stack.setCurrentIndex(1)
        skipped = [f"{item.file}: {item.why}" for item in found.skipped]
        if skipped:
            more = len(skipped) - _TRUNCATED
            text = "; ".join(skipped[:_TRUNCATED]) + (f"; and {more} more" if more > 0 else "")
            self.banner.say("warning", f"Not searched: {text}")
            self.banner.setToolTip("\n".join(skipped))

    def _failed(self, error: RouteStudioError) -> None:
        self.state.show_text("not found")
        self.banner.say("error", str(error))

    def _ended(self, job: Job) -> None:
        if self._job is job:
            self._job = None
            self.stop_button.hide()

    # --- showing -----------------------------------------------------------------------------

    def _add(self, data: FileFound) -> None:
        self._stack.setCurrentIndex(2)
        count = len(data.lines)
        group = QTreeWidgetItem([data.file, "1 line" if count == 1 else f"{count:,} lines"])
        group.setIcon(0, icon(_ICONS[data.kind]))
        group.setData(0, _LINE, data.kind)
        group.setToolTip(0, data.file)
        for line in data.lines:
            item = QTreeWidgetItem([f"line {line.line:,}", line.text.strip("\r")])
            item.setData(1, _LINE, line)
            item.setToolTip(1, line.text)
            group.addChild(item)
        self.list.addTopLevelItem(group)
        group.setExpanded(True)
        first = group.child(0)
        if self.list.currentItem() is None and first is not None:
            self.list.setCurrentItem(first)

    def _open(self, item: QTreeWidgetItem) -> None:
        line = item.data(1, _LINE)
        if line is not None:
            self.chosen.emit(line)

    def _retint(self) -> None:
        for number in range(self.list.topLevelItemCount()):
            group = self.list.topLevelItem(number)
            if group is not None:
                group.setIcon(0, icon(_ICONS[group.data(0, _LINE)]))


class _Lines(QStyledItemDelegate):
    """A line in the code font, with what was found in it marked."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        line = index.data(_LINE)
        if line is None:
            super().paint(painter, option, index)
            return
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        shown.text = ""
        style = QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, shown, painter, option.widget)
        painter.save()
        painter.setFont(mono_font(9.0))
        painter.setClipRect(option.rect)
        metrics, text = painter.fontMetrics(), line.text.replace("\t", " ")
        cut = len(text) - len(text.lstrip())
        start, end = max(0, line.start - cut), max(0, line.end - cut)
        text = text[cut:]
        rect = option.rect.adjusted(4, 0, -4, 0)
        x = rect.left() + metrics.horizontalAdvance(text[:start])
        width = metrics.horizontalAdvance(text[start:end])
        painter.fillRect(x, rect.top() + 3, width, rect.height() - 6, colour("warning_soft"))
        painter.setPen(colour("text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()


def _switch(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(tip)
    box.setAccessibleName(tip)
    return box
