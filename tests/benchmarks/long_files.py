"""Projects with hundreds of sinks: how time grows, as ratios in one run.

python -m tests.benchmarks.long_files
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from routestudio.engine.service import EngineService

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


async def main() -> None:
    """Print the figures and their ratios."""
    ten, few, many = await measured(10), await measured(200), await measured(800)
    full, thousand = await measured(1_000, 300), await measured(1_000)
    print(f"export, 800 sinks / 200 sinks: {many['export'] / few['export']:.1f} (bar: 5)")
    print(f"one edit, 1,000 sinks / 10 sinks: {thousand['edit'] / ten['edit']:.1f} (bar: 3)")
    for name, bar in (("open", 2.0), ("edit", 0.05), ("export", 5.0)):
        print(f"1,000 sinks and 300 functions, {name}: {full[name]:.3f} s (bar: {bar} s)")


if __name__ == "__main__":
    asyncio.run(main())
