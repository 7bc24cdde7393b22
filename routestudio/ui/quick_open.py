"""Quick open: everything of the project that has a name, what was opened last first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from routestudio.api.finding import Names, TestName
from routestudio.ui.palette import Entry, Palette

if TYPE_CHECKING:
    from routestudio.ui.documents.variables import VariablesDocument
    from routestudio.ui.reach import Reach

Named = tuple[str, str]
"""Kind and name."""

_KINDS = {
    "sink": ("sink", "sink"), "function": ("function", "function"),
    "sample": ("sample set", "sample"), "databases": ("database", "database"),
    "http_endpoints": ("HTTP endpoint", "http"), "test": ("route test", "ok"),
    "yaml": ("project file", "yaml"),
    "environment": ("environment", "settings"), "variable": ("variable", "key"),
}  # fmt: skip
"""What each kind is called, and its icon."""


class QuickOpen(QObject):
    """Offers the names of one window's project, and goes to the chosen one."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach.window)
        self._reach = reach
        self._session = reach.session
        self._more = Names()

    def make(self) -> Palette:
        """The list, with what the snapshot has at once, and the rest when the engine answers."""
        palette = Palette(
            self.entries(), self._reach.window, title="Open by name", hint="Type a part of a name",
            name="Names of the project",
        )  # fmt: skip

        def done(found: Names) -> None:
            self._more = found
            palette.show_entries(self.entries())

        self._session.engine.run(
            self._session.api.finding.names(), owner=palette, title="Names", done=done,
            failed=lambda _: None,
        )  # fmt: skip
        return palette

    def entries(self) -> list[Entry]:
        """Every name as an entry: what was opened last first, the document in front at the end."""
        front = self._reach.front()
        here = (front.kind, front.name) if front is not None else None
        last = {named: place for place, named in enumerate(self._reach.memory.visited())}
        found = sorted(self._names(), key=lambda item: last.get(item[0], len(last)))
        found.sort(key=lambda item: item[0] == here)
        return [self._entry(*item) for item in found]

    def _names(self) -> Iterator[tuple[Named, str, TestName | None]]:
        """Kind and name, more words by which it is found, and the test that it is."""
        session = self._session
        for sink in session.sinks():
            yield ("sink", sink["name"]), str(sink.get("title") or ""), None
        for function in session.functions():
            yield ("function", function["name"]), str(function.get("file") or ""), None
        for sample in session.samples():
            yield ("sample", sample["name"]), "", None
        for name in session.databases():
            yield ("databases", name), "", None
        for name in session.endpoints():
            yield ("http_endpoints", name), "", None
        if session.is_open:
            yield ("yaml", Path(str(session.snapshot["file"])).name), "yaml text", None
        for test in self._more.tests:
            yield ("test", test.name), f"{test.sink} {test.file}", test
        for mark in session.environments():
            yield ("environment", str(mark["name"])), str(mark.get("file") or ""), None
        for variable in self._more.variables:
            yield ("variable", variable), "", None

    def _entry(self, named: Named, more: str, test: TestName | None) -> Entry:
        title, picture = _KINDS[named[0]]
        where = title if test is None else f"{title}  {test.file}"
        words = f"{named[1]} {title} {more}"
        return Entry(named[1], words, picture, partial(self._take, named, test), where)

    def _take(self, named: Named, test: TestName | None) -> None:
        kind, name = named
        reach = self._reach
        reach.memory.visit(kind, name)
        if kind == "environment":
            reach.switch(name)
        elif kind == "variable":
            reach.open("variables", "Variables")
            document: VariablesDocument | Any = reach.front()
            document.choose(name)
        elif test is not None:
            reach.show_panel(reach.tests)
            reach.tests.choose(test.file, test.index, test.variant)
        else:
            reach.open(kind, name)
