"""Python functions as Elixir functions of equal meaning, or the places where that is not possible.

Python changes names, Elixir binds them again: what branches and loops assign becomes their value.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, field

from routestudio.functions import python
from routestudio.functions.conversion import narrowing, scope
from routestudio.functions.conversion.common import ANY, DICT, LIST, Code, Kinds, Refused, indented
from routestudio.functions.conversion.flow import always_assigns, branches, returns, shared
from routestudio.functions.conversion.matches import Matches
from routestudio.functions.conversion.prelude import prelude
from routestudio.model.function import FunctionKind

_ORDER = "write `for key in sorted(record)`, or a map: {key: ... for key, value in ...}"
_MAX_LINES = 2_000
_WORDS: dict[type[ast.stmt], str] = {
    ast.Try: "try",
    ast.Raise: "raise",
    ast.While: "while",
    ast.Assert: "assert",
}


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
    scope.refuse_long_integers(tree, code)
    entry = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
    return _Function(code, kind, times, known).text(entry)


@dataclass(slots=True)
class Tail:
    """The end of a body: lines, and then clauses whose value is that of the body."""

    lines: list[str] = field(default_factory=list)
    nodes: list[ast.expr] = field(default_factory=list)
    arms: list[tuple[Code, str]] = field(default_factory=list)
    last: str = ""


class _Function(Matches):
    def __init__(
        self, code: str, kind: FunctionKind, times: Collection[str], known: Collection[str] = ()
    ) -> None:
        super().__init__(code, times, known)
        self._kind = kind
        self._written = 0
        self._shared: dict[str, int] = {}
        self._depth = 0

    def text(self, entry: ast.FunctionDef) -> str:
        for argument in entry.args.args:
            if argument.arg.startswith("_"):
                bare = argument.arg.lstrip("_")
                self.names.called[argument.arg] = (
                    self._name(ast.Name(bare, ast.Load()))
                    if bare != "metadata"
                    else Code("metadata")
                )
        head = self.comments_before(entry.lineno)
        self._shared = shared(entry)
        body = self._body(_without_doc(entry.body, self))
        after = [text for _, text in self.comments]
        closures = [line for text in prelude(self.helpers) for line in [*text.split("\n"), ""]]
        lines = [*head]
        lines.append(f"def {self._kind.entry_point}(action, record, changes, metadata) do")
        lines += indented("\n".join([*closures, *body])).split("\n")
        lines += [*indented("\n".join(after)).split("\n")] if after else []
        return "\n".join([*lines, "end"]) + "\n"

    # The value of a body

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
        shown = self.choice(tail.nodes, tail.arms, tail.last)
        return [*tail.lines, *([""] if len(tail.lines) > 1 else []), shown]

    def _tail(self, statements: list[ast.stmt]) -> Tail:
        """What a body returns: its statements must end the function."""
        lines: list[str] = []
        for at, statement in enumerate(statements):
            rest = statements[at + 1 :]
            lines += self.comments_before(statement.lineno)
            if isinstance(statement, ast.Return):
                value = self._returned(statement)
                lines += self.comments_before((statement.end_lineno or 0) + 1)
                return Tail(lines, last=value)
            if isinstance(statement, ast.Match):
                statement = self.as_if(statement)
            if isinstance(statement, ast.If) and returns(statement):
                return self._tail_if(lines, statement, rest)
            if isinstance(statement, ast.For) and returns(statement):
                return self._tail_for(lines, statement, rest)
            lines += self._statement(statement, rest)
        return Tail(lines, last="nil")

    def _returned(self, node: ast.Return) -> str:
        if node.value is None:
            return "nil"
        at_end = self._kind is FunctionKind.ROUTING and self._depth == 0
        return self._result(node.value, at_end).text

    def _result(self, node: ast.expr, atoms: bool) -> Code:
        if isinstance(node, ast.Dict):
            return self.mapping(node, atoms=atoms)
        return self.value(node)

    def _tail_if(self, lines: list[str], node: ast.If, rest: list[ast.stmt]) -> Tail:
        test = self.condition(node.test)
        before = self.names.copy()
        narrowing.apply(self.names.facts, node.test, True)
        body = "\n".join(self._rendered(self._tail([*node.body, *rest])))
        self.names = before.copy()
        narrowing.apply(self.names.facts, node.test, False)
        other = self._tail([*node.orelse, *rest])
        self.names = before
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
            self.refuse(
                node,
                "a loop that returns is converted when it is `for item in items: "
                "if test: return value`",
                "use any(...), or a comprehension",
            )
        before = self.names.copy()
        source = self.source(node.target, node.iter)
        if not source.ordered:
            self.refuse(node.iter, "a map has another order in Elixir", _ORDER)
        test = self.condition(inner.test)
        narrowing.apply(self.names.facts, inner.test, True)
        value = self._returned(inner.body[0])
        self.names = before
        found = f"if({test.text}, do: {{:halt, {{:found, {value}}}}}, else: {{:cont, :none}})"
        search = (
            f"case Enum.reduce_while({source.text}, :none, fn {source.head}, _ ->\n"
            f"{indented(found, 3)}\n     end) do"
        )
        other = "\n".join(self._rendered(self._tail(rest)))
        text = f"{search}\n  {{:found, value}} -> value\n  :none ->\n{indented(other, 2)}\nend"
        return Tail(lines, last=text)

    # Statements

    def _statement(self, node: ast.stmt, rest: list[ast.stmt]) -> list[str]:
        match node:
            case ast.Pass():
                return []
            case ast.Expr(value=ast.Constant()):
                return []
            case ast.Assign(targets=[ast.Name() as target]):
                return self._assign(target, node.value)
            case ast.AnnAssign(target=ast.Name() as target) if node.value is not None:
                return self._assign(target, node.value)
            case ast.AnnAssign(target=ast.Name()):
                return []
            case ast.AugAssign(target=ast.Name() as target):
                load = ast.copy_location(ast.Name(target.id, ast.Load()), target)
                whole = ast.BinOp(load, node.op, node.value)
                return self._assign(target, ast.copy_location(whole, node))
            case ast.Assign(targets=[ast.Tuple() as names], value=ast.Tuple() as values) if len(
                names.elts
            ) == len(values.elts):
                return self._several(names, values)
            case ast.Assign(targets=[ast.Subscript() as place]):
                return self._put(place, node.value)
            case ast.Delete(targets=[ast.Subscript() as place]):
                return self._delete(place)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name() as owner)) as call):
                return self._change(owner, call)
            case ast.If():
                return self._choose(node, rest)
            case ast.For():
                return self._loop(node, rest)
            case ast.FunctionDef():
                return self._closure(node, rest)
        word = _WORDS.get(type(node), type(node).__name__)
        self.refuse(
            node,
            f"`{word}` has no equal form in Elixir functions of a server",
            "test before, and return a value instead",
        )

    def _assign(self, target: ast.Name, value: ast.expr) -> list[str]:
        found = self.value(value)
        name = self.bind(target.id, found.kinds, found.items)
        if found.flat:
            return [f"{name} = {found.text}"]
        if found.text.startswith("%{"):
            return [f"{name} = {found.text}"]
        return [f"{name} =\n{indented(found.text)}", ""]

    def _several(self, names: ast.Tuple, values: ast.Tuple) -> list[str]:
        found = [self.value(item) for item in values.elts]
        heads = []
        for name, item in zip(names.elts, found, strict=True):
            if not isinstance(name, ast.Name):
                self.refuse(name, "only names can be assigned together")
            heads.append(self.bind(name.id, item.kinds, item.items))
        texts = ", ".join(item.text for item in found)
        return [f"{{{', '.join(heads)}}} = {{{texts}}}"]

    def _owned(self, node: ast.expr) -> str:
        """A local name whose value only it refers to, so that changing it is binding it again."""
        if not isinstance(node, ast.Name) or node.id not in self.names.called:
            self.refuse(
                node,
                "values cannot be changed in place in Elixir",
                'make a new one: row = {**record, "key": value}',
            )
        if self._shared.get(node.id, 1 << 30) < node.lineno:
            self.refuse(
                node,
                f"`{node.id}` may share its value with another name, and would change that, too",
                f"make a new one: {{**{node.id}, ...}}",
            )
        return node.id

    def _put(self, place: ast.Subscript, value: ast.expr) -> list[str]:
        name = self._owned(place.value)
        owner, key, item = self.names.called[name], self.value(place.slice), self.value(value)
        if owner.kinds != DICT or not key.kinds <= frozenset(["str"]):
            self.refuse(place, "only entries of a map with a text as key can be set")
        text = self.bind(name, DICT)
        return [f"{text} = Map.put({owner.text}, {key.text}, {item.text})"]

    def _delete(self, place: ast.Subscript) -> list[str]:
        name = self._owned(place.value)
        owner, key = self.names.called[name], self.value(place.slice)
        text = self.bind(name, DICT)
        return [f"{{_, {text}}} = Map.pop!({owner.text}, {key.text})"]

    def _change(self, target: ast.Name, call: ast.Call) -> list[str]:
        assert isinstance(call.func, ast.Attribute)
        name = self._owned(target)
        owner, method = self.names.called[name], call.func.attr
        items = self.arguments(call, 1, 2)
        if method == "append" and owner.kinds == LIST and len(items) == 1:
            text = self.bind(name, LIST, owner.items | items[0].kinds)
            if owner.text == "[]" or owner.items == ANY:
                self.bind(name, LIST, ANY)
            return [f"{text} = {owner.text} ++ [{items[0].text}]"]
        if method == "extend" and owner.kinds == LIST and items[0].kinds == LIST:
            text = self.bind(name, LIST, owner.items | items[0].items)
            return [f"{text} = {owner.text} ++ {items[0].inside(65)}"]
        if method == "update" and owner.kinds == DICT and items[0].kinds == DICT:
            text = self.bind(name, DICT)
            return [f"{text} = Map.merge({owner.text}, {items[0].text})"]
        if method == "pop" and owner.kinds == DICT and len(items) == 2:
            text = self.bind(name, DICT)
            return [f"{text} = Map.delete({owner.text}, {items[0].text})"]
        self.refuse(call, f"`.{method}()` changes a value in place, in a way without an equal form")

    def _choose(self, node: ast.If, rest: list[ast.stmt]) -> list[str]:
        """An `if` without `return`: what it assigns becomes its value."""
        names = scope.assigned([node])
        later = scope.loaded(rest)
        before = self.names.copy()
        kept = []
        ways = branches(node)
        for name in names:
            everywhere = all(always_assigns(body, name) for body in ways)
            known = name in before.called or name in python.PARAMETERS
            if everywhere or known:
                kept.append(name)
            elif name in later:
                self.refuse(
                    node,
                    f"`{name}` has no value after this when no branch gives one",
                    f"write `{name} = None` before",
                )
        if not kept:
            return []
        nodes, arms, last, found = self._arms(node, kept)
        shown = self.choice(nodes, arms, last)
        self.names = before
        heads = [self.bind(name, *kinds) for name, kinds in zip(kept, found, strict=True)]
        head = heads[0] if len(heads) == 1 else f"{{{', '.join(heads)}}}"
        return [f"{head} =\n{indented(shown)}", ""]

    def _arms(
        self, node: ast.If, kept: list[str]
    ) -> tuple[list[ast.expr], list[tuple[Code, str]], str, list[tuple[Kinds, Kinds]]]:
        test = self.condition(node.test)
        before = self.names.copy()
        narrowing.apply(self.names.facts, node.test, True)
        body, kinds = self._branch(node.body, kept)
        self.names = before.copy()
        narrowing.apply(self.names.facts, node.test, False)
        inner = node.orelse[0] if len(node.orelse) == 1 else None
        if isinstance(inner, ast.If):
            nodes, arms, last, other = self._arms(inner, kept)
        else:
            nodes, arms = [], []
            last, other = self._branch(node.orelse, kept)
        self.names = before
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
            lines += self.comments_before(only.lineno)
            value = self.value(only.value)
            return "\n".join([*lines, value.text]), [(value.kinds, value.items)]
        for at, statement in enumerate(body):
            lines += self.comments_before(statement.lineno)
            if isinstance(statement, ast.Match):
                statement = self.as_if(statement)
            marks = [ast.Name(name, ast.Load()) for name in kept]
            rest = [*body[at + 1 :], *(ast.Expr(mark) for mark in marks)]
            lines += self._statement(statement, rest)
        values = [self.value(ast.Name(name, ast.Load(), lineno=1, col_offset=0)) for name in kept]
        texts = ", ".join(value.text for value in values)
        while lines and not lines[-1]:
            lines.pop()
        start = f"{texts} = "
        if len(values) == 1 and lines and lines[-1].startswith(start):
            lines[-1] = lines[-1][len(start) :]  # bound and given at once
        else:
            lines.append(texts if len(values) == 1 else f"{{{texts}}}")
        return "\n".join(lines), [(value.kinds, value.items) for value in values]

    def _loop(self, node: ast.For, rest: list[ast.stmt]) -> list[str]:
        """A loop that collects: `Enum.reduce`."""
        if node.orelse or any(
            isinstance(inner, (ast.Break, ast.Continue, ast.Return))
            for statement in node.body
            for inner in scope.walk_own(statement)
        ):
            self.refuse(
                node,
                "a loop that is left early has no equal form",
                "use a comprehension, any(...), or one `if ...: return`",
            )
        targets = {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        if targets & scope.loaded(rest):
            self.refuse(node, "the loop's name is used after the loop", "keep it in another name")
        kept = [name for name in scope.assigned(node.body) if name not in targets]
        outside = [name for name in kept if name in self.names.called]
        for name in kept:
            if name not in outside and name in scope.loaded(rest):
                self.refuse(
                    node,
                    f"`{name}` has no value when the loop does not run",
                    f"write `{name} = None` before",
                )
        if not outside:
            return []
        before = self.names.copy()
        given = ", ".join(before.called[name].text for name in outside)
        source = self.source(node.target, node.iter)
        if not source.ordered:
            self.refuse(node.iter, "a map has another order in Elixir", _ORDER)
        for name in outside:
            # What one turn makes is what the next one starts with: any kind that fits the text.
            start = before.called[name].kinds
            self.bind(name, start if start in (LIST, DICT) else self._stays(name, start, node))
        heads = [self.names.called[name].text for name in outside]
        body, found = self._branch(node.body, outside)
        self.names = before
        for name, (kinds, _) in zip(outside, found, strict=True):
            self.bind(name, before.called[name].kinds | kinds, ANY)
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

    def _closure(self, node: ast.FunctionDef, rest: list[ast.stmt]) -> list[str]:
        arguments = node.args
        if arguments.defaults or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            self.refuse(node, "a function inside needs plain parameters")
        late = scope.loaded(node.body) & set(scope.assigned(rest))
        if late - set(scope.assigned(node.body)) - {a.arg for a in arguments.args}:
            name = min(late)
            self.refuse(
                node,
                f"`{name}` gets another value after this function is made, which "
                "it would not see in Elixir",
                f"pass `{name}` as a parameter",
            )
        if node.name in scope.loaded(node.body):
            self.refuse(node, "a function cannot call itself in Elixir functions of a server")
        outer = self.names.copy()
        name = self.bind(node.name)
        heads = [self.bind(argument.arg) for argument in arguments.args]
        self._depth += 1
        body = self._body(_without_doc(node.body, self))
        self._depth -= 1
        self.names = outer
        self.bind(node.name)
        text = "\n".join(body)
        if len(body) == 1 and len(text) < 70:
            return [f"{name} = fn {', '.join(heads)} -> {text} end", ""]
        return [f"{name} = fn {', '.join(heads)} ->\n{indented(text)}\nend", ""]


def _without_doc(body: list[ast.stmt], walk: _Function) -> list[ast.stmt]:
    """The body; a text that stands first describes it, and becomes a comment."""
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        if isinstance(first.value.value, str):
            lines = [(first.lineno, f"# {t.strip()}") for t in first.value.value.split("\n")]
            walk.comments = [item for item in lines if item[1] != "# "] + walk.comments
        return body[1:]
    return body
