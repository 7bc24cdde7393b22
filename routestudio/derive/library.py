"""The function library as the editor shows it: the same table that the checker uses."""

from __future__ import annotations

from routestudio.functions.library import Entry, entries
from routestudio.functions.metadata import METADATA_FIELDS

__all__ = ["METADATA_FIELDS", "Entry", "elixir_functions", "entries"]


def elixir_functions() -> tuple[Entry, ...]:
    """The functions that Elixir functions may call, with their arguments and one sentence."""
    from routestudio.functions.elixir import help  # it loads all of them, which takes a while

    words = {form.name for form in help.FORMS} - {"match?"}
    return tuple(item for item in help.entries() if item.name not in words)
