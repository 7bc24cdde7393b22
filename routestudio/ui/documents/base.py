"""What every document has: a kind, the name of what it shows, and a title."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from routestudio.ui.session import Session
from routestudio.ui.theme import theme


class Document(QWidget):
    """One tab. `gone` is sent when what it shows is no longer in the project."""

    kind = ""
    gone = Signal()
    open_asked = Signal(str, str)
    """Kind and name of something else to open."""
    new_asked = Signal(str, object)
    """Kind of something to add, and what for."""

    def __init__(self, session: Session, name: str) -> None:
        super().__init__()
        self.session = session
        self.name = name
        theme().dress(self)

    @property
    def icon_name(self) -> str:
        """The icon of the tab."""
        return "project"

    def steps(self) -> tuple[bool, bool]:
        """Whether a text here has steps to undo and to redo, besides those of the project."""
        return False, False

    def flush(self) -> None:
        """Send edits that are still being typed."""

    def leave(self) -> None:
        """Let go of what the engine holds for this document: it is being closed."""
