"""Regular expressions of Python functions as Elixir."""

from __future__ import annotations

import ast
from typing import Final

from routestudio.functions.conversion import patterns
from routestudio.functions.conversion.common import LIST, STR, Code, Kinds
from routestudio.functions.conversion.literals import dotted, quoted
from routestudio.functions.conversion.scope import Values

MATCH: Final[Kinds] = frozenset(["match"])
"""The kind of a match, which is not a value of a conversion."""

REGEX: Final = frozenset(
    ["re.search", "re.match", "re.fullmatch", "re.sub", "re.split", "re.findall"]
)
"""The calls that are converted."""


class Regular:
    """Calls of `re` with a constant pattern."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.walk = values.walk

    def call(self, node: ast.Call, name: str) -> Code:
        """A call; of a match only whether there is one."""
        pattern = node.args[0] if node.args else None
        if not (isinstance(pattern, ast.Constant) and isinstance(pattern.value, str)):
            self.walk.refuse(node, "a pattern must be a constant text")
        count = 3 if name == "sub" else 2
        flags = self._flags(node, count)
        try:
            sigil = patterns.regex(pattern.value, flags, where=name)
        except patterns.UnequalError as error:
            self.walk.refuse(pattern, str(error), "write the characters, such as [A-Za-z0-9_]")
        if len(node.args) < count:
            self.walk.refuse(node, "this call lacks an argument")
        subject = self.values.value(node.args[count - 1])
        if name in ("search", "match", "fullmatch"):
            # A match is not a value of a conversion: what matters is whether there is one.
            return Code(f"Regex.match?({sigil}, {subject.text})", kinds=MATCH)
        if patterns.can_be_empty(pattern.value):
            self.walk.refuse(pattern, "a pattern that may match nothing cuts differently in Elixir")
        if name == "sub":
            new = node.args[1]
            if (
                not (isinstance(new, ast.Constant) and isinstance(new.value, str))
                or "\\" in new.value
            ):
                self.walk.refuse(
                    node, "the replacement must be a constant text without backslashes"
                )
            return Code(f"Regex.replace({sigil}, {subject.text}, {quoted(new.value)})", kinds=STR)
        if patterns.groups(pattern.value):
            self.walk.refuse(pattern, "groups give other parts in Elixir", "write (?:...)")
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
            self.walk.refuse(node, "these arguments have no equal form in Elixir")
        if not given:
            return ""
        flag = dotted(given[0])
        if len(flag) != 2 or flag[1] not in patterns.FLAGS:
            self.walk.refuse(
                given[0], "one flag of re.IGNORECASE, re.MULTILINE, re.DOTALL is converted"
            )
        return patterns.FLAGS[flag[1]]


def is_pattern_call(node: ast.expr) -> bool:
    """Whether an expression is one of these calls."""
    return isinstance(node, ast.Call) and ".".join(dotted(node.func)) in REGEX
