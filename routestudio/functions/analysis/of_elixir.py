"""The analysis of an Elixir function, from its quoted form. Nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from routestudio.functions.analysis.elixir_parts import reach_of
from routestudio.functions.elixir import key_order, lib, regex_age, registry
from routestudio.functions.elixir.quoted import Node, children, is_node, remote
from routestudio.functions.elixir.values import Atom
from routestudio.model.analysis import Analysis, Read, Spot, Varying
from routestudio.model.function import Function, FunctionKind
from routestudio.model.message import ACTIONS

_ROWS: Final = ("record", "changes")
_LISTS: Final = frozenset(
    ["map", "filter", "reject", "flat_map", "sort", "sort_by", "uniq", "take", "drop", "concat"]
)
_SOFT: Final = frozenset(["get", "has_key?", "get_lazy", "pop"])
_HARD: Final = frozenset(["fetch", "fetch!", "update!", "replace!"])
_ADDS: Final = frozenset(["put", "put_new", "update", "update!", "replace", "replace!"])


LIBRARY: Final = lib
"""Which fills the table of functions."""


def of_quoted(function: Function, whole: Any, body: Any, varying: tuple[Varying, ...]) -> Analysis:
    """The analysis of a function's text, without its ways. `body` is what `whole` defines."""
    known = Analysis(function, reach=reach_of(body), varying=varying)
    try:
        return _Walk(known, whole, body).analysis()
    except RecursionError:
        return known


def varying_of(code: str, body: Any) -> tuple[Varying, ...]:
    """The places that read the clock or random values, in order."""
    lines = re.split("\r\n|\r|\n", code)
    found = []
    waiting = [body]
    while waiting:  # without recursion, because a text may be nested deeply
        node = waiting.pop()
        waiting += children(node)
        call = remote(node)
        if call is not None:
            module, name, _arguments = call
            left, end = node.name.args[0], node.name.end
            line, column = left.place if type(left) is Node else node.place
        elif type(node) is Node and node.args == [] and isinstance(node.name, str):
            module, name, (line, column), end = "Kernel", node.name, node.place, node.end
        else:
            continue
        varies = registry.varies(module, name)
        if varies is not None:
            until = end[1] if end[0] == line else None
            text = lines[line - 1][column - 1 : None if until is None else until - 1]
            found.append(Varying(text, line, column, until, varies is registry.Varies.CHANCE))
    return tuple(sorted(found, key=lambda item: (item.line, item.column)))


def _name(value: Any) -> str | None:
    """The name of a variable, without a leading underscore."""
    if type(value) is Node and value.args is None and isinstance(value.name, str):
        return str(value.name).lstrip("_")
    return None


def _options(arguments: list[Any]) -> dict[str, Any]:
    """The trailing keyword list of a call: `do`, `else` and the like."""
    last = arguments[-1] if arguments else None
    if type(last) is not list:
        return {}
    return {
        item[0].name: item[1] for item in last
        if type(item) is tuple and len(item) == 2 and type(item[0]) is Atom
    }  # fmt: skip


def _clauses(value: Any) -> list[Node]:
    return [item for item in value if is_node(item, "->", 2)] if type(value) is list else []


def _key(value: Any) -> str | None:
    if type(value) is Atom:
        return value.name
    return value if type(value) is str else None


class _Walk:
    """One walk over a function that was parsed."""

    def __init__(self, known: Analysis, whole: Any, body: Any) -> None:
        self._known = known
        self._whole = whole
        self._body = body
        self._lines = known.function.code.splitlines()
        self._reads: list[Read] = []
        self._keys: list[Spot] = []
        self._nulls: list[Spot] = []
        self._calls: list[Spot] = []
        self._metadata: set[str] = set()
        self._branches: list[Spot] = []
        self._catch_all = True
        self._used: set[tuple[int, int]] = set()

    def analysis(self) -> Analysis:
        self._visit(self._body, None)
        reads = sorted(self._reads, key=lambda item: (item.line, item.column))
        tested = {(read.source, read.text) for read in reads if read.guarded}
        reads = [
            Read(r.text, r.line, r.column, r.source, r.guarded or (r.source, r.text) in tested)
            for r in reads
        ]
        odd: tuple[Spot, ...] = ()
        if self._known.function.kind is FunctionKind.ROUTING:
            odd = tuple(self._odd(self._body, 1, 1))
        return replace(
            self._known,
            reads=tuple(reads),
            keys=tuple(self._keys),
            null_keys=tuple(self._nulls),
            calls=tuple(self._calls),
            branches=tuple(self._branches),
            catch_all=self._catch_all,
            odd_returns=odd,
            metadata=frozenset(self._metadata),
            entry=self._entry(),
            key_orders=tuple(Spot(*place) for place in key_order.places(self._body)),
            old_classes=self._old_patterns(regex_age.CLASSES),
            old_counts=self._old_patterns(regex_age.COUNTS),
        )

    def _old_patterns(self, wanted: str) -> tuple[Spot, ...]:
        found = regex_age.places(self._body)
        return tuple(Spot(part, *place) for kind, part, *place in found if kind == wanted)

    def _entry(self) -> Spot | None:
        head = self._whole.args[0] if is_node(self._whole, "def") else None
        if type(head) is not Node or not isinstance(head.name, str):
            return None
        return Spot(head.name, head.line, head.column)

    def _find(self, pattern: str, line: int, column: int) -> tuple[int, int]:
        """Where a literal stands, which has no place itself: from a place on, not yet used."""
        for number in range(line, len(self._lines) + 1):
            text = self._lines[number - 1]
            for found in re.finditer(pattern, text):
                at = (number, found.start() + 1)
                if at >= (line, column) and at not in self._used:
                    self._used.add(at)
                    return at
        return line, column

    # --- the walk ----------------------------------------------------------------------------

    def _visit(self, value: Any, parent: Any) -> None:
        if type(value) is Node:
            self._node(value, parent)
        if is_node(value, "=", 2) or is_node(value, "<-", 2):
            self._pattern(value.args[0], value.args[1])
            self._visit(value.args[1], value)
            return
        if is_node(value, "->", 2):
            for left in value.args[0]:
                if is_node(left, "when"):
                    self._visit(left.args[-1], left)
                elif is_node(parent, "cond"):
                    self._visit(left, parent)
            self._visit(value.args[1], value)
            return
        for part in children(value):
            self._visit(part, value if type(value) is Node else parent)

    def _pattern(self, pattern: Any, source: Any) -> None:
        """`%{"a" => x} = record` reads a column, `%{table_name: t} = metadata` a field."""
        name = _name(source)
        if not is_node(pattern, "%{}"):
            return
        for entry in pattern.args:
            key = _key(entry[0]) if type(entry) is tuple else None
            if key is None:
                continue
            if name in _ROWS:
                line, column = self._find(re.escape(f'"{key}"'), *pattern.place)
                self._reads.append(Read(key, line, column, str(name)))
            elif name == "metadata":
                self._metadata.add(key)

    def _node(self, node: Node, parent: Any) -> None:
        call = remote(node)
        if call is not None:
            self._call(node, call, parent)
        elif is_node(node.name, ".", 2):
            left, right = node.name.args
            if _name(left) == "metadata" and type(right) is Atom:
                self._metadata.add(right.name)
        elif node.name == "%{}" and node.args:
            self._map(node)
        elif node.is_call("get_in", 2) and type(node.args[1]) is list and node.args[1]:
            self._row(node.args[0], node.args[1][0], node, True)
        elif node.is_call("case", 2):
            self._case(node)
        elif node.is_call("cond", 1):
            self._cond(node)
        elif node.name in ("==", "in") and node.args and _name(node.args[0]) == "action":
            self._note(node.args[1], node)

    def _call(self, node: Node, call: tuple[str, str, list[Any]], parent: Any) -> None:
        module, name, arguments = call
        if is_node(parent, "|>", 2) and parent.args[1] is node:
            arguments = [parent.args[0], *arguments]
        if module == "Access" and len(arguments) == 2:
            self._row(arguments[0], arguments[1], node, self._guarded(node, parent))
            return
        if module == "Kernel" and name == "to_string" and not self._written(node, "Kernel"):
            return
        alias = node.name.args[0]
        line, column = alias.place if type(alias) is Node else node.place
        self._calls.append(Spot(f"{module}.{name}", line, column))
        if module != "Map" or len(arguments) < 2:
            return
        if name in _SOFT or name in _HARD:
            soft = (name in _SOFT and len(arguments) > 2) or name == "has_key?"
            self._row(arguments[0], arguments[1], node, soft or self._guarded(node, parent))
        if name in _ADDS and (key := _key(arguments[1])) is not None:
            self._add(key, arguments[2] if len(arguments) > 2 else key, node, f'[:"]{key}')

    def _written(self, node: Node, word: str) -> bool:
        """Whether a module is in the text, and not put there by an interpolation."""
        line = self._lines[node.line - 1] if node.line <= len(self._lines) else ""
        return word in line

    def _row(self, row: Any, key: Any, node: Node, guarded: bool) -> None:
        source = _name(row)
        if source == "metadata" and (name := _key(key)) is not None:
            self._metadata.add(name)
        if source in _ROWS and type(key) is str:
            line, column = row.place
            self._reads.append(Read(key, line, column, str(source), guarded))

    def _guarded(self, node: Node, parent: Any) -> bool:
        """Whether the value is tested where it is read: `x || y`, `is_nil(x)`, `if x`."""
        if type(parent) is not Node:
            return False
        if parent.name in ("||", "&&"):
            return bool(parent.args[0] is node)
        if parent.name in ("==", "!=", "===", "!=="):
            return any(side is None for side in parent.args)
        if parent.name in ("is_nil", "is_binary", "is_number", "is_integer", "match?"):
            return True
        if parent.name == "case":
            patterns = [c.args[0] for c in _clauses(_options(parent.args).get("do"))]
            return parent.args[0] is node and any(p in ([None], []) for p in patterns)
        return parent.name in ("if", "not") and parent.args[0] is node

    def _map(self, node: Node) -> None:
        for entry in node.args or ():
            if type(entry) is not tuple or len(entry) != 2:
                continue
            key = _key(entry[0])
            if key is not None:
                shown = re.escape(key)
                form = rf"\b{shown}:(?!:)" if type(entry[0]) is Atom else f'"{shown}"'
                self._add(key, entry[1], node, form)

    def _add(self, key: str, value: Any, node: Node, form: str) -> None:
        spot = Spot(key, *self._find(form, *node.place))
        self._keys.append(spot)
        if value is None:
            self._nulls.append(spot)

    # --- branches ----------------------------------------------------------------------------

    def _note(self, value: Any, node: Node) -> set[str]:
        """The actions among literals; each is a branch."""
        named = [v for v in (value if type(value) is list else [value]) if v in ACTIONS]
        for name in named:
            self._branches.append(Spot(name, *self._find(f'"{name}"', node.line, 1)))
        return set(named)

    def _case(self, node: Node) -> None:
        if _name(node.args[0]) != "action":
            return
        named: set[str] = set()
        for clause in _clauses(_options(node.args).get("do")):
            pattern = clause.args[0][0] if clause.args[0] else None
            if type(pattern) is Node and pattern.name == "when":
                for part in children((pattern.args or [None])[-1]):
                    named |= self._note(part, clause)
            elif _name(pattern) is not None:
                return
            else:
                named |= self._note(pattern, clause)
        if named and not set(ACTIONS) <= named:
            self._catch_all = False

    def _cond(self, node: Node) -> None:
        clauses = _clauses(_options(node.args).get("do"))
        tests = [clause.args[0][0] for clause in clauses if clause.args[0]]
        asked = any(
            type(t) is Node and t.name in ("==", "in") and _name(children(t)[0]) == "action"
            for t in tests
        )
        if asked and not any(test is True or type(test) is Atom for test in tests):
            self._catch_all = False

    # --- results -----------------------------------------------------------------------------

    def _odd(self, value: Any, line: int, column: int) -> Iterator[Spot]:
        """Results that are not maps, in every place where the function may end."""
        if type(value) is Node:
            line, column = value.place
            yield from self._odd_node(value, line, column)
        elif value is None:
            yield Spot("none", line, column)
        elif type(value) is list:
            yield Spot("list", line, column)
        else:
            yield Spot("value", line, column)

    def _odd_node(self, node: Node, line: int, column: int) -> Iterator[Spot]:
        arguments = node.args or []
        given = _options(arguments)
        if node.name == "__block__":
            yield from self._odd(arguments[-1] if arguments else None, line, column)
        elif node.name == "if" and "do" in given:
            yield from self._odd(given["do"], line, column)
            yield from self._odd(given.get("else"), line, column)
        elif node.name in ("case", "cond", "with"):
            ways = _clauses(given.get("do")) + _clauses(given.get("else"))
            for clause in ways:
                yield from self._odd(clause.args[1], clause.line, clause.column)
            if node.name == "with":
                yield from self._odd(given.get("do"), line, column)
        elif node.name in ("<<>>", "<>", "{}", "fn"):
            yield Spot("value", line, column)
        elif node.name == "|>" and len(arguments) == 2:
            yield from self._odd_node(arguments[1], line, column) \
                if type(arguments[1]) is Node else ()  # fmt: skip
        else:
            call = remote(node)
            if call is not None and call[0] == "Enum" and call[1] in _LISTS:
                yield Spot("list", line, column)
