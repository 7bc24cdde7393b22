"""The function library as the editor shows it: the same table that the checker uses."""

from __future__ import annotations

from routestudio.functions.elixir import catalogue
from routestudio.functions.library import METADATA_FIELDS, Entry, entries

__all__ = ["METADATA_FIELDS", "Entry", "elixir_functions", "entries"]


def elixir_functions() -> tuple[Entry, ...]:
    """The functions of the modules that Elixir functions may call, with their arities."""
    found = []
    for module, names in catalogue.functions().items():
        prefix = "" if module == "Kernel" else f"{module}."
        for name, arities in names.items():
            takes = " or ".join(map(str, sorted(arities)))
            text = f"Takes {takes} argument{'' if arities == {1} else 's'}."
            found.append(Entry(prefix + name, f"{prefix}{name}/{min(arities)}", text))
    return tuple(found)
