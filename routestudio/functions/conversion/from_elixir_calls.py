"""Calls in Elixir functions as Python: Kernel, Map, Enum, String and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from routestudio.functions.conversion.common import (
    ANY,
    ATOM,
    BOOL,
    DECIMAL,
    DICT,
    FLOAT,
    INT,
    LIST,
    NUMBER,
    STR,
    UNARY,
    Code,
)
from routestudio.functions.conversion.counterparts import in_python
from routestudio.functions.conversion.from_elixir_lists import (
    Closures,
    Enums,
    Maps,
    mapping,
    sliced,
)
from routestudio.functions.conversion.from_elixir_text import Texts
from routestudio.functions.conversion.python_code import (
    ADD,
    AND,
    MULTIPLY,
    OR,
    ORDER,
    TYPES,
    Walk,
    is_call,
)
from routestudio.functions.elixir.names import KERNEL
from routestudio.functions.elixir.quoted import Node, is_node

_WHY: Final = {
    "String.length": "it counts what people see as characters: write "
    "length(String.codepoints(text))",
    "String.slice": "it counts what people see as characters",
    "JSON.encode!": "Python writes JSON with other spaces",
}


Module = Callable[[Node, str, list[Any]], Code | None]
"""What knows the functions of a module: the call, the function and its arguments."""


class Calls:
    """Calls with an equal form; the others are refused, by name."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        texts = Texts(walk)
        self.closures = Closures(walk)
        self.maps = Maps(walk, self.closures)
        self._modules: dict[str, Module] = {
            "String": texts.module_string,
            "Regex": texts.module_regex,
            "Map": self.maps.call,
            "Enum": Enums(walk, self.closures, self.maps).call,
            "Integer": self._integer,
            "Base": self._base,
            "URI": self._uri,
            "DateTime": self._time,
            "NaiveDateTime": self._time,
            "Date": self._time,
            "Decimal": self._decimal,
            "JSON": self._json,
        }

    def condition(self, node: Any) -> Code | None:
        """What our own `truthy` closure tests is what Python tests; `None` for anything else."""
        if is_call(node) and self.walk.closure_name(node) == "truthy":
            found = self.walk.value(node.args[0])
            return Code(found.text, found.power, BOOL)
        if is_node(node, "and", 2) or is_node(node, "or", 2):
            power = AND if node.name == "and" else OR
            left, right = node.args
            known = type(left) is Node and (
                left.name in ("and", "or")
                or (is_call(left) and self.walk.closure_name(left) == "truthy")
            )
            one = self.walk.condition(left) if known else self.walk.value(left)
            first = one.inside(power) if one.kinds == BOOL else self.walk.help("boolean", one.text)
            text = f"{first} {node.name} {self.walk.condition(right).inside(power + 1)}"
            return Code(text, power, BOOL)
        return None

    def local(self, node: Node, name: str, args: list[Any]) -> Code:
        """A call of a function of Kernel."""
        if name in TYPES and len(args) == 1:
            item = self.walk.value(args[0])
            text = TYPES[name][0].format(item.text if item.power == ATOM else f"({item.text})")
            power = AND if " and " in text else ORDER if name == "is_nil" else ATOM
            return Code(text, power, BOOL)
        if name == "is_struct" and is_node(args[1], "__aliases__"):
            kind = args[1].args[0].name
            if kind == "Decimal":
                return Code(f"isinstance({self.walk.value(args[0]).text}, Decimal)", kinds=BOOL)
        if name not in KERNEL or any(type(item) is tuple for item in args):
            self.walk.refuse(node, f"`{name}` has no equal form in Python")
        items = [self.walk.value(item) for item in args]
        first = items[0] if items else Code("")
        match name, len(items):
            case "to_string", 1:
                text = first.text if first.kinds == STR else f"str({first.text})" \
                    if first.kinds == INT else self.walk.help("text", first.text)  # fmt: skip
                return Code(text, kinds=STR)
            case "length", 1:
                if first.text.startswith("list(") and first.items == STR:
                    return Code(f"len({first.text[5:-1]})", kinds=INT)
                return Code(f"len({self.walk.listed(first)})", kinds=INT)
            case "map_size", 1:
                return Code(f"len({mapping(self.walk, first)})", kinds=INT)
            case "is_map_key", 2 if items[1].kinds == STR:
                return Code(f"{items[1].text} in {mapping(self.walk, first)}", ORDER, BOOL)
            case "abs", 1:
                return Code(
                    f"abs({self.walk.numeric(first, 0)})", kinds=first.kinds & NUMBER or NUMBER
                )
            case "trunc", 1:
                return Code(f"int({self.walk.numeric(first, 0)})", kinds=INT)
            case "div" | "rem", 2:
                return Code(self.walk.help(name, first.text, items[1].text), kinds=INT)
            case "min" | "max", 2 if first.kinds | items[1].kinds <= NUMBER:
                kinds = first.kinds | items[1].kinds
                return Code(f"{name}({first.text}, {items[1].text})", kinds=kinds)
            case "hd", 1:
                return Code(f"{self.walk.listed(first)}[0]", kinds=first.items)
        self.walk.refuse(node, f"`{name}` has no equal form in Python")

    # Closures

    def restored(self, node: Node, name: str, args: list[Code]) -> Code:
        """A call of a closure of our prelude, as what it stands for."""
        first = args[0]
        second = args[1].inside(ORDER + 1) if len(args) > 1 else ""
        if name == "part":
            return self._part(node, first)
        texts = {
            "truthy": ("bool({0})", ATOM, BOOL), "text": ("str({0})", ATOM, STR),
            "same": ("{1} == {2}", ORDER, BOOL), "contains": ("{2} in {1}", ORDER, BOOL),
            "size": ("len({0})", ATOM, INT), "list": ("list({0})", ATOM, LIST),
            "string": ("{0}", ATOM, ANY), "iso": ("{0}", ATOM, ANY), "map": ("{0}", ATOM, ANY),
            "integer": ("int({0})", ATOM, INT), "float": ("float({0})", ATOM, FLOAT),
            "timestamp": ("{0}", ATOM, STR), "total": ("sum({0})", ATOM, INT),
            "at": ("{3}[{2}]", ATOM, ANY), "plus": ("{4} + {5}", ADD, ANY),
            "times": ("{6} * {7}", MULTIPLY, NUMBER), "quotient": ("{6} / {7}", MULTIPLY, FLOAT),
            "unique": ("{0}", ATOM, DICT),
        }  # fmt: skip
        if name not in texts:
            self.walk.refuse(node, f"`{name}` has no equal form here")
        text, power, kinds = texts[name]
        if name == "text":
            kinds = STR | frozenset(["python text"])
        if name in ("string", "map", "iso"):
            kinds = {"string": STR, "map": DICT, "iso": first.kinds}[name]
            return Code(first.text, first.power, kinds, first.items)
        if name == "at" and first.kinds == STR:
            kinds = STR
        second_code = args[1] if len(args) > 1 else first
        found = text.format(
            first.text, first.inside(ORDER + 1), second, first.inside(ATOM), first.inside(ADD),
            second_code.inside(ADD + 1), first.inside(MULTIPLY), second_code.inside(MULTIPLY + 1),
        )  # fmt: skip
        return Code(found, power, kinds)

    def _part(self, node: Node, owner: Code) -> Code:
        """`part.(value, fn items -> items |> Enum.take(3) end)`."""
        clause = node.args[1].args[0]
        text, step = owner.inside(ATOM), clause.args[1]
        steps: list[tuple[str, Any]] = []
        while is_node(step, "|>", 2):
            call = step.args[1]
            steps.insert(0, (call.name.args[1].name, self.walk.value(call.args[0]).text))
            step = step.args[0]
        for name, count in steps:
            text += sliced(name, int(count))
        return Code(text, kinds=owner.kinds)

    # Modules

    def remote(self, node: Node, module: str, name: str, args: list[Any]) -> Code:
        """A call of a function of a module."""
        before = dict(self.walk.names)
        found: Code | None = None
        if module == "Kernel":
            found = self.local(node, name, args)
        if module in self._modules:
            found = self._modules[module](node, name, args)
        self.walk.names = before
        if found is None:
            full = f"{module}.{name}"
            why = _WHY.get(full, "")
            self.walk.refuse(
                node, f"`{full}` has no equal form in Python" + (f": {why}" * bool(why))
            )
        return found

    def _integer(self, node: Node, name: str, args: list[Any]) -> Code | None:
        items = [self.walk.value(item) for item in args]
        whole = [i.text if i.kinds == INT else self.walk.help("whole", i.text) for i in items]
        inner = [
            f"({text})" if i.power < UNARY else text for i, text in zip(items, whole, strict=True)
        ]
        if name == "to_string" and len(items) == 1:
            return Code(f"str({whole[0]})", kinds=STR)
        if name in ("floor_div", "mod"):
            sign = "//" if name == "floor_div" else "%"
            return Code(f"{inner[0]} {sign} {inner[1]}", MULTIPLY, INT)
        if name == "pow" and type(args[1]) is int:
            return Code(f"{inner[0]} ** {inner[1]}", UNARY + 1, INT)
        return None

    def _base(self, node: Node, name: str, args: list[Any]) -> Code | None:
        call = in_python("Base", name, "base64")
        if call is None or len(args) != 1:
            return None
        item = self.walk.value(args[0]).inside(ATOM)
        return Code(f"base64.{call}({item}.encode()).decode()", kinds=STR)

    def _uri(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name != "encode" or len(args) != 2:
            return None
        item, test = self.walk.value(args[0]), repr(args[1])
        if test.count("char_unreserved?") != 1 or "?/" in test:
            return None
        slash = is_node(args[1], "fn") and ", 47]" in test
        if not slash and not is_node(args[1], "&"):
            return None
        return Code(f'url.quote({item.text}, safe="{"/" if slash else ""}")', kinds=STR)

    def _time(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name == "to_iso8601" and len(args) == 1:
            return Code(self.walk.help("iso", self.walk.value(args[0]).text), kinds=STR)
        return None

    def _decimal(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name == "new" and len(args) == 1:
            return Code(f"Decimal({self.walk.value(args[0]).text})", kinds=DECIMAL)
        return None

    def _json(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name == "decode!" and len(args) == 1:
            return Code(f"json.loads({self.walk.value(args[0]).text})")
        return None
