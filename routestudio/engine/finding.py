"""Requests that find things in a project: by name, and by text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routestudio.engine import route_tests
from routestudio.engine.searching import Search
from routestudio.engine.variables import variables_of
from routestudio.engine.workspace import Opened
from routestudio.errors import RouteStudioError
from routestudio.functions.matching import Query

Emit = Callable[[str, dict[str, Any]], None]


def _ignore(name: str, data: dict[str, Any]) -> None:
    """An `emit` for callers who want no progress."""


class FindingMethods:
    """Requests about what the project holds, by name and by text."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.methods: dict[str, Callable[..., Any]] = {
            "names": self.names,
            "search": self.search,
        }

    async def names(self, *, emit: Emit = _ignore) -> dict[str, list[dict[str, Any]]]:
        """Names that the snapshot does not have: route tests and variables, never their values.

        A file of tests that cannot be read has none here; running the tests reports why.
        """
        workspace = self._opened.workspace
        try:
            tests = route_tests.load(workspace.project)
        except RouteStudioError:
            tests = []
        return {
            "tests": [
                {"name": test.name, "sink": test.sink, "file": test.file, "line": test.line,
                 "index": test.index, "variant": test.variant} for test in tests],
            "variables": [{"name": item["name"]} for item in variables_of(workspace)],
        }  # fmt: skip

    async def search(
        self,
        text: str,
        *,
        case: bool = False,
        word: bool = False,
        pattern: bool = False,
        emit: Emit = _ignore,
    ) -> dict[str, Any]:
        """Lines of the project's texts that match (`engine.searching`)."""
        query = Query(text, case=case, word=word, pattern=pattern)
        return await Search(self._opened.workspace, query, emit).run()
