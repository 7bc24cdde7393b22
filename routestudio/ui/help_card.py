"""Help for one field, beside it: a small card with a link to the page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from routestudio.ui.help_topics import Topic
from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.tips import breakable

WIDTH = 380


class HelpCard(QFrame):
    """Goes with the next click or Escape; Enter opens the page."""

    def __init__(self, near: QWidget, topic: Topic, read: Callable[[], object]) -> None:
        super().__init__(near.window(), Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("card")
        theme().dress(self)
        self.setAccessibleName(f"Help: {topic.title}")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.addWidget(label(topic.title, "heading", wrap=True))
        self.text = label(breakable(topic.text), wrap=True, select=True)
        column.addWidget(self.text)

        def follow() -> None:
            self.close()
            read()

        self.more = Button("Read the page", "book", kind="link", action=follow)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self.setFixedWidth(WIDTH)
        self.adjustSize()
        self._place(near)

    def show_card(self) -> None:
        """Show it, with the keyboard on the link."""
        self.show()
        self.more.setFocus()

    def _place(self, near: QWidget) -> None:
        """Under what it is about, and on the screen."""
        room = (near.screen() or QApplication.primaryScreen()).availableGeometry()
        place = near.mapToGlobal(QPoint(0, near.height() + 4))
        if near.height() > 3 * self.height():
            place = near.mapToGlobal(QPoint(40, 40))
        x = max(room.left(), min(place.x(), room.right() - self.width()))
        y = max(room.top(), min(place.y(), room.bottom() - self.height()))
        self.move(x, y)
