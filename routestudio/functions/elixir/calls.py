"""Calls: functions of modules and of Kernel, closures, pipes, captures, paths of `put_in`."""

from __future__ import annotations

import ast
from typing import Any, Final

from routestudio.functions.elixir import catalogue, names, pyast
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.forms import Forms
from routestudio.functions.elixir.inspecting import inspect_atom
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.registry import FUNCTIONS
from routestudio.functions.elixir.unit import CompileFault, Unit, Values
from routestudio.functions.elixir.values import AnyStruct, Atom
from routestudio.model.function import Diagnostic

Place = pyast.Place

_PATHS: Final = frozenset(["put_in", "update_in", "pop_in", "get_and_update_in"])


class Calls:
    """The part of the compiler that knows calls. `forms` writes the bodies of captures."""

    def __init__(self, unit: Unit, values: Values, forms: Forms) -> None:
        self.unit = unit
        self.values = values
        self.forms = forms

    def remote(self, node: Node) -> ast.expr:
        """A call with a dot."""
        callee: Node = node.name
        args = node.args or []
        if callee.name != "." or not callee.args:
            raise _fault(node, "a call of a call")
        if len(callee.args) == 1:
            return self._closure_call(callee.args[0], args, node)
        left, right = callee.args
        name = right.name if type(right) is Atom else inspect_atom(str(right))
        module = _module(left)
        if module is None:
            return self._dot(node, left, name, args)
        if module == "Access" and name == "get" and 2 <= len(args) <= 3:
            return self._access(node, args)
        if module == "Kernel":
            return self.named_call(name, args, node)
        if module == "List" and name == "to_charlist" and "interpolation" in node.flags:
            text = self.interpolation_parts(args[0], node.place)
            return pyast.call(self._library("String", "to_charlist", 1, node), [text], node.place)
        return self._module_call(module, name, self.values.several(args, node.place), node)

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

    def _module_call(self, module: str, name: str, parts: list[ast.expr], node: Node) -> ast.expr:
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
        return self._kernel(name, self.values.several(args, node.place), node)

    def _kernel(self, name: str, parts: list[ast.expr], node: Node) -> ast.expr:
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
            return self._module_call("Kernel", name, parts, node)
        raise CompileFault(diagnostic("compile", f"undefined function {name}/{arity}", node))

    def _path_call(self, name: str, args: list[Any], node: Node) -> ast.expr:
        """`put_in(map["a"]["b"], value)`: the path is written as an access."""
        place = node.place
        keys: list[Any] = []
        base = args[0]
        while type(base) is Node and type(base.name) is Node and base.name.name == ".":
            left = base.name.args[0]
            if _module(left) == "Access":
                keys.insert(0, base.args[1])  # type: ignore[index]
                base = base.args[0]  # type: ignore[index]
            elif len(base.name.args) == 2 and not base.args and _module(left) is None:
                keys.insert(0, base.name.args[1])
                base = left
            else:
                break
        if not keys:
            text = f'{name}/{len(args)} needs a path such as map["key"]'
            raise CompileFault(diagnostic("compile", text, node))
        called = "pop_path" if name == "pop_in" else name
        return self._kernel(called, self.values.several([base, keys, *args[1:]], place), node)

    # Pipes and captures

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

    def capture(self, node: Node) -> ast.expr:
        """`&(&1 + 1)`, `&String.upcase/1`, `&+/2`."""
        target, place = (node.args or [None])[0], node.place
        if type(target) is int:
            local = self.unit.env.get(f"&{target}")
            if local is None:
                text = f"capture argument &{target} must be used within the capture operator &"
                raise CompileFault(diagnostic("compile", text, node))
            return pyast.name(local, place)
        if is_node(target, "/", 2) and type(target.args[1]) is int:
            name, arity = target.args
            if type(name) is Node and (name.args is None or "field" in name.flags):
                return self._named_capture(name, arity, node)
        if any(key.startswith("&") for key in self.unit.env):
            raise CompileFault(diagnostic("compile", "nested captures are not allowed", node))
        used = _captured(target)
        if not used:
            text = "invalid args for &, expected one of: &Mod.fun/arity, &fun/arity, &(&1 + 1)"
            raise CompileFault(diagnostic("compile", text, node))
        count = max(used)
        missing = next((n for n in range(1, count + 1) if n not in used), None)
        if missing is not None:
            text = f"capture argument &{count} cannot be defined without &{missing}"
            raise CompileFault(diagnostic("compile", text, node))
        parameters = [self.unit.temporary() for _ in range(count)]
        outer, self.unit.env = self.unit.env, dict(self.unit.env)
        self.unit.env.update({f"&{i}": name for i, name in enumerate(parameters, 1)})
        if self.unit.pure(target):
            body = self.values.expression(target)
            self.unit.env = outer
            return pyast.lambda_(parameters, body, place)
        statements = self.forms.returning(target)
        self.unit.env = outer
        title = self.unit.temporary()
        self.unit.out.append(pyast.function(title, parameters, statements, place))
        return pyast.name(title, place)

    def _named_capture(self, name: Node, arity: int, node: Node) -> ast.expr:
        place = node.place
        parameters = [self.unit.temporary() for _ in range(arity)]
        parts = [pyast.name(item, place) for item in parameters]
        if type(name.name) is Node:
            module = _module(name.name.args[0])
            function = name.name.args[1].name
            if module is None:
                raise _fault(node, "a capture of a field")
            if module == "Kernel":
                body = self._kernel(function, parts, node)
            elif module == "Access":
                body = pyast.call("access", parts, place)
            else:
                body = self._module_call(module, function, parts, node)
            return pyast.lambda_(parameters, body, place)
        text = str(name.name)
        if text in names.VALUE_OPERATORS:
            outer, self.unit.env = self.unit.env, dict(self.unit.env)
            keys = [f"\0{i}" for i in range(arity)]
            self.unit.env.update(zip(keys, parameters, strict=True))
            body = self.values.expression(
                Node(text, [Node(key, None, place) for key in keys], place)
            )
            self.unit.env = outer
            return pyast.lambda_(parameters, body, place)
        if text in names.KERNEL or text == "inspect":
            return pyast.lambda_(parameters, self._kernel(text, parts, node), place)
        raise _fault(node, f"&{text}/{arity}")

    def struct_literal(self, node: Node) -> ast.expr:
        """`%Date{...}`, which only constants may fill."""
        alias, fields = node.args or []
        module = _module(alias)
        if module is None or fields.args is None:
            raise _fault(node, "this struct")
        from routestudio.functions.elixir.structs import literal

        pairs = {}
        for key, value in fields.args:
            plain = self._plain(value)
            if plain is _NOT_PLAIN or type(key) is not Atom:
                raise _fault(node, f"a struct %{module}{{}} with this content")
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


def _fault(node: Node, what: str) -> CompileFault:
    return CompileFault(diagnostic("not_evaluated", f"not evaluated here: {what}", node))


def _module(value: Any) -> str | None:
    """The name of the module that a call is of."""
    if type(value) is Atom:
        return value.name.removeprefix("Elixir.")
    if is_node(value, "__aliases__") and all(type(part) is Atom for part in value.args):
        return ".".join(part.name for part in value.args)
    return None


def _captured(value: Any) -> set[int]:
    """The numbers of the `&1`, `&2` ... of a capture."""
    if isinstance(value, (list, tuple)):
        return set().union(*map(_captured, value)) if value else set()
    if type(value) is not Node:
        return set()
    if value.is_call("&", 1) and value.args and type(value.args[0]) is int:
        return {value.args[0]}
    found = _captured(value.name) if type(value.name) is Node else set()
    return found | _captured(value.args or [])
