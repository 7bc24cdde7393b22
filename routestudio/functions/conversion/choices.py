"""Choices between values, from Python to Elixir: `if`, `cond` or `case`."""

from __future__ import annotations

import ast

from routestudio.functions.conversion import narrowing
from routestudio.functions.conversion.common import ATOM, BLOCK, Code, Kinds, indented
from routestudio.functions.conversion.literals import WIDTH
from routestudio.functions.conversion.scope import Values


class Choices:
    """Choices inside of expressions, and those that end a body."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.walk = values.walk

    def conditional(self, node: ast.IfExp) -> Code:
        """`x if test else y`, as often as they follow each other."""
        clauses: list[tuple[ast.expr, ast.expr]] = []
        rest: ast.expr = node
        while isinstance(rest, ast.IfExp):
            clauses.append((rest.test, rest.body))
            rest = rest.orelse
        before = self.walk.names.copy()
        arms: list[tuple[Code, Code]] = []
        for test, body in clauses:
            condition = self.values.condition(test)
            after = self.walk.names.copy()
            narrowing.apply(self.walk.names.facts, test, True)
            arms.append((condition, self.values.value(body)))
            self.walk.names = after
            narrowing.apply(self.walk.names.facts, test, False)
        last = self.values.value(rest)
        self.walk.names = before
        values = [*(value for _, value in arms), last]
        kinds: Kinds = frozenset().union(*(value.kinds for value in values))
        items: Kinds = frozenset().union(*(value.items for value in values))
        if len(arms) == 1:
            test_text, value = arms[0][0].text, arms[0][1]
            text = f"if({test_text}, do: {value.text}, else: {last.text})"
            if value.flat and last.flat and len(text) <= WIDTH:
                return Code(text, ATOM, kinds, items)
        shown = self.choice(
            [t for t, _ in clauses], [(test, value.text) for test, value in arms], last.text
        )
        return Code(shown, BLOCK, kinds, items)

    def choice(self, nodes: list[ast.expr], arms: list[tuple[Code, str]], last: str) -> str:
        """`if`, `cond` or `case`, as it reads best."""
        if len(arms) == 1:
            test, body = arms[0]
            if last == "nil":
                return f"if {test.text} do\n{indented(body)}\nend"
            return f"if {test.text} do\n{indented(body)}\nelse\n{indented(last)}\nend"
        subject = _subject(nodes)
        lines = []
        if subject is not None:
            shown = self.values.value(subject).text
            lines.append(f"case {shown} do")
            for node, (_, body) in zip(nodes, arms, strict=True):
                lines.append(_clause(self._pattern(node, shown), body))
            lines.append(_clause("_", last))
        else:
            lines.append("cond do")
            lines += [_clause(test.text, body) for test, body in arms]
            lines.append(_clause("true", last))
        return "\n".join([lines[0], indented("\n".join(lines[1:])), "end"])

    def _pattern(self, node: ast.expr, shown: str) -> str:
        assert isinstance(node, ast.Compare)
        right = node.comparators[0]
        if isinstance(node.ops[0], ast.In):
            name = shown if shown.isidentifier() else "value"
            return f"{name} when {name} in {self.values.value(right).text}"
        return self.values.value(right).text


def _clause(head: str, body: str) -> str:
    if "\n" not in body and len(head) + len(body) < WIDTH:
        return f"{head} -> {body}"
    return f"{head} ->\n{indented(body)}\n"


def _subject(nodes: list[ast.expr]) -> ast.expr | None:
    """What all conditions compare with constant texts, if they do."""
    found = None
    for node in nodes:
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            return None
        right = node.comparators[0]
        options = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else [right]
        wanted = ast.In if options is not None and options != [right] else ast.Eq
        if not isinstance(node.ops[0], wanted) or not narrowing.stable(node.left):
            return None
        if not all(isinstance(o, ast.Constant) and isinstance(o.value, str) for o in options):
            return None
        if found is not None and ast.dump(found) != ast.dump(node.left):
            return None
        found = node.left
    return found
