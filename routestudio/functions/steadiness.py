"""Whether a function's text reads the clock or random values, by its tree. Runs nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from routestudio.functions import python
from routestudio.model.function import Diagnostic, Function, Language

if TYPE_CHECKING:
    from routestudio.functions.elixir.quoted import Node

CODE: Final = "not_determined"
"""Code of these warnings."""

_HINT: Final = "use a value of the message, such as `metadata.commit_timestamp`"
_RANDOM: Final = ("take_random", "random", "shuffle")
_ELIXIR: Final = {
    "DateTime": ("utc_now", "now", "now!"),
    "NaiveDateTime": ("utc_now", "local_now"),
    "Date": ("utc_today",),
    "Time": ("utc_now",),
    "System": ("os_time", "system_time", "monotonic_time", "unique_integer"),
    "Enum": _RANDOM,
    "UUID": ("uuid1", "uuid4", "uuid6"),
}


def warnings_of(function: Function) -> list[Diagnostic]:
    """A warning for each place where the result comes to depend on time or chance, in order."""
    if function.kind.entry_point is None:
        return []
    find = _elixir if function.language is Language.ELIXIR else _python
    try:
        found = list(find(function.code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # the checker shows what is wrong with the text
    return sorted(found, key=lambda item: (item.line, item.column))


def _python(code: str) -> Iterator[Diagnostic]:
    tree = python.parsed(code)
    lines = re.split("\r\n|\r|\n", code)

    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode()[:offset].decode(errors="replace")) + 1

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("now", "today"):
            line, end = node.end_lineno or node.lineno, node.end_col_offset or 0
            start = node.col_offset if line == node.lineno else end - len(node.attr)
            yield _warning(node.attr, (line, column(line, start)), (line, column(line, end)))


def _elixir(code: str) -> Iterator[Diagnostic]:
    from routestudio.functions.elixir import source
    from routestudio.functions.elixir.quoted import Node
    from routestudio.functions.elixir.values import Atom

    for node in _nodes(source.read(code).body):
        if node.name != "." or not node.args or len(node.args) != 2:
            continue
        module, name = node.args
        if type(module) is not Node or module.name != "__aliases__" or type(name) is not Atom:
            continue
        path = ".".join(part.name for part in module.args if type(part) is Atom)
        if name.name in _ELIXIR.get(path, ()):
            yield _warning(name.name, module.place, node.end)


def _nodes(value: Any) -> Iterator[Node]:
    """Every node of a quoted value; without recursion, because a text may be nested deeply."""
    from routestudio.functions.elixir.quoted import Node

    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is Node:
            yield item
            waiting += [item.name, *(item.args or ())]
        elif type(item) in (list, tuple):
            waiting += item


def _warning(name: str, start: tuple[int, int], end: tuple[int, int]) -> Diagnostic:
    if name in (*_RANDOM, *_ELIXIR["UUID"], "unique_integer"):
        text = "reads random values: the result is another each time"
    else:
        text = "reads the clock: the result depends on when it runs"
    one_line = end[0] == start[0]
    return Diagnostic(
        start[0], start[1], CODE, text, start[0], end[1] if one_line else None,
        severity="warning", hint=_HINT,
    )  # fmt: skip
