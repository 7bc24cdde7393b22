"""Languages of user functions: each gives a checker; evaluation is the worker's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from routestudio.functions import python
from routestudio.functions.elixir import checking as elixir
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
    return _CHECKERS[function.language](function.code, function.kind)


def evaluated(language: Language) -> bool:
    """Whether functions of this language can be evaluated."""
    return language in _CHECKERS
