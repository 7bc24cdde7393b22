"""Functions of one language with a counterpart of the same meaning in the other: the
implementations of Elixir's functions name it (`registry.elixir`)."""

from __future__ import annotations

from functools import cache

from routestudio.functions.elixir import lib  # noqa: F401 - fills the tables of the registry
from routestudio.functions.elixir.registry import FACTS


def in_python(module: str, name: str, owner: str) -> str | None:
    """The method or function of `owner` (`str`, `base64`) that a function of Elixir is."""
    fact = FACTS.get((module, name))
    head, _, found = (fact.python or "" if fact else "").rpartition(".")
    return found if head == owner else None


def in_elixir(python: str) -> str | None:
    """The function of Elixir that a method or function of Python is (`str.upper`)."""
    return _by_python().get(python)


@cache
def _by_python() -> dict[str, str]:
    return {fact.python: fact.written for fact in FACTS.values() if fact.python}
