"""Statements of Python that change names, as Elixir, which binds them again."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from routestudio.functions.conversion.branching import Branching
from routestudio.functions.conversion.common import ANY, DICT, LIST, indented
from routestudio.functions.conversion.expressions import Expressions

_WORDS: dict[type[ast.stmt], str] = {
    ast.Try: "try",
    ast.Raise: "raise",
    ast.While: "while",
    ast.Assert: "assert",
}

Closure = Callable[[ast.FunctionDef, list[ast.stmt]], list[str]]
"""The lines of a function inside, of which the statements that follow it are known."""


class Statements:
    """Statements that do not end the function.

    `shared` are names whose value something else may hold, and the line from which it does.
    """

    def __init__(self, values: Expressions, shared: Mapping[str, int], closure: Closure) -> None:
        self.values = values
        self.walk = values.walk
        self._shared = shared
        self._closure = closure
        self._branching = Branching(values, self.lines)

    def lines(self, node: ast.stmt, rest: list[ast.stmt]) -> list[str]:
        """The lines of a statement; `rest` are those that follow it."""
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
                return self._branching.choose(node, rest)
            case ast.For():
                return self._branching.loop(node, rest)
            case ast.FunctionDef():
                return self._closure(node, rest)
        word = _WORDS.get(type(node), type(node).__name__)
        self.walk.refuse(
            node,
            f"`{word}` has no equal form in Elixir functions of a server",
            "test before, and return a value instead",
        )

    def _assign(self, target: ast.Name, value: ast.expr) -> list[str]:
        found = self.values.value(value)
        name = self.walk.bind(target.id, found.kinds, found.items)
        if found.flat:
            return [f"{name} = {found.text}"]
        if found.text.startswith("%{"):
            return [f"{name} = {found.text}"]
        return [f"{name} =\n{indented(found.text)}", ""]

    def _several(self, names: ast.Tuple, values: ast.Tuple) -> list[str]:
        found = [self.values.value(item) for item in values.elts]
        heads = []
        for name, item in zip(names.elts, found, strict=True):
            if not isinstance(name, ast.Name):
                self.walk.refuse(name, "only names can be assigned together")
            heads.append(self.walk.bind(name.id, item.kinds, item.items))
        texts = ", ".join(item.text for item in found)
        return [f"{{{', '.join(heads)}}} = {{{texts}}}"]

    def _owned(self, node: ast.expr) -> str:
        """A local name whose value only it refers to, so that changing it is binding it again."""
        if not isinstance(node, ast.Name) or node.id not in self.walk.names.called:
            self.walk.refuse(
                node,
                "values cannot be changed in place in Elixir",
                'make a new one: row = {**record, "key": value}',
            )
        if self._shared.get(node.id, 1 << 30) < node.lineno:
            self.walk.refuse(
                node,
                f"`{node.id}` may share its value with another name, and would change that, too",
                f"make a new one: {{**{node.id}, ...}}",
            )
        return node.id

    def _put(self, place: ast.Subscript, value: ast.expr) -> list[str]:
        name = self._owned(place.value)
        owner, key, item = (
            self.walk.names.called[name],
            self.values.value(place.slice),
            self.values.value(value),
        )
        if owner.kinds != DICT or not key.kinds <= frozenset(["str"]):
            self.walk.refuse(place, "only entries of a map with a text as key can be set")
        text = self.walk.bind(name, DICT)
        return [f"{text} = Map.put({owner.text}, {key.text}, {item.text})"]

    def _delete(self, place: ast.Subscript) -> list[str]:
        name = self._owned(place.value)
        owner, key = self.walk.names.called[name], self.values.value(place.slice)
        text = self.walk.bind(name, DICT)
        return [f"{{_, {text}}} = Map.pop!({owner.text}, {key.text})"]

    def _change(self, target: ast.Name, call: ast.Call) -> list[str]:
        assert isinstance(call.func, ast.Attribute)
        name = self._owned(target)
        owner, method = self.walk.names.called[name], call.func.attr
        items = self.values.arguments(call, 1, 2)
        if method == "append" and owner.kinds == LIST and len(items) == 1:
            text = self.walk.bind(name, LIST, owner.items | items[0].kinds)
            if owner.text == "[]" or owner.items == ANY:
                self.walk.bind(name, LIST, ANY)
            return [f"{text} = {owner.text} ++ [{items[0].text}]"]
        if method == "extend" and owner.kinds == LIST and items[0].kinds == LIST:
            text = self.walk.bind(name, LIST, owner.items | items[0].items)
            return [f"{text} = {owner.text} ++ {items[0].inside(65)}"]
        if method == "update" and owner.kinds == DICT and items[0].kinds == DICT:
            text = self.walk.bind(name, DICT)
            return [f"{text} = Map.merge({owner.text}, {items[0].text})"]
        if method == "pop" and owner.kinds == DICT and len(items) == 2:
            text = self.walk.bind(name, DICT)
            return [f"{text} = Map.delete({owner.text}, {items[0].text})"]
        self.walk.refuse(
            call, f"`.{method}()` changes a value in place, in a way without an equal form"
        )
