"""Memory of `routestudio run` over a million rows, and of each of its workers with `--workers`.

Each row changes three times in a row; a function chooses one of 10,000 destinations. The service
is one more process. Bars: the process of the run at most 90 MB, a worker with its function worker
at most 80 MB. All are the most resident memory that a process had.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.bench_workers import service
from tests.benchmarks.harness import Measure, Options

DESTINATIONS: Final = 10_000
RUN_MB: Final = 90.0
WORKER_MB: Final = 80.0
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
          return {{"method": "POST", "endpoint_path": "/" + record["place"]}}
sinks:
  - name: places
    database: shop
    batch_size: 100
    routing: route
    destination: {{type: webhook, http_endpoint: api, batch: true}}
"""


async def measure(options: Options) -> Sequence[Measure]:
    """A run by one process, and one by two workers."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "rows.jsonl"
        _write(source, options.rows)
        size = source.stat().st_size / 1e6
        async with service() as port:
            (folder / "sequin.yaml").write_text(PROJECT.format(port=port))
            for workers in (1, 2):
                most = await asyncio.to_thread(_run, folder, source, workers)
                run, rest = most[0], most[1:]
                title = f"{options.rows:,} rows, {DESTINATIONS:,} destinations"
                found.append(_measured(
                    f"memory of a run, {title}" + (", 2 workers" if workers > 1 else ""),
                    run, RUN_MB, f"file of {size:.0f} MB"))  # fmt: skip
                if workers > 1:
                    note = " and ".join(f"{each:.0f} MB" for each in rest)
                    found.append(_measured("memory of each worker, with its function worker",
                                           max(rest), WORKER_MB, note))  # fmt: skip
    return found


def _measured(what: str, most: float, limit: float, note: str) -> Measure:
    return Measure(what, f"{most:.0f} MB", f"{limit:.0f} MB", most / limit, 1.0, at_least=False,
                   note=note)  # fmt: skip


def _write(path: Path, count: int) -> None:
    with path.open("w") as file:
        for number in range(count):
            row = number // 3
            file.write(json.dumps({
                "action": "update",
                "record": {"id": row, "place": str(row * 7 % DESTINATIONS), "state": number % 3,
                           "note": "leave at the door, ring twice"},
                "changes": {"state": (number - 1) % 3},
                "metadata": {"table_schema": "public", "table_name": "orders",
                             "commit_lsn": number, "commit_idx": 0},
            }) + "\n")  # fmt: skip


def _run(folder: Path, source: Path, workers: int) -> list[float]:
    """Most MB of the process of the run, and of each worker with its function worker."""
    run = subprocess.Popen(
        [sys.executable, "-m", "routestudio", "run", str(folder), "places", "--input", str(source),
         "--checkpoint", str(folder / f"place{workers}"), "--dead-letters",
         str(folder / f"dead{workers}"), "--workers", str(workers)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    own, shares = 0.0, dict[int, float]()
    while run.poll() is None:
        own = max(own, _most(run.pid))
        for child in _children(run.pid) if workers > 1 else ():
            both = _most(child) + sum(map(_most, _children(child)))
            shares[child] = max(shares.get(child, 0.0), both)
        time.sleep(0.05)
    assert run.returncode == 0
    return [own, *shares.values()]


def _most(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def _children(pid: int) -> list[int]:
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(each) for found in lists for each in found.split()]
