"""All that can be known about an Elixir function without running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from routestudio.functions.elixir import source
from routestudio.functions.elixir.program import inspected
from routestudio.model.analysis import Point
from routestudio.model.function import Diagnostic, FunctionKind


@dataclass(frozen=True, slots=True)
class Checked:
    """A text's quoted form and its body (`None` if it has none), all problems, and the ways that a
    call may take; none if it has errors."""

    whole: Any
    body: Any
    found: tuple[Diagnostic, ...]
    ways: tuple[Point, ...]


def checked(code: str) -> Checked:
    """Read a text by the server's rules, and compile what it accepts. Runs nothing."""
    read = source.read(code)
    if not read.accepted:
        return Checked(read.whole, read.body, read.found, ())
    found, ways = inspected(read.body)
    return Checked(read.whole, read.body, (*read.found, *found), tuple(ways))


def check(code: str, kind: FunctionKind) -> list[Diagnostic]:
    """All problems, the server's first one first; without errors a server accepts the function.

    Warnings name what a server accepts but does not know (`undefined_function`), and what is not
    evaluated here (`not_evaluated`). The name after `def` is not compared with the kind, as on a
    server.
    """
    return list(checked(code).found)
