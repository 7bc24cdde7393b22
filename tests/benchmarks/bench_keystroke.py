"""From a key press in the function editor to the fresh preview of 1,000 rows. Bar: 100 ms.

And the gaps of the event loop while somebody types and 100,000 rows are previewed. Bar: 50 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.benchmarks.harness import Measure, Options, Unavailable
from tests.benchmarks.window import window_run

ROWS, LIMIT = 1_000, 100.0
MANY, LONGEST = 100_000, 50.0


async def measure(options: Options) -> Sequence[Measure]:
    """The median of many keys, each of which changes every row's routing."""
    found, _ = await window_run("keystroke", str(ROWS))
    middle = median(found)
    typed, _ = await window_run("typing", str(MANY))
    if not typed["busy"]:
        raise Unavailable("no preview ran while keys were typed")
    longest = max(typed["gaps"])
    note = f"a preview ran at {typed['busy']} of {typed['keys']} keys"
    return [
        Measure(f"key press to preview of {ROWS:,} rows", f"{middle:.0f} ms", f"{LIMIT:.0f} ms",
                middle / LIMIT, 1.0, at_least=False, note=f"slowest {max(found):.0f} ms"),
        Measure(f"longest gap while typing, preview of {MANY:,} rows", f"{longest:.0f} ms",
                f"{LONGEST:.0f} ms", longest / LONGEST, 1.0, at_least=False, note=note),
    ]  # fmt: skip
