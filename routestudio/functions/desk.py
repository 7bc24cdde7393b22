"""Work on texts in a worker, where it can be stopped: check, format, convert, find.

Whoever opens a project asks for these before anything of it runs, so a text must not be able to
hold up the engine or fill its memory either.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple
from typing import Any, Final

from routestudio.errors import UsageError
from routestudio.functions import matching
from routestudio.functions.analysis import reading
from routestudio.functions.errands import ELIXIR, FORMATTER
from routestudio.model.function import Function, Language

_RECURSION: Final = sys.getrecursionlimit()
_DIGITS: Final = sys.get_int_max_str_digits()


def _check(function: Function) -> Any:
    return [astuple(item) for item in reading.check(function)]


def _analysis(function: Function) -> Any:
    return reading.analyse(function).as_json()


_TASKS: Final[dict[str, Callable[..., Any]]] = {"check": _check, "analysis": _analysis}


def load() -> None:
    """Make the other tasks known, with all that they load late. Before the doors are shut."""
    from routestudio.functions.conversion.convert import convert
    from routestudio.functions.formatting import formatted, load_formatter

    def converted(function: Function, times: Collection[str], known: Collection[str]) -> Any:
        found = convert(function, times, known)
        code = None if found.after is None else found.after.code
        return [code, [astuple(item) for item in found.problems], found.restored]

    load_formatter()
    _TASKS["find"] = matching.places
    _TASKS["format"] = lambda code, tongue: formatted(code, Language(tongue))
    _TASKS["convert"] = converted


def load_elixir() -> None:
    """Load all that checks and evaluates Elixir functions."""
    from routestudio.functions.analysis import of_elixir
    from routestudio.functions.elixir import checking, program

    _ = of_elixir, checking, program


LOADED: Final[dict[str, Callable[[], None]]] = {FORMATTER: load, ELIXIR: load_elixir}
"""What a worker may be told to load, by its argument."""


def perform(task: str, arguments: Sequence[Any]) -> str:
    """The answer of a task as JSON, for `errands.value_of`."""
    sys.setrecursionlimit(_RECURSION)
    sys.set_int_max_str_digits(_DIGITS)
    try:
        return json.dumps({"value": _TASKS[task](*arguments)})
    except UsageError as error:
        return json.dumps({"refused": [error.message, error.hint]})
    except MemoryError:
        return json.dumps({"refused": [f"{task}: it takes more memory than it may", None]})
