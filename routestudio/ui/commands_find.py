"""Actions that find things: by name, and every action by its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routestudio.ui.reach import Reach


class FindCommands:
    """Handlers of one window's actions that find."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "palette": self.palette, "quick_open": self.quick_open,
        }.items():  # fmt: skip
            self._reach.actions.on(name, handler)

    def palette(self) -> None:
        """Open the command palette."""
        from routestudio.ui.palette import Palette, action_entries

        Palette(action_entries(self._reach.actions), self._reach.window).exec()

    def quick_open(self) -> None:
        """Offer everything that has a name."""
        from routestudio.ui.quick_open import QuickOpen

        opener = QuickOpen(self._reach)
        palette = opener.make()
        palette.finished.connect(palette.deleteLater)
        palette.finished.connect(opener.deleteLater)
        palette.open()
