"""Statements of Python that choose or repeat, as Elixir: what they assign becomes their value."""

from __future__ import annotations

import ast
from collections.abc import Callable

from routestudio.functions import python
from routestudio.functions.conversion import narrowing, scope
from routestudio.functions.conversion.collections import ORDER
from routestudio.functions.conversion.common import ANY, DICT, LIST, Code, Kinds, indented
from routestudio.functions.conversion.expressions import Expressions
from routestudio.functions.conversion.flow import always_assigns, branches
from routestudio.functions.conversion.matches import as_if

Statement = Callable[[ast.stmt, list[ast.stmt]], list[str]]
"""The lines of a statement, of which those that follow it are known."""


class Branching:
    """`if` without `return`, and loops that collect."""

    def __init__(self, values: Expressions, statement: Statement) -> None:
        self.values = values
        self.walk = values.walk
        self._statement = statement

    def choose(self, node: ast.If, rest: list[ast.stmt]) -> list[str]:
        """An `if` without `return`: what it assigns becomes its value."""
        names = scope.assigned([node])
        later = scope.loaded(rest)
        before = self.walk.names.copy()
        kept = []
        ways = branches(node)
        for name in names:
            everywhere = all(always_assigns(body, name) for body in ways)
            known = name in before.called or name in python.PARAMETERS
            if everywhere or known:
                kept.append(name)
            elif name in later:
                self.walk.refuse(
                    node,
                    f"`{name}` has no value after this when no branch gives one",
                    f"write `{name} = None` before",
                )
        if not kept:
            return []
        nodes, arms, last, found = self._arms(node, kept)
        shown = self.values.choices.choice(nodes, arms, last)
        self.walk.names = before
        heads = [self.walk.bind(name, *kinds) for name, kinds in zip(kept, found, strict=True)]
        head = heads[0] if len(heads) == 1 else f"{{{', '.join(heads)}}}"
        return [f"{head} =\n{indented(shown)}", ""]

    def _arms(
        self, node: ast.If, kept: list[str]
    ) -> tuple[list[ast.expr], list[tuple[Code, str]], str, list[tuple[Kinds, Kinds]]]:
        test = self.values.condition(node.test)
        before = self.walk.names.copy()
        narrowing.apply(self.walk.names.facts, node.test, True)
        body, kinds = self._branch(node.body, kept)
        self.walk.names = before.copy()
        narrowing.apply(self.walk.names.facts, node.test, False)
        inner = node.orelse[0] if len(node.orelse) == 1 else None
        if isinstance(inner, ast.If):
            nodes, arms, last, other = self._arms(inner, kept)
        else:
            nodes, arms = [], []
            last, other = self._branch(node.orelse, kept)
        self.walk.names = before
        merged = [(a | c, b | d) for (a, b), (c, d) in zip(kinds, other, strict=True)]
        return [node.test, *nodes], [(test, body), *arms], last, merged

    def _branch(
        self, body: list[ast.stmt], kept: list[str]
    ) -> tuple[str, list[tuple[Kinds, Kinds]]]:
        lines: list[str] = []
        only = body[0] if len(body) == 1 else None
        if (
            len(kept) == 1
            and isinstance(only, ast.Assign)
            and isinstance(only.targets[0], ast.Name)
            and only.targets[0].id == kept[0]
        ):
            lines += self.walk.comments_before(only.lineno)
            value = self.values.value(only.value)
            return "\n".join([*lines, value.text]), [(value.kinds, value.items)]
        for at, statement in enumerate(body):
            lines += self.walk.comments_before(statement.lineno)
            if isinstance(statement, ast.Match):
                statement = as_if(self.walk, statement)
            marks = [ast.Name(name, ast.Load()) for name in kept]
            rest = [*body[at + 1 :], *(ast.Expr(mark) for mark in marks)]
            lines += self._statement(statement, rest)
        values = [
            self.values.value(ast.Name(name, ast.Load(), lineno=1, col_offset=0)) for name in kept
        ]
        texts = ", ".join(value.text for value in values)
        while lines and not lines[-1]:
            lines.pop()
        start = f"{texts} = "
        if len(values) == 1 and lines and lines[-1].startswith(start):
            lines[-1] = lines[-1][len(start) :]  # bound and given at once
        else:
            lines.append(texts if len(values) == 1 else f"{{{texts}}}")
        return "\n".join(lines), [(value.kinds, value.items) for value in values]

    def loop(self, node: ast.For, rest: list[ast.stmt]) -> list[str]:
        """A loop that collects: `Enum.reduce`."""
        if node.orelse or any(
            isinstance(inner, (ast.Break, ast.Continue, ast.Return))
            for statement in node.body
            for inner in scope.walk_own(statement)
        ):
            self.walk.refuse(
                node,
                "a loop that is left early has no equal form",
                "use a comprehension, any(...), or one `if ...: return`",
            )
        targets = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        if targets & scope.loaded(rest):
            self.walk.refuse(
                node, "the loop's name is used after the loop", "keep it in another name"
            )
        kept = [name for name in scope.assigned(node.body) if name not in targets]
        outside = [name for name in kept if name in self.walk.names.called]
        for name in kept:
            if name not in outside and name in scope.loaded(rest):
                self.walk.refuse(
                    node,
                    f"`{name}` has no value when the loop does not run",
                    f"write `{name} = None` before",
                )
        if not outside:
            return []
        before = self.walk.names.copy()
        given = ", ".join(before.called[name].text for name in outside)
        source = self.values.collections.source(node.target, node.iter)
        if not source.ordered:
            self.walk.refuse(node.iter, "a map has another order in Elixir", ORDER)
        for name in outside:
            # What one turn makes is what the next one starts with: any kind that fits the text.
            start = before.called[name].kinds
            self.walk.bind(name, start if start in (LIST, DICT) else self._stays(name, start, node))
        heads = [self.walk.names.called[name].text for name in outside]
        body, found = self._branch(node.body, outside)
        self.walk.names = before
        for name, (kinds, _) in zip(outside, found, strict=True):
            self.walk.bind(name, before.called[name].kinds | kinds, ANY)
        head = heads[0] if len(heads) == 1 else f"{{{', '.join(heads)}}}"
        first = given if len(outside) == 1 else f"{{{given}}}"
        call = f"Enum.reduce({source.text}, {first}, fn {source.head}, {head} ->"
        return [f"{head} =\n  {call}\n{indented(body, 2)}\n  end)", ""]

    def _stays(self, name: str, kinds: Kinds, node: ast.For) -> Kinds:
        """The kinds of a name through all turns of a loop, as far as its assignments show."""
        plain = all(
            isinstance(inner, ast.AugAssign)
            and isinstance(inner.value, (ast.Constant, ast.JoinedStr))
            for inner in ast.walk(node)
            if isinstance(inner, (ast.Assign, ast.AugAssign)) and name in scope.assigned([inner])
        )
        return kinds if plain and kinds in (frozenset(["int"]), frozenset(["str"])) else ANY
