"""Notices that other programs change files of the open project, and lets the engine look."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from routestudio.ui.session import Session

PAUSE_MS = 250
"""Milliseconds without another change: programs write a file in several steps."""
_FOLDERS = ("functions", "samples", "tests")


class FileWatch(QObject):
    """Watches the project's folders and files; asks the engine once after a burst of changes."""

    looking = Signal()
    """The files are about to be looked at: what is being typed counts as an edit first."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._look)
        self._watcher.fileChanged.connect(lambda _: self._timer.start())
        self._watcher.directoryChanged.connect(lambda _: self._timer.start())
        session.opened.connect(self.follow)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            # Some file systems report nothing: what changed is also looked for on coming back.
            application.applicationStateChanged.connect(self._state)

    def follow(self) -> None:
        """Watch the files of the project as it is now."""
        wanted = self._wanted()
        known = {*self._watcher.files(), *self._watcher.directories()}
        if gone := sorted(known - wanted):
            self._watcher.removePaths(gone)
        if new := sorted(wanted - known):
            self._watcher.addPaths(new)

    def _wanted(self) -> set[str]:
        snapshot = self._session.snapshot
        if not snapshot:
            return set()
        root = Path(str(snapshot["root"]))
        paths = {Path(str(snapshot["file"])), root / ".env", root}
        paths |= {root / mark["file"] for mark in self._session.environments()}
        paths |= {root / name for name in _FOLDERS}
        paths |= {root / f["file"] for f in self._session.functions() if f.get("file")}
        for name in ("samples", "tests"):
            if (root / name).is_dir():
                paths |= {path for path in (root / name).iterdir() if path.is_file()}
        return {str(path) for path in paths if path.exists()}

    def _state(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive and self._session.is_open:
            self._timer.start()

    def _look(self) -> None:
        if self._session.is_open:
            self.follow()  # a file that was replaced by another is not watched any more
            self.looking.emit()
            self._session.look_outside()
