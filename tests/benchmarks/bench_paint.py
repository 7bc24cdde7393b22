"""First paint of the window against an empty PySide6 window. Bar: at most 2.5 times."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.harness import Measure, Options
from tests.benchmarks.window import window_run

TURNS = 2
"""Runs of each side per round, in turns; the best counts."""


async def measure(options: Options) -> Sequence[Measure]:
    """From the start of the process to the first paint, imports included."""
    times: dict[str, list[float]] = {"empty": [], "paint": []}
    for _ in range(TURNS * options.rounds):
        for side, found in times.items():
            painted, begun = await window_run(side)
            found.append((painted - begun) * 1000)
    empty, ours = min(times["empty"]), min(times["paint"])
    return [
        Measure("first paint of the window", f"{ours:.0f} ms", f"{empty:.0f} ms",
                ours / empty, 2.5, at_least=False),
    ]  # fmt: skip
