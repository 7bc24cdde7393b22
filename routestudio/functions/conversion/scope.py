"""What is known while a Python function is walked: names, kinds, comments, closures needed; and
what the parts of the conversion ask for values."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from routestudio.functions.conversion.common import ANY, LONG, TOO_LONG, Code, Kinds, Refused
from routestudio.functions.conversion.prelude import RESERVED
from routestudio.functions.python import PARAMETERS, column

_TIMELY = re.compile(r"(?:_at|_on|date|time|timestamp|day)\Z")
"""How columns are called that hold a date or time, when no sample shows it."""

_HALF = re.compile("[\ud800-\udfff]")

Facts = dict[str, Kinds]
"""Kinds of expressions as conditions narrowed them, by `ast.dump`."""


@dataclass(slots=True)
class Names:
    """Names at one point of a function: what they are called, what they may hold."""

    called: dict[str, Code] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)

    def copy(self) -> Names:
        return Names(dict(self.called), dict(self.facts))

    def forget(self, name: str) -> None:
        """A name has a new value: what was known of it does not hold any more."""
        mark = f"Name(id='{name}'"
        self.facts = {key: kinds for key, kinds in self.facts.items() if mark not in key}


def refuse_constants(tree: ast.AST, code: str) -> None:
    """Raise `Refused` for the first constant that Elixir cannot hold: an integer that only
    hexadecimal text may hold, or text that is not Unicode."""
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        problem = None
        if type(value) is int and value.bit_length() > LONG:
            problem = TOO_LONG
        elif type(value) is str and _HALF.search(value):
            problem = "half of a surrogate pair is not text in Elixir"
        if problem is not None:
            assert isinstance(node, ast.expr)
            raise Refused((node.lineno, column(code, node.lineno, node.col_offset)), problem)


class Walk:
    """Places, comments, fresh names: the ground of both walks over a Python function."""

    def __init__(self, code: str, times: Collection[str] = (), known: Collection[str] = ()) -> None:
        self.code = code
        self._times = frozenset(times)
        self._typed = frozenset(known)
        self.helpers: set[str] = set()
        self.names = Names()
        self.comments = _comments(code)
        self.fresh: set[str] = set()
        self.taken: set[str] = set(PARAMETERS)

    def place(self, node: ast.AST) -> tuple[int, int]:
        line = getattr(node, "lineno", 1)
        return line, column(self.code, line, getattr(node, "col_offset", 0))

    def refuse(self, node: ast.AST, message: str, hint: str | None = None) -> NoReturn:
        raise Refused(self.place(node), message, hint)

    def help(self, name: str, *arguments: str) -> str:
        """A call of one of the closures of the prelude, which is noted as used."""
        self.helpers.add(name)
        return f"{name}.({', '.join(arguments)})"

    def timed(self, owner: str, key: object, text: str) -> str:
        """An entry of the row as Python functions get it: dates and times are text there."""
        if (
            owner in ("record", "changes")
            and isinstance(key, str)
            and key not in self._typed
            and (key in self._times or _TIMELY.search(key))
        ):
            return self.help("iso", text)
        return text

    def comments_before(self, line: int) -> list[str]:
        """The comments above a line, which are then dealt with."""
        found = [text for at, text in self.comments if at < line]
        self.comments = [item for item in self.comments if item[0] >= line]
        return found

    def bind(self, name: str, kinds: Kinds = ANY, items: Kinds = ANY) -> str:
        """Give a Python name a value; the name that it has in Elixir."""
        self.names.forget(name)
        text = snake(name)
        if text in PARAMETERS:
            text = f"own_{text}"
        elif text in RESERVED:
            text = f"{text}_value"
        self.names.called[name] = Code(text, kinds=kinds, items=items)
        return text


class Values(Protocol):
    """What converts expressions: the objects that know some of them ask it for all others."""

    walk: Walk

    def value(self, node: ast.expr) -> Code:
        """An expression as a value."""
        ...

    def condition(self, node: ast.expr, *, wanted: bool = True) -> Code:
        """Whether an expression counts as true in Python; always true or false in Elixir."""
        ...

    def arguments(self, node: ast.Call, *counts: int) -> list[Code]:
        """The arguments, when there are so many and none is named."""
        ...


def snake(name: str) -> str:
    """A name as Elixir wants it: it begins with a small letter."""
    if name == "_":
        return "_"
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().lstrip("_")
    text = re.sub(r"[^a-z0-9_]", lambda found: f"u{ord(found[0]):x}", text)
    return text if text[:1].isalpha() else f"v{text}"


def _comments(code: str) -> list[tuple[int, str]]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [(t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT]


def assigned(statements: Iterable[ast.stmt]) -> list[str]:
    """Names that statements give a value to, or whose value they change, in order."""
    found: dict[str, None] = {}
    for statement in statements:
        for node in walk_own(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = None
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                if isinstance(node.value, ast.Name):
                    found[node.value.id] = None
            elif (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Attribute)
                and isinstance(node.value.func.value, ast.Name)
            ):
                found[node.value.func.value.id] = None
    return list(found)


def walk_own(node: ast.AST) -> Iterable[ast.AST]:
    """The node and what is in it, without the insides of functions and comprehensions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(
            child, (ast.Lambda, ast.FunctionDef, ast.ListComp, ast.SetComp, ast.DictComp,
                    ast.GeneratorExp)
        ):  # fmt: skip
            yield from walk_own(child)


def loaded(statements: Iterable[ast.stmt]) -> set[str]:
    """Names that statements read."""
    return {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
