"""The facts of a Python function, from its tree. Nothing is evaluated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from routestudio.functions import python
from routestudio.model.facts import Facts, Read, Spot
from routestudio.model.function import Function, FunctionKind
from routestudio.model.message import ACTIONS

_PARAMETERS: Final = ("action", "record", "changes", "metadata")


def of_python(function: Function) -> Facts:
    """The facts; hardly any for a text that cannot be parsed."""
    try:
        tree = python.parsed(function.code)
        entry = next((n for n in tree.body if isinstance(n, ast.FunctionDef)
                      and n.name == function.kind.entry_point), None)  # fmt: skip
        return Facts(function) if entry is None else _Walk(function, tree, entry).facts()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Facts(function)


class _Walk:
    """One walk over the tree of a function that was parsed."""

    def __init__(self, function: Function, tree: ast.Module, entry: ast.FunctionDef) -> None:
        self._function = function
        self._tree = tree
        self._entry = entry
        self._lines = function.code.splitlines()
        names = [arg.arg for arg in entry.args.args]
        roles = dict(zip(names, _PARAMETERS, strict=False))
        self._roles = roles | {name.lstrip("_"): role for name, role in roles.items()}
        self._parents = {
            child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
        }

    def facts(self) -> Facts:
        reads = sorted(self._reads(), key=lambda item: (item.line, item.column))
        tested = {read.text for read in reads if read.guarded}
        guarded = (
            Read(r.text, r.line, r.column, r.source, r.guarded or r.text in tested) for r in reads
        )
        keys, nulls = self._keys()
        branches, catch_all = self._branches()
        return Facts(
            self._function, tuple(guarded), tuple(keys), tuple(nulls), tuple(self._calls()),
            tuple(branches), catch_all, tuple(self._odd_returns()),
            frozenset(self._metadata()), self._spot(self._entry, self._entry.name),
        )  # fmt: skip

    def _spot(self, node: ast.AST, text: str) -> Spot:
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        shown = self._lines[line - 1] if line <= len(self._lines) else ""
        return Spot(text, line, len(shown.encode()[:offset].decode(errors="replace")) + 1)

    def _role(self, node: ast.AST) -> str | None:
        return self._roles.get(node.id) if isinstance(node, ast.Name) else None

    def _reads(self) -> Iterator[Read]:
        for node in ast.walk(self._tree):
            found = None
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                found, default = (node.value, node.slice), False
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "get"
                and node.args
            ):
                found, default = (node.func.value, node.args[0]), len(node.args) > 1
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
                found, default = (node.comparators[0], node.left), True
            if found is None:
                continue
            source, key = self._role(found[0]), found[1]
            if source in ("record", "changes") and isinstance(key, ast.Constant):
                spot = self._spot(node, str(key.value))
                guarded = default or self._guarded(node)
                yield Read(spot.text, spot.line, spot.column, source, guarded)

    def _guarded(self, node: ast.AST) -> bool:
        """Whether the value is tested where it is read: `x or y`, `x is None`, `if x`."""
        parent = self._parents.get(node)
        if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.Or):
            return parent.values[-1] is not node
        if isinstance(parent, ast.Compare):
            sides = (parent.left, *parent.comparators)
            return any(isinstance(side, ast.Constant) and side.value is None for side in sides)
        if isinstance(parent, (ast.If, ast.IfExp)):
            return parent.test is node
        return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)

    def _keys(self) -> tuple[list[Spot], list[Spot]]:
        keys, nulls = [], []
        for node in ast.walk(self._tree):
            pairs: list[tuple[ast.AST | None, ast.AST]] = []
            if isinstance(node, ast.Dict):
                pairs = list(zip(node.keys, node.values, strict=True))
            elif isinstance(node, ast.Assign):
                pairs = [(t.slice, node.value) for t in node.targets
                         if isinstance(t, ast.Subscript)]  # fmt: skip
            for key, value in pairs:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    keys.append(self._spot(key, key.value))
                    if isinstance(value, ast.Constant) and value.value is None:
                        nulls.append(keys[-1])
        return keys, nulls

    def _calls(self) -> Iterator[Spot]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                yield self._spot(node, ast.unparse(node.func)[:80])

    def _metadata(self) -> Iterator[str]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Attribute) and self._role(node.value) == "metadata":
                yield node.attr
            elif (
                isinstance(node, ast.Subscript)
                and self._role(node.value) == "metadata"
                and isinstance(node.slice, ast.Constant)
            ):
                yield str(node.slice.value)

    def _branches(self) -> tuple[list[Spot], bool]:
        found: list[Spot] = []
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Compare) and self._role(node.left) == "action":
                for side in ast.walk(node):
                    if isinstance(side, ast.Constant) and side.value in ACTIONS:
                        found.append(self._spot(side, str(side.value)))
            elif isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant):
                if node.value.value in ACTIONS:
                    found.append(self._spot(node, str(node.value.value)))
            elif isinstance(node, ast.Subscript) and self._role(node.slice) == "action":
                table = node.value
                if isinstance(table, ast.Name):
                    table = self._assigned(table.id) or table
                if isinstance(table, ast.Dict):
                    found += [self._spot(k, str(k.value)) for k in table.keys
                              if isinstance(k, ast.Constant)]  # fmt: skip
                    named = {spot.text for spot in found}
                    if not set(ACTIONS) <= named:
                        return found, False
        return found, not found or not _falls_through(self._entry.body)

    def _assigned(self, name: str) -> ast.expr | None:
        return next((n.value for n in ast.walk(self._tree) if isinstance(n, ast.Assign)
                     and any(isinstance(t, ast.Name) and t.id == name for t in n.targets)),
                    None)  # fmt: skip

    def _odd_returns(self) -> Iterator[Spot]:
        if self._function.kind is not FunctionKind.ROUTING:
            return
        for node in ast.walk(self._entry):
            if not isinstance(node, ast.Return) or self._within(node) is not self._entry:
                continue
            value = node.value
            if value is None or (isinstance(value, ast.Constant) and value.value is None):
                yield self._spot(node, "none")
            elif isinstance(value, (ast.List, ast.ListComp, ast.Tuple)):
                yield self._spot(node, "list")
            elif isinstance(value, (ast.Constant, ast.JoinedStr, ast.Set)):
                yield self._spot(node, "value")
        if _falls_through(self._entry.body):
            yield self._spot(self._entry, "none")

    def _within(self, node: ast.AST) -> ast.AST | None:
        current = self._parents.get(node)
        while current is not None and not isinstance(current, (ast.FunctionDef, ast.Lambda)):
            current = self._parents.get(current)
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
        complete = any(isinstance(c.pattern, ast.MatchAs) and c.pattern.pattern is None
                       and c.guard is None for c in last.cases)  # fmt: skip
        return not complete or any(_falls_through(case.body) for case in last.cases)
    if isinstance(last, ast.Try):
        parts = [[*last.body, *last.orelse], *(handler.body for handler in last.handlers)]
        return _falls_through(last.finalbody) and any(map(_falls_through, parts))
    if isinstance(last, ast.While):
        forever = isinstance(last.test, ast.Constant) and bool(last.test.value)
        return not forever
    return True
