"""Filter and sort of a preview with many rows. Bars: an answer in 300 ms, no gap over 50 ms."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.benchmarks.harness import Measure, Options
from tests.benchmarks.window import window_run

ANSWER, LONGEST = 300.0, 50.0


async def measure(options: Options) -> Sequence[Measure]:
    """Milliseconds until the first rows are shown, and the longest gap of a timer."""
    found, _ = await window_run("tables", str(options.rows))
    answers: dict[str, list[float]] = found["answers"]
    slowest = max(answers, key=lambda name: max(answers[name]))
    worst, usual = (
        max(answers[slowest]),
        median(time for times in answers.values() for time in times),
    )
    rate = options.rows / found["evaluated"]
    note = f"{slowest}; {options.rows:,} rows, evaluated at {rate:,.0f} a second before"
    return [
        Measure("filter and sort a preview, slowest", f"{worst:.0f} ms", f"{ANSWER:.0f} ms",
                worst / ANSWER, 1.0, at_least=False, note=note),
        Measure("filter and sort a preview, median", f"{usual:.0f} ms", f"{ANSWER:.0f} ms",
                usual / ANSWER, at_least=False,
                note=", ".join(f"{name} {median(times):.0f}" for name, times in answers.items())),
        Measure("longest gap meanwhile", f"{max(found['gaps']):.0f} ms", f"{LONGEST:.0f} ms",
                max(found["gaps"]) / LONGEST, 1.0, at_least=False),
    ]  # fmt: skip
