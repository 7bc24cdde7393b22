"""Patterns and guards as Python conditions, which bind as they test."""

from __future__ import annotations

import ast
from typing import Any

from routestudio.functions.elixir import binaries, pyast
from routestudio.functions.elixir.checker import diagnostic
from routestudio.functions.elixir.purity import is_boolean, never_raises
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.unit import CompileFault, Unit, Values, constant_binary
from routestudio.functions.elixir.values import Atom, key_in

Place = pyast.Place


class Patterns:
    """The part of the compiler that knows patterns."""

    def __init__(self, unit: Unit, values: Values) -> None:
        self.unit = unit
        self.values = values

    def pattern(
        self, pattern: Any, subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        """Conditions under which a value matches. `subject` is cheap and may be repeated.

        `bound` collects what the pattern binds: names to Python's names.
        """
        if type(pattern) is not Node:
            return self._literal(pattern, subject, place, bound)
        place = pattern.place
        name, args = pattern.name, pattern.args
        if args is None:
            return self._binding(str(name), subject, place, bound)
        match name:
            case "^":
                value = self.values.expression(args[0])
                return [pyast.call("same", [subject, value], place)]
            case "=":
                left = self.pattern(args[0], subject, place, bound)
                return left + self.pattern(args[1], subject, place, bound)
            case "{}":
                return self._tuple_pattern(args, subject, place, bound)
            case "%{}":
                return self._map_pattern(args, subject, place, bound)
            case "%":
                return self._struct_pattern(args, subject, place, bound)
            case "<>":
                return self._prefix(pattern, subject, place, bound)
            case "<<>>":
                return binaries.match(self, pattern, subject, bound)
            case "++" if isinstance(args[0], list):
                return self._list_pattern(args[0], args[1], subject, place, bound)
            case "__aliases__" | "-" | "+":
                return [pyast.call("same", [subject, self.values.expression(pattern)], place)]
            case "__block__" if len(args) == 1:
                return self.pattern(args[0], subject, place, bound)
        if isinstance(name, str) and name.startswith("sigil_"):
            return [pyast.call("same", [subject, self.values.expression(pattern)], place)]
        raise CompileFault(diagnostic("compile", "this is not a pattern", pattern))

    def _part(
        self, pattern: Any, value: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        """The conditions of a part of a value; `value` is computed once."""
        if type(pattern) is Node and pattern.args is None:
            if pattern.name == "_":
                return []
            if pattern.name not in bound:
                return self._binding(str(pattern.name), value, place, bound)
        if type(pattern) is str or type(pattern) is Atom or pattern is None:
            return self._literal(pattern, value, place, bound)
        name = self.unit.temporary()
        keep = pyast.is_not(pyast.walrus(name, value, place), pyast.name("MISSING", place), place)
        return [keep, *self.pattern(pattern, pyast.name(name, place), place, bound)]

    def _binding(
        self, name: str, subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        if name == "_":
            return []
        if name in bound:
            return [pyast.call("same", [subject, pyast.name(bound[name], place)], place)]
        if isinstance(subject, ast.Name):
            bound[name] = subject.id
            return []
        bound[name] = local = self.unit.variable(name)
        kept = pyast.walrus(local, subject, place)
        return [pyast.is_not(kept, pyast.name("MISSING", place), place)]

    def _literal(
        self, value: Any, subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        if isinstance(value, tuple):
            return self._tuple_pattern(list(value), subject, place, bound)
        if isinstance(value, list):
            if value and is_node(value[-1], "|", 2):
                head, tail = value[-1].args
                return self._list_pattern([*value[:-1], head], tail, subject, place, bound)
            return self._list_pattern(value, None, subject, place, bound)
        if type(value) is str:
            return [pyast.compare(subject, ast.Eq(), pyast.const(value, place), place)]
        if type(value) in (int, float):
            return [pyast.call("same", [subject, pyast.const(value, place)], place)]
        return [pyast.is_(subject, self.values.expression(value), place)]

    def _tuple_pattern(
        self, items: list[Any], subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        size = pyast.call("len", [subject], place)
        found = [
            pyast.type_is(subject, "tuple", place),
            pyast.compare(size, ast.Eq(), pyast.const(len(items), place), place),
        ]
        for index, part in enumerate(items):
            found += self._part(part, pyast.item(subject, index, place), place, bound)
        return found

    def _list_pattern(
        self, items: list[Any], tail: Any, subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        size = pyast.call("len", [subject], place)
        operator: ast.cmpop = ast.Eq() if tail is None else ast.GtE()
        is_list = pyast.type_is(subject, "list", place)
        if tail is not None:
            kind = pyast.call("type", [subject], place)
            is_list = pyast.compare(kind, ast.In(), pyast.name("LISTS", place), place)
        found = [is_list, pyast.compare(size, operator, pyast.const(len(items), place), place)]
        for index, part in enumerate(items):
            found += self._part(part, pyast.item(subject, index, place), place, bound)
        if tail is not None:
            found += self._part(tail, pyast.after(subject, len(items), place), place, bound)
        return found

    def _map_pattern(
        self, entries: list[Any], subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        if not entries:
            return [
                pyast.is_not(
                    pyast.call("as_map", [subject], place), pyast.const(None, place), place
                )
            ]
        data = self.unit.temporary()
        found = [
            pyast.is_not(
                pyast.walrus(data, pyast.call("as_map", [subject], place), place),
                pyast.const(None, place),
                place,
            )
        ]
        for entry in entries:
            if not isinstance(entry, tuple):
                raise CompileFault(diagnostic("compile", "this is not a pattern", entry))
            key, value = entry
            stored = self._key(key, place)
            held = self.unit.temporary()
            got = pyast.method(
                pyast.name(data, place), "get", [stored, pyast.name("MISSING", place)], place
            )
            found.append(
                pyast.is_not(pyast.walrus(held, got, place), pyast.name("MISSING", place), place)
            )
            found += self.pattern(value, pyast.name(held, place), place, bound)
        return found

    def _key(self, value: Any, place: Place) -> ast.expr:
        """A value as it is stored as a key of a map."""
        if type(value) is Node or isinstance(value, (list, tuple)):
            return pyast.call("key_in", [self.values.expression(value)], place)
        return self.unit.constant(key_in(value), place)

    def _struct_pattern(
        self, args: list[Any], subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        module, fields = args
        kind = self.unit.temporary()
        found = [
            pyast.is_not(
                pyast.walrus(kind, pyast.call("struct_name", [subject], place), place),
                pyast.name("MISSING", place),
                place,
            )
        ]
        found += self.pattern(module, pyast.name(kind, place), place, bound)
        return found + self._map_pattern(fields.args, subject, place, bound)

    def _prefix(
        self, pattern: Node, subject: ast.expr, place: Place, bound: dict[str, str]
    ) -> list[ast.expr]:
        """`"text" <> rest`."""
        assert pattern.args is not None
        left, rest = pattern.args
        text = constant_binary(left)
        if text is None:
            message = "the left side of <> in a pattern must be a literal text"
            raise CompileFault(diagnostic("compile", message, pattern))
        found = [
            pyast.type_is(subject, "str", place),
            pyast.method(subject, "startswith", [pyast.const(text, place)], place),
        ]
        return found + self._part(rest, pyast.after(subject, len(text), place), place, bound)

    def guard(self, guard: Any, place: Place) -> ast.expr:
        """A guard as a condition that never raises."""
        if is_node(guard, "when", 2):
            return pyast.either([self.guard(part, place) for part in guard.args], place)
        value = self.values.expression(guard)
        sure = is_boolean(guard)
        if never_raises(guard):
            return value if sure else pyast.is_(value, pyast.const(True, place), place)
        return pyast.call("guard", [pyast.lambda_([], value, place)], place)

    def head(
        self, patterns: list[Any], subjects: list[ast.expr], place: Place
    ) -> tuple[list[ast.expr], dict[str, str]]:
        """The conditions of a clause and the names that its body sees."""
        guard = None
        if len(patterns) == 1 and is_node(patterns[0], "when"):
            *patterns, guard = patterns[0].args
        bound: dict[str, str] = {}
        found: list[ast.expr] = []
        for pattern, subject in zip(patterns, subjects, strict=True):
            found += self.pattern(pattern, subject, place, bound)
        env = {**self.unit.env, **bound}
        if guard is not None:
            outer, self.unit.env = self.unit.env, env
            found.append(self.guard(guard, place))
            self.unit.env = outer
        return found, env
