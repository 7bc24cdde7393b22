"""What of a window those need who find things in it, so that they need not know the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from routestudio.ui.actions import Actions
from routestudio.ui.documents.base import Document
from routestudio.ui.memory import Memory
from routestudio.ui.panels.problems import ProblemsPanel
from routestudio.ui.panels.search import SearchPanel
from routestudio.ui.panels.tests import TestsPanel
from routestudio.ui.session import Session


@dataclass(frozen=True, slots=True)
class Reach:
    """Parts of one window, and ways to go to places in it."""

    window: QWidget
    session: Session
    actions: Actions
    memory: Memory
    tests: TestsPanel
    search: SearchPanel
    problems: ProblemsPanel
    front: Callable[[], Document | None]
    """The document in front."""
    open: Callable[[str, str], None]
    """Open something of the project, by kind and name."""
    open_problem: Callable[[str, str, int], None]
    """Go to a place: kind, name (of a file: its path) and line."""
    switch: Callable[[str | None], None]
    """Use another environment."""
    show_panel: Callable[[QWidget], None]
    """Show one of the panels below."""
