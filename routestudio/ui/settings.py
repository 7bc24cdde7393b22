"""Where the window keeps what belongs to the user, between runs."""

from __future__ import annotations

from PySide6.QtCore import QSettings


def settings() -> QSettings:
    """Size, theme, recent projects, and what is remembered of each project."""
    return QSettings("RouteStudio", "RouteStudio")
