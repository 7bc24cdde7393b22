"""Functions that look at a closure before anything else: none of their clauses takes another.

Elixir writes them with a guard, `when is_function(fun, 1)`. Where there is no guard a wrong
closure is only noticed when it is called, which for an empty list is never.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Final

from routestudio.functions.elixir.errors import clause
from routestudio.functions.elixir.registry import FUNCTIONS

_ANY: Final = -1

_GUARDS: Final = """
Enum.frequencies_by/2 1 any; Enum.max_by/2 1 1; Enum.max_by/3 1 1; Enum.max_by/4 1 1
Enum.min_by/2 1 1; Enum.min_by/3 1 1; Enum.min_by/4 1 1; Enum.min_max/2 1 0
Enum.min_max_by/2 1 1; Enum.min_max_by/3 1 1; Enum.min_max_by/4 1 1
Enum.sort_by/2 1 1; Enum.sort_by/3 1 1
Enum.zip_reduce/3 2 2; Enum.zip_reduce/4 3 3; Enum.zip_with/3 2 2
Kernel.get_and_update_in/3 2 1; Kernel.update_in/3 2 any
List.foldl/3 2 any; List.foldr/3 2 any; List.update_at/3 2 any
Map.filter/2 1 1; Map.get_and_update/3 2 1; Map.get_and_update!/3 2 1; Map.get_lazy/3 2 0
Map.merge/3 2 3; Map.new/2 1 1; Map.pop_lazy/3 2 0; Map.put_new_lazy/3 2 0; Map.reject/2 1 1
Map.replace_lazy/3 2 1; Map.update/4 3 1; Map.update!/3 2 1; URI.encode/2 1 1
""".replace("\n", ";")
"""Function, position of the closure, number of its arguments."""


def _guarded(
    function: Callable[..., Any], where: str, position: int, wanted: int
) -> Callable[..., Any]:
    def call(*parts: Any) -> Any:
        given = parts[position]
        if type(given) is not FunctionType:
            raise clause(where)
        if wanted != _ANY and given.__code__.co_argcount != wanted:
            raise clause(where)
        return function(*parts)

    return call


def apply() -> None:
    """Put the guards before their functions, once all of these are in the table."""
    for entry in filter(None, (part.strip() for part in _GUARDS.split(";"))):
        where, position, wanted = entry.split()
        name, _, arity = where.rpartition("/")
        module, _, name = name.partition(".")
        key = module, name, int(arity)
        count = _ANY if wanted == "any" else int(wanted)
        FUNCTIONS[key] = _guarded(FUNCTIONS[key], where, int(position), count)
