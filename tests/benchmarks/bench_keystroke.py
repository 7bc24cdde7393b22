"""From a key press in the function editor to the fresh preview of 1,000 rows. Bar: 100 ms."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.benchmarks.harness import Measure, Options
from tests.benchmarks.window import window_run

ROWS, LIMIT = 1_000, 100.0


async def measure(options: Options) -> Sequence[Measure]:
    """The median of many keys, each of which changes every row's routing."""
    found, _ = await window_run("keystroke", str(ROWS))
    middle = median(found)
    return [
        Measure(f"key press to preview of {ROWS:,} rows", f"{middle:.0f} ms", f"{LIMIT:.0f} ms",
                middle / LIMIT, 1.0, at_least=False, note=f"slowest {max(found):.0f} ms"),
    ]  # fmt: skip
