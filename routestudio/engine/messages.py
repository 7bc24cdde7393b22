"""The messages of a source, chunk by chunk, for all that reads rows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from routestudio.engine.reading import DEFAULT, Reading, reading_of, rows_of
from routestudio.engine.sources import raws_of, read_some
from routestudio.engine.workspace import Workspace, source_of
from routestudio.errors import RouteStudioError
from routestudio.formats.reader import Row, RowReader
from routestudio.model.rows import RawRow
from routestudio.sources.uri import is_uri

CHUNK: Final = 500
"""Messages that travel through the stages together."""


async def messages(
    workspace: Workspace,
    kind: str,
    value: str,
    *,
    chunk: int = CHUNK,
    reading: Reading = DEFAULT,
    reader: RowReader | None = None,
) -> AsyncIterator[Sequence[Row]]:
    """The messages of a source in chunks; `-` is standard input. Yields to the loop in between.

    A source on a server is looked at: nothing is acknowledged. `reader` is the one that is used,
    for callers who want to know what it recognised.
    """
    if kind == "input" and is_uri(value):
        from routestudio.engine import looking

        async for rows in looking.look(workspace, value, reading, reader):
            yield rows
        return
    reader = reader or reading.reader(workspace)
    left = reading.limit if reading.limit is not None else sys.maxsize
    async with aclosing(_raw_chunks(workspace, kind, value, chunk)) as chunks:
        async for raws in chunks:
            rows = rows_of(raws, reader)[:left]
            left -= len(rows)
            if rows:
                yield rows
            if not left:
                return
            await asyncio.sleep(0)


async def first(
    workspace: Workspace, params: Mapping[str, Any], count: int
) -> tuple[list[Row], int | None]:
    """The first rows of the source that a request names, read as it says: as many as it asks for,
    or `count`. Then their number is the second value where there are more."""
    reading = reading_of(params)
    asked = reading.limit is not None
    reading = replace(reading, limit=reading.limit or count + 1)
    found: list[Row] = []
    rows = messages(workspace, *source_of(params), reading=reading)
    async for items in rows:
        found += items
    return (found, None) if asked or len(found) <= count else (found[:count], count)


async def rows_of_check(
    workspace: Workspace, source: Mapping[str, Any], sample: str | None, count: int
) -> tuple[list[Row], int | None]:
    """The rows by which a check finds destinations: the first of the source that is named, of a
    sample, or of every sample that can be read. The second value is that of `first`."""
    if source:
        return await first(workspace, source, count)
    rows: list[Row] = []
    for name in [sample] if sample else list(workspace.project.project.samples):
        try:
            rows += read_some(workspace, "sample", name, count)
        except RouteStudioError:
            if sample:
                raise
    return rows, None


async def _raw_chunks(
    workspace: Workspace, kind: str, value: str, chunk: int
) -> AsyncGenerator[Sequence[RawRow], None]:
    if kind == "input" and value == "-":
        from routestudio.engine import standard_input

        async with aclosing(standard_input.rows(chunk)) as lines:
            async for items in lines:
                yield items
        return
    raws = raws_of(workspace, kind, value)
    while batch := list(islice(raws, chunk)):
        yield batch
