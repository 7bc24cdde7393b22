"""Calls in Elixir functions as Python: Kernel, Map, Enum, String and the like."""

from __future__ import annotations

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
    NONE,
    NUMBER,
    STR,
    UNARY,
    Code,
)
from routestudio.functions.conversion.counterparts import in_python
from routestudio.functions.conversion.from_elixir_text import Texts
from routestudio.functions.conversion.python_code import (
    ADD,
    AND,
    CHOICE,
    MULTIPLY,
    NOT,
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


class Calls:
    """Calls with an equal form; the others are refused, by name."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.texts = Texts(walk)

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
                return Code(f"len({self._mapping(first)})", kinds=INT)
            case "is_map_key", 2 if items[1].kinds == STR:
                return Code(f"{items[1].text} in {self._mapping(first)}", ORDER, BOOL)
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

    def _mapping(self, found: Code) -> str:
        known = found.kinds <= DICT | NONE  # None is not a map in Python, either
        return found.inside(ATOM) if known else self.walk.help("mapping", found.text)

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
            text += _cut(name, int(count))
        return Code(text, kinds=owner.kinds)

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

    # Modules

    def remote(self, node: Node, module: str, name: str, args: list[Any]) -> Code:
        """A call of a function of a module."""
        before = dict(self.walk.names)
        found = None
        if module == "Kernel":
            found = self.local(node, name, args)
        if module in ("String", "Regex"):
            method = getattr(self.texts, f"module_{module.lower()}")
        else:
            method = getattr(self, f"_module_{module.lower()}", None)
        if method is not None:
            found = method(node, name, args)
        self.walk.names = before
        if found is None:
            full = f"{module}.{name}"
            why = _WHY.get(full, "")
            self.walk.refuse(
                node, f"`{full}` has no equal form in Python" + (f": {why}" * bool(why))
            )
        result: Code = found
        return result

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
                return Code(f"{key} in {self._mapping(first)}", ORDER, BOOL)
            case "delete", 2:
                return self._picked(first, f"key != {key}")
            case "take" | "drop", 2:
                word = "in" if name == "take" else "not in"
                return self._picked(first, f"key {word} {items[1].text}")
            case "keys", 1:
                return Code(f"sorted({self._mapping(first)})", kinds=LIST, items=STR)
        return None

    def _picked(self, owner: Code, test: str) -> Code:
        entries = f"{owner.inside(ATOM)}.items()"
        return Code(f"{{key: value for key, value in {entries} if {test}}}", kinds=DICT)

    def _module_map(self, node: Node, name: str, args: list[Any]) -> Any:
        if name in ("filter", "reject", "new") and len(args) == 2:
            found = self._paired(args[0], args[1]) if name == "new" else None
            if found is not None:
                return found
            is_pairs = name != "new" or _takes_pair(args[1])
            source = self.walk.value(args[0])
            names, body = self.loop(args[1], pair=is_pairs)
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
        _, body = self.loop(node.args[1], pair=True)
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
        names, body = self.loop(closure, pair=True)
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

    def _module_enum(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name in ("any?", "all?") and len(args) == 2 and _takes_pair(args[1]):
            found = self.pairs(args[0])
            if found is None:
                return None
            names, body = self.loop(args[1], pair=True)
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
            names, body = self.loop(args[1])
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
                cut = _cut(name, int(items[0].text))
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

    def _module_integer(self, node: Node, name: str, args: list[Any]) -> Code | None:
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

    def _module_base(self, node: Node, name: str, args: list[Any]) -> Code | None:
        call = in_python("Base", name, "base64")
        if call is None or len(args) != 1:
            return None
        item = self.walk.value(args[0]).inside(ATOM)
        return Code(f"base64.{call}({item}.encode()).decode()", kinds=STR)

    def _module_uri(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name != "encode" or len(args) != 2:
            return None
        item, test = self.walk.value(args[0]), repr(args[1])
        if test.count("char_unreserved?") != 1 or "?/" in test:
            return None
        slash = is_node(args[1], "fn") and ", 47]" in test
        if not slash and not is_node(args[1], "&"):
            return None
        return Code(f'url.quote({item.text}, safe="{"/" if slash else ""}")', kinds=STR)

    def _module_datetime(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name == "to_iso8601" and len(args) == 1:
            return Code(self.walk.help("iso", self.walk.value(args[0]).text), kinds=STR)
        return None

    _module_naivedatetime = _module_date = _module_datetime

    def _module_decimal(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name == "new" and len(args) == 1:
            return Code(f"Decimal({self.walk.value(args[0]).text})", kinds=DECIMAL)
        return None

    def _module_json(self, node: Node, name: str, args: list[Any]) -> Code | None:
        if name == "decode!" and len(args) == 1:
            return Code(f"json.loads({self.walk.value(args[0]).text})")
        return None


def called(node: Node) -> str:
    """`Module.function` of a call."""
    callee = node.name
    if len(callee.args) != 2 or not is_node(callee.args[0], "__aliases__"):
        return ""
    return f"{callee.args[0].args[0].name}.{callee.args[1].name}"


def _takes_pair(closure: Any) -> bool:
    return is_node(closure, "fn", 1) and type(closure.args[0].args[0][0]) is tuple


def _cut(name: str, count: int) -> str:
    """`Enum.take` and `Enum.drop` as a slice."""
    if name == "take":
        return f"[:{count}]" if count >= 0 else f"[{count}:]"
    return f"[{count}:]" if count >= 0 else f"[:{count}]"
