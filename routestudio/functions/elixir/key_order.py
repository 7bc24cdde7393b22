"""Where an Elixir function depends on the order of a map's atom keys, known from its text.

A map of up to 32 keys keeps atoms in the order of the running system's atom table since OTP 26,
not by name: two servers, or one server before and after an update, may list them differently
(https://www.erlang.org/blog/otp-26-highlights/).
"""

from __future__ import annotations

from typing import Any, Final

from routestudio.functions.elixir.quoted import Node, children, is_node, remote
from routestudio.functions.elixir.values import Atom

_MAP, _LIST = "map", "list"
_PARAMETER_MAPS: Final = frozenset(["metadata"])
_METADATA_MAPS: Final = frozenset(["consumer", "database"])
"""Fields of `metadata` that are maps with atom keys."""

_KEEP: Final = frozenset(["put", "put_new", "merge", "delete", "drop", "filter", "reject",
                          "update", "update!", "replace", "replace!", "map", "take",
                          "new"])  # fmt: skip
"""Functions of `Map` that give a map with the same kind of keys."""
_LISTED: Final = frozenset(["keys", "values", "to_list"])
_NEUTRAL: Final = frozenset(["sort", "sort_by", "count", "empty?", "member?", "any?", "all?",
                             "sum", "sum_by", "product", "min", "max", "min_max",
                             "frequencies"])  # fmt: skip
"""Functions of `Enum` whose result does not depend on the order of what they are given."""
_PASS: Final = frozenset(["map", "filter", "reject", "flat_map", "uniq", "to_list", "concat"])
"""Functions of `Enum` that hand the order on, in a list."""
_TEXTS: Final = frozenset(
    [("JSON", "encode!"), ("JSON", "encode_to_iodata!"), ("URI", "encode_query")]
)

_OF_PAIRS: Final = frozenset([("Map", "new"), ("Enum", "into")])
"""Calls that make a map of a keyword list."""

Place = tuple[str, int, int]


def places(body: Any) -> tuple[Place, ...]:
    """The calls in a quoted body whose result depends on it: name, line and column, both from 1.

    Nothing is reported of a body that is nested too deeply.
    """
    try:
        return _Walk().of(body)
    except RecursionError:
        return ()


class _Walk:
    """One walk; `_names` holds what the variables in sight stand for."""

    def __init__(self) -> None:
        self._names: dict[str, str | None] = dict.fromkeys(_PARAMETER_MAPS, _MAP)
        self._found: dict[Place, None] = {}
        self._kinds: dict[int, str | None] = {}
        """By identity: what was walked is not walked again."""

    def of(self, body: Any) -> tuple[Place, ...]:
        self._settle(body)
        return tuple(self._found)

    def _settle(self, value: Any) -> str | None:
        """Walk a value that is kept, shown or returned: a list of unknown order is reported."""
        kind, place = self._kind(value)
        if kind == _LIST and place is not None:
            self._found[place] = None
        return _MAP if kind == _MAP else None

    def _kind(self, value: Any) -> tuple[str | None, Place | None]:
        """What a value is, and, for a list in the order of a map, the call that made it."""
        found = self._walked(value)
        self._kinds[id(value)] = found[0]
        return found

    def _walked(self, value: Any) -> tuple[str | None, Place | None]:
        if type(value) in (list, tuple):
            for part in value:
                self._settle(part)
            return None, None
        if type(value) is not Node:
            return None, None
        if value.args is None:
            return self._names.get(str(value.name)), None
        if value.name == "%{}":
            return self._literal(value)
        if value.name == "=" and len(value.args) == 2:
            return self._bound(*value.args)
        if value.name == "__block__" and value.args:
            for part in value.args[:-1]:
                self._settle(part)
            return self._kind(value.args[-1])
        if value.name == "in" and len(value.args) == 2:
            self._settle(value.args[0])
            self._kind(value.args[1])  # whether something is in a list does not depend on its order
            return None, None
        if value.name == "|>" and len(value.args) == 2 and type(value.args[1]) is Node:
            call = value.args[1]
            return self._call(call, [value.args[0], *(call.args or [])])
        if value.name in ("if", "case", "cond", "with"):
            return self._branches(value.args), None
        return self._call(value, value.args)

    def _branches(self, arguments: list[Any]) -> str | None:
        """Control flow: a map of atom keys, if one of its branches is one."""
        *asked, sections = arguments if type(arguments[-1]) is list else [*arguments, []]
        for part in asked:
            self._settle(part)
        found = [self._settle(body) for section in sections for body in _bodies(section)]
        return _MAP if _MAP in found else None

    def _literal(self, node: Node) -> tuple[str | None, Place | None]:
        atoms = 0
        for entry in node.args or []:
            if type(entry) is tuple and len(entry) == 2:
                atoms += type(entry[0]) is Atom
                self._settle(entry[1])
        return (_MAP if atoms > 1 else None), None

    def _bound(self, target: Any, value: Any) -> tuple[str | None, Place | None]:
        kind = self._settle(value)
        if type(target) is Node and target.args is None:
            self._names[str(target.name)] = kind
        return kind, None

    def _call(self, node: Node, arguments: list[Any]) -> tuple[str | None, Place | None]:
        call = remote(node)
        if call is None:
            if _is_metadata_map(node):
                return _MAP, None
            for part in [*([node.name] if type(node.name) is Node else []), *arguments]:
                self._settle(part)
            return None, None
        module, name, _ = call
        left = node.name.args[0]
        place = (f"{module}.{name}", *(left.place if type(left) is Node else node.place))
        if (module, name) in _TEXTS and arguments:
            for part in arguments:
                self._kind(part)
            if self._holds_map(arguments[0]):
                self._found[place] = None
            return None, None
        kind, origin = self._kind(arguments[0]) if arguments else (None, None)
        others = [self._settle(part) for part in arguments[1:]]
        if module == "Enum" and name == "into" and others and others[0] == _MAP:
            return _MAP, None
        return self._result(module, name, place, kind, origin, arguments)

    def _result(
        self, module: str, name: str, place: Place, kind: str | None, origin: Place | None,
        arguments: list[Any],
    ) -> tuple[str | None, Place | None]:  # fmt: skip
        if module == "Map" and kind == _MAP:
            if name in _LISTED:
                return _LIST, place
            one = name == "take" and type(arguments[-1]) is list and len(arguments[-1]) < 2
            return (_MAP if name in _KEEP and not one else None), None
        if module == "Map" and name == "from_struct":
            return _MAP, None
        made = (module, name) in _OF_PAIRS and arguments and _is_keyword_list(arguments[0])
        if made and (name == "new" or is_node(arguments[-1], "%{}")):
            return _MAP, None
        if module == "Map" and kind == _LIST and name == "new":
            return _MAP, None
        if module == "Enum" and kind is not None:
            if name in _NEUTRAL or (name == "into" and is_node(arguments[-1], "%{}")):
                return (_MAP if name == "into" else None), None
            return (_LIST if name in _PASS else None), self._ordered(name, place, origin)
        if origin is not None:
            self._found[origin] = None
        return None, None

    def _ordered(self, name: str, place: Place, origin: Place | None) -> Place | None:
        """What is reported of a list that an Enum function made: now, if it is not a list."""
        first = origin or place
        if name not in _PASS:
            self._found[first] = None
            return None
        return first

    def _holds_map(self, value: Any) -> bool:
        """Whether a value that was walked is, or holds in plain sight, a map of atom keys."""
        if self._kinds.get(id(value)) == _MAP:
            return True
        plain = type(value) in (list, tuple) or is_node(value, "%{}")
        return plain and any(map(self._holds_map, children(value)))


def _is_keyword_list(value: Any) -> bool:
    """Whether this is a list such as `[a: 1, b: 2]`, of two names or more."""
    return (
        type(value) is list
        and len(value) > 1
        and all(type(e) is tuple and len(e) == 2 and type(e[0]) is Atom for e in value)
    )


def _is_metadata_map(node: Node) -> bool:
    """Whether this is `metadata.consumer` or another field that is a map with atom keys."""
    if not is_node(node.name, ".", 2):
        return False
    left, right = node.name.args
    return (
        type(left) is Node
        and left.args is None
        and left.name == "metadata"
        and type(right) is Atom
        and right.name in _METADATA_MAPS
    )


def _bodies(section: Any) -> list[Any]:
    """What a `do` or `else` gives: its body, or that of each clause."""
    if type(section) is not tuple or len(section) != 2:
        return [section]
    content = section[1]
    if type(content) is not list or not all(is_node(clause, "->", 2) for clause in content):
        return [content]
    return [clause.args[1] for clause in content]
