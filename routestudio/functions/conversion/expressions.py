"""Python expressions as Elixir: the object that holds those that know each kind of them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from routestudio.functions.conversion.calls import Calls
from routestudio.functions.conversion.choices import Choices
from routestudio.functions.conversion.collections import Collections
from routestudio.functions.conversion.common import ATOM, BOOL, UNARY, Code
from routestudio.functions.conversion.literals import Literals
from routestudio.functions.conversion.operators import Operators
from routestudio.functions.conversion.regular import MATCH, is_pattern_call
from routestudio.functions.conversion.scope import Walk


class Expressions:
    """Expressions as values and as conditions."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.literals = Literals(self)
        self.operators = Operators(self)
        self.collections = Collections(self)
        self.choices = Choices(self)
        self.calls = Calls(self, self.literals, self.collections)
        self._matching = False
        self._forms: dict[type[ast.expr], Callable[[Any], Code]] = {
            ast.Constant: self.literals.constant,
            ast.Name: self.literals.name,
            ast.Attribute: self.literals.attribute,
            ast.JoinedStr: self.literals.interpolated,
            ast.List: self.literals.sequence,
            ast.Tuple: self.literals.sequence,
            ast.Dict: self.literals.map,
            ast.Subscript: self.literals.subscript,
            ast.UnaryOp: self.operators.unary,
            ast.BinOp: self.operators.binary,
            ast.BoolOp: self.operators.choice,
            ast.Compare: self.operators.comparisons,
            ast.ListComp: self.collections.listing,
            ast.DictComp: self.collections.dictcomp,
            ast.IfExp: self.choices.conditional,
            ast.Call: self.calls.call,
        }

    def value(self, node: ast.expr) -> Code:
        """An expression as a value; a match of a pattern is none."""
        if isinstance(node, ast.Compare) and _matched(node) is not None:
            return self.condition(node)
        matching, self._matching = self._matching, False
        found = self._narrowed(node)
        if found.kinds == MATCH and not matching:
            self.walk.refuse(
                node,
                "a match of a pattern is not a value in Elixir",
                "use it as a condition: if re.search(...)",
            )
        return found

    def _narrowed(self, node: ast.expr) -> Code:
        """An expression with the kinds that conditions around it leave."""
        form = self._forms.get(type(node))
        if form is None:
            kind = type(node).__name__
            self.walk.refuse(node, f"`{kind}` has no equal form in Elixir", "write it another way")
        found = form(node)
        known = self.walk.names.facts.get(ast.dump(node))
        if known is not None and found.kinds & known:
            return Code(found.text, found.power, found.kinds & known, found.items)
        return found

    def condition(self, node: ast.expr, *, wanted: bool = True) -> Code:
        """Whether an expression counts as true in Python; always true or false in Elixir.

        So does `re.search(...)`, with or without `is None`.
        """
        inner, sign = node, wanted
        if isinstance(node, ast.Compare) and (call := _matched(node)) is not None:
            inner, sign = call, wanted == isinstance(node.ops[0], ast.IsNot)
        if is_pattern_call(inner):
            self._matching = True
            found = self.value(inner)
            if found.kinds == MATCH:
                text = found.text if sign else f"not {found.text}"
                return Code(text, ATOM if sign else UNARY, BOOL)
        if isinstance(node, ast.BoolOp):
            return self.operators.conditions(node, wanted)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.condition(node.operand, wanted=not wanted)
        found = self.value(node)
        if found.kinds == BOOL:
            return found if wanted else self.operators.negated(found)
        return self.operators.truth(found, wanted)

    def arguments(self, node: ast.Call, *counts: int) -> list[Code]:
        """The arguments, when there are so many and none is named."""
        if node.keywords or len(node.args) not in counts:
            self.walk.refuse(node, "a call with these arguments has no equal form in Elixir")
        return [self.value(item) for item in node.args]


def _matched(node: ast.Compare) -> ast.expr | None:
    """The call in `re.search(...) is None`."""
    right = node.comparators[0]
    if (
        len(node.ops) == 1
        and isinstance(node.ops[0], (ast.Is, ast.IsNot))
        and isinstance(right, ast.Constant)
        and right.value is None
        and is_pattern_call(node.left)
    ):
        return node.left
    return None
