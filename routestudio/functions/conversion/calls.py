"""Calls in Python functions as Elixir: built-in functions, closures, the library."""

from __future__ import annotations

import ast
from typing import Final

from routestudio.functions.conversion.collections import Collections
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
    Code,
)
from routestudio.functions.conversion.literals import Literals, dotted
from routestudio.functions.conversion.methods import NO_FORM, WHY, Methods
from routestudio.functions.conversion.narrowing import of_types
from routestudio.functions.conversion.operators import OR
from routestudio.functions.conversion.regular import REGEX, Regular
from routestudio.functions.conversion.scope import Values

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


class Calls:
    """Calls with an equal form; the others are refused, by name."""

    def __init__(self, values: Values, literals: Literals, collections: Collections) -> None:
        self.values = values
        self.walk = values.walk
        self._collections = collections
        self._methods = Methods(values, literals, collections)
        self._regular = Regular(values)

    def call(self, node: ast.Call) -> Code:
        """A call of a function or method."""
        if any(isinstance(a, ast.Starred) for a in node.args) or any(
            k.arg is None for k in node.keywords
        ):
            self.walk.refuse(node, "spread arguments have no equal form in Elixir")
        path = dotted(node.func)
        name = ".".join(path)
        if name in REGEX:
            return self._regular.call(node, path[1])
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
            return self._methods.method(node, node.func)
        self.walk.refuse(node, "this call has no equal form in Elixir")

    def _function(self, node: ast.Call, name: str) -> Code:
        known = self.walk.names.called.get(name)
        if known is not None:
            texts = ", ".join(item.text for item in self.values.arguments(node, *range(10)))
            return Code(f"{known.text}.({texts})", kinds=known.items)
        match name:
            case "any" | "all":
                return self._collections.any_all(node, name)
            case "sum" | "sorted" | "dict" | "list":
                return self._collections.collected(node, name)
            case "isinstance":
                return self._isinstance(node)
            case "Decimal":
                return self._decimal(node)
        if name not in ("str", "int", "float", "bool", "len", "abs", "min", "max"):
            why, hint = WHY.get(name, NO_FORM)
            self.walk.refuse(node, f"`{name}` cannot be converted: {why}", hint)
        if name in ("min", "max"):
            items = self.values.arguments(node, 2)
            if not all(item.kinds <= NUMBER for item in items):
                self.walk.refuse(
                    node,
                    f"`{name}` of values that may not be numbers",
                    "write int(...) or float(...) around them",
                )
            return Code(
                f"{name}({items[0].text}, {items[1].text})", kinds=items[0].kinds | items[1].kinds
            )
        if name == "bool":
            if len(node.args) != 1 or node.keywords:
                self.walk.refuse(node, "`bool` takes one argument here")
            return self.values.condition(node.args[0])
        item = self.values.arguments(node, 1)[0]
        if name == "str":
            if item.kinds == STR:
                return item
            if item.kinds == INT:
                return Code(f"to_string({item.text})", kinds=STR)
            return Code(self.walk.help("text", item.text), kinds=STR)
        if name == "int":
            if item.kinds == STR:
                return Code(f"String.to_integer({item.text})", kinds=INT)
            return (
                item if item.kinds == INT else Code(self.walk.help("integer", item.text), kinds=INT)
            )
        if name == "float":
            found = item.text if item.kinds == FLOAT else self.walk.help("float", item.text)
            return Code(found, kinds=FLOAT)
        if name == "len":
            return self._len(item)
        return Code(f"abs({item.text})", kinds=item.kinds & NUMBER or NUMBER)

    def _len(self, item: Code) -> Code:
        if item.kinds == LIST:
            return Code(f"length({item.text})", kinds=INT)
        if item.kinds == DICT:
            return Code(f"map_size({item.text})", kinds=INT)
        return Code(self.walk.help("size", item.text), kinds=INT)

    def _decimal(self, node: ast.Call) -> Code:
        item = self.values.arguments(node, 1)[0]
        return Code(f"Decimal.new({item.text})", kinds=DECIMAL)

    def _isinstance(self, node: ast.Call) -> Code:
        kinds = of_types(node.args[1]) if len(node.args) == 2 else None
        if kinds is None:
            self.walk.refuse(
                node,
                "only isinstance(value, str, int, float, bool, list, dict) "
                "has an equal form in Elixir",
            )
        item = self.values.value(node.args[0])
        if kinds == INT | FLOAT | BOOL:
            tests = [f"is_number({item.text})", f"is_boolean({item.text})"]
        else:
            order = ("str", "int", "bool", "float", "list", "dict", "decimal")
            tests = [_TESTS[kind].format(item.text) for kind in order if kind in kinds]
        return Code(" or ".join(tests), OR if len(tests) > 1 else ATOM, BOOL)

    def _library(self, node: ast.Call, name: str) -> Code:
        if name == "url.quote" and len(node.args) == 1:
            item = self.values.value(node.args[0])
            safe = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            if safe == {"safe": ""}:
                return Code(f"URI.encode({item.text}, &URI.char_unreserved?/1)", kinds=STR)
            if safe in ({}, {"safe": "/"}):
                test = "fn char -> char == ?/ or URI.char_unreserved?(char) end"
                return Code(f"URI.encode({item.text}, {test})", kinds=STR)
        if name == "json.loads":
            return Code(f"JSON.decode!({self.values.arguments(node, 1)[0].text})")
        if name == "decimal.Decimal":
            return self._decimal(node)
        why, hint = WHY.get(name) or WHY.get(name.split(".")[0], NO_FORM)
        self.walk.refuse(node, f"`{name}` cannot be converted: {why}", hint)
