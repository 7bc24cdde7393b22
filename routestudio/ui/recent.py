"""The menu of projects that were opened last."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from routestudio.ui.settings import settings

_MOST = 8
_KEY = "recent_projects"


class RecentMenu(QMenu):
    """The menu of recent projects; those that are gone are left out."""

    def __init__(self, window: QWidget, before: QMenu, choose: Callable[[Path], object]) -> None:
        super().__init__("Open recent", window)
        self._choose = choose
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
            self.addAction(path, partial(self._choose, Path(path)))
        self.menuAction().setEnabled(bool(paths))
