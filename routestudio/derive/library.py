"""The function library as the editor shows it: the same table that the checker uses."""

from __future__ import annotations

from routestudio.functions.library import METADATA_FIELDS, Entry, entries

__all__ = ["METADATA_FIELDS", "Entry", "entries"]
