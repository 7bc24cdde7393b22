"""Delivery to a real HTTP server against an httpx connection pool. Bar: at least 0.8."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from routestudio.formats.base import Raw
from routestudio.model.message import Message
from routestudio.pipeline.planner import PER_DESTINATION
from tests.benchmarks.delivery import bound_sink, compare
from tests.benchmarks.envelopes import envelopes
from tests.benchmarks.harness import Measure, Options, make_messages, shapes
from tests.benchmarks.servers import http_server

Job = tuple[str, int, list[Message], list[Raw], float | None]
"""A name, messages in a request, the messages, the rows they are made of, and the bar."""


async def measure(options: Options) -> Sequence[Measure]:
    """Batches of changes as users have them, one request per message, and rows that differ; the
    client has as many connections as a delivery."""
    async with http_server() as port:
        url = f"http://127.0.0.1:{port}/hook"
        endpoint = {"http_endpoints": {"api": {"url": url}}}
        found: list[Measure] = []
        limits = httpx.Limits(max_connections=PER_DESTINATION)
        async with httpx.AsyncClient(limits=limits) as client:
            jobs: list[Job] = [
                (f"HTTP, batches of 100, {name}", 100, messages, [], 0.8)
                for name, messages in shapes(options.messages)
            ]
            for kilobytes, count in ((1, options.messages), (20, options.messages // 10)):
                messages, raw = envelopes(count, kilobytes * 1000)
                name = f"HTTP, batches of 100, Debezium with schema, {kilobytes} kB"
                jobs.append((name, 100, messages, raw, None))
            jobs += [
                ("HTTP, one message a request", 1, make_messages(options.messages // 10), [], 0.8),
                ("HTTP, batches of 100, no row twice", 100, make_messages(options.messages), [],
                 0.8),
            ]  # fmt: skip
            while jobs:
                name, size, messages, raw, bar = jobs.pop(0)
                destination = {"http_endpoint": "api", "batch": size > 1}
                bound = bound_sink("http_push", destination, size, **endpoint)

                async def bare(records: Sequence[Any], size: int = size) -> None:
                    await _post(client, url, records, size)

                found += await compare(name, bound, messages, bare, bar, options, raw=raw)
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
