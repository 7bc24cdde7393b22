"""Elixir expressions as Python expressions of equal meaning."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from routestudio.functions.conversion.common import (
    ANY,
    ATOM,
    BOOL,
    DICT,
    FLOAT,
    INT,
    LIST,
    LONG,
    NONE,
    NUMBER,
    STR,
    TIME,
    TOO_LONG,
    Code,
    Refused,
)
from routestudio.functions.conversion.from_elixir_calls import Calls
from routestudio.functions.conversion.from_elixir_choices import Choices
from routestudio.functions.conversion.from_elixir_operators import Operators
from routestudio.functions.conversion.python_code import (
    CHOICE,
    ORDER,
    quoted,
)
from routestudio.functions.conversion.python_helpers import TAKEN
from routestudio.functions.elixir.quoted import Node, is_node
from routestudio.functions.elixir.values import Atom

_FIELDS: Final = {
    "table_schema": STR, "table_name": STR, "database_name": STR, "idempotency_key": STR,
    "commit_lsn": INT, "commit_idx": INT, "record_pks": LIST, "commit_timestamp": STR | TIME,
    "enrichment": NONE | DICT, "transaction_annotations": NONE | DICT,
}  # fmt: skip


class FromElixir:
    """Expressions. It holds what knows calls, operators and choices."""

    def __init__(self) -> None:
        self.names: dict[str, Code] = {
            "action": Code("action", kinds=STR),
            "record": Code("record", kinds=DICT),
            "changes": Code("changes", kinds=NONE | DICT),
        }
        self.known: dict[str, str] = {}
        """Closures of our prelude that were met, by their names."""
        self.used: set[str] = set()
        self.given: set[str] = set()
        self.line = 1
        self.calls = Calls(self)
        self.choices = Choices(self, self.calls)
        operators = Operators(self)
        self._forms: dict[str, Callable[..., Code]] = {
            "<<>>": self._interpolated,
            "%{}": self.map,
            "if": self._if,
            "__block__": self._several,
            "|>": self._pipe,
            "cond": self.choices.cond,
            "case": self.choices.case,
            "fn": self.choices.function,
            "not": operators.not_,
            "in": operators.in_,
            "<>": operators.join,
            "++": operators.append,
            **dict.fromkeys(["==", "!="], operators.equal),
            **dict.fromkeys(["<", ">", "<=", ">="], operators.order),
            **dict.fromkeys(["and", "or"], operators.strict),
            **dict.fromkeys(["&&", "||"], operators.loose),
            **dict.fromkeys(["+", "-", "*", "/"], operators.arithmetic),
        }

    def refuse(self, node: Any, message: str, hint: str | None = None) -> NoReturn:
        """Raise `Refused` for a part without an equal form."""
        place = node.place if type(node) is Node else (self.line, 1)
        raise Refused(place, message, hint)

    def help(self, name: str, *arguments: str) -> str:
        """A call of one of the helpers, which is noted as used."""
        self.used.add(name)
        return f"{name}({', '.join(arguments)})"

    def value(self, node: Any) -> Code:
        """An expression as a value."""
        if type(node) is not Node:
            return self._literal(node)
        self.line = node.line
        if type(node.name) is Node:
            return self._called(node)
        if node.args is None:
            return self._variable(node)
        form = self._forms.get(node.name)
        if form is not None:
            return form(node, *node.args)
        return self.calls.local(node, node.name, node.args)

    def condition(self, node: Any) -> Code:
        """Whether an expression counts as true in Elixir."""
        known = self.calls.condition(node)
        if known is not None:
            return known
        found = self.value(node)
        if found.kinds == BOOL:
            return found
        if not found.kinds & BOOL:
            return Code(f"{found.inside(ORDER + 1)} is not None", ORDER, BOOL)
        return Code(self.help("truthy", found.text), kinds=BOOL)

    # Literals and names

    def _literal(self, node: Any) -> Code:
        if node is None:
            return Code("None", kinds=NONE)
        if type(node) is bool:
            return Code(str(node), kinds=BOOL)
        if type(node) is int and node.bit_length() > LONG:
            raise Refused((self.line, 1), TOO_LONG)
        if type(node) is int or type(node) is float:
            return Code(repr(node), kinds=INT if type(node) is int else FLOAT)
        if type(node) is str:
            return Code(quoted(node), kinds=STR)
        if type(node) is list and not any(
            type(item) is tuple or is_node(item, "|") for item in node
        ):
            items = [self.value(item) for item in node]
            kinds = frozenset().union(*(item.kinds for item in items)) if items else ANY
            return Code(f"[{', '.join(item.text for item in items)}]", kinds=LIST, items=kinds)
        what = f"the atom `:{node.name}`" if type(node) is Atom else "this value"
        self.refuse(node, f"{what} has no equal form in Python", "use text")

    def _variable(self, node: Node) -> Code:
        found = self.names.get(node.name)
        if found is None:
            self.refuse(node, f"`{node.name}` as a value has no equal form in Python")
        return found

    def bind(self, name: str, code: Code, *, keep: bool = False) -> str:
        """Give an Elixir name a value; the name that it has in Python, a new one unless `keep`."""
        text = re.sub(r"[?!]", "", name)
        text = (
            f"{text}_value"
            if text in TAKEN or text in ("action", "record", "changes", "metadata")
            else text
        )
        if not keep:
            taken = {item.text for item in self.names.values()} | self.given
            number, base = 2, text
            while text in taken:
                text, number = f"{base}_{number}", number + 1
        self.given.add(text)
        self.names[name] = Code(text, kinds=code.kinds, items=code.items)
        return text

    def _interpolated(self, node: Node, *parts: Any) -> Code:
        texts = []
        for part in parts:
            if type(part) is str:
                texts.append(quoted(part)[1:-1].replace("{", "{{").replace("}", "}}"))
                continue
            if not is_node(part, "::", 2) or type(part.args[0].name) is not Node:
                self.refuse(node, "binaries have no equal form in Python")
            found = self.as_text(self.value(part.args[0].args[0]))
            if '"' in found or "\\" in found or "{" in found:
                found = found.replace('"', "'") if "'" not in found and "\\" not in found else ""
            if not found:
                self.refuse(part, "this has no place in an f-string", "give it a name before")
            texts.append(f"{{{found}}}")
        return Code(f'f"{"".join(texts)}"', kinds=STR)

    def as_text(self, found: Code) -> str:
        """The value as Elixir writes it."""
        if "python text" in found.kinds:
            return found.text.removeprefix("str(").removesuffix(")")
        if found.kinds <= STR | INT:
            return found.text
        return self.help("text", found.text)

    def map(self, node: Node, *entries: Any) -> Code:
        """A map with these entries."""
        texts = []
        for entry in entries:
            if type(entry) is not tuple:
                self.refuse(
                    node,
                    "a map that is changed like this has no equal form here",
                    "write Map.put(map, key, value)",
                )
            key, item = entry
            name = Code(quoted(key.name), kinds=STR) if type(key) is Atom else self.value(key)
            if name.kinds != STR:
                self.refuse(key, "keys of a map must be text in both languages")
            texts.append(f"{name.text}: {self.value(item).text}")
        return Code(f"{{{', '.join(texts)}}}", kinds=DICT)

    def closure_name(self, node: Node) -> str | None:
        """Which closure of our prelude a call is of."""
        inner = node.name.args[0] if len(node.name.args) == 1 else None
        return self.known.get(inner.name) if type(inner) is Node and inner.args is None else None

    def listed(self, found: Code) -> str:
        """A value that is a list, or it fails."""
        return found.inside(ATOM) if found.kinds == LIST else self.help("items", found.text)

    def iterated(self, found: Code) -> str:
        """A list that is only gone through."""
        if found.text.startswith("list(") and found.items != STR:
            return found.text.removeprefix("list(").removesuffix(")")
        return self.listed(found)

    def texted(self, found: Code) -> str:
        """A value that is text, or it fails."""
        return found.inside(ATOM) if found.kinds == STR else self.help("string", found.text)

    def numeric(self, found: Code, power: int) -> str:
        """A value that is a number, or it fails."""
        return found.inside(power) if found.kinds <= NUMBER else self.help("number", found.text)

    # Choices inside of expressions

    def _if(self, node: Node, test: Any, sections: Any) -> Code:
        parts = {key.name: item for key, item in sections}
        condition = self.condition(test)
        yes, no = self.value(parts.get("do")), self.value(parts.get("else"))
        text = (
            f"{yes.inside(CHOICE + 1)} if {condition.inside(CHOICE + 1)} else {no.inside(CHOICE)}"
        )
        return Code(text, CHOICE, yes.kinds | no.kinds, yes.items | no.items)

    def _several(self, node: Node, *_: Any) -> Code:
        self.refuse(
            node,
            "several steps inside of an expression have no equal form in Python",
            "give the result a name on a separate line",
        )

    # Calls

    def _called(self, node: Node) -> Code:
        callee = node.name
        if len(callee.args) == 1:
            return self._closure(node, callee.args[0])
        owner, name = callee.args[0], callee.args[1].name
        if type(owner) is Atom and owner.name.endswith("Access"):
            return self._access(*node.args)
        if type(owner) is Atom:  # `Kernel.to_string` of an interpolation
            return self.calls.local(node, name, node.args)
        if is_node(owner, "__aliases__"):
            module = ".".join(part.name for part in owner.args)
            return self.calls.remote(node, module, name, node.args)
        return self._field(node, owner, name)

    def _access(self, owner: Any, key: Any) -> Code:
        one, two = self.value(owner), self.value(key)
        if two.kinds != STR:
            self.refuse(key, "only entries with a text as key are read with equal meaning")
        if one.kinds == DICT:
            return Code(f"{one.inside(ATOM)}.get({two.text})")
        return Code(self.help("at", one.text, two.text))

    def _field(self, node: Node, owner: Any, name: str) -> Code:
        if type(owner) is Node and owner.name == "metadata" and owner.args is None:
            if name in _FIELDS:
                items = STR if name == "record_pks" else ANY
                return Code(f"metadata.{name}", kinds=_FIELDS[name], items=items)
        elif type(owner) is Node and "field" in owner.flags:
            inner = owner.name.args[1].name
            if inner in ("consumer", "database"):
                kinds = NONE | DICT if name == "annotations" else STR | NONE
                return Code(f"metadata.{inner}.{name}", kinds=kinds)
        self.refuse(node, f"`.{name}` has no equal form in Python")

    def _closure(self, node: Node, target: Any) -> Code:
        pairs = self.calls.maps.pairs_of(node)
        if pairs is not None:
            return pairs
        args = [self.value(item) for item in node.args]
        known = self.closure_name(node)
        if known is not None:
            return self.calls.restored(node, known, args)
        found = self.value(target)
        return Code(f"{found.text}({', '.join(item.text for item in args)})", kinds=found.items)

    def _pipe(self, node: Node, left: Any, right: Any) -> Code:
        if type(right) is not Node:
            self.refuse(node, "this pipe has no equal form in Python")
        args = [left, *(right.args or [])]
        return self.value(Node(right.name, args, right.place, right.end, frozenset()))
