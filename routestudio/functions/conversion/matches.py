"""`match` statements, as the chains of conditions that they are."""

from __future__ import annotations

import ast

from routestudio.functions.conversion import narrowing
from routestudio.functions.conversion.scope import Walk


def as_if(walk: Walk, node: ast.Match) -> ast.If:
    """`match` as the chain of conditions that it is; patterns without an equal form are refused."""
    result: list[ast.stmt] = []
    for case in reversed(node.cases):
        test = _case(walk, node.subject, case.pattern)
        if case.guard is not None:
            test = case.guard if test is None else ast.BoolOp(ast.And(), [test, case.guard])
        if test is None:
            result = case.body
            continue
        whole = ast.If(ast.copy_location(test, case.pattern), case.body, result)
        result = [ast.copy_location(whole, case.pattern)]
    if not result or not isinstance(result[0], ast.If):
        walk.refuse(node, "`match` with one catch-all only", "leave it out")
    found = result[0]
    ast.fix_missing_locations(found)
    return ast.copy_location(found, node)


def _case(walk: Walk, subject: ast.expr, pattern: ast.pattern) -> ast.expr | None:
    if not narrowing.stable(subject):
        walk.refuse(subject, "`match` needs a name or an entry", "give it a name before")
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None:
        return None
    if isinstance(pattern, ast.MatchValue):
        return ast.copy_location(ast.Compare(subject, [ast.Eq()], [pattern.value]), pattern)
    if isinstance(pattern, ast.MatchSingleton):
        other = ast.Constant(pattern.value)
        return ast.copy_location(ast.Compare(subject, [ast.Is()], [other]), pattern)
    if isinstance(pattern, ast.MatchOr) and all(
        isinstance(item, ast.MatchValue) for item in pattern.patterns
    ):
        values = [item.value for item in pattern.patterns if isinstance(item, ast.MatchValue)]
        options = ast.Tuple(values, ast.Load())
        return ast.copy_location(ast.Compare(subject, [ast.In()], [options]), pattern)
    walk.refuse(pattern, "this pattern has no equal form", "match constants, or write if")
