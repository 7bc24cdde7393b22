"""Everything that is known of a function of Elixir's library, in one place: at its implementation.

The decorator `elixir` enters a function into the table that is evaluated, and gives the editor's
help, the catalogue of what exists, the guard before a closure, whether a result depends on clock or
chance, and the method of Python that conversions put in its place. Importing the package `lib`
fills the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import FunctionType
from typing import Any, Final, TypeVar

from routestudio.functions.elixir.errors import clause

Key = tuple[str, str, int]
"""Module, name and number of arguments."""

FUNCTIONS: Final[dict[Key, Callable[..., Any]]] = {}
"""What is evaluated: a Python function of that many positional arguments for each key."""

ANY: Final = -1
"""A closure of any number of arguments."""

Closure = tuple[int, int]
"""The position of a closure, and the number of arguments that it must take."""

F = TypeVar("F", bound=Callable[..., Any])


class Varies(StrEnum):
    """What a result depends on besides the arguments."""

    CLOCK = "clock"
    CHANCE = "chance"


@dataclass(frozen=True, slots=True)
class Fact:
    """A function as the editor shows it, optional arguments in brackets; and what it is like.

    `python` is the method or function of Python with the same meaning, for simple ones.
    """

    module: str
    name: str
    arguments: str
    sentence: str
    varies: Varies | None = None
    python: str | None = None

    @property
    def written(self) -> str:
        """The name as functions write it: `Map.get`, `abs`."""
        return self.name if self.module == "Kernel" else f"{self.module}.{self.name}"

    @property
    def signature(self) -> str:
        """The name with its arguments."""
        return f"{self.written}({self.arguments})"


FACTS: Final[dict[tuple[str, str], Fact]] = {}
"""By module and name: what is evaluated, in the table or in place."""

UNEVALUATED: Final[dict[Key, Varies | None]] = {}
"""What Elixir has and RouteStudio does not evaluate."""


def elixir(
    signature: str,
    sentence: str,
    *,
    takes: Iterable[int] | None = None,
    closure: Closure | Mapping[int, Closure] | None = None,
    varies: Varies | None = None,
    python: str | None = None,
) -> Callable[[F], F]:
    """Enter a function: `Map.get(map, key, [default])` and the sentence that the editor shows.

    `takes` are its numbers of arguments where the signature does not show them. A function that
    looks at a closure before anything else names it by `closure` (for each number of arguments
    where they differ): none of its clauses takes another value there, as `when is_function(fun, 1)`
    demands in Elixir. Where Elixir has no guard, a wrong closure is only noticed when it is called.
    """
    fact = _entered(signature, sentence, varies, python)
    counts = tuple(_counts(fact.arguments) if takes is None else takes)

    def enter(function: F) -> F:
        for count in counts:
            _define((fact.module, fact.name, count), function, closure)
        return function

    return enter


def further(name: str, *takes: int) -> Callable[[F], F]:
    """Enter an implementation of more arguments for a function that `elixir` describes."""
    module, _, name = name.partition(".")

    def enter(function: F) -> F:
        for count in takes:
            _define((module, name, count), function, None)
        return function

    return enter


def inline(signature: str, sentence: str) -> None:
    """Describe a function that the compiler writes in place, without a call."""
    _entered(signature, sentence, None, None)


def unevaluated(module: str, names: str, *, varies: Varies | None = None) -> None:
    """Name what Elixir has and RouteStudio does not evaluate: `to_atom/1 rjust/2,3`."""
    for entry in names.split():
        name, _, counts = entry.partition("/")
        for count in counts.split(","):
            UNEVALUATED[module, name, int(count)] = varies


def varies(module: str, name: str) -> Varies | None:
    """What a function's result depends on besides its arguments."""
    fact = FACTS.get((module, name))
    if fact is not None:
        return fact.varies
    return next(
        (found for (owner, known, _), found in UNEVALUATED.items()
         if (owner, known) == (module, name)), None,
    )  # fmt: skip


def _entered(signature: str, sentence: str, varies: Varies | None, python: str | None) -> Fact:
    head, _, arguments = signature.removesuffix(")").partition("(")
    module, _, name = head.partition(".")
    if (module, name) in FACTS:
        raise ValueError(f"{head} is described twice")
    fact = FACTS[module, name] = Fact(module, name, arguments, sentence, varies, python)
    return fact


def _counts(arguments: str) -> range:
    given = arguments.split(", ") if arguments else []
    least = sum(not part.startswith("[") for part in given)
    return range(least, len(given) + 1)


def _define(
    key: Key, function: Callable[..., Any], closure: Closure | Mapping[int, Closure] | None
) -> None:
    if key in FUNCTIONS:
        raise ValueError(f"{key} is defined twice")
    wanted = closure.get(key[2]) if isinstance(closure, Mapping) else closure
    guarded = wanted is not None and wanted[0] < key[2]
    FUNCTIONS[key] = _guarded(function, key, *wanted) if guarded and wanted else function


def _guarded(
    function: Callable[..., Any], key: Key, position: int, wanted: int
) -> Callable[..., Any]:
    module, name, arity = key
    where = f"{module}.{name}/{arity}"

    def call(*parts: Any) -> Any:
        given = parts[position]
        if type(given) is not FunctionType:
            raise clause(where)
        if wanted not in (ANY, given.__code__.co_argcount):
            raise clause(where)
        return function(*parts)

    return call
