"""Elixir's quoted form: what the parser gives, and what the server's rules are written for.

Numbers, strings, atoms, lists and pairs (Python tuples of two) stand for themselves; everything
else is a `Node`: `name` is an identifier or operator (or a `Node` for a call of something
computed), `args` a list, or `None` for a variable.
"""

from __future__ import annotations

from typing import Any

from routestudio.functions.elixir.values import Atom


class Node:
    """A call, operator, variable or special form, with its place (from 1, in characters)."""

    __slots__ = ("args", "column", "end_column", "end_line", "flags", "line", "name")

    def __init__(
        self, name: Any, args: list[Any] | None, place: tuple[int, int],
        end: tuple[int, int] | None = None, flags: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.name = name
        self.args: Any = args
        self.line, self.column = place
        self.end_line, self.end_column = end or (place[0], place[1] + 1)
        self.flags = flags

    @property
    def place(self) -> tuple[int, int]:
        return self.line, self.column

    @property
    def end(self) -> tuple[int, int]:
        return self.end_line, self.end_column

    def is_call(self, name: str, count: int | None = None) -> bool:
        """Whether this is a call or operator of a name (with so many arguments)."""
        return (
            self.name == name
            and self.args is not None
            and (count is None or len(self.args) == count)
        )

    def __repr__(self) -> str:
        return printed(self)


def is_node(value: Any, name: str, count: int | None = None) -> bool:
    """Whether a quoted value is a call or operator of a name."""
    return type(value) is Node and value.is_call(name, count)


def children(value: Any) -> list[Any]:
    """The quoted values that a quoted value consists of."""
    if type(value) is Node:
        return [value.name, *(value.args or ())] if type(value.name) is Node else value.args or []
    return list(value) if type(value) in (list, tuple) else []


def remote(value: Any) -> tuple[str, str, list[Any]] | None:
    """Module, function and arguments of a call such as `Map.get(m, "k")`."""
    if type(value) is not Node or not is_node(value.name, ".", 2):
        return None
    left, right = value.name.args
    if type(right) is not Atom:
        return None
    if type(left) is Atom:
        return left.name.removeprefix("Elixir."), right.name, value.args or []
    if is_node(left, "__aliases__"):
        return ".".join(str(part.name) for part in left.args), right.name, value.args or []
    return None


def printed(value: Any) -> str:
    """A quoted value as Elixir prints it: `{:<>, [line: 2], ["a", {:x, [line: 2], nil}]}`."""
    from routestudio.functions.elixir.inspecting import inspect, inspect_atom

    if type(value) is Node:
        if value.name in ("%", "__aliases__") and value.args is not None:
            parts = [inspect_atom(a.name) if type(a) is Atom else printed(a) for a in value.args]
            return f"{{:{value.name}, [line: {value.line}], [{', '.join(parts)}]}}"
        name = printed(value.name) if type(value.name) is Node else inspect_atom(value.name)
        args = "nil" if value.args is None else f"[{', '.join(map(printed, value.args))}]"
        return f"{{{name}, [line: {value.line}], {args}}}"
    if type(value) is list:
        pairs = value and all(type(i) is tuple and type(i[0]) is Atom for i in value)
        if pairs:
            return f"[{', '.join(f'{inspect(k)[1:]}: {printed(v)}' for k, v in value)}]"
        return f"[{', '.join(map(printed, value))}]"
    if type(value) is tuple:
        return f"{{{', '.join(map(printed, value))}}}"
    return inspect(value)
