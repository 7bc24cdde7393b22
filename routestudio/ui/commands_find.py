"""Actions that find things: names, actions, and lines of the whole project."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit

if TYPE_CHECKING:
    from routestudio.api.finding import FoundLine
    from routestudio.ui.documents.yaml import YamlDocument
    from routestudio.ui.reach import Reach


class FindCommands:
    """Handlers of one window's actions that find."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "palette": self.palette, "quick_open": self.quick_open,
            "search_project": self.search_project, "find": self.find,
        }.items():  # fmt: skip
            self._reach.actions.on(name, handler)
        self._reach.search.chosen.connect(self.go_to_line)

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

    def find(self) -> None:
        """Open the find bar of the text that has the focus, else of the document in front."""
        from routestudio.ui.editor.find import open_for

        focus = QApplication.focusWidget()
        if focus is not None and focus.window() is not self._reach.window.window():
            return
        if not open_for(focus) and not open_for(getattr(self._reach.front(), "editor", None)):
            self._reach.session.notice.emit("info", "Put the cursor into a text to find in it")

    def search_project(self) -> None:
        """Show the search panel, with what is selected where the focus is."""
        text = selected_text()
        self._reach.show_panel(self._reach.search)
        self._reach.search.open_with(text)

    def go_to_line(self, line: FoundLine) -> None:
        """Go to a line that the search found, and select the match in a text that is edited."""
        reach = self._reach
        kind, name, at = line.kind, line.name, line.at
        if kind == "test":
            reach.show_panel(reach.tests)
            reach.tests.choose(name, at, None)
        elif kind == "sample" or kind == "file":
            reach.open_problem(kind, name, at)
            front = reach.front()
            if front is not None and (front.kind, front.name) == ("yaml", name):
                cast("YamlDocument", front).go_to(at, line.column, line.length)
        else:
            reach.open(kind, name)
            editor = getattr(reach.front(), "editor", None)
            if kind == "function" and editor is not None:
                same = at == line.line  # else it is indented in the project file
                editor.go_to(at, *((line.column, line.length) if same else ()))


def selected_text() -> str:
    """What is selected in the field or text that has the focus."""
    focus = QApplication.focusWidget()
    if isinstance(focus, QLineEdit):
        return focus.selectedText()
    if isinstance(focus, (QPlainTextEdit, QTextEdit)):
        return focus.textCursor().selectedText()
    return ""
