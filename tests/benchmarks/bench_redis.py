"""Delivery to a real Redis against a bare pipeline. Bars: 0.9 where rows repeat, otherwise 0.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis.asyncio

from tests.benchmarks.delivery import bound_sink, compare
from tests.benchmarks.harness import Measure, Options, jobs
from tests.benchmarks.servers import redis_server

BATCH = 100


async def measure(options: Options) -> Sequence[Measure]:
    """`SET` and `XADD` in pipelines of the same size, one after the other, by redis-py."""
    found: list[Measure] = []
    async with redis_server() as port:
        client = redis.asyncio.Redis(host="127.0.0.1", port=port)
        place = {"host": "127.0.0.1", "port": port}
        try:
            for key, more in (("redis_string", {}), ("redis_stream", {"stream_key": "bench"})):
                bound = bound_sink(key, {**place, **more}, BATCH)

                async def bare(records: Sequence[Any], key: str = key) -> None:
                    await _send(client, records, strings=key == "redis_string")

                for shape, messages, raw, bar in jobs(options, bar=0.9, other=0.5):
                    name = f"{bound.sink.title}, batches of {BATCH}, {shape}"
                    found += await compare(name, bound, messages, bare, bar, options, raw=raw)
                    await client.flushall()
        finally:
            await client.aclose()
    return found


async def _send(client: Any, records: Sequence[Any], *, strings: bool) -> None:
    for start in range(0, len(records), BATCH):
        async with client.pipeline(transaction=False) as pipe:
            for record in records[start : start + BATCH]:
                if not strings:
                    pipe.xadd(record.key, dict(record.fields))
                elif record.value is None:
                    pipe.delete(record.key)
                else:
                    pipe.set(record.key, record.value)
            await pipe.execute()
