"""A look at a source on a server: some of its rows, and the server notices nothing of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from routestudio.engine.databases import located
from routestudio.engine.reading import LOOK, Reading, rows_of
from routestudio.engine.workspace import Workspace
from routestudio.formats.reader import Row, RowReader
from routestudio.sources import registry
from routestudio.sources.uri import Resolve


def resolver(workspace: Workspace) -> Resolve:
    """Gives the values of variables in addresses, as the project knows them."""
    environment = workspace.project.environment

    def resolve(reference: str) -> str | None:
        if environment.missing(reference):
            return None
        value: str = environment.resolve(reference)
        workspace.keep_secret(value)  # addresses name variables for passwords only
        return value

    return resolve


async def look(
    workspace: Workspace, address: str, reading: Reading, reader: RowReader | None = None
) -> AsyncIterator[list[Row]]:
    """At most `reading.limit` rows of a source on a server, which notices nothing of it.

    Without a limit they are `LOOK`; the reader's `cut` shows whether there were more. Raises
    `LinkError`, `UsageError`.
    """
    address, reading = reading.taken_from(address)
    found = reader or reading.reader(workspace)
    address, resolve = located(workspace, address, resolver(workspace))
    async for rows in looked_at(address, resolve, reading, found):
        yield rows


async def looked_at(
    address: str, resolve: Resolve, reading: Reading, reader: RowReader
) -> AsyncIterator[list[Row]]:
    """The same without a project. `address` has no options of reading any more."""
    source = registry.get(address)(address, resolve, looking=True)
    left = reading.limit or LOOK
    try:
        # One more than are wanted shows whether there are more.
        async for chunk in source.look(left if reading.limit else left + 1):
            if len(chunk) > left:
                reader.cut = LOOK
            rows = rows_of(chunk[:left], reader)
            left -= min(left, len(chunk))
            if rows:
                yield rows
    finally:
        await source.close()
