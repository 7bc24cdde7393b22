"""Methods of values in Python functions as Elixir."""

from __future__ import annotations

import ast
from typing import Final

from routestudio.functions.conversion.collections import Collections
from routestudio.functions.conversion.common import ATOM, BOOL, DICT, INT, LIST, STR, Code
from routestudio.functions.conversion.counterparts import in_elixir
from routestudio.functions.conversion.literals import Literals, dotted, quoted
from routestudio.functions.conversion.scope import Values

_SPACE: Final = r"~r/[\s\x{1C}-\x{1F}\x{85}]+/u"
_STRIPPED: Final = frozenset(["upper", "lower", "strip", "lstrip", "rstrip"])
WHY: Final = {
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
"""By the name of a call that has no equal form: why, and what to do."""

NO_FORM: Final = ("it has no equal form in Elixir", "write it with slices, split, replace or if")
"""The same for any other call."""


class Methods:
    """Methods with an equal form; the others are refused, by name."""

    def __init__(self, values: Values, literals: Literals, collections: Collections) -> None:
        self.values = values
        self.walk = values.walk
        self._literals = literals
        self._collections = collections

    def method(self, node: ast.Call, func: ast.Attribute) -> Code:
        """A call of a method."""
        name = func.attr
        special = self._encoded(node, func)
        if special is not None:
            return special
        if name == "join":
            return self._join(node, func)
        if dotted(func.value) == ["metadata"]:
            if name == "get" and node.args and isinstance(node.args[0], ast.Constant):
                return self._literals.metadata(node, [str(node.args[0].value)])
            self.walk.refuse(
                node, f"`metadata.{name}` has no equal form", "read its fields by name"
            )
        owner = self.values.value(func.value)
        if name == "get":
            return self._get(node, owner)
        if name in ("keys", "values", "items"):
            self.walk.refuse(
                node,
                f"`.{name}()` gives another order in Elixir",
                "sort it: sorted(...), or use it in a map, any or all",
            )
        if name == "copy" and not node.args:
            return (
                owner
                if owner.kinds == DICT
                else Code(self.walk.help("map", owner.text), kinds=DICT)
            )
        if name in _STRIPPED:
            return self._plain(node, owner, name)
        if name in ("startswith", "endswith"):
            choice = self.values.arguments(node, 1)[0]
            self._text_or_texts(node, choice)
            call = in_elixir(f"str.{name}")
            return Code(f"{call}({owner.text}, {choice.text})", kinds=BOOL)
        if name in ("removeprefix", "removesuffix"):
            part = self._part(node, 0)
            self.values.arguments(node, 1)
            call = in_elixir(f"str.{name}")
            return Code(f'{call}({owner.text}, {part}, "")', kinds=STR)
        if name == "replace":
            part, new = self._part(node, 0), self.values.arguments(node, 2)[1]
            if new.kinds != STR:
                self.walk.refuse(node, "what `replace` puts in must be text")
            return Code(f"String.replace({owner.text}, {part}, {new.text})", kinds=STR)
        if name == "split":
            return self._split(node, owner)
        if name == "count" and node.args and isinstance(node.args[0], ast.Constant):
            part = self._part(node, 0)
            self.values.arguments(node, 1)
            return Code(f"length(String.split({owner.text}, {part})) - 1", 70, INT)
        why, hint = WHY.get(name, NO_FORM)
        self.walk.refuse(node, f"`.{name}()` cannot be converted: {why}", hint)

    def _text_or_texts(self, node: ast.Call, choice: Code) -> None:
        if not (choice.kinds == STR or (choice.kinds == LIST and choice.items <= STR)):
            self.walk.refuse(
                node,
                "what is looked for must be text, or a tuple of texts",
                "write str(...) around it",
            )

    def _part(self, node: ast.Call, at: int) -> str:
        """A constant text of at least one character: empty ones mean something else."""
        item = node.args[at] if len(node.args) > at else None
        if not (isinstance(item, ast.Constant) and isinstance(item.value, str) and item.value):
            self.walk.refuse(node, "this needs a constant text that is not empty")
        return quoted(item.value)

    def _plain(self, node: ast.Call, owner: Code, name: str) -> Code:
        call = in_elixir(f"str.{name}")
        if not node.args or name in ("upper", "lower"):
            self.values.arguments(node, 0)
            return Code(f"{call}({owner.text})", kinds=STR)
        part = self._part(node, 0)
        self.values.arguments(node, 1)
        value = node.args[0]
        assert isinstance(value, ast.Constant)
        if len(str(value.value)) != 1:
            self.walk.refuse(
                node,
                f"`.{name}()` of several characters strips a whole text in Elixir",
                "strip one character after the other",
            )
        return Code(f"{call}({owner.text}, {part})", kinds=STR)

    def _get(self, node: ast.Call, owner: Code) -> Code:
        items = self.values.arguments(node, 1, 2)
        if items[0].kinds != STR:
            self.walk.refuse(
                node, "keys of a map must be text in both languages", "write str(...) around it"
            )
        rest = ", ".join(item.text for item in items)
        text = f"Map.get({owner.text}, {rest})"
        if len(items) == 1 and owner.kinds == DICT:
            text = f"{owner.inside(ATOM)}[{rest}]"
        name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        return Code(self.walk.timed(owner.text, name, text))

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
        self.values.arguments(node, 1)
        return Code(f"String.split({owner.text}, {part})", kinds=LIST, items=STR)

    def _join(self, node: ast.Call, func: ast.Attribute) -> Code:
        glue = self.values.value(func.value)
        if len(node.args) == 1 and isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp)):
            items = self._collections.listing(node.args[0])
        else:
            items = self.values.arguments(node, 1)[0]
        if glue.kinds != STR:
            self.walk.refuse(node, "what joins must be text")
        if items.items <= STR:
            return Code(f"Enum.join({items.text}, {glue.text})", kinds=STR)
        self.walk.helpers.add("string")
        return Code(
            f"Enum.map_join({self._literals.listed(items)}, {glue.text}, string)", kinds=STR
        )

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
        return Code(f"{call}({self.values.value(source.func.value).text})", kinds=STR)
