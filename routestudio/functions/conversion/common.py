"""What both directions share: refusals, kinds of values, and expressions while they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from routestudio.model.function import Diagnostic

Kinds = frozenset[str]
"""Which kinds of values an expression may have, as far as its text shows."""

NONE: Final[Kinds] = frozenset(["none"])
BOOL: Final[Kinds] = frozenset(["bool"])
INT: Final[Kinds] = frozenset(["int"])
FLOAT: Final[Kinds] = frozenset(["float"])
STR: Final[Kinds] = frozenset(["str"])
LIST: Final[Kinds] = frozenset(["list"])
DICT: Final[Kinds] = frozenset(["dict"])
DECIMAL: Final[Kinds] = frozenset(["decimal"])
TIME: Final[Kinds] = frozenset(["time"])
NUMBER: Final = INT | FLOAT
ANY: Final = NONE | BOOL | INT | FLOAT | STR | LIST | DICT | DECIMAL | TIME
"""`time` is any date or time. Functions, sets and bytes are not values of a conversion."""

ATOM: Final = 100
"""How tightly an expression holds together: calls, literals and names."""

UNARY: Final = 90
BLOCK: Final = 5


class Refused(Exception):  # noqa: N818 - a verdict
    """A part of a function that cannot be converted with equal meaning."""

    def __init__(self, place: tuple[int, int], message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.line, self.column = place
        self.message, self.hint = message, hint

    @property
    def diagnostic(self) -> Diagnostic:
        """The refusal as it is shown."""
        return Diagnostic(self.line, self.column, "not_converted", self.message,
                          self.line, self.column + 1, hint=self.hint)  # fmt: skip


LONG: Final = 13_000
"""Bits of an integer that is converted: some 3,900 digits, which both languages write and read."""

TOO_LONG: Final = "an integer of more than about 3,900 digits is not converted"


@dataclass(frozen=True, slots=True)
class Code:
    """An expression as text: how tightly it binds, its kinds, and those of its items."""

    text: str
    power: int = ATOM
    kinds: Kinds = ANY
    items: Kinds = ANY

    def inside(self, power: int) -> str:
        """The text where an operator of this power is around it."""
        return self.text if self.power >= power else f"({self.text})"

    @property
    def flat(self) -> bool:
        """Whether it is on one line."""
        return "\n" not in self.text


def indented(text: str, depth: int = 1) -> str:
    """The text further to the right. Texts of conversions hold no line ends inside of quotes."""
    pad = "  " * depth
    return "\n".join(pad + line if line else line for line in text.split("\n"))
