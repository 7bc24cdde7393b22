"""What a worker finds in the text of a function: its problems and its analysis, from one reading.

For a worker: texts are parsed in no other process. What knows Elixir is loaded for the first
function in it: most of a command's start would be that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Final

from routestudio.functions import python
from routestudio.functions.analysis import determinism, of_python
from routestudio.functions.analysis.python_tree import Tree
from routestudio.model.analysis import Analysis
from routestudio.model.function import Diagnostic, Function, Language

_KEPT: Final = 8
"""Texts that are kept as they were read."""


def check(function: Function) -> list[Diagnostic]:
    """All diagnostics of a function; empty for kinds without code."""
    return [] if function.kind.entry_point is None else list(_read(function).problems)


def analyse(function: Function) -> Analysis:
    """The analysis of a function; hardly anything of a text that cannot be read."""
    return Analysis(function) if function.kind.entry_point is None else _read(function).analysis


class _PythonText:
    """A text in Python that was read. The analysis ends what may be done with its tree."""

    def __init__(self, function: Function) -> None:
        self._function = function
        module, found = python.inspected(function.code, function.kind)
        self._tree = None if module is None else Tree(function.code, module)
        self._varying = () if self._tree is None else of_python.varying_of(self._tree)
        self._accepted = _accepted(found)
        self.problems = (*found, *map(determinism.warning_of, self._varying))

    @cached_property
    def analysis(self) -> Analysis:
        tree, self._tree = self._tree, None
        if tree is None:
            return Analysis(self._function)
        known = of_python.of_tree(self._function, tree, self._varying)
        ways = python.points(self._function.code, tree.module) if self._accepted else ()
        return replace(known, ways=tuple(ways))


class _ElixirText:
    """A text in Elixir that was read."""

    def __init__(self, function: Function) -> None:
        from routestudio.functions.analysis import of_elixir
        from routestudio.functions.elixir import checking

        self._function = function
        self._checked = checking.checked(function.code)
        body = self._checked.body
        self._varying = () if body is None else of_elixir.varying_of(function.code, body)
        self.problems = (*self._checked.found, *map(determinism.warning_of, self._varying))

    @cached_property
    def analysis(self) -> Analysis:
        from routestudio.functions.analysis import of_elixir

        read = self._checked
        if read.whole is None:
            return Analysis(self._function)
        known = of_elixir.of_quoted(self._function, read.whole, read.body, self._varying)
        return replace(known, ways=read.ways)


def _accepted(found: Iterable[Diagnostic]) -> bool:
    return all(item.severity != "error" for item in found)


@lru_cache(maxsize=_KEPT)
def _read(function: Function) -> _PythonText | _ElixirText:
    return _ElixirText(function) if function.language is Language.ELIXIR else _PythonText(function)
