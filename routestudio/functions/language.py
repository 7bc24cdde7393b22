"""Languages of user functions: each gives a checker; evaluation is the worker's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from routestudio.functions import python
from routestudio.model.function import Diagnostic, Function, FunctionKind, Language

Checker = Callable[[str, FunctionKind], list[Diagnostic]]

UNSUPPORTED: Final = "Elixir functions are kept and exported, but not evaluated by this version"

_CHECKERS: Final[dict[Language, Checker]] = {Language.PYTHON: python.check}


def check(function: Function) -> list[Diagnostic]:
    """All diagnostics of a function; empty for kinds without code."""
    if function.kind.entry_point is None:
        return []
    checker = _CHECKERS.get(function.language)
    if checker is None:
        hint = "convert the function to Python to preview it"
        return [
            Diagnostic(1, 1, "unsupported_language", UNSUPPORTED, severity="warning", hint=hint)
        ]
    return checker(function.code, function.kind)


def evaluated(language: Language) -> bool:
    """Whether functions of this language can be evaluated."""
    return language in _CHECKERS
