"""The base of all dialogs: one look, Enter for the primary button, Esc to cancel, first field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from routestudio.ui.theme import theme
from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.tips import in_words

_MARGIN = 48
"""Pixels of the screen that a dialog leaves free."""


class Dialog(QDialog):
    """A dialog with a column `body` and a row of buttons at its end, never larger than the screen.

    The first field has the focus when it opens. Enter presses the primary button from any field,
    or the button that has the focus; Esc rejects.
    """

    def __init__(self, parent: QWidget | None, title: str) -> None:
        super().__init__(parent)
        theme().dress(self)
        self.setWindowTitle(title)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(22, 18, 22, 18)
        self.body.setSpacing(12)
        self.buttons = QHBoxLayout()
        find = QShortcut(QKeySequence("Ctrl+F"), self)
        find.activated.connect(_find)
        self._shown = False
        self._default: Button | None = None

    def foot(self, *buttons: Button, left: QWidget | None = None) -> None:
        """End the dialog with buttons at the right. Enter presses the primary one; without one,
        the first, which changes nothing."""
        row = self.buttons
        row.setSpacing(8)
        if left is not None:
            row.addWidget(left, 1)
        else:
            row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        self.body.addLayout(row)
        # A button is a default only once it is in the dialog.
        primary = [button for button in buttons if button.property("kind") == "primary"]
        self._default = primary[-1] if primary else buttons[0]
        self._default.setDefault(True)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._shown:
            return
        self._shown = True
        screen = self.screen() or QApplication.primaryScreen()
        room = screen.availableGeometry().size()
        self.setMaximumSize(room.width() - _MARGIN, room.height() - _MARGIN)
        self.resize(self.size().boundedTo(self.maximumSize()))
        self._grow()
        first = self.first_field()
        if first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)
            if isinstance(first, QLineEdit):
                first.selectAll()

    def _grow(self) -> None:
        """Become as tall as the texts need at this width: Qt makes no window taller than two thirds
        of the screen by itself, and puts the parts over each other."""
        layout = self.layout()
        if layout is not None and layout.hasHeightForWidth():
            layout.activate()
            needed = layout.totalHeightForWidth(self.width())
            self.resize(self.width(), min(max(self.height(), needed), self.maximumHeight()))

    def first_field(self) -> QWidget | None:
        """The first widget in tab order that takes the keyboard and is not a button; where there
        is none, the button that Enter presses."""
        found = self.nextInFocusChain()
        while found is not None and found is not self:
            takes = bool(found.focusPolicy() & Qt.FocusPolicy.TabFocus)
            shown = found.isVisibleTo(self) and found.isEnabled() and self.isAncestorOf(found)
            if takes and shown and not isinstance(found, (QAbstractButton, QLabel, QScrollArea)):
                return found
            found = found.nextInFocusChain()
        return self._default


def _find() -> None:
    """Open the find bar of the text that has the focus."""
    from routestudio.ui.editor.find import open_for

    open_for(QApplication.focusWidget())


class AskDialog(Dialog):
    """A small form with a title, a sentence and buttons."""

    def __init__(self, parent: QWidget | None, title: str, text: str, accept: str) -> None:
        super().__init__(parent, title)
        self.setMinimumWidth(460)
        self.body.addWidget(label(title, "title", wrap=True))
        if text:
            self.body.addWidget(label(text, "muted", wrap=True))
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(10)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.body.addLayout(self.form)
        self.extra = QVBoxLayout()
        self.body.addLayout(self.extra)
        self.error = label("", "error", wrap=True)
        self.error.hide()
        self.body.addWidget(self.error)
        self.accept_button = Button(accept, kind="primary", action=self.try_accept)
        self.foot(Button("Cancel", action=self.reject), self.accept_button)
        self.validate: Callable[[], str | None] = lambda: None

    def try_accept(self) -> None:
        """Accept when nothing is wrong; else show what is."""
        text = self.validate()
        self.error.setText(in_words(text or ""))
        self.error.setVisible(bool(text))
        if text is None:
            self.accept()
            return
        self._grow()


class Question(Dialog):
    """A question with a few answers: `answer` is the key of the chosen one, `cancel` without.

    `answers` are key, text and kind (`primary`, `danger` or nothing) from left to right after
    Cancel. Without a primary answer Enter cancels: for what cannot be taken back.
    """

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        text: str,
        answers: Sequence[tuple[str, str, str]],
        *,
        details: Sequence[str] = (),
        cancel: str = "Cancel",
    ) -> None:
        super().__init__(parent, title)
        self.answer = "cancel"
        self.setMinimumWidth(460)
        self.body.addWidget(label(title, "heading", wrap=True))
        self.text = label(text, wrap=True, select=True)
        self.body.addWidget(self.text)
        if details:
            self.body.addWidget(_scrolled("\n".join(details)))
        stay = Button(cancel, action=self.reject)
        self.choices = {
            key: Button(word, kind=kind, action=partial(self._choose, key))
            for key, word, kind in answers
        }
        self.foot(stay, *self.choices.values())
        self._focus = next((self.choices[key] for key, _, kind in answers if kind == "primary"),
                           stay)  # fmt: skip

    def first_field(self) -> QWidget | None:
        return self._focus

    def _choose(self, key: str) -> None:
        self.answer = key
        self.accept()


class Message(Question):
    """Something to read, with one button. `lines` scroll when there are many."""

    def __init__(
        self, parent: QWidget | None, title: str, text: str, lines: Sequence[str] = ()
    ) -> None:
        super().__init__(parent, title, text, (), details=lines, cancel="Close")


class Scrolled(QScrollArea):
    """Content of a dialog as tall as it is, that scrolls where the screen has less room."""

    def __init__(self, content: QWidget, name: str) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content.setObjectName("page")
        self.setWidget(content)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(min(160, content.sizeHint().height()))

    def sizeHint(self) -> QSize:
        content = self.widget()
        return QSize(14, 4) + content.sizeHint() if content else super().sizeHint()


def _scrolled(text: str) -> QWidget:
    lines = label(text, "muted", wrap=True, select=True)
    lines.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    lines.setContentsMargins(0, 0, 8, 0)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(lines)
    area.setAccessibleName("Details")
    height = lines.heightForWidth(420) if lines.hasHeightForWidth() else lines.sizeHint().height()
    area.setMinimumHeight(min(220, height + 4))
    area.setMaximumHeight(max(220, min(360, height + 4)))
    return area
