"""Labels, pills, banners, cards, buttons and empty states."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from routestudio.ui.icons import icon, pixmap
from routestudio.ui.theme import colour, theme
from routestudio.ui.widgets.tips import in_words, plain_tip


def label(text: str, role: str = "", *, wrap: bool = False, select: bool = False) -> QLabel:
    """A label in one of the style sheet's roles."""
    item = QLabel(in_words(text) if role == "help" else text)
    item.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        item.setProperty("role", role)
    item.setWordWrap(wrap)
    if select:
        item.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return item


def restyle(widget: QWidget) -> None:
    """Apply the style sheet again after a property changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Pill(QLabel):
    """A short status in a coloured capsule."""

    def __init__(self, text: str = "", kind: str = "neutral") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.show_status(text, kind)

    def show_status(self, text: str, kind: str) -> None:
        """Change text and colour (`neutral`, `info`, `success`, `warning`, `error`)."""
        if text != self.text():
            self.setText(text)
        if kind != self.property("pill"):
            self.setProperty("pill", kind)
            restyle(self)


class IconLabel(QLabel):
    """An icon that follows the theme."""

    def __init__(self, name: str, size: int = 16, role: str = "muted") -> None:
        super().__init__()
        self._name, self._size, self._role = name, size, role
        theme().changed.connect(self._draw)
        self._draw()

    def show_icon(self, name: str, role: str) -> None:
        """Show another icon."""
        self._name, self._role = name, role
        self._draw()

    def _draw(self) -> None:
        self.setPixmap(pixmap(self._name, self._size, self._role, self.devicePixelRatioF()))


class ElidedLabel(QLabel):
    """One line that is cut with an ellipsis; the whole text is in the tool tip."""

    def __init__(self, text: str = "", role: str = "") -> None:
        super().__init__()
        self._text = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        if role:
            self.setProperty("role", role)
        self.setMinimumWidth(30)
        self.setProperty("elides", True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Change the text."""
        self._text = text
        self.setToolTip(plain_tip(text))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(30, super().minimumSizeHint().height())

    def _fit(self) -> None:
        mode = Qt.TextElideMode.ElideRight
        width = max(10, self.width() - 4)
        super().setText(self.fontMetrics().elidedText(self._text, mode, width))


class Button(QPushButton):
    """A push button with an optional themed icon; `kind` is `primary`, `link` or `danger`."""

    def __init__(
        self,
        text: str,
        name: str | None = None,
        *,
        kind: str = "",
        action: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(text)
        self._name = name
        if kind:
            self.setProperty("kind", kind)
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        if action is not None:
            self.clicked.connect(lambda: action())
        theme().changed.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        if self._name:
            role = {"primary": "on_accent", "link": "accent", "danger": "danger"}.get(
                str(self.property("kind")), "muted"
            )
            self.setIcon(icon(self._name, role))


class IconButton(QToolButton):
    """A flat button with an icon and a tool tip."""

    def __init__(
        self,
        name: str,
        tip: str,
        action: Callable[[], object] | None = None,
        *,
        role: str = "muted",
    ) -> None:
        super().__init__()
        self._name, self._role = name, role
        self.setProperty("kind", "flat")
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if action is not None:
            self.clicked.connect(lambda: action())
        theme().changed.connect(self._draw)
        self._draw()

    def show_icon(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self._draw()

    def _draw(self) -> None:
        self.setIcon(icon(self._name, self._role))


class Segments(QWidget):
    """A few exclusive choices side by side."""

    chosen = Signal(str)

    def __init__(self, options: list[tuple[str, str]], name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for key, text in options:
            button = QToolButton()
            button.setText(text)
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setProperty("kind", "segment")
            button.setAccessibleName(f"{name}: {text}")
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, value=key: self.chosen.emit(value))
            row.addWidget(button)
            self._buttons[key] = button
        row.addStretch(1)

    def choose(self, key: str) -> None:
        """Show one choice as chosen, without a signal."""
        self._buttons[key].setChecked(True)

    def button(self, key: str) -> QToolButton:
        """The button of one choice."""
        return self._buttons[key]


class Card(QFrame):
    """A titled panel. Content goes into `body`, small controls into `header`."""

    def __init__(self, title: str, name: str | None = None) -> None:
        super().__init__()
        self.setObjectName("card")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        head = QFrame()
        head.setObjectName("cardHeader")
        self.header = QHBoxLayout(head)
        self.header.setContentsMargins(16, 10, 12, 10)
        self.header.setSpacing(8)
        if name:
            self.header.addWidget(IconLabel(name))
        self.title = label(title, "heading")
        self.header.addWidget(self.title)
        self.header.addStretch(1)
        outer.addWidget(head)
        content = QWidget()
        self.body = QVBoxLayout(content)
        self.body.setContentsMargins(16, 14, 16, 16)
        self.body.setSpacing(12)
        outer.addWidget(content, 1)


class Banner(QFrame):
    """A sentence that matters, with an optional action. Hidden while there is nothing to show."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(10)
        self._icon = IconLabel("info")
        self._text = label("", wrap=True, select=True)
        self._button, self._other = Button("", kind="link"), Button("", kind="link")
        self._actions: dict[Button, Callable[[], object] | None] = {}
        for button in (self._button, self._other):
            button.hide()
            button.clicked.connect(lambda _=False, pressed=button: self._act(pressed))
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        row.addWidget(self._other)
        self.hide()

    def say(
        self,
        kind: str,
        text: str,
        button: str = "",
        action: Callable[[], object] | None = None,
        *,
        other: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Show a sentence of a kind (`info`, `success`, `warning`, `error`) and up to two ways
        to answer it."""
        names = {"info": ("info", "accent"), "success": ("ok", "positive"),
                 "warning": ("warning", "warning"), "error": ("error", "danger")}  # fmt: skip
        self._icon.show_icon(*names[kind])
        self.setProperty("banner", kind)
        restyle(self)
        self._text.setText(in_words(text))
        self.setAccessibleName(in_words(text))
        for item, text, step in ((self._button, button, action),
                                 (self._other, *(other or ("", None)))):  # fmt: skip
            self._actions[item] = step
            item.setText(text)
            item.setAccessibleName(text)
            item.setVisible(bool(text))
        self.show()

    @property
    def text(self) -> str:
        """What it shows now; empty while hidden."""
        return self._text.text() if not self.isHidden() else ""

    def _act(self, pressed: Button) -> None:
        step = self._actions.get(pressed)
        if step is not None:
            step()


_HIGH, _LOW = 20, 4


class EmptyState(QWidget):
    """What to do next where there is nothing to show."""

    def __init__(
        self,
        name: str,
        title: str,
        text: str,
        button: str = "",
        action: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(8)
        column.addStretch(1)
        picture = IconLabel(name, 32)
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(picture)
        self.title = label(title, "heading", wrap=True)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.title)
        self.text = label(text, "muted", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.text)
        if button:
            item = Button(button, kind="primary", action=action)
            column.addSpacing(4)
            column.addWidget(item, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._picture, self._column = picture, column
        self.setMinimumHeight(2 * _LOW + self.title.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the picture and then the sentence make way."""
        super().resizeEvent(event)
        width = max(1, self.width() - 48)
        margin = _HIGH if self.height() > 120 else _LOW
        self._column.setContentsMargins(24, margin, 24, margin)
        title, text = (item.heightForWidth(width) for item in (self.title, self.text))
        room = self.height() - 2 * margin - title
        self.text.setVisible(room >= text + 8)
        self._picture.setVisible(room >= text + 8 + 48)
        self.setToolTip("" if room >= text + 8 else self.text.text())


class StatusDot(QWidget):
    """A small dot in the colour of a token."""

    def __init__(self, role: str = "muted") -> None:
        super().__init__()
        self._role = role
        self.setFixedSize(10, 10)

    def show_role(self, role: str, tip: str = "") -> None:
        """Change the colour."""
        self._role = role
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(self._role))
        painter.drawEllipse(1, 1, 8, 8)
        painter.end()


class Collapsible(QWidget):
    """A titled part of a form that can be folded away."""

    def __init__(self, title: str, *, opened: bool = True) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self._head = _Head(title)
        self._head.pressed.connect(self.toggle)
        column.addWidget(self._head)
        self.content = QWidget()
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(12)
        column.addWidget(self.content)
        self.set_open(opened)

    def set_open(self, opened: bool) -> None:
        """Unfold or fold."""
        self._opened = opened
        self.content.setVisible(opened)
        self._head.show_open(opened)

    def toggle(self) -> None:
        """Fold what is unfolded and the other way round."""
        self.set_open(not self._opened)


class _Head(QPushButton):
    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.setProperty("kind", "link")
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_open(self, opened: bool) -> None:
        self.setIcon(icon("chevron-down" if opened else "chevron-right", "accent"))


class ClickableFrame(QFrame):
    """A frame that can be clicked and focused."""

    clicked = Signal()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()
