"""What `bench_postgres` runs in a process of its own: changes of a slot, as messages."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path
from time import process_time

from routestudio.engine.reading import SessionRows
from routestudio.formats.reader import RowReader
from routestudio.sources.postgres import PostgresSource


async def read(address: str, wanted: int) -> dict[str, float]:
    """Read changes until there are as many as asked for; each is acknowledged."""
    source = PostgresSource(address, lambda _: None)
    count = size = 0
    begun = 0.0
    sessions = source.sessions()
    session = await anext(sessions)
    rows = SessionRows(session, RowReader())
    chunks = rows.chunks()
    async for chunk in chunks:
        begun = begun or process_time()
        count += len(chunk)
        rows.save(count)
        if count >= wanted:
            break
    reading = process_time() - begun
    await session.finish()
    await source.close()
    await sessions.aclose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"rows": count, "reading": reading, "whole": process_time(), "peak": peak,
            "size": size}  # fmt: skip


if __name__ == "__main__":
    assert Path.cwd().is_dir()
    print(json.dumps(asyncio.run(read(sys.argv[1], int(sys.argv[2])))), flush=True)
