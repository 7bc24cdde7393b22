"""The project's YAML file as text, with what is wrong in it at its lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent

from routestudio.model.function import Diagnostic
from routestudio.ui.documents.base import Document
from routestudio.ui.editor.behaviours import install, toggle_comment
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.find import give_bar
from routestudio.ui.editor.highlighter import Highlighter
from routestudio.ui.session import Session
from routestudio.ui.widgets.basics import Banner, Button, ElidedLabel, IconLabel, Pill
from routestudio.ui.widgets.compact import CompactBar
from routestudio.ui.widgets.layout import column

_PAUSE_MS = 400
"""Time without a key before the text is an edit of the project."""
_SLOWER = 250
"""Characters for each millisecond more of that: a long file takes longer to read."""
_COLOURED = 200_000
"""Characters up to which a text has colours; lexing a longer one would hold up typing."""
_SHOWN = 200
"""Problems that are underlined at most."""

Problems = Callable[[str], list[Diagnostic]]


class YamlDocument(Document):
    """Edits the text. After a pause it is one edit of the project, also while it cannot be read."""

    kind = "yaml"
    outside_asked = Signal()
    """The file is to be opened in the program that the system has for it."""

    def __init__(self, session: Session, problems: Problems) -> None:
        """`problems` gives what is wrong in a file, by its name."""
        super().__init__(session, Path(str(session.snapshot.get("file", ""))).name)
        self._problems = problems
        self._sent: str | None = None
        """The text of the project, as the editor has it."""
        self._state: object = None
        """The state of the text that is shown, as the snapshot names it."""
        self._under_way = 0
        self._place: tuple[int, int, int] | None = None
        self._save = QTimer(self)
        self._save.setSingleShot(True)
        self._save.timeout.connect(self.flush)
        self._build()
        session.changed.connect(self.refresh)
        self.refresh()

    @property
    def icon_name(self) -> str:
        return "yaml"

    def _build(self) -> None:
        outer = column(self)
        head = CompactBar(tall=True)
        head.add(IconLabel(self.icon_name, 20, "accent"))
        name = ElidedLabel(self.name, "heading")
        name.setMinimumWidth(min(260, name.fontMetrics().horizontalAdvance(self.name) + 24))
        head.add(name)
        self.pill = Pill()
        head.add(self.pill)
        self.plain = Pill("no colours: a long file", "neutral")
        self.plain.hide()
        head.add(self.plain, yields=2)
        head.row.addStretch(1)
        head.add(Button("Open in another program", kind="link", action=self.outside_asked.emit),
                 yields=1)  # fmt: skip
        outer.addWidget(head)
        self.editor = CodeEdit(f"Text of {self.name}")
        install(self.editor, yaml=True)
        self.find_bar = give_bar(self.editor)
        self.highlighter: Highlighter | None = None
        self.banner = Banner()
        outer.addWidget(self.find_bar)
        outer.addWidget(self.banner)
        outer.addWidget(self.editor, 1)
        self.editor.edited.connect(self._typed)

    # --- editing -----------------------------------------------------------------------------

    def _typed(self) -> None:
        size = self.editor.document().characterCount()
        self._save.start(_PAUSE_MS + size // _SLOWER)

    def steps(self) -> tuple[bool, bool]:
        text = self.editor.document()
        return text.isUndoAvailable(), text.isRedoAvailable()

    def flush(self) -> None:
        """Make the typed text an edit of the project."""
        self._save.stop()
        text = self.editor.toPlainText()
        if self._sent is None or text == self._sent:
            return
        self._sent = text
        self._under_way += 1

        def applied() -> None:
            if text == self._sent:
                self._state = self.session.snapshot.get("yaml")

        job = self.session.apply({"op": "set_yaml", "text": text}, applied)
        job.finished.connect(self._answered)

    def _answered(self) -> None:
        self._under_way -= 1
        self.refresh()

    def comment(self) -> None:
        """Comment or uncomment the selected lines."""
        toggle_comment(self.editor)

    def go_to(self, line: int, column: int = 0, length: int = 0) -> None:
        """Put the cursor at a line, at once or when the text is there; select what is found."""
        self._place = (line, column, length)
        if self._sent is not None:
            text = self.editor.document().findBlockByNumber(line - 1).text()
            self.editor.go_to(line, column or 1 + len(text) - len(text.lstrip()), length)
            self._place = None

    # --- showing -----------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Show the text as the project has it, unless it is being typed in."""
        self.show_problems()
        state = self.session.snapshot.get("yaml")
        if state == self._state or self._under_way or self._save.isActive():
            return
        if self.isVisible() or self._sent is None:
            self._ask()

    def _ask(self) -> None:
        def done(found: dict[str, Any]) -> None:
            if self._under_way or self._save.isActive():
                return
            text, first = str(found["text"]), self._sent is None
            self.editor.show_text(text)
            # Not `text`: what the editor cannot hold is no edit before somebody types.
            self._state, self._sent = found["state"], self.editor.toPlainText()
            if first:
                self.editor.document().clearUndoRedoStacks()
            self._colour(len(text))
            self.show_problems()
            if self._place is not None:
                self.go_to(*self._place)

        self.session.engine.run(
            self.session.request("yaml_text"), owner=self, title=self.name, done=done
        )

    def _colour(self, size: int) -> None:
        if size > _COLOURED:
            self.plain.show()
        elif self.highlighter is None:
            self.highlighter = Highlighter(self.editor.document(), "yaml")
            self.highlighter.lex()

    def show_problems(self) -> None:
        """Underline what is wrong; the first error is over the text."""
        found = sorted(self._problems(self.name), key=lambda item: item.line)
        self.editor.show_diagnostics([self._placed(item) for item in found[:_SHOWN]])
        errors = [item for item in found if item.severity == "error"]
        if errors:
            first = errors[0]
            hint = f" → {first.hint}" if first.hint else ""
            self.banner.say("error", f"Line {first.line}: {first.message}{hint}", "Show",
                            lambda: self.go_to(first.line))  # fmt: skip
            count = len(errors)
            self.pill.show_status(f"{count} problem{'s' if count > 1 else ''}", "error")
            return
        self.banner.hide()
        if found:
            count = len(found)
            self.pill.show_status(f"{count} note{'s' if count > 1 else ''}", "warning")
        else:
            self.pill.show_status("no problems", "success")

    def _placed(self, item: Diagnostic) -> Diagnostic:
        """A problem of a line is that of what is written there."""
        text = self.editor.document().findBlockByNumber(item.line - 1).text()
        start = 1 + len(text) - len(text.lstrip())
        return Diagnostic(item.line, max(item.column, start), item.code, item.message,
                          severity=item.severity, hint=item.hint)  # fmt: skip
