"""The dialog that edits one route test as it is written."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from routestudio.ui.editor.behaviours import install
from routestudio.ui.editor.code_edit import CodeEdit
from routestudio.ui.editor.highlighter import Highlighter
from routestudio.ui.widgets.basics import Banner, Button, label
from routestudio.ui.widgets.dialog import Dialog


class RouteTestDialog(Dialog):
    """A test as JSON. `kept` has what it is to be; the dialog stays until that was taken."""

    kept = Signal(dict)

    def __init__(self, parent: QWidget | None, place: str, body: dict[str, Any]) -> None:
        super().__init__(parent, "Edit test")
        self.resize(640, 520)
        self.body.addWidget(label(f"Edit a test of {place}", "title"))
        text = ("Its name, its sink, its message or row of a sample, and what is expected. "
                "Comments of what does not change stay in the file.")  # fmt: skip
        self.body.addWidget(label(text, "muted", wrap=True))
        self.editor = CodeEdit("The test as JSON")
        install(self.editor)
        self.highlighter = Highlighter(self.editor.document(), "json")
        self.editor.show_text(json.dumps(body, indent=2, ensure_ascii=False, default=str))
        self._seen = self.editor.toPlainText()
        self.editor.textChanged.connect(self._check)
        self.body.addWidget(self.editor, 1)
        self.banner = Banner()
        self.body.addWidget(self.banner)
        self.keep_button = Button("Keep", kind="primary", action=self._keep)
        self.foot(Button("Cancel", action=self.reject), self.keep_button)
        self.highlighter.lex()

    @property
    def new(self) -> dict[str, Any] | None:
        """What was typed; `None` while it is not a map in JSON."""
        try:
            found = json.loads(self.editor.toPlainText())
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def _keep(self) -> None:
        if self.new is not None:
            self.kept.emit(self.new)

    def _check(self) -> None:
        """Keep only what can be read; the engine looks at the rest."""
        text = self.editor.toPlainText()
        if text == self._seen:
            return  # colours have changed, no letter
        self._seen = text
        sound = self.new is not None
        self.keep_button.setEnabled(sound)
        if sound:
            self.banner.hide()
        else:
            self.banner.say("error", "This is not JSON yet: a test is a map in { }.")

    def refused(self, reason: str) -> None:
        """The engine did not take it: show why, with what was typed."""
        self.banner.say("error", reason)
