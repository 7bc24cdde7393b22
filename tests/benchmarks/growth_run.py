"""What `bench_growth` runs in a process of its own: one delivery, its time and its memory.

Arguments: `null` or the port of a Redis, messages, destinations. Prints JSON: seconds, those of
the processor in this process, peak MB of it, MB before the delivery, batches, and destinations that
were told apart.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from time import perf_counter, process_time

from routestudio.functions.pool import FunctionPool
from routestudio.model.function import Function, FunctionKind, Language
from routestudio.model.message import Message
from routestudio.pipeline.run import Delivery
from routestudio.pipeline.stages import SinkFunctions, Stages
from routestudio.sinks import registry
from routestudio.sinks.base import Link
from routestudio.sinks.binding import bind
from tests.benchmarks.delivery import Plain
from tests.benchmarks.harness import make_messages, peak
from tests.benchmarks.memory_run import Nowhere

BATCH = 100
CHUNK = 500

CODE = """
def route(action, record, changes, metadata):
    place = metadata.table_name + "." + record["shop"]
    return {{"{field}": place}}
"""


async def main(link: str, count: int, destinations: int) -> None:
    """One delivery with a routing function; every message is a group of its own."""
    if link == "null":
        key, field, destination = "kafka", "topic", {"hosts": "localhost:9092"}
    else:
        key, field = "redis_string", "key"
        destination = {"host": "127.0.0.1", "port": int(link)}  # type: ignore[dict-item]
    bound = bind(registry.default().get(key), destination, dynamic=True, batch_size=BATCH)
    code = CODE.format(field=field)
    route = Function("route", FunctionKind.ROUTING, Language.PYTHON, code)
    pool = FunctionPool()
    stages = Stages(bound, Plain(), SinkFunctions(routing=route), pool)
    to: Link = Nowhere() if link == "null" else bound.sink.connect(bound.config)
    try:
        await pool.warm()
        before, begun, used = peak(), perf_counter(), process_time()
        run = Delivery(stages, to, bound.limits, rows(count, destinations))
        summary = await run.run()
        seconds, used = perf_counter() - begun, process_time() - used
        assert summary.delivered == count, summary
        print(json.dumps([seconds, used, peak(), before, summary.batches, run.tally.distinct]))
    finally:
        await to.close()
        await pool.close()


async def rows(count: int, destinations: int) -> AsyncIterator[Sequence[Message]]:
    """Messages made as they are read, so that no input is held; the destinations take turns."""
    models = make_messages(60)
    for start in range(0, count, CHUNK):
        part = []
        for n in range(start, min(start + CHUNK, count)):
            model = models[n % len(models)]
            record = {**model.record, "id": n, "shop": str(n % destinations)}
            metadata = {**model.metadata, "commit_lsn": n, "record_pks": [str(n)]}
            part.append(Message(model.action, record, model.changes, metadata, n, n + 1))
        yield part


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
