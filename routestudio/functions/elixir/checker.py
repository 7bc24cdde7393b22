"""The rules by which a Sequin server accepts a function.

docs/reference/elixir.md#accepted-sources

A port, rule by rule, of what its validator does, on the same quoted form. The server stops at the
first problem; here all are collected, in its order, so that the first one is the server's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from routestudio.functions.elixir import advice, names
from routestudio.functions.elixir.inspecting import inspect_atom
from routestudio.functions.elixir.quoted import Node, is_node, printed
from routestudio.functions.elixir.values import Atom, atom
from routestudio.model.function import Diagnostic

TOP_LEVEL: Final = "Expecting only `def transform`, `def route` or `def filter` at the top level"
ARGUMENTS: Final = "The parameter list `action, record, changes, metadata` is required"
CRASH: Final = "no function clause matching in Sequin.Functions.MiniElixir.Validator.dedot/2"

_SEGMENT_TYPES: Final = frozenset([
    "integer", "float", "binary", "bytes", "bitstring", "bits", "utf8", "utf16", "utf32",
    "signed", "unsigned", "big", "little", "native",
])  # fmt: skip
_DO: Final = atom("do")
_ELSE: Final = atom("else")


class Rejected(Exception):  # noqa: N818 - a verdict
    """The outside of the source is not one function."""

    def __init__(self, code: str, message: str, node: Any, hint: str | None = None) -> None:
        super().__init__(message)
        self.diagnostic = diagnostic(code, message, node, hint)


def diagnostic(code: str, message: str, node: Any, hint: str | None = None) -> Diagnostic:
    """A diagnostic at a node (or at the beginning for what has no place)."""
    line, column = node.place if type(node) is Node else (1, 1)
    end = node.end if type(node) is Node else (1, 2)
    if end[0] != line or end <= (line, column):
        end = (line, column + 1)
    return Diagnostic(line, column, code, message, end[0], end[1], hint=hint)


def unwrap(quoted: Any) -> Any:
    """The body of the one function. Raises `Rejected`."""
    where = quoted
    if is_node(quoted, "__block__") and quoted.args:
        where = next((item for item in quoted.args[1:] if type(item) is Node), quoted)
    if (
        not is_node(quoted, "def", 2)
        or type(quoted.args[0]) is not Node
        or quoted.args[0].name not in names.ENTRY_POINTS
        or not _only_do(quoted.args[1])
    ):
        hint = "write `def route(action, record, changes, metadata) do ... end` and nothing else"
        raise Rejected("toplevel", TOP_LEVEL, where, hint)
    head, sections = quoted.args
    given = head.args or []
    good = len(given) == len(names.PARAMETERS) and all(
        type(item) is Node and item.args is None and item.name in (name, f"_{name}")
        for item, name in zip(given, names.PARAMETERS, strict=True)
    )
    if not good:
        hint = f"write `def {head.name}(action, record, changes, metadata)`"
        raise Rejected("arguments", ARGUMENTS, head, hint)
    return sections[0][1]


def _only_do(sections: Any) -> bool:
    return (
        type(sections) is list
        and len(sections) == 1
        and type(sections[0]) is tuple
        and sections[0][0] is _DO
    )


def check(body: Any) -> list[Diagnostic]:
    """All problems of a body, in the order in which the server meets them."""
    checker = _Checker()
    checker.check(body)
    return checker.found


class _Checker:
    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def _add(self, code: str, message: str, node: Any, hint: str | None = None) -> None:
        self.found.append(diagnostic(code, message, node, hint))

    def _forbidden(self, name: str, node: Node, code: str = "forbidden_function") -> None:
        self._add(code, f"Forbidden function: {name}", node, advice.instead(name))

    def check(self, value: Any) -> None:
        """One value of the quoted form."""
        if is_literal(value):
            return
        if isinstance(value, (list, tuple)):
            self._each(value)
            return
        node: Node = value
        if type(node.name) is Node:
            self._remote(node)
        elif node.args is not None:
            self._named(node, node.name, node.args)

    def _each(self, values: Iterable[Any]) -> None:
        for value in values:
            self.check(value)

    def _named(self, node: Node, name: str, args: list[Any]) -> None:
        if name == "%{}":
            for entry in args:
                if type(entry) is tuple:
                    self._each(entry)
                else:
                    self._add("map_update", "improper map literal", entry, advice.MAP_UPDATE)
        elif name in ("if", "case", "cond", "with") and self._block_form(name, args):
            return
        elif (
            name in names.SIGILS
            or name in names.KERNEL
            or name in names.OPERATORS
            or (name == "match?" and len(args) == 2)
        ):
            self._each(args)
        elif name == "defmodule":
            self._add("definition", "defining modules is not allowed", node)
        elif name in ("def", "defp"):
            self._add("definition", "defining functions is not allowed", node, advice.CLOSURE)
        elif name == "=" and len(args) == 2:
            self._assign(args[0])
            self.check(args[1])
        elif name == "record":
            self._record(["record"], node)
        elif name in names.FREE:
            self._each(args)
        else:
            self._forbidden(name, node)
            self._each(_inside(args))

    def _block_form(self, name: str, args: list[Any]) -> bool:
        """`if`, `case`, `cond` and `with`, where they have the arguments that they need."""
        sections = args[-1] if args else None
        if not _is_sections(sections):
            return False
        assert isinstance(sections, list)
        if name in ("if", "case"):
            if len(args) != 2:
                return False
            self.check(args[0])
        elif name == "cond":
            if len(args) != 1:
                return False
        else:
            for item in args[:-1]:
                if is_node(item, "<-", 2):
                    self._assign(item.args[0])
                    self._each(item.args)
                else:
                    self.check(item)
        for _, content in sections:
            self._each(content) if isinstance(content, list) else self.check(content)
        return True

    def _assign(self, pattern: Any) -> None:
        try:
            for name, node in bound(pattern):
                if name in names.PARAMETERS:
                    self._add(
                        "assign_argument",
                        f"can't assign to argument: {name}",
                        node,
                        f"choose another name than `{name}`",
                    )
        except BadPattern as error:
            text = f"Bad pattern: {printed(error.node)}"
            self._add("bad_pattern", text, error.node, advice.pattern(error.node))

    # Calls with a dot

    def _remote(self, node: Node) -> None:
        callee, args = node.name, node.args or []
        if callee.name != ".":
            self._forbidden(str(callee.name), node)
            return
        if len(callee.args) == 1:
            self.check(callee.args[0])
            self._each(args)
            return
        path = _path(callee)
        if path is None:
            self._add("validator_crash", CRASH, node, advice.DOT)
            return
        self._path(path, node)
        self._each(args)

    def _path(self, path: list[str], node: Node) -> None:
        first, shown = path[0], ".".join(path)
        module = first.removeprefix("Elixir.") if first.startswith("Elixir.") else None
        if first == "record":
            self._record(path, node)
            return
        if module is not None and len(path) == 2:
            refused = module == "String" and path[1] in names.NOT_STRING
            allowed = (
                (module in names.MODULES and not refused)
                or (module == "Access" and path[1] == "get")
                or (module == "Kernel" and path[1] in names.KERNEL)
            )
            if not allowed:
                self._forbidden(shown, node, "forbidden_module")
                return
        elif first not in names.FREE:
            self._forbidden(shown, node)
            return
        if "__info__" in path:
            self._add("info", "__info__ is not allowed", node)

    def _record(self, path: list[str], node: Node) -> None:
        access = "record" + "".join(f'["{name}"]' for name in path[1:])
        text = f"`record` fields must be accessed with the [] operator: {access}"
        self._add("record_dot", text, node, f"write {access}")


def _inside(args: list[Any]) -> Iterable[Any]:
    """What is worth checking in a call that is forbidden itself: not the keys of its blocks."""
    for item in args:
        if _is_sections(item):
            for _, content in item:
                yield content
        else:
            yield item


def _is_sections(value: Any) -> bool:
    return (
        type(value) is list
        and bool(value)
        and all(type(i) is tuple and type(i[0]) is Atom for i in value)
        and value[0][0] in (_DO, _ELSE)
    )


def _path(callee: Node) -> list[str] | None:
    """`metadata.database.name` as its names; `None` for a dot after anything else."""
    assert callee.args is not None
    left, right = callee.args
    name = right.name if type(right) is Atom else inspect_atom(str(right))
    if type(left) is Atom:
        return [left.name, name]
    if type(left) is not Node:
        return None
    if left.name == "__aliases__" and left.args is not None:
        if len(left.args) != 1:
            return ["__aliases__", name]
        return [f"Elixir.{left.args[0].name}", name]
    if type(left.name) is Node:
        if left.args or left.name.name != "." or len(left.name.args) != 2:
            return None
        inner = _path(left.name)
        return None if inner is None else [*inner, name]
    return [str(left.name), name]


def is_literal(value: Any) -> bool:
    """Whether a quoted value needs no check, whatever it holds."""
    if type(value) is not Node:
        if isinstance(value, (list, tuple)):
            return all(map(is_literal, value))
        return True
    args = value.args
    if args is None or type(value.name) is Node:
        return False
    match value.name:
        case "__aliases__":
            return all(type(part) is Atom for part in args)
        case "+" | "-":
            return len(args) == 1 and type(args[0]) in (int, float)
        case "%{}" | "{}":
            return all(map(is_literal, args))
        case "%":
            return is_literal(args[0]) and is_literal(args[1])
        case "<<>>":
            return all(map(_literal_segment, args))
    return False


def _literal_segment(value: Any) -> bool:
    """Whether a segment of a binary is a number or text, with a type that holds no variable."""
    if is_node(value, "::", 2):
        return type(value.args[0]) in (int, str) and _literal_type(value.args[1])
    return type(value) in (int, str)


def _literal_type(value: Any) -> bool:
    if is_node(value, "-", 2):
        return all(map(_literal_type, value.args))
    if is_node(value, "size", 1) or is_node(value, "unit", 1):
        return type(value.args[0]) is int
    return type(value) is Node and value.args in (None, []) and value.name in _SEGMENT_TYPES


class BadPattern(Exception):  # noqa: N818 - a verdict
    """Something stands left of `=` or `<-` that the server does not understand there."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


def bound(pattern: Any) -> list[tuple[str, Node]]:
    """The names that a pattern binds. Raises `BadPattern`."""
    if type(pattern) is not Node:
        if isinstance(pattern, (list, tuple)):
            return [item for part in pattern for item in bound(part)]
        return []
    args = pattern.args
    if args is None and type(pattern.name) is str:
        hidden = pattern.name.startswith("_")
        return [] if hidden else [(pattern.name, pattern)]
    assert args is not None
    match pattern.name:
        case "^" | "__aliases__":
            return []
        case "=" | "|" | "{}":
            return [item for part in args for item in bound(part)]
        case "%":
            return bound(args[0]) + bound(args[1])
        case "%{}":
            return [item for entry in args if type(entry) is tuple for item in bound(entry[1])]
        case "<<>>":
            if any(is_node(part, "::", 2) and type(part.args[0]) is Node
                   and "interpolation" in part.args[0].flags for part in args):  # fmt: skip
                raise BadPattern(pattern)
            return [item for part in args for item in bound(part)]
        case "::":
            return bound(args[0])
        case "when":
            return [item for part in args[:-1] for item in bound(part)]
    raise BadPattern(pattern)
