"""Calls: functions of modules and of Kernel, closures, pipes, paths of `put_in`."""

from __future__ import annotations

import ast
from typing import Any, Final

from routestudio.functions.elixir import catalogue, names, pyast
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.inspecting import inspect_atom
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.registry import FUNCTIONS
from routestudio.functions.elixir.unit import CompileFault, Unit, Values
from routestudio.functions.elixir.values import AnyStruct, Atom
from routestudio.model.function import Diagnostic

Place = pyast.Place

_PATHS: Final = frozenset(["put_in", "update_in", "pop_in", "get_and_update_in"])


class Calls:
    """The part of the compiler that knows calls."""

    def __init__(self, unit: Unit, values: Values) -> None:
        self.unit = unit
        self.values = values

    def remote(self, node: Node) -> ast.expr:
        """A call with a dot."""
        callee: Node = node.name
        args = node.args or []
        if callee.name != "." or not callee.args:
            raise not_evaluated(node, "a call of a call")
        if len(callee.args) == 1:
            return self._closure_call(callee.args[0], args, node)
        left, right = callee.args
        name = right.name if type(right) is Atom else inspect_atom(str(right))
        module = module_of(left)
        if module is None:
            return self._dot(node, left, name, args)
        if module == "Access" and name == "get" and 2 <= len(args) <= 3:
            return self._access(node, args)
        if module == "Kernel":
            return self.named_call(name, args, node)
        if module == "List" and name == "to_charlist" and "interpolation" in node.flags:
            text = self.interpolation_parts(args[0], node.place)
            return pyast.call(self._library("String", "to_charlist", 1, node), [text], node.place)
        return self.module_call(module, name, self.values.several(args, node.place), node)

    def interpolation_parts(self, parts: list[Any], place: Place) -> ast.expr:
        """The parts of a charlist with interpolation, as text."""
        values = self.values.several([p if type(p) is str else p.args[0] for p in parts], place)
        texts = [pyast.call("to_text", [value], place) for value in values]
        return pyast.call("concat", texts, place)

    def _closure_call(self, target: Any, args: list[Any], node: Node) -> ast.expr:
        parts = self.values.several([target, *args], node.place)
        return self._apply(parts[0], parts[1:], node.place)

    def _apply(self, function: ast.expr, args: list[ast.expr], place: Place) -> ast.expr:
        count = pyast.const(len(args), place)
        return pyast.call(pyast.call("called", [function, count], place), args, place)

    def _dot(self, node: Node, left: Any, name: str, args: list[Any]) -> ast.expr:
        place = node.place
        text = pyast.const(name, place)
        if args:
            parts = self.values.several([left, *args], place)
            return pyast.call("dot_call", [parts[0], text, pyast.const(len(args), place)], place)
        if self._is_metadata(left):
            return pyast.call("metadata_field", [pyast.name("metadata", place), text], place)
        if (
            type(left) is Node
            and type(left.name) is Node
            and left.name.name == "."
            and not left.args
            and len(left.name.args) == 2
            and self._is_metadata(left.name.args[0])
        ):
            key = pyast.const(left.name.args[1].name, place)
            return pyast.call("metadata_path", [pyast.name("metadata", place), key, text], place)
        return pyast.call("dot", [self.values.expression(left), text], place)

    def _is_metadata(self, value: Any) -> bool:
        return (
            type(value) is Node
            and value.args is None
            and value.name == "metadata"
            and self.unit.env.get("metadata") == "metadata"
        )

    def _access(self, node: Node, args: list[Any]) -> ast.expr:
        place = node.place
        key = args[1]
        parts = self.values.several(args, place)
        if len(parts) == 2 and (type(key) is str or (type(key) is Atom)):
            # The common case without a call: a map, and a key that needs no conversion.
            value = parts[0]
            first = value
            if not isinstance(value, ast.Name):
                held = self.unit.temporary()
                first, value = pyast.walrus(held, value, place), pyast.name(held, place)
            return pyast.choose(
                pyast.type_is(first, "dict", place),
                pyast.method(value, "get", [parts[1]], place),
                pyast.call("access", [value, parts[1]], place),
                place,
            )
        return pyast.call("access", parts, place)

    # Functions of modules and of Kernel

    def _library(self, module: str, name: str, arity: int, node: Node) -> ast.expr:
        """The Python function of an Elixir function, by its name in the generated code."""
        function = FUNCTIONS[module, name, arity]
        known = f"f_{module}_{name.replace('?', '_p').replace('!', '_b')}_{arity}"
        if not known.isidentifier():
            known = f"f_{module}_{abs(hash(name))}_{arity}"
        self.unit.names[known] = function
        return pyast.name(known, node.place)

    def module_call(self, module: str, name: str, parts: list[ast.expr], node: Node) -> ast.expr:
        """A call of a function of a module with arguments that are compiled."""
        place, arity = node.place, len(parts)
        if (module, name, arity) in FUNCTIONS:
            return pyast.call(self._library(module, name, arity, node), parts, place)
        shown = f"{module}.{name}/{arity}"
        helper, code, text = "undefined_error", "undefined_function", f"there is no {shown}"
        details = [module, name, arity]
        if catalogue.is_macro(module, name, arity):
            helper = "macro_error"
        elif catalogue.exists(module, name, arity):
            helper, code = "not_evaluated", "not_evaluated"
            text, details = f"not evaluated here: {shown}", [shown]
        self._warn(code, text, node, catalogue.similar(module, name, arity))
        error = pyast.call(helper, [pyast.const(item, place) for item in details], place)
        if not parts:
            return error
        # The arguments are still evaluated first, as a call does.
        return pyast.item(pyast.tuple_([*parts, error], place), arity, place)

    def _warn(self, code: str, text: str, node: Node, hint: str | None = None) -> None:
        at = diagnostic(code, text, node, hint)
        self.unit.warnings.append(
            Diagnostic(at.line, at.column, code, text, at.end_line, at.end_column, "warning", hint)
        )

    def local(self, node: Node) -> ast.expr:
        """A call of a name without a module."""
        return self.named_call(str(node.name), node.args or [], node)

    def named_call(self, name: str, args: list[Any], node: Node) -> ast.expr:
        """A call of a function of Kernel."""
        if name == "get_in" and len(args) == 1:
            return self.values.expression(args[0])
        if name in _PATHS and args and len(args) == (1 if name == "pop_in" else 2):
            return self._path_call(name, args, node)
        return self.kernel(name, self.values.several(args, node.place), node)

    def kernel(self, name: str, parts: list[ast.expr], node: Node) -> ast.expr:
        """A call of a function of Kernel with arguments that are compiled."""
        arity, place = len(parts), node.place
        if name == "to_string" and arity == 1:
            return pyast.call("to_text", parts, place)
        if name == "is_nil" and arity == 1:
            return pyast.is_(parts[0], pyast.const(None, place), place)
        if name == "is_binary" and arity == 1:
            return pyast.type_is(parts[0], "str", place)
        if ("Kernel", name, arity) in FUNCTIONS:
            return pyast.call(self._library("Kernel", name, arity, node), parts, place)
        known = name in names.KERNEL or name in ("inspect", "apply", "node")
        if known and catalogue.exists("Kernel", name, arity):
            return self.module_call("Kernel", name, parts, node)
        raise CompileFault(diagnostic("compile", f"undefined function {name}/{arity}", node))

    def _path_call(self, name: str, args: list[Any], node: Node) -> ast.expr:
        """`put_in(map["a"]["b"], value)`: the path is written as an access."""
        place = node.place
        keys: list[Any] = []
        base = args[0]
        while type(base) is Node and type(base.name) is Node and base.name.name == ".":
            left = base.name.args[0]
            if module_of(left) == "Access":
                keys.insert(0, base.args[1])  # type: ignore[index]
                base = base.args[0]  # type: ignore[index]
            elif len(base.name.args) == 2 and not base.args and module_of(left) is None:
                keys.insert(0, base.name.args[1])
                base = left
            else:
                break
        if not keys:
            text = f'{name}/{len(args)} needs a path such as map["key"]'
            raise CompileFault(diagnostic("compile", text, node))
        called = "pop_path" if name == "pop_in" else name
        return self.kernel(called, self.values.several([base, keys, *args[1:]], place), node)

    # Pipes

    def pipe(self, node: Node) -> ast.expr:
        """`a |> f(b)` is `f(a, b)`."""
        left, right = node.args or []
        if type(right) is not Node:
            raise CompileFault(diagnostic("compile", "cannot pipe into this", node))
        if right.is_call("|>", 2):
            # a |> (b |> c): the right side is a separate pipe
            raise CompileFault(diagnostic("compile", "cannot pipe into a pipe", node))
        if type(right.name) is Node:
            if "access" in right.flags:
                text = "cannot pipe into an access"
                raise CompileFault(diagnostic("compile", text, node))
            callee = right.name
            if len(callee.args) == 1:
                parts = self.values.several([left, callee.args[0], *(right.args or [])], node.place)
                return self._apply(parts[1], [parts[0], *parts[2:]], right.place)
            return self.values.expression(
                Node(callee, [left, *(right.args or [])], right.place, right.end)
            )
        if right.name in ("fn", "%{}", "{}", "<<>>", "__aliases__", "&", "__block__"):
            text = "cannot pipe into this; call it with parentheses"
            raise CompileFault(diagnostic("compile", text, node))
        if right.args is not None and len(right.args) == 2 and right.name in names.VALUE_OPERATORS:
            text = f"cannot pipe into the operator `{right.name}`"
            raise CompileFault(diagnostic("compile", text, node))
        return self.values.expression(
            Node(right.name, [left, *(right.args or [])], right.place, right.end)
        )

    def struct_literal(self, node: Node) -> ast.expr:
        """`%Date{...}`, which only constants may fill."""
        alias, fields = node.args or []
        module = module_of(alias)
        if module is None or fields.args is None:
            raise not_evaluated(node, "this struct")
        from routestudio.functions.elixir.structs import literal

        pairs = {}
        for key, value in fields.args:
            plain = self._plain(value)
            if plain is _NOT_PLAIN or type(key) is not Atom:
                raise not_evaluated(node, f"a struct %{module}{{}} with this content")
            pairs[key] = plain
        try:
            made = literal(module, pairs)
        except ValueError as error:
            raise CompileFault(diagnostic("compile", str(error), node)) from None
        if isinstance(made, AnyStruct) and not fields.args and module not in names.MODULES:
            raise CompileFault(diagnostic("compile", f"{module}.__struct__/0 is undefined", node))
        return self.unit.constant(made, node.place)

    def _plain(self, value: Any) -> Any:
        if type(value) is list:
            items = [self._plain(item) for item in value]
            return _NOT_PLAIN if any(item is _NOT_PLAIN for item in items) else items
        if type(value) is tuple:
            items = [self._plain(item) for item in value]
            return _NOT_PLAIN if any(item is _NOT_PLAIN for item in items) else tuple(items)
        if type(value) is Node:
            if value.is_call("-", 1) and type(value.args[0]) in (int, float):  # type: ignore[index]
                return -value.args[0]  # type: ignore[index]
            if value.name == "__aliases__":
                constant = self.values.expression(value)
                return (
                    self.unit.names[constant.id] if isinstance(constant, ast.Name) else _NOT_PLAIN
                )
            return _NOT_PLAIN
        return value


_NOT_PLAIN: Final = object()


def not_evaluated(node: Node, what: str) -> CompileFault:
    """The fault for what a server evaluates and RouteStudio does not."""
    return CompileFault(diagnostic("not_evaluated", f"not evaluated here: {what}", node))


def module_of(value: Any) -> str | None:
    """The name of the module that a call is of."""
    if type(value) is Atom:
        return value.name.removeprefix("Elixir.")
    if is_node(value, "__aliases__") and all(type(part) is Atom for part in value.args):
        return ".".join(part.name for part in value.args)
    return None
