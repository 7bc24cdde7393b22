"""What the window's engine does with a large sample set: first rows, all rows, its own loop."""

from __future__ import annotations

import asyncio
import json
import sys
from time import perf_counter
from typing import Any

from routestudio.engine.service import EngineService

LIMIT = 20_000


async def main(project: str, sample: str) -> None:
    """Print when the first rows were there, how many there are, and the longest gap of the loop."""
    async with EngineService() as engine:
        await engine.open(project)
        begun = perf_counter()
        first: list[float] = []
        gaps = [0.0]

        def heard(name: str, data: dict[str, Any]) -> None:
            if name == "progress" and data["done"] and not first:
                first.append(perf_counter() - begun)

        async def tick() -> None:
            last = perf_counter()
            while True:
                await asyncio.sleep(0.005)
                now = perf_counter()
                gaps.append(now - last)
                last = now

        ticking = asyncio.create_task(tick())
        await engine.methods["preview"](sink="s", sample=sample, limit=LIMIT, emit=heard)
        previewed = perf_counter() - begun
        found = await engine.methods["find_rows"]()
        await engine.methods["rows"](start=max(0, found["rows"] - 50), count=50)
        ticking.cancel()
        print(json.dumps({"first": first[0], "previewed": previewed, "rows": found["rows"],
                          "all": perf_counter() - begun, "gap": max(gaps)}))  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
