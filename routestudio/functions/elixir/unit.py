"""What the parts of the compiler share: names, constants, and the text position of faults."""

from __future__ import annotations

import ast
from typing import Any

from routestudio.functions.elixir import pyast
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.values import Atom, key_in
from routestudio.model.function import Diagnostic

Place = pyast.Place


class CompileFault(Exception):  # noqa: N818 - a verdict
    """Accepted by the rules, but it would not compile on a server (or not here)."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Unit:
    """One source while it is compiled."""

    def __init__(self) -> None:
        self.env: dict[str, str] = {}
        self.out: list[ast.stmt] = []
        self.names: dict[str, Any] = {}
        self.warnings: list[Diagnostic] = []
        self._atoms: dict[Atom, str] = {}
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

    def key(self, value: Any, place: Place) -> ast.expr:
        """A value as it is stored as a key of a map."""
        if type(value) is Node or isinstance(value, (list, tuple)):
            return pyast.call("key_in", [self.expression(value)], place)
        return self.constant(key_in(value), place)

    def expression(self, value: Any) -> ast.expr:
        """The Python expression of a value; what must happen before goes to `self.out`."""
        raise NotImplementedError


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
