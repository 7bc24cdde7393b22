"""Elixir to Python: expressions and their order. Control flow is in `forms`, calls in `calls`.

Every Elixir function becomes one Python function whose syntax tree carries the places of the
Elixir text, so that a traceback names the line and column of the user. Each binding gets its own
Python name. What is a pure expression in Python stays one; the rest becomes statements.
"""

from __future__ import annotations

import ast
from typing import Any, Final

from routestudio.functions.elixir import binaries, pyast, sigils
from routestudio.functions.elixir.calls import Calls
from routestudio.functions.elixir.captures import Captures
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.forms import Forms
from routestudio.functions.elixir.patterns import Patterns
from routestudio.functions.elixir.purity import is_boolean
from routestudio.functions.elixir.quoted import Node, is_node, printed
from routestudio.functions.elixir.short_circuits import ShortCircuits
from routestudio.functions.elixir.unit import CompileFault, Unit
from routestudio.functions.elixir.values import Atom, Key, module_atom

_HELPERS: Final = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "<": "less", ">": "greater",
    "<=": "less_equal", ">=": "greater_equal", "===": "same", "!==": "not_same", "++": "append",
}  # fmt: skip
_NO_BINARIES: Final = frozenset((int, float, bool, type(None), Atom, list))
_ENTRY: Final = (1, 1)


def _refuse_signed(part: Node) -> None:
    """A number with a sign beside `<>`: a server does not compile it."""
    kind = {int: "integer", float: "float"}.get(type((part.args or [None])[0]))
    if kind is not None:
        text = f'conflicting type specification for bit field: "binary" and "{kind}"'
        raise CompileFault(diagnostic("compile", text, part, "write it as text"))


class Compiler:
    """Compiles one body. Raises `CompileFault`."""

    def __init__(self) -> None:
        self.unit = Unit()
        self.patterns = Patterns(self.unit, self)
        self.forms = Forms(self.unit, self, self.patterns)
        self.short_circuits = ShortCircuits(self.unit, self, self.forms)
        self.calls = Calls(self.unit, self)
        self.captures = Captures(self.unit, self, self.forms, self.calls)
        self.refusal: tuple[str, pyast.Place] | None = None

    def function(self, body: Any, parameters: tuple[str, ...]) -> ast.Module:
        """A module with one function `run` of these parameters."""
        self.unit.env = {name: name for name in parameters}
        statements = self.forms.returning(body)
        if self.refusal is not None:
            # Elixir raises this while it expands the code, whichever branch the part stands in.
            text, place = self.refusal
            error = pyast.call("argument", [pyast.const(text, place)], place)
            raising = pyast.at(ast.Raise(error, None), place)
            statements.insert(0, raising)
        run = pyast.function("run", list(parameters), statements, _ENTRY)
        return ast.Module([run], [])

    # Order

    def isolated(self, value: Any) -> tuple[list[ast.stmt], ast.expr, dict[str, str]]:
        """A value's statements, its expression, and the names bound after it."""
        outer_out, outer_env = self.unit.out, self.unit.env
        self.unit.out, self.unit.env = [], dict(outer_env)
        try:
            expression = self.expression(value)
            return self.unit.out, expression, self.unit.env
        finally:
            self.unit.out, self.unit.env = outer_out, outer_env

    def several(self, values: list[Any], place: pyast.Place) -> list[ast.expr]:
        """Values in order: none sees the bindings of its neighbours, what follows sees all."""
        found: list[ast.expr] = []
        after = dict(self.unit.env)
        for value in values:
            if self.unit.pure(value):
                found.append(self.expression(value))
                continue
            statements, expression, env = self.isolated(value)
            after.update({k: v for k, v in env.items() if self.unit.env.get(k) != v})
            if statements:
                found = [self.held(item, place) for item in found]
                self.unit.out += statements
            found.append(expression)
        self.unit.env = after
        return found

    def held(self, value: ast.expr, place: pyast.Place) -> ast.expr:
        """A value that is computed now, before the statements that follow."""
        if isinstance(value, (ast.Name, ast.Constant)):
            return value
        name = self.unit.temporary()
        self.unit.out.append(pyast.assign(name, value, place))
        return pyast.name(name, place)

    def named(self, value: Any, place: pyast.Place) -> ast.Name:
        """A value under a Python name, by a statement."""
        expression = self.held(self.expression(value), place)
        if isinstance(expression, ast.Constant):
            name = self.unit.temporary()
            self.unit.out.append(pyast.assign(name, expression, place))
            expression = pyast.name(name, place)
        assert isinstance(expression, ast.Name)
        return expression

    # Expressions

    def expression(self, value: Any) -> ast.expr:
        if type(value) is Node:
            return self._node(value)
        if isinstance(value, list):
            return self._list(value)
        if isinstance(value, tuple):
            return pyast.tuple_(self.several(list(value), _ENTRY), _place_in(value))
        return self.unit.constant(value, _ENTRY)

    def _list(self, items: list[Any]) -> ast.expr:
        place = _place_in(items)
        if items and is_node(items[-1], "|", 2):
            head, tail = items[-1].args
            parts = self.several([*items[:-1], head, tail], place)
            return pyast.call("cons", [pyast.list_(parts[:-1], place), parts[-1]], place)
        return pyast.list_(self.several(items, place), place)

    def _node(self, node: Node) -> ast.expr:
        place, args = node.place, node.args
        if type(node.name) is Node:
            return self.calls.remote(node)
        name: str = node.name
        if args is None:
            return self._variable(node)
        if name in ("if", "case", "cond", "with"):
            return self.forms.form(node)
        match name:
            case "=":
                return self._match(node, args)
            case "__block__":
                return self._block(args, place)
            case "%{}":
                return self._map(args, place)
            case "%":
                return self.calls.struct_literal(node)
            case "{}":
                return pyast.tuple_(self.several(args, place), place)
            case "__aliases__":
                return self._alias(node)
            case "<<>>":
                return self._binary(node)
            case "fn":
                return self.forms.closure(node)
            case "&":
                return self.captures.capture(node)
            case "|>":
                return self.calls.pipe(node)
            case "match?":
                return self._matches(args, place)
            case "and" | "or" | "&&" | "||":
                return self.short_circuits.expression(node)
            case "not" if len(args) == 1:
                value = self.expression(args[0])
                if is_boolean(args[0]):
                    return pyast.not_(value, place)
                return pyast.call("negation", [value], place)
            case "in":
                return self._member(args, place)
            case "==" | "!=":
                return self._equality(name, args, place)
            case "<>":
                return self._concat(node)
            case "-" | "+" if len(args) == 1:
                if type(args[0]) in (int, float):
                    return pyast.const(-args[0] if name == "-" else args[0], place)
                helper = "negate" if name == "-" else "positive"
                return pyast.call(helper, [self.expression(args[0])], place)
        if name in _HELPERS and len(args) == 2:
            return pyast.call(_HELPERS[name], self.several(args, place), place)
        if name.startswith("sigil_"):
            return sigils.sigil(self.unit, self.interpolation, node)
        return self.calls.local(node)

    def _map(self, pairs: list[Any], place: pyast.Place) -> ast.expr:
        parts = self.several([part for pair in pairs for part in pair], place)
        keys = zip([key for key, _ in pairs], parts[::2], strict=True)
        stored = [self._stored(key, part, place) for key, part in keys]
        return pyast.dict_(stored, parts[1::2], place)

    def _stored(self, key: Any, part: ast.expr, place: pyast.Place) -> ast.expr:
        """A key's expression as it is stored: only keys that may need it are converted."""
        if type(key) in (str, int, Atom) or key is None:
            return part
        if isinstance(key, Node) and key.name in ("<>", "__aliases__"):
            return part
        if type(key) in (bool, float):
            return self.unit.constant(Key(key), place)
        return pyast.call("key_in", [part], place)

    def _variable(self, node: Node) -> ast.expr:
        if node.name == "__MODULE__":
            return pyast.const(None, node.place)
        local = self.unit.env.get(node.name)
        if local is None:
            text = f"not evaluated here: {node.name}"
            raise CompileFault(diagnostic("not_evaluated", text, node))
        if local == "metadata":
            return pyast.call("metadata_map", [pyast.name(local, node.place)], node.place)
        return pyast.name(local, node.place)

    def _alias(self, node: Node) -> ast.expr:
        parts = [part.name for part in node.args or [] if type(part) is Atom]
        return self.unit.constant(module_atom(".".join(parts)), node.place)

    def _match(self, node: Node, args: list[Any]) -> ast.expr:
        pattern, value = args
        place = node.place
        if type(pattern) is Node and pattern.args is None:
            expression = self.expression(value)
            if pattern.name == "_":
                return self.held(expression, place)
            local = self.unit.variable(pattern.name)
            self.unit.out.append(pyast.assign(local, expression, place))
            self.unit.env[pattern.name] = local
            return pyast.name(local, place)
        subject = self.named(value, place)
        bound: dict[str, str] = {}
        conditions = self.patterns.pattern(pattern, subject, place, bound)
        error = pyast.run(pyast.call("match_error", [subject], place), place)
        test = pyast.not_(pyast.both(conditions, place), place)
        if conditions:
            self.unit.out.append(pyast.branch(test, [error], [], place))
        self.unit.env.update(bound)
        return subject

    def _block(self, items: list[Any], place: pyast.Place) -> ast.expr:
        if not items:
            return pyast.const(None, place)
        for item in items[:-1]:
            value = self.expression(item)
            if not isinstance(value, (ast.Name, ast.Constant)):
                self.unit.out.append(pyast.run(value, place))
        return self.expression(items[-1])

    def _matches(self, args: list[Any], place: pyast.Place) -> ast.expr:
        held = self.unit.temporary()
        value = pyast.is_not(
            pyast.walrus(held, self.expression(args[1]), place), pyast.name("MISSING", place), place
        )
        conditions, _ = self.patterns.head([args[0]], [pyast.name(held, place)], place)
        return pyast.call("bool", [pyast.both([value, *conditions], place)], place)

    def _member(self, args: list[Any], place: pyast.Place) -> ast.expr:
        left, right = args
        if isinstance(right, list) and right and all(type(item) is str for item in right):
            value = self.expression(left)
            known = pyast.tuple_([pyast.const(item, place) for item in right], place)
            return pyast.compare(value, ast.In(), known, place)
        parts = self.several([left, right], place)
        return pyast.call("member", [parts[1], parts[0]], place)

    def _equality(self, name: str, args: list[Any], place: pyast.Place) -> ast.expr:
        left, right = self.several(args, place)
        positive = name == "=="
        kinds = {type(arg) for arg in args}
        if str in kinds:
            return pyast.compare(left, ast.Eq() if positive else ast.NotEq(), right, place)
        if kinds & {Atom, type(None), bool}:
            return pyast.compare(left, ast.Is() if positive else ast.IsNot(), right, place)
        return pyast.call("equal" if positive else "not_equal", [left, right], place)

    def _concat(self, node: Node) -> ast.expr:
        parts: list[Any] = []
        value: Any = node
        while is_node(value, "<>", 2):
            parts.append(value.args[0])
            value = value.args[1]
        parts.append(value)
        for part in parts:
            if type(part) in _NO_BINARIES and self.refusal is None:
                text = f"expected binary argument in <> operator but got: {printed(part)}"
                self.refusal = text, node.place
            if type(part) is Node and part.name in ("-", "+") and len(part.args or []) == 1:
                _refuse_signed(part)
        return pyast.call("concat", self.several(parts, node.place), node.place)

    def _binary(self, node: Node) -> ast.expr:
        args = node.args or []
        if args and all(
            type(part) is str
            or (
                is_node(part, "::", 2)
                and type(part.args[0]) is Node
                and "interpolation" in part.args[0].flags
            )
            for part in args
        ):
            return self.interpolation(args, node.place)
        return binaries.build(self, node)

    def interpolation(self, parts: list[Any], place: pyast.Place) -> ast.expr:
        """Text with values in it."""
        values = self.several(
            [part if type(part) is str else part.args[0].args[0] for part in parts], place
        )
        pieces: list[ast.expr] = []
        for part, value in zip(parts, values, strict=True):
            if type(part) is str:
                pieces.append(pyast.const(part, place))
            else:
                pieces.append(pyast.call("to_text", [value], part.place))
        if not any(type(part) is not str for part in parts):
            return pyast.const("".join(parts), place)
        held = self.unit.temporary()
        text = pyast.joined(pieces, place)
        ascii_only = pyast.method(pyast.walrus(held, text, place), "isascii", [], place)
        kept = pyast.name(held, place)
        return pyast.choose(ascii_only, kept, pyast.call("whole", [kept], place), place)


def _place_in(values: Any) -> pyast.Place:
    """The place of the first node in a literal, which has none itself."""
    for value in values:
        if type(value) is Node:
            return value.place
        if isinstance(value, (list, tuple)):
            found = _place_in(value)
            if found != _ENTRY:
                return found
    return _ENTRY
