"""Whether a function's text reads the clock or random values, by its tree. Runs nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from routestudio.functions import python
from routestudio.functions.errands import NOT_DETERMINED
from routestudio.model.function import Diagnostic, Function, Language

_HINT: Final = "use a value of the message, such as `metadata.commit_timestamp`"


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


def _lines(code: str) -> list[str]:
    return re.split("\r\n|\r|\n", code)


def _python(code: str) -> Iterator[Diagnostic]:
    tree = python.parsed(code)
    lines = _lines(code)

    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode()[:offset].decode(errors="replace")) + 1

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("now", "today"):
            line, end = node.end_lineno or node.lineno, node.end_col_offset or 0
            start = node.col_offset if line == node.lineno else end - len(node.attr)
            yield _warning(False, (line, column(line, start)), (line, column(line, end)))


def _elixir(code: str) -> Iterator[Diagnostic]:
    from routestudio.functions.elixir import lib, registry, source
    from routestudio.functions.elixir.quoted import Node, children, remote

    _ = lib  # which fills the table of functions
    waiting = [source.read(code).body]
    while waiting:  # without recursion, because a text may be nested deeply
        node = waiting.pop()
        waiting += children(node)
        call = remote(node)
        if call is not None:
            module, name, _arguments = call
            left, end = node.name.args[0], node.name.end
            start = left.place if type(left) is Node else node.place
        elif type(node) is Node and node.args == [] and isinstance(node.name, str):
            module, name, start, end = "Kernel", node.name, node.place, node.end
        else:
            continue
        varies = registry.varies(module, name)
        if varies is not None:
            yield _warning(varies is registry.Varies.CHANCE, start, end)


def _warning(chance: bool, start: tuple[int, int], end: tuple[int, int]) -> Diagnostic:
    if chance:
        text = "reads random values: the result is another each time"
    else:
        text = "reads the clock: the result depends on when it runs"
    one_line = end[0] == start[0]
    return Diagnostic(
        start[0], start[1], NOT_DETERMINED, text, start[0], end[1] if one_line else None,
        severity="warning", hint=_HINT,
    )  # fmt: skip
