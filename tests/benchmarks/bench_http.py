"""Delivery to a real HTTP server against an httpx connection pool. Bar: at least 0.8."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from routestudio.pipeline.planner import PER_DESTINATION
from tests.benchmarks.delivery import bound_sink, compare
from tests.benchmarks.harness import Measure, Options, make_messages
from tests.benchmarks.servers import http_server


async def measure(options: Options) -> Sequence[Measure]:
    """One request per message, with as many connections as a delivery uses; then batches."""
    async with http_server() as port:
        url = f"http://127.0.0.1:{port}/hook"
        endpoint = {"http_endpoints": {"api": {"url": url}}}
        found: list[Measure] = []
        limits = httpx.Limits(max_connections=PER_DESTINATION)
        async with httpx.AsyncClient(limits=limits) as client:
            for size, count in ((1, options.messages // 10), (100, options.messages)):
                destination = {"http_endpoint": "api", "batch": size > 1}
                bound = bound_sink("http_push", destination, size, **endpoint)

                async def bare(records: Sequence[Any], size: int = size) -> None:
                    await _post(client, url, records, size)

                name = "delivery to HTTP, " + (
                    f"batches of {size}" if size > 1 else "one message a request"
                )
                found += await compare(name, bound, make_messages(count), bare, 0.8, options)
        return found


async def _post(client: httpx.AsyncClient, url: str, records: Sequence[Any], size: int) -> None:
    starts = iter(range(0, len(records), size))

    async def worker() -> None:
        for start in starts:
            bodies = [record.body for record in records[start : start + size]]
            body = bodies[0] if size == 1 else b'{"data":[' + b",".join(bodies) + b"]}"
            answer = await client.post(
                url, content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code == 200

    async with asyncio.TaskGroup() as group:
        for _ in range(PER_DESTINATION):
            group.create_task(worker())
