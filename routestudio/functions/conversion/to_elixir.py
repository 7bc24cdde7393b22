"""Python functions as Elixir functions of equal meaning, or the places where that is not possible.

Python changes names, Elixir binds them again: what branches and loops assign becomes their value.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, field

from routestudio.functions import python
from routestudio.functions.conversion import narrowing, scope
from routestudio.functions.conversion.collections import ORDER
from routestudio.functions.conversion.common import Code, Refused, indented
from routestudio.functions.conversion.expressions import Expressions
from routestudio.functions.conversion.flow import returns, shared
from routestudio.functions.conversion.matches import as_if
from routestudio.functions.conversion.prelude import prelude
from routestudio.functions.conversion.statements import Statements
from routestudio.model.function import FunctionKind

_MAX_LINES = 2_000


def to_elixir(
    code: str, kind: FunctionKind, times: Collection[str] = (), known: Collection[str] = ()
) -> str:
    """The Elixir text. Raises `Refused` for the first part without an equal form.

    `times` are columns that hold dates or times: text in Python, structs on a server. `known` are
    columns whose type is known: dates and times in both.

    The text must have no errors (`python.check`). Raises `ValueError` when it has.
    """
    if any(item.severity == "error" for item in python.check(code, kind)):
        raise ValueError("the function itself has errors")
    tree = ast.parse(code)
    scope.refuse_constants(tree, code)
    entry = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
    return _Function(entry, kind, scope.Walk(code, times, known)).text()


@dataclass(slots=True)
class Tail:
    """The end of a body: lines, and then clauses whose value is that of the body."""

    lines: list[str] = field(default_factory=list)
    nodes: list[ast.expr] = field(default_factory=list)
    arms: list[tuple[Code, str]] = field(default_factory=list)
    last: str = ""


class _Function:
    """A function while it is written: the value of its body."""

    def __init__(self, entry: ast.FunctionDef, kind: FunctionKind, walk: scope.Walk) -> None:
        self.walk = walk
        self.values = Expressions(walk)
        self._statements = Statements(self.values, shared(entry), self._closure)
        self._entry = entry
        self._kind = kind
        self._written = 0
        self._depth = 0

    def text(self) -> str:
        """The whole function."""
        entry = self._entry
        for argument in entry.args.args:
            if argument.arg.startswith("_"):
                bare = argument.arg.lstrip("_")
                self.walk.names.called[argument.arg] = (
                    self.values.literals.name(ast.Name(bare, ast.Load()))
                    if bare != "metadata"
                    else Code("metadata")
                )
        head = self.walk.comments_before(entry.lineno)
        body = self._body(_without_doc(entry.body, self.walk))
        after = [text for _, text in self.walk.comments]
        closures = [line for text in prelude(self.walk.helpers) for line in [*text.split("\n"), ""]]
        lines = [*head]
        lines.append(f"def {self._kind.entry_point}(action, record, changes, metadata) do")
        lines += indented("\n".join([*closures, *body])).split("\n")
        lines += [*indented("\n".join(after)).split("\n")] if after else []
        return "\n".join([*lines, "end"]) + "\n"

    def _body(self, statements: list[ast.stmt]) -> list[str]:
        return "\n".join(self._rendered(self._tail(statements))).split("\n")

    def _rendered(self, tail: Tail) -> list[str]:
        self._written += 1
        if self._written > _MAX_LINES:
            raise Refused(
                (1, 1), "the function becomes too long in Elixir", "return in fewer places"
            )
        if not tail.arms:
            return [*tail.lines, tail.last] if tail.last else tail.lines
        shown = self.values.choices.choice(tail.nodes, tail.arms, tail.last)
        return [*tail.lines, *([""] if len(tail.lines) > 1 else []), shown]

    def _tail(self, statements: list[ast.stmt]) -> Tail:
        """What a body returns: its statements must end the function."""
        lines: list[str] = []
        for at, statement in enumerate(statements):
            rest = statements[at + 1 :]
            lines += self.walk.comments_before(statement.lineno)
            if isinstance(statement, ast.Return):
                value = self._returned(statement)
                lines += self.walk.comments_before((statement.end_lineno or 0) + 1)
                return Tail(lines, last=value)
            if isinstance(statement, ast.Match):
                statement = as_if(self.walk, statement)
            if isinstance(statement, ast.If) and returns(statement):
                return self._tail_if(lines, statement, rest)
            if isinstance(statement, ast.For) and returns(statement):
                return self._tail_for(lines, statement, rest)
            lines += self._statements.lines(statement, rest)
        return Tail(lines, last="nil")

    def _returned(self, node: ast.Return) -> str:
        if node.value is None:
            return "nil"
        at_end = self._kind is FunctionKind.ROUTING and self._depth == 0
        return self._result(node.value, at_end).text

    def _result(self, node: ast.expr, atoms: bool) -> Code:
        if isinstance(node, ast.Dict):
            return self.values.literals.mapping(node, atoms=atoms)
        return self.values.value(node)

    def _tail_if(self, lines: list[str], node: ast.If, rest: list[ast.stmt]) -> Tail:
        test = self.values.condition(node.test)
        before = self.walk.names.copy()
        narrowing.apply(self.walk.names.facts, node.test, True)
        body = "\n".join(self._rendered(self._tail([*node.body, *rest])))
        self.walk.names = before.copy()
        narrowing.apply(self.walk.names.facts, node.test, False)
        other = self._tail([*node.orelse, *rest])
        self.walk.names = before
        if other.lines:
            last = "\n".join(self._rendered(other))
            return Tail(lines, [node.test], [(test, body)], last)
        return Tail(lines, [node.test, *other.nodes], [(test, body), *other.arms], other.last)

    def _tail_for(self, lines: list[str], node: ast.For, rest: list[ast.stmt]) -> Tail:
        """A search: `for item in items: if test: return value`."""
        inner = node.body[0]
        if not (
            len(node.body) == 1
            and isinstance(inner, ast.If)
            and not inner.orelse
            and len(inner.body) == 1
            and isinstance(inner.body[0], ast.Return)
            and not node.orelse
        ):
            self.walk.refuse(
                node,
                "a loop that returns is converted when it is `for item in items: "
                "if test: return value`",
                "use any(...), or a comprehension",
            )
        before = self.walk.names.copy()
        source = self.values.collections.source(node.target, node.iter)
        if not source.ordered:
            self.walk.refuse(node.iter, "a map has another order in Elixir", ORDER)
        test = self.values.condition(inner.test)
        narrowing.apply(self.walk.names.facts, inner.test, True)
        value = self._returned(inner.body[0])
        self.walk.names = before
        found = f"if({test.text}, do: {{:halt, {{:found, {value}}}}}, else: {{:cont, :none}})"
        search = (
            f"case Enum.reduce_while({source.text}, :none, fn {source.head}, _ ->\n"
            f"{indented(found, 3)}\n     end) do"
        )
        other = "\n".join(self._rendered(self._tail(rest)))
        text = f"{search}\n  {{:found, value}} -> value\n  :none ->\n{indented(other, 2)}\nend"
        return Tail(lines, last=text)

    def _closure(self, node: ast.FunctionDef, rest: list[ast.stmt]) -> list[str]:
        arguments = node.args
        if arguments.defaults or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            self.walk.refuse(node, "a function inside needs plain parameters")
        late = scope.loaded(node.body) & set(scope.assigned(rest))
        if late - set(scope.assigned(node.body)) - {a.arg for a in arguments.args}:
            name = min(late)
            self.walk.refuse(
                node,
                f"`{name}` gets another value after this function is made, which "
                "it would not see in Elixir",
                f"pass `{name}` as a parameter",
            )
        if node.name in scope.loaded(node.body):
            self.walk.refuse(node, "a function cannot call itself in Elixir functions of a server")
        outer = self.walk.names.copy()
        name = self.walk.bind(node.name)
        heads = [self.walk.bind(argument.arg) for argument in arguments.args]
        self._depth += 1
        body = self._body(_without_doc(node.body, self.walk))
        self._depth -= 1
        self.walk.names = outer
        self.walk.bind(node.name)
        text = "\n".join(body)
        if len(body) == 1 and len(text) < 70:
            return [f"{name} = fn {', '.join(heads)} -> {text} end", ""]
        return [f"{name} = fn {', '.join(heads)} ->\n{indented(text)}\nend", ""]


def _without_doc(body: list[ast.stmt], walk: scope.Walk) -> list[ast.stmt]:
    """The body; a text that stands first describes it, and becomes a comment."""
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        if isinstance(first.value.value, str):
            lines = [(first.lineno, f"# {t.strip()}") for t in first.value.value.split("\n")]
            walk.comments = [item for item in lines if item[1] != "# "] + walk.comments
        return body[1:]
    return body
