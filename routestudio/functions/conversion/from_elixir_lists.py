"""Calls of Map and Enum in Elixir functions as Python, and the closures that they take."""

from __future__ import annotations

from typing import Any

from routestudio.functions.conversion.common import (
    ANY,
    ATOM,
    BOOL,
    DICT,
    INT,
    LIST,
    NONE,
    STR,
    Code,
)
from routestudio.functions.conversion.python_code import CHOICE, NOT, ORDER, Walk
from routestudio.functions.elixir.quoted import Node, is_node


class Closures:
    """Closures that a call takes, of which Python has comprehensions."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def loop(self, node: Any, *, pair: bool = False) -> tuple[str, Any]:
        """Bind the parameter of a closure; its name in Python, and its body."""
        if not is_node(node, "fn", 1):
            self.walk.refuse(node, "only `fn item -> ... end` is converted here")
        head, body = node.args[0].args
        if pair and len(head) == 1 and type(head[0]) is tuple and len(head[0]) == 2:
            names = [
                self.parameter(item, STR if at == 0 else ANY) for at, item in enumerate(head[0])
            ]
            return ", ".join(names), body
        if pair or len(head) != 1:
            self.walk.refuse(node, "these parameters have no equal form in Python")
        return self.parameter(head[0], ANY), body

    def parameter(self, node: Any, kinds: frozenset[str]) -> str:
        """Bind a parameter of a closure; its name in Python."""
        if type(node) is not Node or node.args is not None:
            self.walk.refuse(
                node,
                "patterns of parameters have no equal form in Python",
                "read the entries inside",
            )
        return self.walk.bind(node.name, Code("", kinds=kinds))


class Maps:
    """Functions of Map."""

    def __init__(self, walk: Walk, closures: Closures) -> None:
        self.walk = walk
        self.closures = closures

    def call(self, node: Node, name: str, args: list[Any]) -> Code | None:
        """A call of a function of Map."""
        if name in ("filter", "reject", "new") and len(args) == 2:
            found = self._paired(args[0], args[1]) if name == "new" else None
            if found is not None:
                return found
            is_pairs = name != "new" or _takes_pair(args[1])
            source = self.walk.value(args[0])
            names, body = self.closures.loop(args[1], pair=is_pairs)
            whole = f"{source.inside(ATOM)}.items()" if is_pairs else self.walk.listed(source)
            if name == "new":
                if type(body) is not tuple:
                    self.walk.refuse(args[1], "the closure must give {key, value}")
                key, item = map(self.walk.value, body)
                if key.kinds != STR:
                    self.walk.refuse(args[1], "keys of a map must be text in both languages")
                return Code(f"{{{key.text}: {item.text} for {names} in {whole}}}", kinds=DICT)
            test = self.walk.condition(body)
            shown = test.inside(CHOICE + 1) if name == "filter" else f"not {test.inside(NOT)}"
            return Code(
                f"{{{names.split(', ')[0]}: {names.split(', ')[1]} for {names} in {whole} "
                f"if {shown}}}",
                kinds=DICT,
            )
        return self._map_calls(name, args)

    def _map_calls(self, name: str, args: list[Any]) -> Code | None:
        items = [self.walk.value(item) for item in args]
        first = items[0]
        if len(items) > 1 and name not in ("merge", "take", "drop") and items[1].kinds != STR:
            self.walk.refuse(args[1], "only entries with a text as key have an equal form")
        key = items[1].text if len(items) > 1 else ""
        match name, len(items):
            case "values", 1:
                owner = first.inside(ATOM) if first.kinds == DICT else None
                if owner is not None:
                    return Code(f"[{owner}[key] for key in sorted({owner})]", kinds=LIST)
            case "get", 2 | 3:
                rest = ", ".join(item.text for item in items[1:])
                return Code(f"{first.inside(ATOM)}.get({rest})")
            case "fetch!", 2:
                return Code(f"{first.inside(ATOM)}[{key}]")
            case "put", 3:
                return Code(f"{{**{first.inside(ATOM)}, {key}: {items[2].text}}}", kinds=DICT)
            case "merge", 2:
                text = f"{{**{first.inside(ATOM)}, **{items[1].inside(ATOM)}}}"
                return Code(text, kinds=DICT)
            case "has_key?", 2:
                return Code(f"{key} in {mapping(self.walk, first)}", ORDER, BOOL)
            case "delete", 2:
                return self._picked(first, f"key != {key}")
            case "take" | "drop", 2:
                word = "in" if name == "take" else "not in"
                return self._picked(first, f"key {word} {items[1].text}")
            case "keys", 1:
                return Code(f"sorted({mapping(self.walk, first)})", kinds=LIST, items=STR)
        return None

    def _picked(self, owner: Code, test: str) -> Code:
        entries = f"{owner.inside(ATOM)}.items()"
        return Code(f"{{key: value for key, value in {entries} if {test}}}", kinds=DICT)

    def pairs(self, node: Any, test: str = "") -> tuple[str, str] | None:
        """A map that is gone through, filtered or not: its text, and the test of the filter."""
        if is_node(node, "|>", 2):
            right = node.args[1]
            node = Node(right.name, [node.args[0], *right.args], right.place)
        filtered = type(node) is Node and type(node.name) is Node and called(node) == "Enum.filter"
        if not filtered:
            found = self.walk.value(node)
            if found.kinds != DICT:
                return None
            return f"{found.inside(ATOM)}.items()", test
        inner = self.walk.value(node.args[0])
        if inner.kinds != DICT:
            return None
        _, body = self.closures.loop(node.args[1], pair=True)
        return (
            f"{inner.inside(ATOM)}.items()",
            f" if {self.walk.condition(body).inside(CHOICE + 1)}",
        )

    def _paired(self, source: Any, closure: Any) -> Code | None:
        """A map made of the pairs of another one."""
        if not _takes_pair(closure):
            return None
        found = self.pairs(source)
        if found is None:
            return None
        names, body = self.closures.loop(closure, pair=True)
        if type(body) is not tuple:
            self.walk.refuse(closure, "the closure must give {key, value}")
        key, item = map(self.walk.value, body)
        return Code(f"{{{key.text}: {item.text} for {names} in {found[0]}{found[1]}}}", kinds=DICT)

    def pairs_of(self, node: Node) -> Code | None:
        """`unique.(pairs)`, where the pairs are those of another map; `None` for other calls."""
        inner = node.args[0] if node.args else None
        if self.walk.closure_name(node) == "unique" and type(inner) is Node:
            before = dict(self.walk.names)
            found = self._paired(*inner.args)
            self.walk.names = before
            return found
        return None


class Enums:
    """Functions of Enum."""

    def __init__(self, walk: Walk, closures: Closures, maps: Maps) -> None:
        self.walk = walk
        self.closures = closures
        self.maps = maps

    def call(self, node: Node, name: str, args: list[Any]) -> Code | None:
        """A call of a function of Enum."""
        if name in ("any?", "all?") and len(args) == 2 and _takes_pair(args[1]):
            found = self.maps.pairs(args[0])
            if found is None:
                return None
            names, body = self.closures.loop(args[1], pair=True)
            passes = self.walk.condition(body).text
            text = f"{name[:-1]}({passes} for {names} in {found[0]}{found[1]})"
            return Code(text, kinds=BOOL)
        source = self.walk.value(args[0])
        if name == "map_join" and len(args) == 3 and type(args[2]) is Node:
            if self.walk.known.get(args[2].name) != "string":
                return None
            glue = self.walk.value(args[1])
            return Code(f"{glue.inside(ATOM)}.join({self.walk.iterated(source)})", kinds=STR)
        if name in ("map", "filter", "reject", "any?", "all?") and len(args) == 2:
            whole = self.walk.iterated(source)
            names, body = self.closures.loop(args[1])
            if name == "map":
                item = self.walk.value(body)
                return Code(f"[{item.text} for {names} in {whole}]", kinds=LIST, items=item.kinds)
            test = self.walk.condition(body)
            if name in ("any?", "all?"):
                return Code(f"{name[:-1]}({test.text} for {names} in {whole})", kinds=BOOL)
            shown = test.inside(CHOICE + 1) if name == "filter" else f"not {test.inside(NOT)}"
            return Code(
                f"[{names} for {names} in {whole} if {shown}]", kinds=LIST, items=source.items
            )
        items = [self.walk.value(item) for item in args[1:]]
        match name, len(items):
            case "join", 0 | 1:
                return self._joined(source, items[0] if items else Code('""', kinds=STR))
            case "count", 0:
                return Code(f"len({self.walk.listed(source)})", kinds=INT)
            case "member?", 1 if items[0].kinds == STR:
                return Code(f"{items[0].text} in {self.walk.listed(source)}", ORDER, BOOL)
            case "empty?", 0 if source.kinds == LIST:
                return Code(f"not {source.inside(NOT)}", NOT, BOOL)
            case "fetch!", 1 if items[0].kinds == INT:
                return Code(f"{self.walk.listed(source)}[{items[0].text}]", kinds=source.items)
            case "take" | "drop", 1 if items[0].text.lstrip("-").isdigit():
                cut = sliced(name, int(items[0].text))
                if source.text.startswith("list(") and source.items == STR and source.power == ATOM:
                    return Code(source.text[5:-1] + cut, kinds=LIST, items=STR, power=ATOM - 1)
                return Code(self.walk.listed(source) + cut, kinds=LIST, items=source.items)
            case "sort", 0 if source.items <= STR or source.items == INT:
                return Code(f"sorted({self.walk.listed(source)})", kinds=LIST, items=source.items)
            case "concat", 0 if source.text.startswith("re.findall"):
                return source
        return None

    def _joined(self, source: Code, glue: Code) -> Code:
        if source.power == ATOM - 1:  # code points that were cut: a slice of the text
            return Code(source.text, kinds=STR)
        if source.items <= STR:
            return Code(f"{glue.inside(ATOM)}.join({self.walk.iterated(source)})", kinds=STR)
        inner = self.walk.help("text", "item")
        text = f"{glue.text}.join([{inner} for item in {self.walk.listed(source)}])"
        return Code(text, kinds=STR)


def mapping(walk: Walk, found: Code) -> str:
    """A value that is a map, or it fails."""
    known = found.kinds <= DICT | NONE  # None is not a map in Python, either
    return found.inside(ATOM) if known else walk.help("mapping", found.text)


def called(node: Node) -> str:
    """`Module.function` of a call."""
    callee = node.name
    if len(callee.args) != 2 or not is_node(callee.args[0], "__aliases__"):
        return ""
    return f"{callee.args[0].args[0].name}.{callee.args[1].name}"


def _takes_pair(closure: Any) -> bool:
    return is_node(closure, "fn", 1) and type(closure.args[0].args[0][0]) is tuple


def sliced(name: str, count: int) -> str:
    """`Enum.take` and `Enum.drop` as a slice."""
    if name == "take":
        return f"[:{count}]" if count >= 0 else f"[{count}:]"
    return f"[{count}:]" if count >= 0 else f"[:{count}]"
