"""Memory of the engine while a million rows are previewed and delivered. Bar: below 400 MB.

Engine and window together may take 400 MB; this measures the engine's side in a process of its
own, and the bar here is what an empty window (about 130 MB) leaves.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.harness import Measure, Options, make_messages

LIMIT_MB = 270.0

SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from tests.benchmarks.harness import peak
from tests.benchmarks.memory_run import deliver, preview

path, begun = Path(sys.argv[1]), peak()
previewed = asyncio.run(preview(path))
after_preview = peak()
delivered = asyncio.run(deliver(path))
print(json.dumps([begun, after_preview, peak(), previewed, delivered]))
"""


async def measure(options: Options) -> Sequence[Measure]:
    """The high-water mark of resident memory after a preview and after a delivery."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for start in range(0, options.rows, 10_000):
                for message in make_messages(min(10_000, options.rows - start), start):
                    file.write(json.dumps(message.as_json()) + "\n")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, str(path), stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await process.communicate()
        size = path.stat().st_size / 1e6
    begun, previewed, delivered, rows, done = json.loads(answer)
    assert rows == done == options.rows
    note = f"file of {size:.0f} MB, {begun:.0f} MB before"
    return [
        Measure(f"memory, preview of {rows:,} rows", f"{previewed:.0f} MB", f"{LIMIT_MB:.0f} MB",
                previewed / LIMIT_MB, 1.0, at_least=False, note=note),
        Measure(f"memory, then delivery of {rows:,} rows", f"{delivered:.0f} MB",
                f"{LIMIT_MB:.0f} MB", delivered / LIMIT_MB, 1.0, at_least=False, note=note),
    ]  # fmt: skip
