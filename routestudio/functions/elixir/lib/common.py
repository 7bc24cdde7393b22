"""What the libraries share: walking any enumerable, options, closures as arguments."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from routestudio.functions.elixir import ops
from routestudio.functions.elixir.errors import ElixirError, NotEvaluated, argument_error, clause
from routestudio.functions.elixir.registry import FUNCTIONS
from routestudio.functions.elixir.runtime import called
from routestudio.functions.elixir.structs import DateRange
from routestudio.functions.elixir.value_errors import protocol
from routestudio.functions.elixir.values import (
    EQ,
    GT,
    LT,
    Cons,
    atom,
    atom_name,
    text_of,
    whole,
)

MAX_ITEMS = 5_000_000
"""Longest list that is made at once; the time limit ends anything slower."""


def items(value: Any) -> list[Any]:
    """The items of an enumerable, as a list that must not be changed."""
    kind = type(value)
    if kind is list:
        return value  # type: ignore[no-any-return]
    if kind is dict:
        return ops.sorted_items(value)
    if kind is DateRange:
        return value.dates()  # type: ignore[no-any-return]
    if kind is Cons:
        raise NotEvaluated("functions of Enum on an improper list")
    raise protocol("Enumerable", value)


def unary(function: Any) -> Callable[[Any], Any]:
    """A closure of one argument; anything else raises when it is called, as in Elixir."""
    return _when_called(function, 1)


def binary(function: Any) -> Callable[[Any, Any], Any]:
    """A closure of two arguments; anything else raises when it is called, as in Elixir."""
    return _when_called(function, 2)


def _when_called(function: Any, count: int) -> Callable[..., Any]:
    if type(function) is FunctionType and function.__code__.co_argcount == count:
        return function
    return lambda *_: called(function, count)


def iodata(value: Any) -> str:
    """What a closure gives where bytes are put together: text, bytes as numbers, lists of both."""
    if type(value) is str:
        return value
    if type(value) is int and 0 <= value < 256:
        return text_of(bytes([value]))
    if type(value) is list:
        return whole("".join(map(iodata, value)))
    raise argument_error(1, "not an iodata term")


def truthy(value: Any) -> bool:
    """Everything but nil and false."""
    return value is not None and value is not False


def option(options: Any, name: str, default: Any = None) -> Any:
    """An entry of a keyword list."""
    if type(options) is not list:
        raise clause("Keyword.get/3")
    key = atom(name)
    for entry in options:
        if type(entry) is tuple and len(entry) == 2 and entry[0] is key:
            return entry[1]
    return default


def need_text(value: Any, where: str) -> str:
    """A binary, or no clause of `where` (`String.upcase/1`) matches."""
    if type(value) is str:
        return value
    raise clause(where)


def need_integer(value: Any, where: str) -> int:
    """An integer, or no clause of `where` matches."""
    if type(value) is int:
        return value
    raise clause(where)


def comparer(module: Any) -> Callable[[Any, Any], int]:
    """The order that a module's `compare/2` gives: -1, 0 or 1."""
    name = (atom_name(module) or "").removeprefix("Elixir.")
    function = FUNCTIONS.get((name, "compare", 2))
    if function is None:
        raise ElixirError(
            "UndefinedFunctionError",
            f"function {name or module}.compare/2 is undefined (module {name or module} is not "
            "available)",
        )

    def order(a: Any, b: Any) -> int:
        verdict = function(a, b)
        return -1 if verdict is LT else 1 if verdict is GT else 0

    return order


def verdict(order: int) -> Any:
    """`:lt`, `:eq` or `:gt`."""
    return LT if order < 0 else GT if order > 0 else EQ


def limited(count: int) -> int:
    """A size that is still sensible."""
    if count > MAX_ITEMS:
        raise NotEvaluated(f"a result of more than {MAX_ITEMS:,} parts")
    return count
