"""What is done with the route tests that are chosen in the Tests panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from routestudio.ui.session import Session

Result = dict[str, Any]


class TestEdits(QObject):
    """Acts on `chosen()`, results of tests; `again(only)` runs all tests, or some, once more."""

    __test__ = False

    place_asked = Signal(str, str, int)
    """Kind (`file`, `sample`), name and line of a place that is to be opened."""

    def __init__(
        self,
        owner: QWidget,
        session: Session,
        chosen: Callable[[], list[Result]],
        again: Callable[[list[tuple[str, int]] | None], None],
    ) -> None:
        super().__init__(owner)
        self._owner, self._session = owner, session
        self._chosen, self._again = chosen, again

    def offer(self, menu: QMenu) -> None:
        """Put what can be done with the chosen tests into a menu."""
        results = self._chosen()
        if not results:
            return
        many = len(places(results))
        menu.addAction("Run this test" if many == 1 else f"Run these {many:,} tests", self.run)
        menu.addSeparator()
        if many == 1:
            menu.addAction("Edit…", self.edit)
            menu.addAction("Rename…", self.rename)
            menu.addAction(f"Open {results[0]['file']}", self.open_file)
            menu.addAction("Go to its row", self.open_row)
        menu.addAction("Delete" if many == 1 else f"Delete {many:,} tests", self.delete)

    def run(self) -> None:
        """Run the chosen tests alone."""
        if results := self._chosen():
            self._again(places(results))

    def delete(self) -> None:
        """Delete the chosen tests; undo brings them back."""
        if results := self._chosen():
            self._session.edit_tests("delete_tests", self._changed, tests=places(results))

    def rename(self) -> None:
        """Ask for another name of the chosen test."""
        result = self._one()
        if result is None:
            return
        from routestudio.ui import dialogs

        variant = f" [{result['variant']}]" if result["variant"] else ""
        old = result["name"].removesuffix(variant)
        new = dialogs.ask_text(self._owner, "Rename test", "Name", old, accept="Rename")
        if new and new != old:
            self._session.edit_tests("rename_test", self._changed, file=result["file"],
                                     index=result["index"], name=new)  # fmt: skip

    def edit(self) -> None:
        """Edit the chosen test as it is written."""

        def show(body: dict[str, Any], result: Result) -> None:
            from routestudio.ui.route_test_dialog import RouteTestDialog

            dialog = RouteTestDialog(self._owner, result["file"], body)

            def keep(new: dict[str, Any]) -> None:
                def kept(place: dict[str, Any]) -> None:
                    dialog.accept()
                    self._changed(place)

                self._session.edit_tests("edit_test", kept, file=result["file"],
                                         index=result["index"], body=new)  # fmt: skip

            dialog.kept.connect(keep)
            self._session.edit_failed.connect(dialog.refused)
            dialog.finished.connect(dialog.deleteLater)
            dialog.open()

        self._ask(show)

    def open_row(self) -> None:
        """Go to the row of the sample that the chosen test is about, or to the test's file."""

        def go(body: dict[str, Any], result: Result) -> None:
            sample = body.get("sample")
            if isinstance(sample, dict):
                self.place_asked.emit("sample", str(sample["name"]), int(sample.get("row", 0)) + 1)
            else:
                self._session.notice.emit("info", "This test has its message in its own file")
                self.open_file()

        self._ask(go)

    def open_file(self) -> None:
        """Open the file of the chosen test."""
        result = self._one()
        if result is not None:
            self.place_asked.emit("file", result["file"], result["line"])

    def export(self) -> None:
        """Ask for a file, and write the last results to it as a JUnit report."""
        path, _ = QFileDialog.getSaveFileName(
            self._owner, "Export test results", "report.xml", "JUnit report (*.xml)"
        )
        if path:
            self.export_to(path)

    def export_to(self, path: str) -> None:
        """Write the report to a file."""
        engine = self._session.engine
        engine.run(
            engine.request("export_tests", output=path), owner=self, title="Export test results",
            done=lambda count: self._session.notice.emit(
                "success", f"Exported {count:,} results to {path}"),
        )  # fmt: skip

    def _one(self) -> Result | None:
        results = self._chosen()
        return results[0] if len(places(results)) == 1 else None

    def _ask(self, use: Callable[[dict[str, Any], Result], None]) -> None:
        result = self._one()
        if result is None:
            return
        self._session.engine.run(
            self._session.request("test_body", file=result["file"], index=result["index"]),
            owner=self, title="Route test", done=lambda body: use(body, result),
        )  # fmt: skip

    def _changed(self, _: dict[str, Any]) -> None:
        self._again(None)


def places(results: Sequence[Result]) -> list[tuple[str, int]]:
    """Files and numbers of the tests that results are of, each once."""
    return list(dict.fromkeys((result["file"], result["index"]) for result in results))
