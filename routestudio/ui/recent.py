"""What the window remembers between runs: size, theme, recent projects."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from routestudio.ui.main_window import MainWindow

_MOST = 8
_KEY = "recent_projects"


def settings() -> QSettings:
    """Where it is kept."""
    return QSettings("RouteStudio", "RouteStudio")


class RecentMenu(QMenu):
    """The menu of recent projects; those that are gone are left out."""

    def __init__(self, window: MainWindow, before: QMenu) -> None:
        super().__init__("Open recent", window)
        self._window = window
        before.insertMenu(before.actions()[2], self)
        self.aboutToShow.connect(self._fill)
        self._fill()

    def remember(self, path: Path | None) -> None:
        """Put a project first."""
        if path is None or "routestudio-demo-" in str(path):
            return
        paths = [str(path), *(item for item in self.paths() if item != str(path))]
        settings().setValue(_KEY, paths[:_MOST])
        self._fill()

    def paths(self) -> list[str]:
        """Recent projects that still exist, newest first."""
        kept = settings().value(_KEY) or []
        items = [kept] if isinstance(kept, str) else list(kept)
        return [item for item in items if Path(item).exists()]

    def _fill(self) -> None:
        self.clear()
        paths = self.paths()
        for path in paths:
            self.addAction(path, partial(self._open, Path(path)))
        self.menuAction().setEnabled(bool(paths))

    def _open(self, path: Path) -> None:
        self._window.commands.project.open(path)
