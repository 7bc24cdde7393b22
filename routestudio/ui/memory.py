"""What the window remembers of each project: documents, what was opened last, samples of sinks,
and how many processes deliver."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from routestudio.model.limits import MOST_WORKERS
from routestudio.ui.session import Session
from routestudio.ui.settings import settings

_MOST = 40
"""Documents of a project that are opened again, and names that were opened last."""


class Memory(QObject):
    """Kept in the user's settings, never in the project."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._data: dict[str, Any] = {}
        session.opened.connect(self._load)
        session.sample_chosen.connect(self._samples_chosen)
        session.workers_changed.connect(self._workers_chosen)

    def documents(self) -> list[tuple[str, str]]:
        """Kind and name of the documents that were open, the one in front last."""
        return [(str(kind), str(name)) for kind, name in self._data.get("documents", ())][:_MOST]

    def remember_documents(self, documents: list[tuple[str, str]]) -> None:
        """Keep which documents are open, the one in front last."""
        if [list(item) for item in documents] != self._data.get("documents"):
            self._data["documents"] = [list(item) for item in documents]
            self._save()

    def visited(self) -> list[tuple[str, str]]:
        """Kind and name of what was opened, the last first."""
        return [(str(kind), str(name)) for kind, name in self._data.get("visited", ())]

    def visit(self, kind: str, name: str) -> None:
        """Keep that something was opened."""
        found = [(kind, name), *(item for item in self.visited() if item != (kind, name))][:_MOST]
        if found != self.visited():
            self._data["visited"] = [list(item) for item in found]
            self._save()

    def _samples_chosen(self) -> None:
        self._data["samples"] = dict(self._session.last_samples)
        self._save()

    def _workers_chosen(self) -> None:
        if self._session.workers != self._data.get("workers", 1):
            self._data["workers"] = self._session.workers
            self._save()

    def _load(self) -> None:
        self._read()
        kept = self._data.get("workers")
        self._session.workers = kept if isinstance(kept, int) and 0 < kept <= MOST_WORKERS else 1
        self._session.workers_changed.emit()

    def _read(self) -> None:
        self._data = {}
        self._session.last_samples = {}
        try:
            found = json.loads(str(settings().value(self._key(), "{}")))
        except ValueError:
            return
        if isinstance(found, dict):
            self._data = found
            kept = found.get("samples")
            self._session.last_samples = dict(kept) if isinstance(kept, dict) else {}

    def _save(self) -> None:
        path = self._session.path
        if path is not None and "routestudio-demo-" not in str(path):
            settings().setValue(self._key(), json.dumps(self._data))

    def _key(self) -> str:
        path = str(Path(self._session.path or ".").absolute())
        return "projects/" + hashlib.sha256(path.encode()).hexdigest()[:24]
