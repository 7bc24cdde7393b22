"""Sandboxed routing with validation and provenance against the bare Python call.

Bar: at least 1/6, on 100,000 messages.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from time import perf_counter
from typing import Any

from routestudio.functions.metadata import Metadata
from routestudio.functions.pool import FunctionPool
from routestudio.functions.prefetch import prefetch
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import Message
from routestudio.routing import Router
from routestudio.sinks import registry
from routestudio.sinks.binding import bind
from tests.benchmarks.harness import Measure, Options, make_messages, rate

CODE = """
def route(action, record, changes, metadata):
    country = record["country"]
    region = "eu" if country in ("AT", "DE", "FR") else "world"
    if action == "delete":
        topic = "deleted." + metadata.table_name
    elif record["status"] == "paid" and float(record["total"]) > 500:
        topic = "big." + region
    else:
        topic = metadata.table_name + "." + region
    return {"topic": topic, "message_key": str(record["customer_id"])}
"""

CHUNK = 500


async def measure(options: Options) -> Sequence[Measure]:
    """The bare call, and pool with router on the same messages."""
    messages = make_messages(options.messages)
    bound = bind(registry.default().get("kafka"), {"hosts": "localhost:9092"}, dynamic=True)
    function = Function("route", FunctionKind.ROUTING, Language.PYTHON, CODE)
    pool = FunctionPool()
    bare, ours = [], []
    gc.collect()
    gc.freeze()  # the input stands for a file on disk: the collector need not walk it
    try:
        await _sandboxed(pool, function, Router(bound), messages[:2000])
        for _ in range(options.rounds):
            bare.append(_bare(messages))
            ours.append(await _sandboxed(pool, function, Router(bound), messages))
    finally:
        gc.unfreeze()
        await pool.close()
    count = len(messages)
    return [
        Measure("sandboxed routing, validated, with provenance", rate(count, min(ours)),
                rate(count, min(bare)), min(bare) / min(ours), 1 / 6)
    ]  # fmt: skip


def _bare(messages: Sequence[Message]) -> float:
    space: dict[str, Any] = {}
    exec(CODE, space)
    route = space["route"]
    begun = perf_counter()
    for m in messages:
        route(m.action, m.record, m.changes, Metadata(m.metadata))
    return perf_counter() - begun


async def _sandboxed(
    pool: FunctionPool, function: Function, router: Router, messages: Sequence[Message]
) -> float:
    """As a preview and a delivery do it: the next chunks are evaluated ahead."""
    begun = perf_counter()
    parts = [messages[start : start + CHUNK] for start in range(0, len(messages), CHUNK)]
    evaluated = prefetch(partial(pool.evaluate, [function]), parts)
    async with aclosing(evaluated):
        for part in parts:
            (results,) = await anext(evaluated)
            for message, result in zip(part, results, strict=True):
                assert router.route(message, result).ok
    return perf_counter() - begun
