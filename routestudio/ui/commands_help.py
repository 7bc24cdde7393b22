"""Actions of the Help menu: help for what has the focus, the documentation, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from routestudio.ui.help_window import HelpWindow
    from routestudio.ui.reach import Reach


class HelpCommands:
    """Handlers of one window's help."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._window: HelpWindow | None = None

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "help": self.help, "guides": lambda: self.show_page("guides/getting-started.md"),
            "hazards": lambda: self.show_page("hazards.md"),
            "shortcuts": self.shortcuts, "preferences": self.preferences, "about": self.about,
        }.items():  # fmt: skip
            self._reach.actions.on(name, handler)
        self._reach.problems.hazard_asked.connect(self.show_hazard)

    def help(self) -> None:
        """Help for what has the focus: a card for a field or a name, else its page."""
        from routestudio.ui.help_topics import topic_of

        focus = QApplication.focusWidget()
        topic = topic_of(focus or self._reach.front())
        if focus is None or not topic.text:
            self.show_page(topic.page)
            return
        from routestudio.ui.help_card import HelpCard

        HelpCard(focus, topic, lambda: self.show_page(topic.page, topic.find)).show_card()

    def show_hazard(self, code: str) -> None:
        """Show the entry of a hazard."""
        self.show_page("hazards.md", code)

    def show_page(self, page: str, find: str = "") -> None:
        """Show a page in the help window, which stays open beside the work."""
        from routestudio.ui.help_window import HelpWindow

        if self._window is None:
            self._window = HelpWindow(self._reach.window, page)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self._window.show_page(page, find)

    def shortcuts(self) -> None:
        """Show the list of shortcuts."""
        from routestudio.ui.help_dialogs import ShortcutsDialog

        ShortcutsDialog(self._reach.window).exec()

    def preferences(self) -> None:
        """Show what can be preferred."""
        from routestudio.ui.preferences_dialog import PreferencesDialog

        dialog = PreferencesDialog(self._reach.window, self._reach.actions)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def about(self) -> None:
        """Show what this is, and what a report of a fault should hold."""
        from routestudio.ui.help_dialogs import AboutDialog

        AboutDialog(self._reach.window, self._reach.session.engine).exec()
