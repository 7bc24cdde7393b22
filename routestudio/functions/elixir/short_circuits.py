"""`and`, `or`, `&&`, `||`, whose right side runs only where it decides."""

from __future__ import annotations

import ast

from routestudio.functions.elixir import pyast
from routestudio.functions.elixir.forms import Forms
from routestudio.functions.elixir.purity import is_boolean
from routestudio.functions.elixir.quoted import Node
from routestudio.functions.elixir.unit import Unit, Values

Place = pyast.Place


class ShortCircuits:
    """The part of the compiler that knows these operators. `forms` writes their branches."""

    def __init__(self, unit: Unit, values: Values, forms: Forms) -> None:
        self.unit = unit
        self.values = values
        self.forms = forms

    def expression(self, node: Node) -> ast.expr:
        """`and`, `or`, `&&`, `||`: the right side only runs when it decides."""
        left, right = node.args or []
        place, strict = node.place, node.name in ("and", "or")
        if strict and is_boolean(left) and is_boolean(right) and self.unit.pure(right):
            parts = [self.values.expression(left), self.forms.scoped(right)]
            return pyast.both(parts, place) if node.name == "and" else pyast.either(parts, place)
        value = self.values.expression(left)
        held = self.unit.temporary()
        first: ast.expr = pyast.walrus(held, value, place)
        if isinstance(value, ast.Name):
            held, first = value.id, value
        kept = pyast.name(held, place)
        if strict:
            test = (
                first
                if is_boolean(left)
                else pyast.call("boolean", [pyast.const(node.name, place), first], place)
            )
        elif is_boolean(left):
            test = first
        else:
            test = pyast.both(
                [
                    pyast.is_not(first, pyast.const(None, place), place),
                    pyast.is_not(kept, pyast.const(False, place), place),
                ],
                place,
            )
        wanted = node.name in ("and", "&&")
        if self.unit.pure(right):
            other = self.forms.scoped(right)
            yes, no = (other, kept) if wanted else (kept, other)
            return pyast.choose(test, yes, no, place)
        name = self.unit.temporary()

        def finish(result: ast.expr, where: Place) -> ast.stmt:
            return pyast.assign(name, result, where)

        branch, keep = self.forms.branch(right, finish), [finish(kept, place)]
        yes_part, no_part = (branch, keep) if wanted else (keep, branch)
        self.unit.out.append(pyast.branch(test, yes_part, no_part, place))
        return pyast.name(name, place)
