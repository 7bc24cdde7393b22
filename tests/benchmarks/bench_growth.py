"""How throughput and memory grow with messages and with destinations. No bar: two tables.

Each delivery runs in a process of its own, with a routing function, to a local Redis (`SET`, one
key a destination; all destinations share batches) and to a link that takes everything (Kafka's
sink, one topic a destination; each has its own batches).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator

from tests.benchmarks.harness import Options, Unavailable, rate
from tests.benchmarks.servers import redis_server

MESSAGES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
DESTINATIONS = (1, 10, 100, 1_000, 10_000)
TITLES = (
    "Messages", "Delivery", "Destinations", "Throughput", "CPU/message", "Batches", "Peak",
    "Before",
)  # fmt: skip
HEAD = "| {:<10} | {:<10} | {:>12} | {:>10} | {:>12} | {:>8} | {:>6} | {:>6} |"


async def table(options: Options) -> AsyncIterator[str]:
    """The lines of both tables, as they are measured, in Markdown."""
    try:
        async with redis_server() as port:
            async for line in _both({"Redis": str(port), "null link": "null"}, options):
                yield line
    except Unavailable as reason:
        yield f"Redis skipped: {reason}"
        async for line in _both({"null link": "null"}, options):
            yield line


async def _both(links: dict[str, str], options: Options) -> AsyncIterator[str]:
    messages = [count for count in MESSAGES if count <= options.rows]
    sizes = [(count, 100) for count in messages]
    spread = [(min(options.messages, options.rows), places) for places in DESTINATIONS]
    for cases in (sizes, spread):
        yield HEAD.format(*TITLES)
        yield HEAD.replace("<", "").replace(">", "").format(*["---"] * 8)
        for count, places in cases:
            for name, link in links.items():
                found = await _measured(link, count, places)
                seconds, used, most, before, batches, distinct = found
                assert link != "null" or distinct == min(places, count)
                yield HEAD.format(
                    f"{count:,}", name, f"{places:,}", rate(count, seconds),
                    f"{used / count * 1e6:.1f} us", f"{int(batches):,}",
                    f"{most:.0f} MB", f"{before:.0f} MB",
                )  # fmt: skip
        yield ""


async def _measured(link: str, count: int, places: int) -> list[float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.growth_run", link, str(count), str(places),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer, _ = await process.communicate()
    assert process.returncode == 0, f"the delivery failed with {process.returncode}"
    found: list[float] = json.loads(answer)
    return found
