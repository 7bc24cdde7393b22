"""Captures: `&(&1 + 1)`, `&String.upcase/1`, `&+/2`."""

from __future__ import annotations

import ast
from typing import Any

from routestudio.functions.elixir import names, pyast
from routestudio.functions.elixir.calls import Calls, module_of, not_evaluated
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.forms import Forms
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.unit import CompileFault, Unit, Values


class Captures:
    """The part of the compiler that knows captures. `forms` writes their bodies."""

    def __init__(self, unit: Unit, values: Values, forms: Forms, calls: Calls) -> None:
        self.unit = unit
        self.values = values
        self.forms = forms
        self.calls = calls

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
            module = module_of(name.name.args[0])
            function = name.name.args[1].name
            if module is None:
                raise not_evaluated(node, "a capture of a field")
            if module == "Kernel":
                body = self.calls.kernel(function, parts, node)
            elif module == "Access":
                body = pyast.call("access", parts, place)
            else:
                body = self.calls.module_call(module, function, parts, node)
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
            return pyast.lambda_(parameters, self.calls.kernel(text, parts, node), place)
        raise not_evaluated(node, f"&{text}/{arity}")


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
