"""What the editor shows about the functions that Elixir functions may call: arguments, one
sentence.

Optional arguments stand in brackets. It comes from the implementations (`registry.elixir`).
"""

from __future__ import annotations

from functools import cache
from typing import Final

from routestudio.functions.elixir import lib  # noqa: F401 - fills the tables of the registry
from routestudio.functions.elixir.registry import FACTS, Fact
from routestudio.functions.library import Entry

FORMS: Final = (
    Entry("case", "case value do … end", "The first clause whose pattern fits."),
    Entry("cond", "cond do … end", "The first clause whose condition is true."),
    Entry("if", "if condition do … else … end", "One of two ways; without `else` nil."),
    Entry("with", "with pattern <- value do … else … end", "Goes on as long as patterns fit."),
    Entry("fn", "fn value -> … end", "A closure, called as `f.(value)`."),
    Entry("match?", "match?(pattern, value)", "Whether a pattern fits a value."),
)
"""The special forms that functions may use."""


def _place(fact: Fact) -> tuple[bool, str, str]:
    return fact.module != "Kernel", fact.module, fact.name


@cache
def entries() -> tuple[Entry, ...]:
    """Every function that is evaluated, as it is written, with its arguments and one sentence."""
    facts = sorted(FACTS.values(), key=_place)
    return (*FORMS, *(Entry(fact.written, fact.signature, fact.sentence) for fact in facts))


@cache
def entry(name: str) -> Entry | None:
    """The entry of a name as it is written (`Map.get`, `to_string`)."""
    return next((item for item in entries() if item.name == name), None)
