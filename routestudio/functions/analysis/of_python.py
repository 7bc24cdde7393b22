"""The analysis of a Python function, from its tree. Nothing is evaluated."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from routestudio.functions.analysis import python_flow
from routestudio.functions.analysis.python_parts import reach_of
from routestudio.functions.analysis.python_tree import Access, Entry, Tree
from routestudio.model.analysis import Analysis, Read, Spot, Varying
from routestudio.model.function import Function


def of_tree(function: Function, tree: Tree, varying: tuple[Varying, ...]) -> Analysis:
    """The analysis of a function's text, without its ways."""
    known = Analysis(function, reach=reach_of(tree), varying=varying)
    for node in tree.module.body:
        if isinstance(node, ast.FunctionDef) and node.name == function.kind.entry_point:
            try:
                return _of_entry(known, Entry(tree, node))
            except RecursionError:
                break
    return known


def _of_entry(known: Analysis, entry: Entry) -> Analysis:
    keys, nulls = _keys(entry.tree)
    branches, catch_all = python_flow.branches(entry)
    return replace(
        known,
        reads=tuple(_with_tests(sorted(_reads(entry), key=lambda item: (item.line, item.column)))),
        keys=tuple(keys),
        null_keys=tuple(nulls),
        calls=tuple(_calls(entry.tree)),
        branches=tuple(branches),
        catch_all=catch_all,
        odd_returns=tuple(python_flow.odd_returns(entry, known.function.kind)),
        metadata=frozenset(_metadata(entry)),
        entry=entry.tree.spot(entry.node, entry.node.name),
    )


def varying_of(tree: Tree) -> tuple[Varying, ...]:
    """The places that read the clock, in order; random values cannot be read."""
    found = []
    for node in tree.nodes:
        if isinstance(node, ast.Attribute) and node.attr in ("now", "today"):
            line, end = node.end_lineno or node.lineno, node.end_col_offset or 0
            start = node.col_offset if line == node.lineno else end - len(node.attr)
            first, last = tree.column(line, start), tree.column(line, end)
            text = tree.lines[line - 1][first - 1 : last - 1]
            found.append(Varying(text, line, first, last))
    return tuple(sorted(found, key=lambda item: (item.line, item.column)))


def _with_tests(reads: Sequence[Read]) -> Iterator[Read]:
    """What is tested anywhere is prepared for everywhere."""
    tested = {read.text for read in reads if read.guarded}
    for read in reads:
        yield replace(read, guarded=read.guarded or read.text in tested)


def _reads(entry: Entry) -> Iterator[Read]:
    for access in entry.tree.accesses:
        source = entry.role(access.of)
        if source in ("record", "changes") and isinstance(access.key, ast.Constant):
            if isinstance(access.node, ast.Compare) and isinstance(access.node.ops[0], ast.NotIn):
                continue
            spot = entry.tree.spot(access.node, str(access.key.value))
            guarded = access.default or _guarded(entry.tree, access)
            yield Read(spot.text, spot.line, spot.column, source, guarded)


def _guarded(tree: Tree, access: Access) -> bool:
    """Whether the value is tested where it is read: `x or y`, `x is None`, `if x`."""
    parent = tree.parents.get(access.node)
    if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.Or):
        return parent.values[-1] is not access.node
    if isinstance(parent, ast.Compare):
        sides = (parent.left, *parent.comparators)
        return any(isinstance(side, ast.Constant) and side.value is None for side in sides)
    if isinstance(parent, (ast.If, ast.IfExp)):
        return parent.test is access.node
    return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)


def _keys(tree: Tree) -> tuple[list[Spot], list[Spot]]:
    keys, nulls = [], []
    for node in tree.nodes:
        pairs: list[tuple[ast.AST | None, ast.AST]] = []
        if isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Assign):
            pairs = [(t.slice, node.value) for t in node.targets if isinstance(t, ast.Subscript)]
        for key, value in pairs:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                keys.append(tree.spot(key, key.value))
                if isinstance(value, ast.Constant) and value.value is None:
                    nulls.append(keys[-1])
    return keys, nulls


def _calls(tree: Tree) -> Iterator[Spot]:
    for node in tree.nodes:
        if isinstance(node, ast.Call):
            yield tree.spot(node, ast.unparse(node.func)[:80])


def _metadata(entry: Entry) -> Iterator[str]:
    for node in entry.tree.nodes:
        if isinstance(node, ast.Attribute) and entry.role(node.value) == "metadata":
            yield node.attr
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and entry.role(node.value) == "metadata"
        ):
            yield str(node.slice.value)
