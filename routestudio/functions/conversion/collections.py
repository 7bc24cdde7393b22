"""Comprehensions and what is made of many values, from Python to Elixir."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from routestudio.functions.conversion import narrowing
from routestudio.functions.conversion.common import (
    ANY,
    BOOL,
    DICT,
    INT,
    LIST,
    STR,
    Code,
    Kinds,
    indented,
)
from routestudio.functions.conversion.literals import WIDTH
from routestudio.functions.conversion.scope import Values

ORDER: Final = "write `for key in sorted(record)`, or a map: {key: ... for key, value in ...}"


@dataclass(frozen=True, slots=True)
class Source:
    """What a loop goes through: the Elixir text, the head of its closure, whether in order."""

    text: str
    head: str
    ordered: bool
    is_map: bool = False


class Collections:
    """Loops inside of expressions."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.walk = values.walk

    def source(self, target: ast.expr, node: ast.expr) -> Source:
        """Bind the target of a loop to the items of `node`."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            owner = node.func.value
            if node.func.attr == "items":
                mapping = self._mapping(owner)
                if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
                    self.walk.refuse(
                        target, "pairs of a map need two names", "for key, value in ..."
                    )
                key, item = (self.target(name) for name in target.elts)
                self._known(target.elts[0], STR)
                return Source(mapping, f"{{{key}, {item}}}", False, True)
            if node.func.attr in ("keys", "values"):
                word, mapping = node.func.attr, self._mapping(owner)
                head = self.target(target, STR if word == "keys" else ANY)
                return Source(f"Map.{word}({mapping})", head, False)
        found = self.values.value(node)
        if found.kinds == DICT:
            return Source(f"Map.keys({found.text})", self.target(target, STR), False)
        text = found.text if found.kinds == LIST else self.walk.help("list", found.text)
        return Source(text, self.target(target, found.items), True)

    def _mapping(self, node: ast.expr) -> str:
        found = self.values.value(node)
        return found.text if found.kinds == DICT else self.walk.help("map", found.text)

    def target(self, node: ast.expr, kinds: Kinds = ANY) -> str:
        """The name of a loop variable."""
        if not isinstance(node, ast.Name):
            self.walk.refuse(node, "only plain names can be loop variables here")
        return self.walk.bind(node.id, kinds)

    def _known(self, node: ast.expr, kinds: Kinds) -> None:
        if isinstance(node, ast.Name):
            self.walk.bind(node.id, kinds)

    def _head(self, node: ast.expr, generators: list[ast.comprehension]) -> Source:
        if len(generators) != 1 or generators[0].is_async:
            self.walk.refuse(
                node,
                "a comprehension with two loops has no short equal form",
                "build the list in steps",
            )
        return self.source(generators[0].target, generators[0].iter)

    def _tests(self, generator: ast.comprehension) -> str | None:
        parts = []
        for test in generator.ifs:
            found = self.values.condition(test)
            parts.append(found.inside(41) if len(generator.ifs) > 1 else found.text)
            narrowing.apply(self.walk.names.facts, test, True)
        return " and ".join(parts) or None

    def listing(self, node: ast.GeneratorExp | ast.ListComp, *, ordered: bool = True) -> Code:
        """A comprehension as a list."""
        outer = self.walk.names.copy()
        source = self._head(node, node.generators)
        if ordered and not source.ordered:
            self.walk.refuse(node.generators[0].iter, "a map has another order in Elixir", ORDER)
        test = self._tests(node.generators[0])
        item = self.values.value(node.elt)
        self.walk.names = outer
        text = source.text
        if test is not None:
            text = f"Enum.filter({text}, fn {source.head} -> {test} end)"
        if item.text != source.head:
            body = f"fn {source.head} -> {item.text} end"
            if not item.flat or len(body) > WIDTH:
                body = f"fn {source.head} ->\n{indented(item.text)}\nend"
            text = f"Enum.map({text}, {body})"
        return Code(text, kinds=LIST, items=item.kinds)

    def dictcomp(self, node: ast.DictComp) -> Code:
        """A comprehension as a map."""
        outer = self.walk.names.copy()
        source = self._head(node, node.generators)
        test = self._tests(node.generators[0])
        key, item = self.values.value(node.key), self.values.value(node.value)
        if key.kinds != STR:
            self.walk.refuse(
                node.key, "keys of a map must be text in both languages", "write str(...) around it"
            )
        self.walk.names = outer
        text = source.text
        if source.is_map and source.head == f"{{{key.text}, {item.text}}}":
            if test is None:
                return Code(text, kinds=DICT)
            return Code(f"Map.filter({text}, fn {source.head} -> {test} end)", kinds=DICT)
        if test is not None:
            text = f"Enum.filter({text}, fn {source.head} -> {test} end)"
        pair = f"fn {source.head} -> {{{key.text}, {item.text}}} end"
        first = source.head.strip("{").split(",")[0].rstrip("}")
        if not source.ordered and key.text == first:
            return Code(f"Map.new({text}, {pair})", kinds=DICT)
        if source.ordered:
            return Code(f"Map.new({text}, {pair})", kinds=DICT)
        return Code(self.walk.help("unique", f"Enum.map({text}, {pair})"), kinds=DICT)

    def any_all(self, node: ast.Call, name: str) -> Code:
        """`any` and `all` with a comprehension inside."""
        if len(node.args) != 1 or not isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp)):
            self.walk.refuse(
                node,
                f"`{name}` is converted with a comprehension inside",
                f"{name}(test for item in items)",
            )
        inner = node.args[0]
        outer = self.walk.names.copy()
        source = self._head(inner, inner.generators)
        test = self._tests(inner.generators[0])
        verdict = self.values.condition(inner.elt)
        self.walk.names = outer
        text = source.text
        if test is not None:
            text = f"Enum.filter({text}, fn {source.head} -> {test} end)"
        return Code(f"Enum.{name}?({text}, fn {source.head} -> {verdict.text} end)", kinds=BOOL)

    def collected(self, node: ast.Call, name: str) -> Code:
        """`sum`, `sorted`, `dict`, `list`."""
        if len(node.args) != 1 or node.keywords:
            if name == "dict" and not node.args and not node.keywords:
                return Code("%{}", kinds=DICT)
            if name == "list" and not node.args and not node.keywords:
                return Code("[]", kinds=LIST)
            self.walk.refuse(node, f"`{name}` with these arguments has no equal form in Elixir")
        inner = node.args[0]
        if name == "dict":
            return Code(self._mapping(inner), kinds=DICT)
        if isinstance(inner, (ast.GeneratorExp, ast.ListComp)):
            found = self.listing(inner, ordered=name == "list")
        else:
            outer = self.walk.names.copy()
            place = ast.copy_location(ast.Name("item", ast.Store()), inner)
            source = self.source(place, inner)
            kinds = self.walk.names.called["item"].kinds
            self.walk.names = outer
            if name == "list" and not source.ordered:
                self.walk.refuse(inner, "a map has another order in Elixir", "write sorted(...)")
            found = Code(source.text, kinds=LIST, items=kinds)
        if name == "list":
            return found
        if name == "sum":
            return Code(self.walk.help("total", found.text), kinds=INT)
        if found.items not in (STR, INT):
            self.walk.refuse(
                node,
                "`sorted` of values that may be of several types",
                "sort texts: sorted(str(item) for item in items)",
            )
        return Code(f"Enum.sort({found.text})", kinds=LIST, items=found.items)
