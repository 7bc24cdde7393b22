"""Actions of the editor in front: comments, coverage, quick fixes, formatting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from routestudio.ui.documents.function import FunctionDocument
    from routestudio.ui.documents.yaml import YamlDocument
    from routestudio.ui.main_window import MainWindow


class EditorCommands:
    """Handlers of one window's actions on the text of a function or of the project file."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        for name, handler in {
            "comment": self.comment, "next_problem": self.next_problem,
            "toggle_coverage": self.toggle_coverage, "quick_fix": self.quick_fix,
            "format": self.format, "convert": self.convert,
        }.items():  # fmt: skip
            self._window.action_table.on(name, handler)

    def comment(self) -> None:
        """Comment the selected lines."""
        if document := self._text():
            document.comment()

    def next_problem(self) -> None:
        """Go to the next diagnostic."""
        if document := self._text():
            document.editor.next_problem()

    def toggle_coverage(self) -> None:
        """Show or hide the marks of branch coverage."""
        from routestudio.ui.documents.function_insight import Insight

        switch = Insight.switch()
        switch.toggle()
        self._window.session.notice.emit("info", f"Branch coverage {'on' if switch.on else 'off'}")

    def quick_fix(self) -> None:
        """Offer corrections for the place of the cursor."""
        if document := self._function():
            document.fixes.open_menu()

    def format(self) -> None:
        """Format the text."""
        if document := self._function():
            document.format()

    def convert(self) -> None:
        """Show the function in the other language, to be taken or left."""
        document = self._function()
        if document is None:
            return
        window, session, name = self._window, self._window.session, document.name
        document.flush()
        text = document.editor.toPlainText()

        def done(found: dict[str, Any]) -> None:
            from routestudio.ui.convert_dialog import ConvertDialog

            def take() -> None:
                if document.editor.toPlainText() != text:
                    said = "The function was changed meanwhile: convert it again"
                    session.notice.emit("warning", said)
                    return
                session.apply({"op": "convert", "name": name, "language": found["to"],
                               "code": found["code"]})  # fmt: skip

            dialog = ConvertDialog(window, text, found)
            dialog.accepted.connect(take)
            dialog.open()

        engine = session.engine
        engine.run(
            session.request("convert", name=name, code=text),
            owner=document, title="Convert", done=done,
        )  # fmt: skip

    def _function(self) -> FunctionDocument | None:
        document = self._window.document()
        function = document is not None and document.kind == "function"
        return cast("FunctionDocument", document) if function else None

    def _text(self) -> FunctionDocument | YamlDocument | None:
        document = self._window.document()
        text = document is not None and document.kind in ("function", "yaml")
        return cast("FunctionDocument | YamlDocument", document) if text else None
