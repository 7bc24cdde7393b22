"""Delivery to a real Redis against a bare pipeline. Bar: at least 0.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis.asyncio

from tests.benchmarks.delivery import bound_sink, compare
from tests.benchmarks.harness import Measure, Options, make_messages
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
            return await compare(
                f"delivery to Redis, batches of {BATCH}", bound,
                make_messages(options.messages), bare, 0.5, options,
            )  # fmt: skip
        finally:
            await client.aclose()
