"""Actions on sample sets: import a file, change the messages of the set in front."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from routestudio.ui.documents.sample import SampleDocument
    from routestudio.ui.main_window import MainWindow


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
        """Add the messages of a file as a sample set: as text that can be committed, or as the
        file that it is where that is large."""
        from routestudio.ui.rows_import import RowsImport

        RowsImport(self._window, {"path": str(path)}, title="Import samples", name=path.stem,
                   place=path.name).start()  # fmt: skip

    def choose_source(self) -> None:
        """Ask for a topic or stream and add some of its rows as a sample set."""
        from routestudio.ui.source_dialog import SourceDialog

        dialog = SourceDialog(self._window)
        dialog.accepted.connect(lambda: self.add_source(dialog.address.text().strip(),
                                                        dialog.limit, dialog.name))  # fmt: skip
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def add_source(self, address: str, limit: int, name: str, again: bool = False) -> None:
        """Look at rows of a source on a server, and ask how they are taken. With `again`, those
        that were taken of the same address are meant."""
        from routestudio.ui.rows_import import RowsImport

        given: dict[str, Any] = {"address": address, "limit": limit}
        if again:
            given["again"] = True
        database = address.startswith(("database:", "postgres"))
        title = "Sample from a database" if database else "Sample from a topic or stream"
        RowsImport(
            self._window, given, title=title, name=name, place="the source"
        ).start()  # fmt: skip

    def do(self, name: str) -> None:
        """Do something with the sample set in front: the method `name` of its document."""
        document = self._window.document()
        if document is not None and document.kind == "sample":
            getattr(cast("SampleDocument", document), name)()
