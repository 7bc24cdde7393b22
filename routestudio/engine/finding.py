"""Finding things in the open project: by name, and by text (`api.finding`)."""

from __future__ import annotations

from routestudio.api.calls import Tell, unheard
from routestudio.api.finding import FileBegun, FileFound, Names, SearchEnd, TestName
from routestudio.engine import route_tests
from routestudio.engine.searching import Search
from routestudio.engine.variables import variables_of
from routestudio.engine.workspace import Opened
from routestudio.errors import RouteStudioError
from routestudio.functions.matching import Query


class FindingMethods:
    """`FindingApi` on the open project."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def names(self) -> Names:
        """As in `FindingApi`.

        A file of tests that cannot be read has none here; running the tests reports why.
        """
        workspace = self._opened.workspace
        try:
            tests = route_tests.load(workspace.project)
        except RouteStudioError:
            tests = []
        return Names(
            [TestName(test.name, test.sink, test.file, test.line, test.index, test.variant)
             for test in tests],
            tuple(str(item["name"]) for item in variables_of(workspace)),
        )  # fmt: skip

    async def search(
        self,
        text: str,
        *,
        case: bool = False,
        word: bool = False,
        pattern: bool = False,
        tell: Tell[FileBegun | FileFound] = unheard,
    ) -> SearchEnd:
        """As in `FindingApi` (`engine.searching`)."""
        query = Query(text, case=case, word=word, pattern=pattern)
        return await Search(self._opened.workspace, query, tell).run()
