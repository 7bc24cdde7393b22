"""Ways to places in files: of problems, in the project file, in other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

if TYPE_CHECKING:
    from routestudio.ui.documents.function import FunctionDocument
    from routestudio.ui.documents.sample import SampleDocument
    from routestudio.ui.documents.yaml import YamlDocument
    from routestudio.ui.panels.problems import ProblemsPanel
    from routestudio.ui.reach import Reach


class Places:
    """Goes to lines of one window's project."""

    def __init__(self, reach: Reach, problems: ProblemsPanel) -> None:
        self._reach = reach
        self._session = reach.session
        self._problems = problems

    def connect_all(self) -> None:
        """Give the actions their handlers."""
        table = self._reach.actions
        table.on("open_yaml", self.open_yaml)
        table.on("edit_yaml", self.edit_yaml)

    @property
    def _file(self) -> str:
        """The name of the project file."""
        return Path(str(self._session.snapshot.get("file", ""))).name

    def problem(self, kind: str, name: str, line: int) -> None:
        """Go to where a problem is."""
        if kind in ("sink", "sample"):
            self._reach.open(kind, name)
            document = self._reach.front()
            if kind == "sample" and document is not None and document.kind == kind:
                cast("SampleDocument", document).go_to(line)
            return
        for function in self._session.functions():
            if kind == "file" and function["file"] and name.endswith(function["file"]):
                self._reach.open("function", function["name"])
                document = self._reach.front()
                if document is not None and document.kind == "function":
                    cast("FunctionDocument", document).editor.go_to(line)
                return
        if kind in ("function", "http_endpoints"):
            self._reach.open(kind, name)
        elif kind == "file" and name in ("", self._file):
            self.open_yaml(line)
        elif kind == "file":
            self._open_outside(name, f"Line {line} of ")

    def yaml(self) -> YamlDocument:
        """A document with the text of the project file."""
        from routestudio.ui.documents.yaml import YamlDocument

        made = YamlDocument(self._session, self._problems.found_in)
        self._problems.updated.connect(made.show_problems)
        made.outside_asked.connect(self.edit_yaml)
        return made

    def open_yaml(self, line: int | None = None) -> None:
        """Open the project file as text, at a line."""
        self._reach.open("yaml", self._file)
        document = self._reach.front()
        if document is not None and document.kind == "yaml" and line is not None:
            cast("YamlDocument", document).go_to(line)

    def edit_yaml(self) -> None:
        """Open the project file in another program; what is saved there is read by itself."""
        self._open_outside(str(self._session.snapshot.get("file", "")), "")

    def _open_outside(self, name: str, where: str) -> None:
        """Open a file of the project with the program that the system has for it."""
        path = Path(str(self._session.snapshot.get("root", ""))) / name
        if path.is_file():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
            self._session.notice.emit("info", f"{where}{path.name}: opened with the program of "
                                      "your system for it. What you save there is read again by "
                                      "itself.")  # fmt: skip
