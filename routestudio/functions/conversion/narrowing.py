"""What a condition shows about the expressions in it."""

from __future__ import annotations

import ast
from typing import Final

from routestudio.functions.conversion.common import (
    ANY,
    BOOL,
    DECIMAL,
    DICT,
    FLOAT,
    INT,
    LIST,
    NONE,
    STR,
    Kinds,
)

TYPES: Final[dict[str, Kinds]] = {
    "str": STR, "int": INT | BOOL, "float": FLOAT, "bool": BOOL, "dict": DICT, "list": LIST,
    "Decimal": DECIMAL,
}  # fmt: skip


def apply(facts: dict[str, Kinds], node: ast.expr, holds: bool) -> None:
    """Add what follows from a condition that holds, or does not."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        apply(facts, node.operand, not holds)
    elif isinstance(node, ast.BoolOp):
        if isinstance(node.op, ast.And) == holds:
            for item in node.values:
                apply(facts, item, holds)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        _compared(facts, node, holds)
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "isinstance"
        and len(node.args) == 2
    ):
        kinds = of_types(node.args[1])
        if kinds is not None:
            _narrow(facts, node.args[0], kinds if holds else ANY - (kinds - INT - BOOL))
            if not holds and kinds == INT | BOOL:
                _narrow(facts, node.args[0], ANY - kinds)
    elif holds and stable(node):
        _narrow(facts, node, ANY - NONE)


def of_types(node: ast.expr) -> Kinds | None:
    """The kinds of the second argument of `isinstance`."""
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    found: Kinds = frozenset()
    for name in names:
        if not isinstance(name, ast.Name) or name.id not in TYPES:
            return None
        found |= TYPES[name.id]
    return found


def _compared(facts: dict[str, Kinds], node: ast.Compare, holds: bool) -> None:
    op, right = node.ops[0], node.comparators[0]
    if not isinstance(right, ast.Constant):
        return
    is_equal = isinstance(op, (ast.Eq, ast.Is))
    if not is_equal and not isinstance(op, (ast.NotEq, ast.IsNot)):
        return
    if right.value is None:
        _narrow(facts, node.left, NONE if is_equal == holds else ANY - NONE)
    elif isinstance(right.value, str) and is_equal == holds:
        _narrow(facts, node.left, STR)


def _narrow(facts: dict[str, Kinds], node: ast.expr, kinds: Kinds) -> None:
    if stable(node):
        key = ast.dump(node)
        facts[key] = facts.get(key, ANY) & kinds


def stable(node: ast.AST) -> bool:
    """Whether an expression gives the same value again: names, entries, fields."""
    if isinstance(node, ast.Call):
        return (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and stable(node.func.value)
            and all(isinstance(item, ast.Constant) for item in node.args)
            and not node.keywords
        )
    if isinstance(node, ast.Subscript):
        return stable(node.value) and isinstance(node.slice, ast.Constant)
    if isinstance(node, ast.Attribute):
        return stable(node.value)
    return isinstance(node, ast.Name)
