"""Which branches a Python function has for actions, and how it may end."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from routestudio.functions.analysis.python_tree import Entry, Tree
from routestudio.model.analysis import Spot
from routestudio.model.function import FunctionKind
from routestudio.model.message import ACTIONS


def branches(entry: Entry) -> tuple[list[Spot], bool]:
    """The actions that have their own branch, and whether the others are dealt with, too."""
    tree, found = entry.tree, list[Spot]()
    for node in tree.nodes:
        if isinstance(node, ast.Compare) and entry.role(node.left) == "action":
            for side in ast.walk(node):
                if isinstance(side, ast.Constant) and side.value in ACTIONS:
                    found.append(tree.spot(side, str(side.value)))
        elif isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant):
            if node.value.value in ACTIONS:
                found.append(tree.spot(node, str(node.value.value)))
        elif isinstance(node, ast.Subscript) and entry.role(node.slice) == "action":
            table = _table(tree, node.value)
            if table is not None:
                found += [tree.spot(k, str(k.value)) for k in table.keys
                          if isinstance(k, ast.Constant)]  # fmt: skip
                if not set(ACTIONS) <= {spot.text for spot in found}:
                    return found, False
    return found, not found or not _falls_through(entry.node.body)


def _table(tree: Tree, node: ast.expr) -> ast.Dict | None:
    """The map, with its entries in the text, from which an action takes one."""
    if isinstance(node, ast.Name):
        node = tree.assigned.get(node.id, node)
    return node if isinstance(node, ast.Dict) else None


def odd_returns(entry: Entry, kind: FunctionKind) -> Iterator[Spot]:
    """Results of a routing function that are certainly no maps."""
    if kind is not FunctionKind.ROUTING:
        return
    tree = entry.tree
    for node in tree.nodes:
        if not isinstance(node, ast.Return) or _around(tree, node) is not entry.node:
            continue
        value = node.value
        if value is None or (isinstance(value, ast.Constant) and value.value is None):
            yield tree.spot(node, "none")
        elif isinstance(value, (ast.List, ast.ListComp, ast.Tuple)):
            yield tree.spot(node, "list")
        elif isinstance(value, (ast.Constant, ast.JoinedStr, ast.Set)):
            yield tree.spot(node, "value")
    if _falls_through(entry.node.body):
        yield tree.spot(entry.node, "none")


def _around(tree: Tree, node: ast.AST) -> ast.AST | None:
    """The function that a node belongs to."""
    current = tree.parents.get(node)
    while current is not None and not isinstance(current, (ast.FunctionDef, ast.Lambda)):
        current = tree.parents.get(current)
    return current


def _falls_through(body: list[ast.stmt]) -> bool:
    """Whether statements can come to their end without `return` or `raise`."""
    if not body:
        return True
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return False
    if isinstance(last, ast.If):
        return _falls_through(last.body) or _falls_through(last.orelse)
    if isinstance(last, ast.Match):
        complete = any(
            isinstance(c.pattern, ast.MatchAs) and c.pattern.pattern is None and c.guard is None
            for c in last.cases
        )
        return not complete or any(_falls_through(case.body) for case in last.cases)
    if isinstance(last, ast.Try):
        parts = [[*last.body, *last.orelse], *(handler.body for handler in last.handlers)]
        return _falls_through(last.finalbody) and any(map(_falls_through, parts))
    if isinstance(last, ast.While):
        forever = isinstance(last.test, ast.Constant) and bool(last.test.value)
        return not forever
    return True
