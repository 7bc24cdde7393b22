"""Calls in Python functions as Elixir: methods, built-in functions, the library."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import Final

from routestudio.functions.conversion import patterns
from routestudio.functions.conversion.common import (
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
from routestudio.functions.conversion.counterparts import in_elixir
from routestudio.functions.conversion.expressions import OR, Expressions, dotted, quoted
from routestudio.functions.conversion.narrowing import of_types

_SPACE: Final = r"~r/[\s\x{1C}-\x{1F}\x{85}]+/u"
_TESTS: Final = {
    "none": "is_nil({})",
    "str": "is_binary({})",
    "bool": "is_boolean({})",
    "int": "is_integer({})",
    "float": "is_float({})",
    "list": "is_list({})",
    "dict": "(is_map({0}) and not is_struct({0}))",
    "decimal": "is_struct({}, Decimal)",
}
_STRIPPED: Final = frozenset(["upper", "lower", "strip", "lstrip", "rstrip"])
_MATCH: Final = frozenset(["match"])
_REGEX: Final = frozenset(
    ["re.search", "re.match", "re.fullmatch", "re.sub", "re.split", "re.findall"]
)
_WHY: Final = {
    "hashlib": ("servers' Elixir functions cannot hash", 'use the value itself: record["id"] % 8'),
    "json.dumps": (
        "the JSON that Elixir writes has other spaces and order",
        "give the value itself, or its parts in an f-string",
    ),
    "round": (
        "Elixir rounds halves away from zero, Python to the even number",
        "cut with int(...), or give the number as it is",
    ),
}
_NO_FORM: Final = ("it has no equal form in Elixir", "write it with slices, split, replace or if")


class Calls(Expressions):
    """Calls with an equal form; the others are refused, by name."""

    _matching = False

    def value(self, node: ast.expr) -> Code:
        """An expression as a value; a match of a pattern is none."""
        if isinstance(node, ast.Compare) and self._matched(node) is not None:
            return self.condition(node)
        matching, self._matching = self._matching, False
        found = super().value(node)
        if found.kinds == _MATCH and not matching:
            self.refuse(
                node,
                "a match of a pattern is not a value in Elixir",
                "use it as a condition: if re.search(...)",
            )
        return found

    def _call(self, node: ast.Call) -> Code:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(
            k.arg is None for k in node.keywords
        ):
            self.refuse(node, "spread arguments have no equal form in Elixir")
        path = dotted(node.func)
        name = ".".join(path)
        if name in _REGEX:
            return self._regular(node, path[1])
        if isinstance(node.func, ast.Name):
            return self._function(node, node.func.id)
        if len(path) == 2 and path[0] in (
            "base64",
            "url",
            "json",
            "decimal",
            "hashlib",
            "math",
            "datetime",
            "uuid",
        ):
            return self._library(node, name)
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func)
        self.refuse(node, "this call has no equal form in Elixir")

    def arguments(self, node: ast.Call, *counts: int) -> list[Code]:
        """The arguments, when there are so many and none is named."""
        if node.keywords or len(node.args) not in counts:
            self.refuse(node, "a call with these arguments has no equal form in Elixir")
        return [self.value(item) for item in node.args]

    # Built-in functions

    def _function(self, node: ast.Call, name: str) -> Code:
        known = self.names.called.get(name)
        if known is not None:
            texts = ", ".join(item.text for item in self.arguments(node, *range(10)))
            return Code(f"{known.text}.({texts})", kinds=known.items)
        match name:
            case "any" | "all":
                return self._any_all(node, name)
            case "sum" | "sorted" | "dict" | "list":
                return self._collected(node, name)
            case "isinstance":
                return self._isinstance(node)
            case "Decimal":
                return self._decimal(node)
        if name not in ("str", "int", "float", "bool", "len", "abs", "min", "max"):
            why, hint = _WHY.get(name, _NO_FORM)
            self.refuse(node, f"`{name}` cannot be converted: {why}", hint)
        if name in ("min", "max"):
            items = self.arguments(node, 2)
            if not all(item.kinds <= NUMBER for item in items):
                self.refuse(
                    node,
                    f"`{name}` of values that may not be numbers",
                    "write int(...) or float(...) around them",
                )
            return Code(
                f"{name}({items[0].text}, {items[1].text})", kinds=items[0].kinds | items[1].kinds
            )
        if name == "bool":
            if len(node.args) != 1 or node.keywords:
                self.refuse(node, "`bool` takes one argument here")
            return self.condition(node.args[0])
        item = self.arguments(node, 1)[0]
        if name == "str":
            if item.kinds == STR:
                return item
            if item.kinds == INT:
                return Code(f"to_string({item.text})", kinds=STR)
            return Code(self.help("text", item.text), kinds=STR)
        if name == "int":
            if item.kinds == STR:
                return Code(f"String.to_integer({item.text})", kinds=INT)
            return item if item.kinds == INT else Code(self.help("integer", item.text), kinds=INT)
        if name == "float":
            found = item.text if item.kinds == FLOAT else self.help("float", item.text)
            return Code(found, kinds=FLOAT)
        if name == "len":
            return self._len(item)
        return Code(f"abs({item.text})", kinds=item.kinds & NUMBER or NUMBER)

    def _len(self, item: Code) -> Code:
        if item.kinds == LIST:
            return Code(f"length({item.text})", kinds=INT)
        if item.kinds == DICT:
            return Code(f"map_size({item.text})", kinds=INT)
        return Code(self.help("size", item.text), kinds=INT)

    def _decimal(self, node: ast.Call) -> Code:
        item = self.arguments(node, 1)[0]
        return Code(f"Decimal.new({item.text})", kinds=DECIMAL)

    def _isinstance(self, node: ast.Call) -> Code:
        kinds = of_types(node.args[1]) if len(node.args) == 2 else None
        if kinds is None:
            self.refuse(
                node,
                "only isinstance(value, str, int, float, bool, list, dict) "
                "has an equal form in Elixir",
            )
        item = self.value(node.args[0])
        if kinds == INT | FLOAT | BOOL:
            tests = [f"is_number({item.text})", f"is_boolean({item.text})"]
        else:
            order = ("str", "int", "bool", "float", "list", "dict", "decimal")
            tests = [_TESTS[kind].format(item.text) for kind in order if kind in kinds]
        return Code(" or ".join(tests), OR if len(tests) > 1 else ATOM, BOOL)

    @abstractmethod
    def _any_all(self, node: ast.Call, name: str) -> Code: ...

    @abstractmethod
    def _collected(self, node: ast.Call, name: str) -> Code: ...

    # Methods

    def _method(self, node: ast.Call, func: ast.Attribute) -> Code:
        name = func.attr
        special = self._encoded(node, func)
        if special is not None:
            return special
        if name == "join":
            return self._join(node, func)
        if dotted(func.value) == ["metadata"]:
            if name == "get" and node.args and isinstance(node.args[0], ast.Constant):
                return self.metadata(node, [str(node.args[0].value)])
            self.refuse(node, f"`metadata.{name}` has no equal form", "read its fields by name")
        owner = self.value(func.value)
        if name == "get":
            return self._get(node, owner)
        if name in ("keys", "values", "items"):
            self.refuse(
                node,
                f"`.{name}()` gives another order in Elixir",
                "sort it: sorted(...), or use it in a map, any or all",
            )
        if name == "copy" and not node.args:
            return owner if owner.kinds == DICT else Code(self.help("map", owner.text), kinds=DICT)
        if name in _STRIPPED:
            return self._plain(node, owner, name)
        if name in ("startswith", "endswith"):
            choice = self.arguments(node, 1)[0]
            self._text_or_texts(node, choice)
            call = in_elixir(f"str.{name}")
            return Code(f"{call}({owner.text}, {choice.text})", kinds=BOOL)
        if name in ("removeprefix", "removesuffix"):
            part = self._part(node, 0)
            self.arguments(node, 1)
            call = in_elixir(f"str.{name}")
            return Code(f'{call}({owner.text}, {part}, "")', kinds=STR)
        if name == "replace":
            part, new = self._part(node, 0), self.arguments(node, 2)[1]
            if new.kinds != STR:
                self.refuse(node, "what `replace` puts in must be text")
            return Code(f"String.replace({owner.text}, {part}, {new.text})", kinds=STR)
        if name == "split":
            return self._split(node, owner)
        if name == "count" and node.args and isinstance(node.args[0], ast.Constant):
            part = self._part(node, 0)
            self.arguments(node, 1)
            return Code(f"length(String.split({owner.text}, {part})) - 1", 70, INT)
        why, hint = _WHY.get(name, _NO_FORM)
        self.refuse(node, f"`.{name}()` cannot be converted: {why}", hint)

    def _text_or_texts(self, node: ast.Call, choice: Code) -> None:
        if not (choice.kinds == STR or (choice.kinds == LIST and choice.items <= STR)):
            self.refuse(
                node,
                "what is looked for must be text, or a tuple of texts",
                "write str(...) around it",
            )

    def _part(self, node: ast.Call, at: int) -> str:
        """A constant text of at least one character: empty ones mean something else."""
        item = node.args[at] if len(node.args) > at else None
        if not (isinstance(item, ast.Constant) and isinstance(item.value, str) and item.value):
            self.refuse(node, "this needs a constant text that is not empty")
        return quoted(item.value)

    def _plain(self, node: ast.Call, owner: Code, name: str) -> Code:
        call = in_elixir(f"str.{name}")
        if not node.args or name in ("upper", "lower"):
            self.arguments(node, 0)
            return Code(f"{call}({owner.text})", kinds=STR)
        part = self._part(node, 0)
        self.arguments(node, 1)
        value = node.args[0]
        assert isinstance(value, ast.Constant)
        if len(str(value.value)) != 1:
            self.refuse(
                node,
                f"`.{name}()` of several characters strips a whole text in Elixir",
                "strip one character after the other",
            )
        return Code(f"{call}({owner.text}, {part})", kinds=STR)

    def _get(self, node: ast.Call, owner: Code) -> Code:
        items = self.arguments(node, 1, 2)
        if items[0].kinds != STR:
            self.refuse(
                node, "keys of a map must be text in both languages", "write str(...) around it"
            )
        rest = ", ".join(item.text for item in items)
        text = f"Map.get({owner.text}, {rest})"
        if len(items) == 1 and owner.kinds == DICT:
            text = f"{owner.inside(ATOM)}[{rest}]"
        name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        return Code(self.timed(owner.text, name, text))

    def _split(self, node: ast.Call, owner: Code) -> Code:
        if not node.args and not node.keywords:
            text = f"String.split({owner.text}, {_SPACE}, trim: true)"
            return Code(text, kinds=LIST, items=STR)
        part = self._part(node, 0)
        if len(node.args) == 2 and not node.keywords:
            limit = node.args[1]
            if isinstance(limit, ast.Constant) and type(limit.value) is int and limit.value > 0:
                text = f"String.split({owner.text}, {part}, parts: {limit.value + 1})"
                return Code(text, kinds=LIST, items=STR)
        self.arguments(node, 1)
        return Code(f"String.split({owner.text}, {part})", kinds=LIST, items=STR)

    def _join(self, node: ast.Call, func: ast.Attribute) -> Code:
        glue = self.value(func.value)
        if len(node.args) == 1 and isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp)):
            items = self.listing(node.args[0])
        else:
            items = self.arguments(node, 1)[0]
        if glue.kinds != STR:
            self.refuse(node, "what joins must be text")
        if items.items <= STR:
            return Code(f"Enum.join({items.text}, {glue.text})", kinds=STR)
        self.helpers.add("string")
        return Code(f"Enum.map_join({self.listed(items)}, {glue.text}, string)", kinds=STR)

    @abstractmethod
    def listing(self, node: ast.GeneratorExp | ast.ListComp) -> Code:
        """A comprehension as a list."""

    # The library

    def _encoded(self, node: ast.Call, func: ast.Attribute) -> Code | None:
        """`base64.b64encode(text.encode()).decode()`."""
        inner = func.value
        if func.attr != "decode" or node.args or not isinstance(inner, ast.Call):
            return None
        path = dotted(inner.func)
        call = in_elixir(".".join(path)) if path[:1] == ["base64"] else None
        source = inner.args[0] if len(inner.args) == 1 else None
        if call is None or not (
            isinstance(source, ast.Call)
            and isinstance(source.func, ast.Attribute)
            and source.func.attr == "encode"
            and not source.args
        ):
            return None
        return Code(f"{call}({self.value(source.func.value).text})", kinds=STR)

    def _library(self, node: ast.Call, name: str) -> Code:
        if name == "url.quote" and len(node.args) == 1:
            item = self.value(node.args[0])
            safe = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            if safe == {"safe": ""}:
                return Code(f"URI.encode({item.text}, &URI.char_unreserved?/1)", kinds=STR)
            if safe in ({}, {"safe": "/"}):
                test = "fn char -> char == ?/ or URI.char_unreserved?(char) end"
                return Code(f"URI.encode({item.text}, {test})", kinds=STR)
        if name == "json.loads":
            return Code(f"JSON.decode!({self.arguments(node, 1)[0].text})")
        if name == "decimal.Decimal":
            return self._decimal(node)
        why, hint = _WHY.get(name) or _WHY.get(name.split(".")[0], _NO_FORM)
        self.refuse(node, f"`{name}` cannot be converted: {why}", hint)

    def _regular(self, node: ast.Call, name: str) -> Code:
        pattern = node.args[0] if node.args else None
        if not (isinstance(pattern, ast.Constant) and isinstance(pattern.value, str)):
            self.refuse(node, "a pattern must be a constant text")
        count = 3 if name == "sub" else 2
        flags = self._flags(node, count)
        try:
            sigil = patterns.regex(pattern.value, flags, where=name)
        except patterns.UnequalError as error:
            self.refuse(pattern, str(error), "write the characters, such as [A-Za-z0-9_]")
        if len(node.args) < count:
            self.refuse(node, "this call lacks an argument")
        subject = self.value(node.args[count - 1])
        if name in ("search", "match", "fullmatch"):
            # A match is not a value of a conversion: what matters is whether there is one.
            return Code(f"Regex.match?({sigil}, {subject.text})", kinds=_MATCH)
        if patterns.can_be_empty(pattern.value):
            self.refuse(pattern, "a pattern that may match nothing cuts differently in Elixir")
        if name == "sub":
            new = node.args[1]
            if (
                not (isinstance(new, ast.Constant) and isinstance(new.value, str))
                or "\\" in new.value
            ):
                self.refuse(node, "the replacement must be a constant text without backslashes")
            return Code(f"Regex.replace({sigil}, {subject.text}, {quoted(new.value)})", kinds=STR)
        if patterns.groups(pattern.value):
            self.refuse(pattern, "groups give other parts in Elixir", "write (?:...)")
        if name == "split":
            return Code(f"Regex.split({sigil}, {subject.text})", kinds=LIST, items=STR)
        return Code(f"Enum.concat(Regex.scan({sigil}, {subject.text}))", kinds=LIST, items=STR)

    def _flags(self, node: ast.Call, count: int) -> str:
        given = [*node.args[count:], *(k.value for k in node.keywords if k.arg == "flags")]
        if (
            len(given) > 1
            or any(k.arg != "flags" for k in node.keywords)
            or (node.args[count:] and count == 3)
        ):
            self.refuse(node, "these arguments have no equal form in Elixir")
        if not given:
            return ""
        flag = dotted(given[0])
        if len(flag) != 2 or flag[1] not in patterns.FLAGS:
            self.refuse(given[0], "one flag of re.IGNORECASE, re.MULTILINE, re.DOTALL is converted")
        return patterns.FLAGS[flag[1]]

    def condition(self, node: ast.expr, *, wanted: bool = True) -> Code:
        """As above, and `re.search(...)`, with or without `is None`."""
        inner, sign = node, wanted
        if isinstance(node, ast.Compare) and (call := self._matched(node)) is not None:
            inner, sign = call, wanted == isinstance(node.ops[0], ast.IsNot)
        if _is_pattern_call(inner):
            self._matching = True
            found = self.value(inner)
            if found.kinds == _MATCH:
                text = found.text if sign else f"not {found.text}"
                return Code(text, ATOM if sign else UNARY, BOOL)
        return super().condition(node, wanted=wanted)

    @staticmethod
    def _matched(node: ast.Compare) -> ast.expr | None:
        """The call in `re.search(...) is None`."""
        right = node.comparators[0]
        if (
            len(node.ops) == 1
            and isinstance(node.ops[0], (ast.Is, ast.IsNot))
            and isinstance(right, ast.Constant)
            and right.value is None
            and _is_pattern_call(node.left)
        ):
            return node.left
        return None


def _is_pattern_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ".".join(dotted(node.func)) in _REGEX
