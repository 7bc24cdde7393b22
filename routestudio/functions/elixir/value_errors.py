"""Exceptions of Elixir that show the value which caused them."""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir.errors import ElixirError
from routestudio.functions.elixir.inspecting import inspect, type_name


def shown(value: Any) -> str:
    """A value on its own lines, as Elixir 1.19 shows it below a message."""
    lines = "\n".join(f"    {line}" for line in inspect(value).split("\n"))
    return f"\n\n{lines}\n"


def bad_map(value: Any) -> ElixirError:
    """A map was expected."""
    return ElixirError("BadMapError", f"expected a map, got:{shown(value)}")


def bad_boolean(operator: str, value: Any) -> ElixirError:
    """The left side of `and` or `or` is not a boolean."""
    text = f'expected a boolean on left-side of "{operator}", got:{shown(value)}'
    return ElixirError("BadBooleanError", text)


def key_error(key: Any, term: Any) -> ElixirError:
    """A key that must be there is not."""
    return ElixirError("KeyError", f"key {inspect(key)} not found in:{shown(term)}")


def protocol(name: str, value: Any) -> ElixirError:
    """A value of a type for which a protocol (`Enumerable`, `String.Chars` ...) is not there."""
    return ElixirError(
        "Protocol.UndefinedError",
        f"protocol {name} not implemented for {type_name(value)}\n\nGot value:{shown(value)}",
    )
