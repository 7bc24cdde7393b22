"""Switching the theme with ten documents open. Bar: a fifth of what one style sheet of the
application takes for the same widgets, and 200 ms of processor time.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.benchmarks.harness import Measure, Options
from tests.benchmarks.window import window_run

DOCUMENTS, LIMIT = 10, 200.0


async def measure(options: Options) -> Sequence[Measure]:
    """Processor time of a switch, until the window is painted again."""
    found, _ = await window_run("theme", str(DOCUMENTS))
    ours, whole = median(found["ours"]), median(found["application"])
    note = f"{found['widgets']:,} widgets"
    return [
        Measure(f"theme switch with {DOCUMENTS} documents", f"{ours:.0f} ms", f"{whole:.0f} ms",
                ours / whole, 0.2, at_least=False, note=note),
        Measure(f"theme switch with {DOCUMENTS} documents, in time", f"{ours:.0f} ms",
                f"{LIMIT:.0f} ms", ours / LIMIT, 1.0, at_least=False, note=note),
    ]  # fmt: skip
