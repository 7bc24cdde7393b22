"""Finding things of a project by name and by text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from routestudio.api.calls import Tell, unheard


@dataclass(frozen=True, slots=True)
class TestName:
    """A route test and where it is: `index` in its file, `variant` when it is one."""

    __test__ = False

    name: str
    sink: str
    file: str
    line: int
    index: int
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Names that the snapshot does not have; of variables never the values."""

    tests: Sequence[TestName] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that matches: `column` (from 1) and `length` of the match in the line, `start` and
    `end` of it in the `text` that is shown.

    `kind`, `name` and `at` are the place that is opened: a document and a line, or the file of a
    route test and its index.
    """

    line: int
    column: int
    length: int
    text: str
    start: int
    end: int
    kind: str
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class FileFound:
    """The lines of one file that match."""

    file: str
    kind: str
    lines: Sequence[FoundLine]


@dataclass(frozen=True, slots=True)
class FileBegun:
    """A file that is being read."""

    file: str


@dataclass(frozen=True, slots=True)
class NotSearched:
    """What was left out, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class SearchEnd:
    """How much was found."""

    lines: int
    files: int
    skipped: Sequence[NotSearched] = ()


class FindingApi(Protocol):
    """Finding by name and by text."""

    async def names(self) -> Names:
        """Route tests and variables of the project."""
        ...

    async def search(
        self,
        text: str,
        *,
        case: bool = False,
        word: bool = False,
        pattern: bool = False,
        tell: Tell[FileBegun | FileFound] = unheard,
    ) -> SearchEnd:
        """Find lines of the project's texts that match, file by file."""
        ...
