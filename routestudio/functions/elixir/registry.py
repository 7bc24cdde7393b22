"""The functions that are evaluated: a table that the library modules fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

FUNCTIONS: Final[dict[tuple[str, str, int], Callable[..., Any]]] = {}
"""By module, name and arity: a Python function of that many positional arguments."""

F = TypeVar("F", bound=Callable[..., Any])


def define(module: str, name: str, *arities: int) -> Callable[[F], F]:
    """Enter a function into the table, for each arity that it takes."""

    def enter(function: F) -> F:
        for arity in arities:
            FUNCTIONS[module, name, arity] = function
        return function

    return enter
