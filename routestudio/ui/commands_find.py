"""Actions that find things: by name, and every action by its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routestudio.ui.main_window import MainWindow


class FindCommands:
    """Handlers of one window's actions that find."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "palette": self.palette, "quick_open": self.quick_open,
        }.items():  # fmt: skip
            self._window.action_table.on(name, handler)

    def palette(self) -> None:
        """Open the command palette."""
        from routestudio.ui.palette import Palette, action_entries

        Palette(action_entries(self._window.action_table), self._window).exec()

    def quick_open(self) -> None:
        """Offer everything that has a name."""
        from routestudio.ui.quick_open import QuickOpen

        opener = QuickOpen(self._window)
        palette = opener.make()
        palette.finished.connect(palette.deleteLater)
        palette.finished.connect(opener.deleteLater)
        palette.open()
