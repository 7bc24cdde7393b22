"""What goes wrong while an Elixir function runs: the exceptions of Elixir, by their names."""

from __future__ import annotations

from typing import Final


class ElixirError(Exception):
    """An exception of Elixir: its name without `Elixir.`, the text as Elixir 1.19 writes it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class NotEvaluated(Exception):  # noqa: N818 - not a fault of the function
    """Legal on a server, but not evaluated by RouteStudio."""

    def __init__(self, what: str) -> None:
        super().__init__(f"not evaluated here: {what}")


ARITHMETIC: Final = "bad argument in arithmetic expression"


def arithmetic() -> ElixirError:
    """Arithmetic on something that is not a number, or a division by zero."""
    return ElixirError("ArithmeticError", ARITHMETIC)


def argument(text: str) -> ElixirError:
    """An `ArgumentError` with its own text."""
    return ElixirError("ArgumentError", text)


def argument_error(position: int, text: str) -> ElixirError:
    """An `ArgumentError` of the Erlang runtime about one argument."""
    ordinal = {1: "1st", 2: "2nd", 3: "3rd"}.get(position, f"{position}th")
    return ElixirError(
        "ArgumentError",
        f"errors were found at the given arguments:\n\n  * {ordinal} argument: {text}\n",
    )


def clause(where: str) -> ElixirError:
    """No clause of a named function matches; `where` is like `String.upcase/1`."""
    return ElixirError("FunctionClauseError", f"no function clause matching in {where}")


def undefined(module: str, name: str, arity: int) -> ElixirError:
    """There is no such function."""
    text = f"function {module}.{name}/{arity} is undefined or private"
    return ElixirError("UndefinedFunctionError", text)
