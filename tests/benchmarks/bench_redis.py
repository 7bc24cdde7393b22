"""Delivery to a real Redis against a bare pipeline. Bars: 0.9 where rows repeat, otherwise 0.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis.asyncio

from tests.benchmarks.delivery import bound_sink, compare
from tests.benchmarks.harness import Measure, Options, make_messages, shapes
from tests.benchmarks.servers import redis_server

BATCH = 100


async def measure(options: Options) -> Sequence[Measure]:
    """`SET` in pipelines of the same size, one after the other, by redis-py."""
    async with redis_server() as port:
        bound = bound_sink("redis_string", {"host": "127.0.0.1", "port": port}, BATCH)
        client = redis.asyncio.Redis(host="127.0.0.1", port=port)

        async def bare(records: Sequence[Any]) -> None:
            for start in range(0, len(records), BATCH):
                async with client.pipeline(transaction=False) as pipe:
                    for record in records[start : start + BATCH]:
                        if record.value is None:
                            pipe.delete(record.key)
                        else:
                            pipe.set(record.key, record.value)
                    await pipe.execute()

        try:
            found: list[Measure] = []
            for shape, messages in (*shapes(options.messages),
                                    ("no row twice", make_messages(options.messages))):  # fmt: skip
                bar = 0.5 if shape == "no row twice" else 0.9
                name = f"Redis, batches of {BATCH}, {shape}"
                found += await compare(name, bound, messages, bare, bar, options)
            return found
        finally:
            await client.aclose()
