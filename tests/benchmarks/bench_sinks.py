"""Projects with hundreds of sinks, in processor time: how it grows, and limits for the largest.

Bars: an export of 800 sinks at most 5 times one of 200; one edit in a form with 1,000 sinks at
most 3 times one with 10; opening, one edit and an export of 1,000 sinks with 300 functions at most
2, 0.05 and 5 s.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from routestudio.engine.service import EngineService
from tests.benchmarks.harness import Measure, Options

SIZES = ((10, 0), (200, 0), (800, 0), (1_000, 0), (1_000, 300))
"""Sinks and functions of the projects."""

LIMITS = {"open": 2.0, "edit": 0.05, "export": 5.0}
"""Seconds for the largest project."""

_SINK = """\
  # tenant {n}
  - name: tenant-{n}
    database: main
    actions: [insert, update, delete]
    batch_size: 10
    source:
      include_tables:
        - tenant_{n}.orders
    destination:
      type: kafka
      hosts: broker:9092
      {last}
"""
_FUNCTION = """\
  - name: route-{n}
    type: routing
    sink_type: kafka
    code: |
      def route(action, record, changes, metadata) do
        %{{topic: "tenant_{n}." <> metadata.table_name, message_key: to_string(record["id"])}}
      end
"""


def text_of(sinks: int, functions: int) -> str:
    """A `sequin.yaml` of so many sinks and functions."""
    parts = ["databases:\n  - name: main\n    hostname: localhost\n    database: app\n"]
    if functions:
        parts += ["functions:\n", *(_FUNCTION.format(n=n) for n in range(functions))]
    parts.append("sinks:\n")
    for n in range(sinks):
        last = f"topic: tenant-{n}" if not functions else "tls: false"
        parts.append(_SINK.format(n=n, last=last))
        if functions:
            parts.append(f"    routing: route-{n % functions}\n")
    return "".join(parts)


async def measured(sinks: int, functions: int = 0) -> dict[str, float]:
    """Processor seconds of opening, one edit and an export."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "sequin.yaml").write_text(text_of(sinks, functions), encoding="utf-8")
        async with EngineService() as engine:
            start = time.process_time()
            await engine.open(name)
            found["open"] = time.process_time() - start
            edits = []
            for number in range(5):
                path = ["sinks", f"tenant-{number}", "batch_size"]
                start = time.process_time()
                await engine.apply({"op": "set", "path": path, "value": 20 + number})
                edits.append(time.process_time() - start)
            found["edit"] = sorted(edits)[2]
            start = time.process_time()
            await engine.export("sequin")
            found["export"] = time.process_time() - start
    return found


async def measure(options: Options) -> Sequence[Measure]:
    """Processor time in milliseconds; of each size the best of the rounds counts."""
    found: dict[tuple[int, int], dict[str, float]] = {}
    for _ in range(options.rounds):
        for size in SIZES:
            took = await measured(*size)
            best = found.setdefault(size, took)
            found[size] = {name: min(best[name], took[name]) for name in took}
    return [
        _compared("export of 800 sinks, against 200", "export", found[800, 0], found[200, 0], 5.0),
        _compared("one edit in a form with 1,000 sinks, against 10", "edit", found[1_000, 0],
                  found[10, 0], 3.0),
        *(_compared(f"1,000 sinks and 300 functions, {name}, against its limit", name,
                    found[1_000, 300], LIMITS, 1.0) for name in LIMITS),
    ]  # fmt: skip


def _compared(
    what: str, name: str, ours: dict[str, float], theirs: dict[str, float], bar: float
) -> Measure:
    return Measure(what, f"{ours[name] * 1000:.1f} ms", f"{theirs[name] * 1000:.1f} ms",
                   ours[name] / theirs[name], bar, at_least=False)  # fmt: skip
