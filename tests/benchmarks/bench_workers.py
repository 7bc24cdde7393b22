"""`routestudio run --workers 2` against the same run by one process: wall time, start included.

Rows change three times in a row and go to 21 destinations by a function; the service is one more
process on the same machine. Two cores are shared by three processes of the run and the service.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.harness import Measure, Options, Unavailable, make_messages, rate
from tests.benchmarks.servers import free_port

WORKERS: Final = 2
DESTINATIONS: Final = 21
BARS: Final = {"batch": 1.2, "single": 1.0}

SERVICE: Final = """
import asyncio, re, sys

SIZE = re.compile(rb"\\r\\ncontent-length: *(\\d+)", re.IGNORECASE)
OK = b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n"

class Service(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while (end := self.data.find(b"\\r\\n\\r\\n")) >= 0:
            whole = end + 4 + int(SIZE.search(self.data, 0, end)[1])
            if len(self.data) < whole:
                return
            self.data = self.data[whole:]
            self.transport.write(OK)

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Service, "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
PROJECT: Final = """
http_endpoints:
  - {{name: api, url: "http://127.0.0.1:{port}/hook"}}
functions:
  - name: route
    type: routing
    sink_type: webhook
    language: python
    code: |
      def route(action, record, changes, metadata):
          place = record["customer_id"] % 7
          return {{"method": "POST", "endpoint_path": "/" + action + "/" + str(place)}}
sinks:
  - name: single
    database: shop
    routing: route
    destination: {{type: webhook, http_endpoint: api, batch: false}}
  - name: batch
    database: shop
    batch_size: 100
    routing: route
    destination: {{type: webhook, http_endpoint: api, batch: true}}
"""


async def measure(options: Options) -> Sequence[Measure]:
    """Both sinks, in turns by one process and by two; the best of each counts."""
    if (os.cpu_count() or 1) < WORKERS:
        raise Unavailable("there is one core")
    found = []
    async with service() as port:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "sequin.yaml").write_text(PROJECT.format(port=port))
            for sink, count, title in (
                ("batch", options.messages * 3, "batches of 100"),
                ("single", options.messages, "one message a request"),
            ):
                source = folder / f"{sink}.jsonl"
                _write(source, count)
                walls: dict[int, list[float]] = {1: [], WORKERS: []}
                used: dict[int, list[float]] = {1: [], WORKERS: []}
                for _ in range(options.rounds):
                    for workers in walls:
                        wall, cpu = await asyncio.to_thread(_run, folder, sink, source, workers)
                        walls[workers].append(wall)
                        used[workers].append(cpu)
                one, several = min(walls[1]), min(walls[WORKERS])
                more = min(used[WORKERS]) / min(used[1])
                found.append(
                    Measure(
                        f"HTTP, {title}, {WORKERS} workers against one process",
                        rate(count, several), rate(count, one), one / several, BARS[sink],
                        note=f"{more:.2f} of the processor time",
                    )
                )  # fmt: skip
                source.unlink()
    return found


def _write(path: Path, count: int) -> None:
    with path.open("w") as file:
        for start in range(0, count, 3_000):
            for message in make_messages(min(3_000, count - start), start, row=lambda n: n // 3):
                file.write(json.dumps(message.as_row()) + "\n")


def _run(folder: Path, sink: str, source: Path, workers: int) -> tuple[float, float]:
    """Seconds on the clock, and of the processor in all processes of the run."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "routestudio", "run", str(folder), sink, "--input", str(source),
         "--workers", str(workers)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextlib.asynccontextmanager
async def service() -> AsyncIterator[int]:
    """A service that takes everything; yields its port."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield port
    finally:
        process.kill()
        await process.wait()
