"""Comprehensions and what is made of many values, from Python to Elixir."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from routestudio.functions.conversion import narrowing
from routestudio.functions.conversion.calls import Calls
from routestudio.functions.conversion.common import (
    ANY,
    ATOM,
    BLOCK,
    BOOL,
    DICT,
    INT,
    LIST,
    STR,
    Code,
    Kinds,
    indented,
)
from routestudio.functions.conversion.expressions import WIDTH

_ORDER = "write `for key in sorted(record)`, or a map: {key: ... for key, value in ...}"


@dataclass(frozen=True, slots=True)
class Source:
    """What a loop goes through: the Elixir text, the head of its closure, whether in order."""

    text: str
    head: str
    ordered: bool
    is_map: bool = False


class Collections(Calls):
    """Loops inside of expressions."""

    def source(self, target: ast.expr, node: ast.expr) -> Source:
        """Bind the target of a loop to the items of `node`."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            owner = node.func.value
            if node.func.attr == "items":
                mapping = self._mapping(owner)
                if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
                    self.refuse(target, "pairs of a map need two names", "for key, value in ...")
                key, item = (self.target(name) for name in target.elts)
                self._known(target.elts[0], STR)
                return Source(mapping, f"{{{key}, {item}}}", False, True)
            if node.func.attr in ("keys", "values"):
                word, mapping = node.func.attr, self._mapping(owner)
                head = self.target(target, STR if word == "keys" else ANY)
                return Source(f"Map.{word}({mapping})", head, False)
        found = self.value(node)
        if found.kinds == DICT:
            return Source(f"Map.keys({found.text})", self.target(target, STR), False)
        text = found.text if found.kinds == LIST else self.help("list", found.text)
        return Source(text, self.target(target, found.items), True)

    def _mapping(self, node: ast.expr) -> str:
        found = self.value(node)
        return found.text if found.kinds == DICT else self.help("map", found.text)

    def target(self, node: ast.expr, kinds: Kinds = ANY) -> str:
        """The name of a loop variable."""
        if not isinstance(node, ast.Name):
            self.refuse(node, "only plain names can be loop variables here")
        return self.bind(node.id, kinds)

    def _known(self, node: ast.expr, kinds: Kinds) -> None:
        if isinstance(node, ast.Name):
            self.bind(node.id, kinds)

    def _head(self, node: ast.expr, generators: list[ast.comprehension]) -> Source:
        if len(generators) != 1 or generators[0].is_async:
            self.refuse(
                node,
                "a comprehension with two loops has no short equal form",
                "build the list in steps",
            )
        return self.source(generators[0].target, generators[0].iter)

    def _tests(self, generator: ast.comprehension) -> str | None:
        parts = []
        for test in generator.ifs:
            found = self.condition(test)
            parts.append(found.inside(41) if len(generator.ifs) > 1 else found.text)
            narrowing.apply(self.names.facts, test, True)
        return " and ".join(parts) or None

    def _listcomp(self, node: ast.ListComp) -> Code:
        return self.listing(node)

    def listing(self, node: ast.GeneratorExp | ast.ListComp, *, ordered: bool = True) -> Code:
        """A comprehension as a list."""
        outer = self.names.copy()
        source = self._head(node, node.generators)
        if ordered and not source.ordered:
            self.refuse(node.generators[0].iter, "a map has another order in Elixir", _ORDER)
        test = self._tests(node.generators[0])
        item = self.value(node.elt)
        self.names = outer
        text = source.text
        if test is not None:
            text = f"Enum.filter({text}, fn {source.head} -> {test} end)"
        if item.text != source.head:
            body = f"fn {source.head} -> {item.text} end"
            if not item.flat or len(body) > WIDTH:
                body = f"fn {source.head} ->\n{indented(item.text)}\nend"
            text = f"Enum.map({text}, {body})"
        return Code(text, kinds=LIST, items=item.kinds)

    def _dictcomp(self, node: ast.DictComp) -> Code:
        outer = self.names.copy()
        source = self._head(node, node.generators)
        test = self._tests(node.generators[0])
        key, item = self.value(node.key), self.value(node.value)
        if key.kinds != STR:
            self.refuse(
                node.key, "keys of a map must be text in both languages", "write str(...) around it"
            )
        self.names = outer
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
        return Code(self.help("unique", f"Enum.map({text}, {pair})"), kinds=DICT)

    def _any_all(self, node: ast.Call, name: str) -> Code:
        if len(node.args) != 1 or not isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp)):
            self.refuse(
                node,
                f"`{name}` is converted with a comprehension inside",
                f"{name}(test for item in items)",
            )
        inner = node.args[0]
        outer = self.names.copy()
        source = self._head(inner, inner.generators)
        test = self._tests(inner.generators[0])
        verdict = self.condition(inner.elt)
        self.names = outer
        text = source.text
        if test is not None:
            text = f"Enum.filter({text}, fn {source.head} -> {test} end)"
        return Code(f"Enum.{name}?({text}, fn {source.head} -> {verdict.text} end)", kinds=BOOL)

    def _collected(self, node: ast.Call, name: str) -> Code:
        if len(node.args) != 1 or node.keywords:
            if name == "dict" and not node.args and not node.keywords:
                return Code("%{}", kinds=DICT)
            if name == "list" and not node.args and not node.keywords:
                return Code("[]", kinds=LIST)
            self.refuse(node, f"`{name}` with these arguments has no equal form in Elixir")
        inner = node.args[0]
        if name == "dict":
            return Code(self._mapping(inner), kinds=DICT)
        if isinstance(inner, (ast.GeneratorExp, ast.ListComp)):
            found = self.listing(inner, ordered=name == "list")
        else:
            outer = self.names.copy()
            place = ast.copy_location(ast.Name("item", ast.Store()), inner)
            source = self.source(place, inner)
            kinds = self.names.called["item"].kinds
            self.names = outer
            if name == "list" and not source.ordered:
                self.refuse(inner, "a map has another order in Elixir", "write sorted(...)")
            found = Code(source.text, kinds=LIST, items=kinds)
        if name == "list":
            return found
        if name == "sum":
            return Code(self.help("total", found.text), kinds=INT)
        if found.items not in (STR, INT):
            self.refuse(
                node,
                "`sorted` of values that may be of several types",
                "sort texts: sorted(str(item) for item in items)",
            )
        return Code(f"Enum.sort({found.text})", kinds=LIST, items=found.items)

    # Choices inside of expressions

    def _ifexp(self, node: ast.IfExp) -> Code:
        clauses: list[tuple[ast.expr, ast.expr]] = []
        rest: ast.expr = node
        while isinstance(rest, ast.IfExp):
            clauses.append((rest.test, rest.body))
            rest = rest.orelse
        before = self.names.copy()
        arms: list[tuple[Code, Code]] = []
        for test, body in clauses:
            condition = self.condition(test)
            after = self.names.copy()
            narrowing.apply(self.names.facts, test, True)
            arms.append((condition, self.value(body)))
            self.names = after
            narrowing.apply(self.names.facts, test, False)
        last = self.value(rest)
        self.names = before
        values = [*(value for _, value in arms), last]
        kinds: Kinds = frozenset().union(*(value.kinds for value in values))
        items: Kinds = frozenset().union(*(value.items for value in values))
        if len(arms) == 1:
            test_text, value = arms[0][0].text, arms[0][1]
            text = f"if({test_text}, do: {value.text}, else: {last.text})"
            if value.flat and last.flat and len(text) <= WIDTH:
                return Code(text, ATOM, kinds, items)
        shown = self.choice(
            [t for t, _ in clauses], [(test, value.text) for test, value in arms], last.text
        )
        return Code(shown, BLOCK, kinds, items)

    def choice(self, nodes: list[ast.expr], arms: list[tuple[Code, str]], last: str) -> str:
        """`if`, `cond` or `case`, as it reads best."""
        if len(arms) == 1:
            test, body = arms[0]
            if last == "nil":
                return f"if {test.text} do\n{indented(body)}\nend"
            return f"if {test.text} do\n{indented(body)}\nelse\n{indented(last)}\nend"
        subject = _subject(nodes)
        lines = []
        if subject is not None:
            shown = self.value(subject).text
            lines.append(f"case {shown} do")
            for node, (_, body) in zip(nodes, arms, strict=True):
                lines.append(_clause(self._pattern(node, shown), body))
            lines.append(_clause("_", last))
        else:
            lines.append("cond do")
            lines += [_clause(test.text, body) for test, body in arms]
            lines.append(_clause("true", last))
        return "\n".join([lines[0], indented("\n".join(lines[1:])), "end"])

    def _pattern(self, node: ast.expr, shown: str) -> str:
        assert isinstance(node, ast.Compare)
        right = node.comparators[0]
        if isinstance(node.ops[0], ast.In):
            name = shown if shown.isidentifier() else "value"
            return f"{name} when {name} in {self.value(right).text}"
        return self.value(right).text


def _clause(head: str, body: str) -> str:
    if "\n" not in body and len(head) + len(body) < WIDTH:
        return f"{head} -> {body}"
    return f"{head} ->\n{indented(body)}\n"


def _subject(nodes: list[ast.expr]) -> ast.expr | None:
    """What all conditions compare with constant texts, if they do."""
    found = None
    for node in nodes:
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            return None
        right = node.comparators[0]
        options = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else [right]
        wanted = ast.In if options is not None and options != [right] else ast.Eq
        if not isinstance(node.ops[0], wanted) or not narrowing.stable(node.left):
            return None
        if not all(isinstance(o, ast.Constant) and isinstance(o.value, str) for o in options):
            return None
        if found is not None and ast.dump(found) != ast.dump(node.left):
            return None
        found = node.left
    return found
