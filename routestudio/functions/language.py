"""Languages of user functions: each gives a checker; evaluation is the worker's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from routestudio.functions import python, steadiness
from routestudio.functions.elixir import checking as elixir
from routestudio.functions.tracing import Point
from routestudio.model.function import Diagnostic, Function, FunctionKind, Language

Checker = Callable[[str, FunctionKind], list[Diagnostic]]

_CHECKERS: Final[dict[Language, Checker]] = {
    Language.PYTHON: python.check,
    Language.ELIXIR: elixir.check,
}


def check(function: Function) -> list[Diagnostic]:
    """All diagnostics of a function; empty for kinds without code."""
    if function.kind.entry_point is None:
        return []
    found = _CHECKERS[function.language](function.code, function.kind)
    return [*found, *steadiness.warnings_of(function)]


@lru_cache(maxsize=64)
def points(function: Function) -> tuple[Point, ...]:
    """The ways that a function may take, as the traces of its calls number them; none if it has
    errors."""
    if function.kind.entry_point is None:
        return ()
    if function.language is Language.ELIXIR:
        from routestudio.functions.elixir import program

        return tuple(program.points(function.code))
    return tuple(python.points(function.code, function.kind))


def evaluated(language: Language) -> bool:
    """Whether functions of this language can be evaluated."""
    return language in _CHECKERS
