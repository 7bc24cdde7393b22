"""`<<...>>`: building and matching binaries."""

from __future__ import annotations

import ast
from typing import Any, Final, Protocol

from routestudio.functions.elixir import pyast
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.unit import CompileFault, Unit, Values

_TYPES: Final = {
    "integer": "integer",
    "binary": "binary",
    "bytes": "binary",
    "utf8": "utf8",
    "bitstring": "binary",
    "bits": "binary",
}


def _fault(node: Any, text: str) -> CompileFault:
    return CompileFault(diagnostic("not_evaluated", f"not evaluated here: {text}", node))


class _Spec:
    """The type of one segment."""

    def __init__(self, values: Values, node: Any) -> None:
        self.kind: str | None = None
        self.size: Any = None
        self.signed = self.little = False
        self._unit: int | None = None
        self._values = values
        if node is not None:
            self._read(node)

    def _read(self, node: Any) -> None:
        if type(node) is int:
            self.size = node
        elif is_node(node, "-", 2):
            self._read(node.args[0])
            self._read(node.args[1])
        elif is_node(node, "size", 1):
            self.size = node.args[0]
        elif is_node(node, "unit", 1) and type(node.args[0]) is int:
            self._unit = node.args[0]
        elif type(node) is Node and node.args in (None, []) and node.name in _TYPES:
            self.kind = _TYPES[node.name]
        elif type(node) is Node and node.name in ("signed", "unsigned", "big", "little"):
            self.signed |= node.name == "signed"
            self.little |= node.name == "little"
        else:
            raise _fault(node, "this type of a binary's segment")

    def size_of(self, node: Any, place: pyast.Place) -> ast.expr:
        """The size as the runtime wants it: bits of integers, bytes of binaries."""
        if self.size is None:
            return pyast.const(None, place)
        unit = self._unit or (8 if self.kind == "binary" else 1)
        if type(self.size) is int:
            bits = self.size * unit
            if bits % 8:
                raise _fault(node, "bit strings that are not whole bytes")
            return pyast.const(bits // 8 if self.kind == "binary" else bits, place)
        value = self._values.expression(self.size)
        if unit == (8 if self.kind == "binary" else 1):
            return value
        raise _fault(node, "this size of a binary's segment")


def _split(values: Values, part: Any) -> tuple[Any, _Spec]:
    if is_node(part, "::", 2):
        value, spec = part.args[0], _Spec(values, part.args[1])
    else:
        value, spec = part, _Spec(values, None)
    if spec.kind is None:
        literal = type(value) is str or is_node(value, "<<>>")
        spec.kind = "binary" if literal else "integer"
    return value, spec


def _segment(parts: list[ast.expr], place: pyast.Place) -> ast.expr:
    return pyast.tuple_(parts, place)


def build(values: Values, node: Node) -> ast.expr:
    """A binary put together from its segments."""
    place = node.place
    segments = []
    for part in node.args or []:
        value, spec = _split(values, part)
        if type(value) is float:
            raise _fault(node, "floats in binaries")
        if type(value) is str and spec.size is not None:
            text = "a literal string in a binary takes no size"
            raise CompileFault(diagnostic("compile", text, node, "cut the text, or leave it out"))
        segments.append(
            _segment(
                [
                    values.expression(value),
                    pyast.const(spec.kind, place),
                    spec.size_of(node, place),
                    pyast.const(spec.signed, place),
                    pyast.const(spec.little, place),
                ],
                place,
            )
        )
    return pyast.call("build_binary", [pyast.list_(segments, place)], place)


class Patterns(Protocol):
    """What knows the patterns of the segments' values."""

    unit: Unit
    values: Values

    def pattern(
        self, pattern: Any, subject: ast.expr, place: pyast.Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        """Conditions under which a value matches."""
        ...


def match(
    patterns: Patterns, node: Node, subject: ast.expr, bound: dict[str, str]
) -> list[ast.expr]:
    """Conditions under which a value is a binary of these segments."""
    place = node.place
    segments: list[ast.expr] = []
    targets: list[Any] = []
    for part in node.args or []:
        value, spec = _split(patterns.values, part)
        literal = type(value) in (int, str)
        targets.append(None if literal else value)
        segments.append(
            _segment(
                [
                    pyast.const(value if literal else None, place),
                    pyast.const(spec.kind, place),
                    spec.size_of(node, place),
                    pyast.const(spec.signed, place),
                    pyast.const(spec.little, place),
                ],
                place,
            )
        )
    held = patterns.unit.temporary()
    found = pyast.call("match_binary", [subject, pyast.list_(segments, place)], place)
    conditions = [pyast.is_not(pyast.walrus(held, found, place), pyast.const(None, place), place)]
    for index, target in enumerate(targets):
        if target is None:
            continue
        part_name = patterns.unit.temporary()
        item = pyast.item(pyast.name(held, place), index, place)
        conditions.append(
            pyast.is_not(pyast.walrus(part_name, item, place), pyast.name("MISSING", place), place)
        )
        conditions += patterns.pattern(target, pyast.name(part_name, place), place, bound)
    return conditions
