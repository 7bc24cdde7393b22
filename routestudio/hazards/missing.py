"""Columns that rows of a set lack, and the functions that read them nevertheless."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from routestudio.model.analysis import Analysis, Read
from routestudio.model.function import Language
from routestudio.samples.shapes import Column

_SUBSCRIPT: Final = re.compile(r"\w+\s*\[")


def unprepared(known: Analysis, columns: Iterable[Column]) -> list[tuple[Read, Column]]:
    """The columns that come and go and that a function reads without being prepared for that.

    Elixir gives nil for a key that is not there, so what tests for nil is prepared. In Python such
    a row fails, unless the function looks with `in`, or takes the value with `get` and a default.
    """
    found = []
    for column in columns:
        reads = [r for r in known.reads if r.source == "record" and r.text == column.name]
        if reads and not _prepared(known, reads):
            found.append((reads[0], column))
    return found


def _prepared(known: Analysis, reads: list[Read]) -> bool:
    if known.function.language is not Language.PYTHON:
        return any(read.guarded for read in reads)
    lines = known.function.code.splitlines()
    return any(
        read.guarded and not _SUBSCRIPT.match(lines[read.line - 1], read.column - 1)
        for read in reads
        if read.line <= len(lines)
    )


def missing_text(column: Column) -> str:
    """That rows lack a column, and which."""
    deletes = ", all of them deletes" if column.only_deletes else ""
    return (f"`{column.name}` is missing in {column.lack:,} of {column.rows:,} rows of "
            f"{column.table} ({column.lacking}{deletes})")  # fmt: skip
