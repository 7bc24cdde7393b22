"""What the allowed modules have: an unknown function and one that is merely not evaluated here are
distinguished. Elixir 1.19, decimal 2.3, uuid 1.1.8.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from functools import cache

from routestudio.functions.elixir.registry import FUNCTIONS, UNEVALUATED


def exists(module: str, name: str, arity: int) -> bool:
    """Whether Elixir has this function."""
    return (module, name, arity) in FUNCTIONS or (module, name, arity) in UNEVALUATED


def is_macro(module: str, name: str, arity: int) -> bool:
    """Whether this is a macro of a module that functions cannot `require`."""
    return module == "Integer" and name in ("is_even", "is_odd") and arity == 1


def similar(module: str, name: str, arity: int) -> str | None:
    """A hint for a function that does not exist."""
    known = _arities(module)
    if is_macro(module, name, arity):
        return "write `rem(x, 2) == 0`"
    if name in known:
        if arity in known[name]:
            return None
        takes = " or ".join(map(str, sorted(known[name])))
        return f"{module}.{name} takes {takes} arguments"
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{module}.{near[0]}`?" if near else None


@cache
def _arities(module: str) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for owner, name, arity in sorted((*FUNCTIONS, *UNEVALUATED)):
        if owner == module:
            found[name].add(arity)
    return found
