"""Actions on sample sets: import a file, change the messages of the set in front."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from routestudio.ui.documents.sample import SampleDocument
    from routestudio.ui.main_window import MainWindow

LARGEST = 8_000_000
"""Characters of a sample set that is kept as text in the project."""


class SampleCommands:
    """Handlers of one window's actions on samples."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def choose_file(self) -> None:
        """Ask for a file of messages or rows and add it as a sample set."""
        found, _ = QFileDialog.getOpenFileName(
            self._window, "Import samples", "",
            "Messages and rows (*.jsonl *.ndjson *.json *.csv *.parquet);;All files (*)",
        )  # fmt: skip
        if found:
            self.add_file(Path(found))

    def add_file(self, path: Path) -> None:
        """Add the messages of a file as a sample set, as text that can be committed."""
        from routestudio.ui import dialogs

        session = self._window.session
        taken = {item["name"] for item in session.samples()}
        name = dialogs.free_name(path.stem.replace(" ", "-"), taken)

        def done(found: dict[str, Any]) -> None:
            if found["skipped"]:
                text = f"{found['skipped']:,} rows of {path.name} are not messages and are left out"
                session.notice.emit("warning", text)
            session.apply({"op": "add_sample", "name": name, "text": found["text"]},
                          lambda: self._window.commands.open("sample", name))  # fmt: skip

        if path.is_file() and path.stat().st_size > LARGEST:
            session.add_sample_file(path, name, lambda: self._window.commands.open("sample", name))
            return
        engine = session.engine
        engine.run(
            engine.request("convert_file", path=str(path), limit=LARGEST),
            owner=self._window, title="Import samples", done=done,
            failed=lambda error: session.notice.emit("error", f"{path.name}: {error}"),
        )  # fmt: skip

    def do(self, name: str) -> None:
        """Do something with the sample set in front: the method `name` of its document."""
        document = self._window.document()
        if document is not None and document.kind == "sample":
            getattr(cast("SampleDocument", document), name)()
