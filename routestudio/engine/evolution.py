"""Columns that come and go in the rows of a preview, and functions that read them nevertheless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from routestudio.functions.pool import FunctionPool
from routestudio.hazards.missing import missing_text, unprepared
from routestudio.model.analysis import Analysis
from routestudio.model.function import Function
from routestudio.samples.shapes import Column, Shapes


async def evolution(
    shapes: Shapes, functions: Iterable[Function], pool: FunctionPool
) -> dict[str, Any]:
    """`columns` that not all rows of their table have, and `reads` of them by functions.

    A read has `function`, `line`, `column` (in its text) and `message`.
    """
    columns = list(shapes.varying())
    known = [await pool.analysis(function) for function in functions] if columns else []
    return {
        "columns": [column.as_json() for column in columns],
        "reads": [read for item in known for read in _reads(item, columns)],
    }


def _reads(known: Analysis, columns: list[Column]) -> Iterator[dict[str, Any]]:
    for read, column in unprepared(known, columns):
        yield {"function": known.function.name, "line": read.line, "column": read.column,
               "name": column.name, "message": missing_text(column)}  # fmt: skip


_SHOWN: Final = 20
"""Columns that are named, at most."""


def evolution_lines(found: Mapping[str, Any]) -> list[str]:
    """`evolution` in words, a line for each column and each function that reads one."""
    columns = found["columns"]
    lines = [f"columns come and go: {column_text(column)}" for column in columns[:_SHOWN]]
    if len(columns) > _SHOWN:
        lines.append(f"and {len(columns) - _SHOWN} more columns")
    return lines + [f"function {read['function']}, line {read['line']}: {read['message']}"
                    for read in found["reads"][:_SHOWN]]  # fmt: skip


def column_text(column: Mapping[str, Any]) -> str:
    """One line about a column that comes and goes."""
    name = f"{column['table']}.{column['column']}"
    if column["only_deletes"]:
        return f"{name} in all rows but deletes ({column['lacking']})"
    return f"{name} in {column['have']:,} of {column['rows']:,} rows ({column['having']})"
