"""What the parts of the conversion to Python share: how tightly operators bind, tests of types, and
what walks over a function."""

from __future__ import annotations

from typing import Any, Final, NoReturn, Protocol

from routestudio.functions.conversion.common import (
    BOOL,
    DECIMAL,
    DICT,
    FLOAT,
    INT,
    LIST,
    NONE,
    NUMBER,
    STR,
    TIME,
    Code,
)
from routestudio.functions.elixir.quoted import Node

CHOICE, OR, AND, NOT, ORDER, ADD, MULTIPLY = 10, 30, 40, 45, 50, 70, 80
TYPES: Final = {
    "is_binary": ("isinstance({0}, str)", STR), "is_boolean": ("isinstance({}, bool)", BOOL),
    "is_list": ("isinstance({}, list)", LIST), "is_float": ("isinstance({}, float)", FLOAT),
    "is_nil": ("{} is None", NONE),
    "is_integer": ("isinstance({0}, int) and not isinstance({0}, bool)", INT),
    "is_number": ("isinstance({0}, (int, float)) and not isinstance({0}, bool)", NUMBER),
    "is_map": ("isinstance({}, (dict, datetime.date, datetime.time, Decimal))",
               DICT | TIME | DECIMAL),
    "is_struct": ("isinstance({}, (datetime.date, datetime.time, Decimal))", TIME | DECIMAL),
}  # fmt: skip


def is_call(node: Any) -> bool:
    """Whether a quoted value is a call of a closure: `f.(x)`."""
    return type(node) is Node and type(node.name) is Node and len(node.name.args) == 1


def quoted(text: str) -> str:
    """A text as a Python literal in double quotes."""
    found = repr(text)
    if found[0] == "'":
        found = '"' + found[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    return found


class Walk(Protocol):
    """What converts expressions; the parts that know calls and choices ask it for theirs.

    `names` are the Elixir names in sight, `known` the closures of our prelude that were met.
    """

    names: dict[str, Code]
    known: dict[str, str]

    def value(self, node: Any) -> Code:
        """An expression as a value."""
        ...

    def condition(self, node: Any) -> Code:
        """Whether an expression counts as true in Elixir."""
        ...

    def bind(self, name: str, code: Code, *, keep: bool = False) -> str:
        """Give an Elixir name a value; the name that it has in Python."""
        ...

    def refuse(self, node: Any, message: str, hint: str | None = None) -> NoReturn:
        """Raise `Refused` for a part without an equal form."""
        ...

    def help(self, name: str, *arguments: str) -> str:
        """A call of one of the helpers, which is noted as used."""
        ...

    def listed(self, found: Code) -> str:
        """A value that is a list, or it fails."""
        ...

    def iterated(self, found: Code) -> str:
        """A list that is only gone through."""
        ...

    def texted(self, found: Code) -> str:
        """A value that is text, or it fails."""
        ...

    def numeric(self, found: Code, power: int) -> str:
        """A value that is a number, or it fails."""
        ...

    def closure_name(self, node: Node) -> str | None:
        """Which closure of our prelude a call is of."""
        ...
