"""User functions as data: kinds, languages, diagnostics and results of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from routestudio.errors import FieldProblem


class FunctionKind(StrEnum):
    """What a function is for; the value is its `type` in `sequin.yaml`."""

    ROUTING = "routing"
    FILTER = "filter"
    TRANSFORM = "transform"
    PATH = "path"
    ENRICHMENT = "enrichment"

    @property
    def entry_point(self) -> str | None:
        """Name of the function that the code defines; `None` for kinds without code to call."""
        return {"routing": "route", "filter": "filter", "transform": "transform"}.get(self.value)


class Language(StrEnum):
    """Languages of user functions."""

    PYTHON = "python"
    ELIXIR = "elixir"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A fault in a function's text. Lines and columns count from 1; columns in characters.

    `end_line`/`end_column` (exclusive) mark the range to underline. `severity` is `error` (the
    function cannot run) or `warning`. `hint` explains what to write instead.
    """

    line: int
    column: int
    code: str
    message: str
    end_line: int | None = None
    end_column: int | None = None
    severity: str = "error"
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionFault:
    """Why one evaluation gave no value.

    Codes: `invalid` (the text is not accepted), `raised`, `timeout`, `memory`, `output`,
    `crashed` (the worker died), `not_evaluated` (skipped after repeated overruns; or legal Elixir
    that is not evaluated here, which the message names). `type` is the exception's name in the
    function's language for `raised`.
    """

    code: str
    message: str
    type: str | None = None
    line: int | None = None
    column: int | None = None


class Identifier(str):
    """An atom of Elixir as the value of a routed field.

    A server accepts it where a field has a few choices, and refuses it where it wants text.
    """

    __slots__ = ()


@dataclass(slots=True)
class FunctionResult:
    """The value of one evaluation, or the fault that prevented it (never both). Not to be changed.

    `guessed` is the fault with which the function failed on values whose types are guesses; the
    value is then the one that it gave for them as text.

    Not frozen: making one is a notable part of an evaluation, and a frozen one takes three times
    as long to make.
    """

    value: Any = None
    fault: FunctionFault | None = None
    guessed: FunctionFault | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a project. `file` is its path relative to the project folder, if it has one."""

    name: str
    kind: FunctionKind
    language: Language = Language.ELIXIR
    code: str = ""
    path: str | None = None
    sink_type: str | None = None
    description: str | None = None
    file: str | None = None
    problems: tuple[FieldProblem, ...] = ()
