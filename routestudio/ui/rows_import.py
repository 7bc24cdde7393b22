"""The way of all rows into the project: recognised, looked at where there is a question, taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from routestudio.errors import RouteStudioError
from routestudio.model.wording import counted
from routestudio.ui import dialogs
from routestudio.ui.rows_dialog import RowsDialog

if TYPE_CHECKING:
    from routestudio.ui.main_window import MainWindow


class RowsImport:
    """One import. `given` names the rows as the engine's request `recognise` takes them.

    What is messages in our own form is taken without a question, except for its name with
    `ask_name`.
    """

    def __init__(
        self, window: MainWindow, given: dict[str, Any], *, title: str, name: str, place: str,
        ask_name: bool = False,
    ) -> None:  # fmt: skip
        self._window = window
        self._session = window.session
        self._given = given
        self._title = title
        self._place = place
        self._ask_name = ask_name
        self._taken = {item["name"] for item in self._session.samples()}
        self._name = dialogs.free_name(_name_of(name), self._taken)

    def start(self) -> None:
        """Recognise the rows; the rest follows."""
        engine = self._session.engine

        async def work() -> tuple[Any, Any]:
            formats = await engine.request("row_formats")
            return formats, await engine.request("recognise", **self._given)

        engine.run(work(), owner=self._window, title=self._title, done=self._recognised,
                   failed=self._failed)  # fmt: skip

    def _failed(self, error: RouteStudioError) -> None:
        self._session.notice.emit("error", f"{self._place}: {error}")

    def _recognised(self, answer: tuple[Any, Any]) -> None:
        formats, found = answer
        if not found["own"] or "address" in self._given:
            self._ask(formats, found)
        elif "path" in self._given and found["large"]:
            self._write(self._name, self._given)
        elif "text" in self._given and found["lines"]:
            self._add_as_it_is()
        else:
            self._make(self._chosen_name(), self._given, self._say_failed, lambda: None)

    def _ask(self, formats: Any, found: Any) -> None:
        dialog = RowsDialog(
            self._window, self._session.engine, self._given, found, formats, title=self._title,
            name=self._name, taken=self._taken,
            make=lambda name, settings, failed: self._made_in(dialog, name, settings, failed),
        )  # fmt: skip
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _made_in(
        self, dialog: RowsDialog, name: str, settings: dict[str, Any], failed: Callable[[str], None]
    ) -> None:
        if "path" in settings and dialog.found["large"]:
            dialog.accept()
            self._write(name, settings)
        else:
            self._make(name, settings, failed, dialog.accept)

    def _chosen_name(self) -> str | None:
        if not self._ask_name:
            return self._name
        return dialogs.ask_name(self._window, "New sample set", self._name, accept="Add",
                                taken=self._taken)  # fmt: skip

    def _add_as_it_is(self) -> None:
        name, text = self._chosen_name(), self._given["text"]
        if name is not None:
            text = text if text.endswith("\n") else text + "\n"
            self._add(name, text)

    def _add(self, name: str, text: str) -> None:
        self._session.apply({"op": "add_sample", "name": name, "text": text}, self._opener(name))

    def _write(self, name: str, settings: dict[str, Any]) -> None:
        """Write a set that is too large to be held as text."""
        self._session.add_sample_file(settings, name, self._opener(name))

    def _opener(self, name: str) -> Callable[[], object]:
        return lambda: self._window.commands.open("sample", name)

    def _say_failed(self, text: str) -> None:
        self._session.notice.emit("error", f"{self._place}: {text}")

    def _make(
        self,
        name: str | None,
        settings: dict[str, Any],
        failed: Callable[[str], None],
        then: Callable[[], object],
    ) -> None:
        """Make the set of the rows as they are read with these settings."""
        if name is None:
            return

        def done(found: dict[str, Any]) -> None:
            then()
            if found["skipped"]:
                rows = counted(found["skipped"], "row")
                left = "is" if found["skipped"] == 1 else "are"
                text = f"{rows} of {self._place} cannot be read and {left} left out"
                self._session.notice.emit("warning", text)
            self._add(name, found["text"])

        engine = self._session.engine
        engine.run(
            engine.request("sample_of", **settings), owner=self._window, title=self._title,
            done=done, failed=lambda error: failed(str(error)),
        )  # fmt: skip


def _name_of(text: str) -> str:
    """A name of a sample set made of any text."""
    good = "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "-" for c in text)
    return good.strip("-.") or "samples"
