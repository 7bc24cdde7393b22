"""Languages of user functions: each gives a checker; evaluation is the worker's.

What knows Elixir is loaded for the first function in it: most of a command's start would be that.
"""

from __future__ import annotations

from functools import lru_cache

from routestudio.functions import determinism, python
from routestudio.functions.tracing import Point
from routestudio.model.function import Diagnostic, Function, Language


def check(function: Function) -> list[Diagnostic]:
    """All diagnostics of a function; empty for kinds without code."""
    if function.kind.entry_point is None:
        return []
    if function.language is Language.ELIXIR:
        from routestudio.functions.elixir import checking

        found = checking.check(function.code, function.kind)
    else:
        found = python.check(function.code, function.kind)
    return [*found, *determinism.warnings_of(function)]


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
