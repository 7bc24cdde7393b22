"""Short names for building Python syntax trees with the places of Elixir's nodes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

Place = tuple[int, int]


def at(node: Any, place: Place) -> Any:
    """A node with its place: line and column of Elixir, the latter from 1."""
    node.lineno = node.end_lineno = place[0]
    node.col_offset = place[1] - 1
    node.end_col_offset = place[1]
    return node


def name(text: str, place: Place) -> ast.expr:
    """A name that is read."""
    return at(ast.Name(text, ast.Load()), place)  # type: ignore[no-any-return]


def const(value: Any, place: Place) -> ast.expr:
    """A constant."""
    return at(ast.Constant(value), place)  # type: ignore[no-any-return]


def call(function: str | ast.expr, args: Sequence[ast.expr], place: Place) -> ast.expr:
    """A call of a function by its name or expression."""
    target = name(function, place) if isinstance(function, str) else function
    return at(ast.Call(target, list(args), []), place)  # type: ignore[no-any-return]


def method(value: ast.expr, attribute: str, args: Sequence[ast.expr], place: Place) -> ast.expr:
    """A call of a method."""
    return call(at(ast.Attribute(value, attribute, ast.Load()), place), args, place)


def item(value: ast.expr, index: int, place: Place) -> ast.expr:
    """`value[index]`."""
    return at(ast.Subscript(value, const(index, place), ast.Load()), place)  # type: ignore[no-any-return]


def after(value: ast.expr, index: int, place: Place) -> ast.expr:
    """`value[index:]`."""
    part = at(ast.Slice(const(index, place), None, None), place)
    return at(ast.Subscript(value, part, ast.Load()), place)  # type: ignore[no-any-return]


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr, place: Place) -> ast.expr:
    """`left operator right`."""
    return at(ast.Compare(left, [operator], [right]), place)  # type: ignore[no-any-return]


def is_(left: ast.expr, right: ast.expr, place: Place) -> ast.expr:
    """`left is right`."""
    return compare(left, ast.Is(), right, place)


def is_not(left: ast.expr, right: ast.expr, place: Place) -> ast.expr:
    """`left is not right`."""
    return compare(left, ast.IsNot(), right, place)


def type_is(value: ast.expr, kind: str, place: Place) -> ast.expr:
    """`type(value) is kind`."""
    return is_(call("type", [value], place), name(kind, place), place)


def both(parts: Sequence[ast.expr], place: Place) -> ast.expr:
    """All of the conditions, `True` for none."""
    if not parts:
        return const(True, place)
    if len(parts) == 1:
        return parts[0]
    return at(ast.BoolOp(ast.And(), list(parts)), place)  # type: ignore[no-any-return]


def either(parts: Sequence[ast.expr], place: Place) -> ast.expr:
    """At least one of the conditions."""
    return at(ast.BoolOp(ast.Or(), list(parts)), place)  # type: ignore[no-any-return]


def not_(value: ast.expr, place: Place) -> ast.expr:
    """`not value`."""
    return at(ast.UnaryOp(ast.Not(), value), place)  # type: ignore[no-any-return]


def choose(test: ast.expr, yes: ast.expr, no: ast.expr, place: Place) -> ast.expr:
    """`yes if test else no`."""
    return at(ast.IfExp(test, yes, no), place)  # type: ignore[no-any-return]


def walrus(target: str, value: ast.expr, place: Place) -> ast.expr:
    """`(target := value)`."""
    return at(ast.NamedExpr(at(ast.Name(target, ast.Store()), place), value), place)  # type: ignore[no-any-return]


def assign(target: str, value: ast.expr, place: Place) -> ast.stmt:
    """`target = value`."""
    return at(ast.Assign([at(ast.Name(target, ast.Store()), place)], value), place)  # type: ignore[no-any-return]


def result(value: ast.expr, place: Place) -> ast.stmt:
    """`return value`."""
    return at(ast.Return(value), place)  # type: ignore[no-any-return]


def run(value: ast.expr, place: Place) -> ast.stmt:
    """An expression as a statement."""
    return at(ast.Expr(value), place)  # type: ignore[no-any-return]


def branch(test: ast.expr, yes: list[ast.stmt], no: list[ast.stmt], place: Place) -> ast.stmt:
    """`if test: yes else: no`."""
    return at(ast.If(test, yes or [at(ast.Pass(), place)], no), place)  # type: ignore[no-any-return]


def arguments(names: Sequence[str], place: Place) -> ast.arguments:
    """Parameters by position."""
    args = [at(ast.arg(text), place) for text in names]
    return ast.arguments([], args, None, [], [], None, [])


def function(title: str, names: Sequence[str], body: list[ast.stmt], place: Place) -> ast.stmt:
    """A function definition."""
    node = ast.FunctionDef(title, arguments(names, place), body, [], None)
    if hasattr(node, "type_params"):
        node.type_params = []
    return at(node, place)  # type: ignore[no-any-return]


def lambda_(names: Sequence[str], body: ast.expr, place: Place) -> ast.expr:
    """`lambda names: body`."""
    return at(ast.Lambda(arguments(names, place), body), place)  # type: ignore[no-any-return]


def list_(items: Sequence[ast.expr], place: Place) -> ast.expr:
    """A list."""
    return at(ast.List(list(items), ast.Load()), place)  # type: ignore[no-any-return]


def tuple_(items: Sequence[ast.expr], place: Place) -> ast.expr:
    """A tuple."""
    return at(ast.Tuple(list(items), ast.Load()), place)  # type: ignore[no-any-return]


def dict_(keys: Sequence[ast.expr], values: Sequence[ast.expr], place: Place) -> ast.expr:
    """A map."""
    return at(ast.Dict(list(keys), list(values)), place)  # type: ignore[no-any-return]


def joined(parts: Sequence[ast.expr], place: Place) -> ast.expr:
    """An f-string of parts that are texts."""
    values = [
        part if isinstance(part, ast.Constant) else at(ast.FormattedValue(part, -1, None), place)
        for part in parts
    ]
    return at(ast.JoinedStr(values), place)  # type: ignore[no-any-return]
