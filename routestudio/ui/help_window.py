"""The documentation in the window: contents, pages, links between them, and a way back."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QTextCursor
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSplitter, QTextBrowser, QWidget

from routestudio.ui import help_pages
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import Dialog

_PAGE = Qt.ItemDataRole.UserRole
_MISSING = (
    "# Not installed\n\nThis installation has no pages of documentation. Install RouteStudio from "
    "its wheel, or read the folder `docs` of the repository."
)
MARGIN = 18


class HelpWindow(Dialog):
    """Shows pages of the documentation beside the work: it does not block the window."""

    def __init__(self, parent: QWidget | None, page: str = help_pages.START) -> None:
        super().__init__(parent, "Help")
        self.resize(900, 620)
        self._back: list[str] = []
        self.address = ""
        self.list = QListWidget()
        self.list.setAccessibleName("Pages")
        self.list.setMinimumWidth(190)
        self.list.setSpacing(3)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for title, pages in help_pages.contents():
            head = QListWidgetItem(title.upper())
            head.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(head)
            for name, address in pages:
                item = QListWidgetItem(name)
                item.setData(_PAGE, address)
                item.setToolTip(name)
                self.list.addItem(item)
        self.list.currentItemChanged.connect(lambda item, _: self._chosen(item))
        self.text = QTextBrowser()
        self.text.setAccessibleName("Page")
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self._follow)
        self.text.document().setDocumentMargin(MARGIN)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.list)
        split.addWidget(self.text)
        split.setSizes([240, 620])
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        self.body.addWidget(split, 1)
        self.back_button = Button("Back", action=self.back)
        self.state = label("", "muted")
        self.foot(
            self.back_button, Button("Close", kind="primary", action=self.accept), left=self.state
        )
        theme().changed.connect(self._again)
        self.show_page(page)

    def show_page(self, address: str, find: str = "") -> None:
        """Show a page, as `guides/rows.md#the-formats`; with `find`, where that text is first."""
        file, _, fragment = address.partition("#")
        if self.address and self.address != address:
            self._back.append(self.address)
        self.address = address
        self._load(file)
        if find:
            self._find(find)
        elif fragment:
            self._go_to(fragment)
        self.back_button.setEnabled(bool(self._back))

    def back(self) -> None:
        """Show the page before."""
        if self._back:
            address = self._back.pop()
            self.address = ""
            self.show_page(address)

    def _load(self, file: str) -> None:
        path = help_pages.page_of(file)
        self.text.setMarkdown(help_pages.text_of(path) if path is not None else _MISSING)
        self._dress()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self.state.setText("")
        for number in range(self.list.count()):
            item = self.list.item(number)
            if item is not None and item.data(_PAGE) == file:
                self.list.blockSignals(True)
                self.list.setCurrentItem(item)
                self.list.blockSignals(False)

    def _dress(self) -> None:
        """Room around headings and paragraphs."""
        block = self.text.document().begin()
        while block.isValid():
            cursor = QTextCursor(block)
            if cursor.currentTable() is not None:
                block = block.next()
                continue
            form = block.blockFormat()
            level = form.headingLevel()
            form.setTopMargin(16 if level else 3)
            form.setBottomMargin(6 if level else 4)
            cursor.setBlockFormat(form)
            block = block.next()

    def _again(self) -> None:
        """The colours of a page are those of the theme in which it was read."""
        place = self.text.verticalScrollBar().value()
        self._load(self.address.partition("#")[0])
        self.text.verticalScrollBar().setValue(place)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        address = item.data(_PAGE) if item is not None else None
        if address:
            self.show_page(str(address))

    def _follow(self, link: QUrl) -> None:
        """Go to a page or a heading; what is on the web is opened with the system's browser."""
        if link.scheme() in ("http", "https"):
            QDesktopServices.openUrl(link)
            self.state.setText(f"Opened {link.host()} in your browser")
            return
        here = self.address.partition("#")[0]
        path = link.path()
        target = here
        if path:
            root, base = help_pages.folder(), help_pages.page_of(here)
            if root is None or base is None or link.scheme():
                return
            found = (base.parent / path).resolve()
            target = found.relative_to(root).as_posix() if found.is_relative_to(root) else ""
            if help_pages.page_of(target) is None:
                self.state.setText("This page is in the repository only")
                return
        self.show_page(f"{target}#{link.fragment()}" if link.hasFragment() else target)

    def _go_to(self, fragment: str) -> None:
        block = self.text.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and help_pages.anchor(block.text()) == fragment:
                self._show_at(QTextCursor(block))
                return
            block = block.next()

    def _find(self, text: str) -> None:
        cursor = self.text.document().find(text)
        if not cursor.isNull():
            self._show_at(cursor)

    def _show_at(self, cursor: QTextCursor) -> None:
        """Bring a place to the upper edge."""
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.text.setTextCursor(cursor)
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.value() + self.text.cursorRect(cursor).top() - 4)
