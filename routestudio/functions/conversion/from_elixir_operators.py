"""Operators of Elixir as operators of Python."""

from __future__ import annotations

from typing import Any

from routestudio.functions.conversion.common import (
    ATOM,
    BOOL,
    DICT,
    FLOAT,
    INT,
    LIST,
    NONE,
    NUMBER,
    STR,
    UNARY,
    Code,
)
from routestudio.functions.conversion.python_code import (
    ADD,
    AND,
    CHOICE,
    MULTIPLY,
    NOT,
    OR,
    ORDER,
    Walk,
    is_call,
)
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.values import Atom


class Operators:
    """The part of the conversion that knows operators."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def equal(self, node: Node, left: Any, right: Any) -> Code:
        """`==`, `!=`."""
        equal = node.name == "=="
        if type(right) is Atom and is_call(left) and self.walk.closure_name(left) == "compare":
            return self._compared(left.args, right.name, equal)
        one, two = self.walk.value(left), self.walk.value(right)
        if two.kinds == NONE or two.text in ("True", "False"):
            sign = "is" if equal else "is not"
            return Code(f"{one.inside(ORDER + 1)} {sign} {two.text}", ORDER, BOOL)
        if (
            any(k.kinds <= STR | NONE for k in (one, two))
            or one.kinds | two.kinds <= NUMBER
            or two.text in ("[]", "{}")
        ):
            return Code(f"{one.inside(ORDER + 1)} {node.name} {two.inside(ORDER + 1)}", ORDER, BOOL)
        text = self.walk.help("same", one.text, two.text)
        return Code(text if equal else f"not {text}", ATOM if equal else NOT, BOOL)

    def _compared(self, args: list[Any], verdict: str, equal: bool) -> Code:
        signs = {("lt", True): "<", ("gt", False): "<=", ("gt", True): ">", ("lt", False): ">=",
                 ("eq", True): "==", ("eq", False): "!="}  # fmt: skip
        one, two = map(self.walk.value, args)
        sign = signs[verdict, equal]
        return Code(f"{one.inside(ORDER + 1)} {sign} {two.inside(ORDER + 1)}", ORDER, BOOL)

    def order(self, node: Node, left: Any, right: Any) -> Code:
        """`<`, `<=`, `>`, `>=`."""
        one, two = self.walk.value(left), self.walk.value(right)
        if one.kinds | two.kinds <= NUMBER or one.kinds == two.kinds == STR:
            text = f"{one.inside(ORDER + 1)} {node.name} {two.inside(ORDER + 1)}"
        else:
            first, second = self.walk.help("order", one.text), self.walk.help("order", two.text)
            text = f"{first} {node.name} {second}"
        return Code(text, ORDER, BOOL)

    def strict(self, node: Node, left: Any, right: Any) -> Code:
        """`and`, `or`: the left side must be true or false."""
        one, two = self.walk.value(left), self.walk.value(right)
        power = AND if node.name == "and" else OR
        first = one.inside(power) if one.kinds == BOOL else self.walk.help("boolean", one.text)
        kinds = BOOL if two.kinds == BOOL else BOOL | two.kinds
        return Code(f"{first} {node.name} {two.inside(power + 1)}", power, kinds, two.items)

    def loose(self, node: Node, left: Any, right: Any) -> Code:
        """`&&`, `||`: only nil and false do not count as true."""
        one, two = self.walk.value(left), self.walk.value(right)
        word, power = ("and", AND) if node.name == "&&" else ("or", OR)
        kinds = (one.kinds - NONE if node.name == "||" else one.kinds) | two.kinds
        empty = {"{}": DICT, "[]": LIST, "''": STR}.get(two.text, frozenset())
        if one.kinds == BOOL or (node.name == "||" and empty and one.kinds - NONE == empty):
            return Code(
                f"{one.inside(power)} {word} {two.inside(power + 1)}",
                power,
                kinds if one.kinds != BOOL else BOOL | two.kinds,
            )
        test = self.walk.condition(left)
        yes, no = (two, one) if node.name == "&&" else (one, two)
        text = f"{yes.inside(CHOICE + 1)} if {test.inside(CHOICE + 1)} else {no.inside(CHOICE)}"
        return Code(text, CHOICE, kinds, one.items | two.items)

    def not_(self, node: Node, operand: Any) -> Code:
        """`not`."""
        if is_node(operand, "in", 2):
            found = self.in_(operand, *operand.args)
            if " in " in found.text and found.power == ORDER:
                return Code(found.text.replace(" in ", " not in ", 1), ORDER, BOOL)
            return Code(f"not {found.inside(NOT)}", NOT, BOOL)
        known = is_call(operand) and self.walk.closure_name(operand) == "truthy"
        found = self.walk.condition(operand) if known else self.walk.value(operand)
        text = found.inside(NOT) if found.kinds == BOOL else self.walk.help("boolean", found.text)
        if text.endswith(" is None") and found.power == ORDER:
            return Code(text.strip("()").replace(" is None", " is not None"), ORDER, BOOL)
        return Code(f"not {text}", NOT, BOOL)

    def in_(self, node: Node, left: Any, right: Any) -> Code:
        """`in`."""
        one = self.walk.value(left)
        if type(right) is list:
            items = [self.walk.value(item) for item in right]
            plain = [i for i in items if i.kinds <= STR | NONE or i.text in ("{}", "[]")]
            if len(plain) != len(items) and not (
                one.kinds == INT and all(item.kinds == INT for item in items)
            ):
                self.walk.refuse(
                    node,
                    "numbers in a list are compared with their types in Elixir",
                    "compare with == instead",
                )
            listed = ", ".join(item.text for item in items)
            return Code(f"{one.inside(ORDER + 1)} in [{listed}]", ORDER, BOOL)
        if one.kinds != STR:
            self.walk.refuse(
                node, "only text is looked for with equal meaning", "use a constant list"
            )
        return Code(
            f"{one.inside(ORDER + 1)} in {self.walk.listed(self.walk.value(right))}", ORDER, BOOL
        )

    def join(self, node: Node, left: Any, right: Any) -> Code:
        """`<>`."""
        one, two = self.walk.value(left), self.walk.value(right)
        first = one.inside(ADD) if STR in (one.kinds, two.kinds) else self.walk.texted(one)
        return Code(f"{first} + {two.inside(ADD + 1)}", ADD, STR)

    def append(self, node: Node, left: Any, right: Any) -> Code:
        """`++`."""
        one, two = self.walk.value(left), self.walk.value(right)
        return Code(
            f"{self.walk.listed(one)} + {self.walk.listed(two)}", ADD, LIST, one.items | two.items
        )

    def arithmetic(self, node: Node, left: Any, *rest: Any) -> Code:
        """`+`, `-`, `*`, `/`."""
        one = self.walk.value(left)
        if not rest:
            return Code(f"-{self.walk.numeric(one, ATOM)}", UNARY, one.kinds & NUMBER or NUMBER)
        two = self.walk.value(rest[0])
        if node.name == "/":
            return Code(self.walk.help("quotient", one.text, two.text), kinds=FLOAT)
        power = MULTIPLY if node.name == "*" else ADD
        text = f"{self.walk.numeric(one, power)} {node.name} {self.walk.numeric(two, power + 1)}"
        kinds = INT if one.kinds == two.kinds == INT else FLOAT if FLOAT in (
            one.kinds, two.kinds) else NUMBER  # fmt: skip
        return Code(text, power, kinds)
