"""What the parts of the compiler share: names, constants, and the text position of faults."""

from __future__ import annotations

import ast
from typing import Any, Protocol

from routestudio.functions.elixir import pyast
from routestudio.functions.elixir.purity import Purity
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.values import Atom
from routestudio.model.function import Diagnostic

Place = pyast.Place


class CompileFault(Exception):  # noqa: N818 - a verdict
    """Accepted by the rules, but it would not compile on a server (or not here)."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Unit:
    """One source while it is compiled: what all parts of the compiler write to.

    `env` maps names to Python's names, `out` are the statements so far, `names` the objects that
    the code refers to.
    """

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        self.out: list[ast.stmt] = []
        self.names: dict[str, Any] = {}
        self.warnings: list[Diagnostic] = []
        self._atoms: dict[Atom, str] = {}
        self.pure = Purity()
        self._count = 0

    def temporary(self) -> str:
        """A new Python name."""
        self._count += 1
        return f"t{self._count}"

    def variable(self, name: str) -> str:
        """A new Python name for a binding: each binding has its own, none is ever changed."""
        self._count += 1
        return f"v{self._count}"

    def constant(self, value: Any, place: Place) -> ast.expr:
        """A value that is made once."""
        if value is None or type(value) in (bool, int, float, str):
            return pyast.const(value, place)
        if type(value) is Atom:
            name = self._atoms.get(value)
            if name is None:
                name = self._atoms[value] = f"a{len(self.names)}"
                self.names[name] = value
            return pyast.name(name, place)
        name = f"k{len(self.names)}"
        self.names[name] = value
        return pyast.name(name, place)


class Values(Protocol):
    """What makes expressions of values: the parts of the compiler ask it for their operands."""

    def expression(self, value: Any) -> ast.expr:
        """The Python expression of a value; what must happen before goes to `Unit.out`."""
        ...

    def several(self, values: list[Any], place: Place) -> list[ast.expr]:
        """Values in order: none sees the bindings of its neighbours, what follows sees all."""
        ...

    def named(self, value: Any, place: Place) -> ast.Name:
        """A value under a Python name, by a statement."""
        ...


def constant_binary(value: Any) -> str | None:
    """The text of a literal binary (`"a" <> "b"` too), `None` for anything else."""
    if type(value) is str:
        return value
    if is_node(value, "<>", 2):
        left, right = map(constant_binary, value.args)
        return None if left is None or right is None else left + right
    if type(value) is Node and value.name in ("sigil_s", "sigil_S") and value.args:
        parts = value.args[0].args
        return parts[0] if len(parts) == 1 and type(parts[0]) is str else None
    return None
