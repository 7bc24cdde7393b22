"""Gaps of the window's event loop while a delivery runs at full speed. Bars: 50 and 16 ms."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from tests.benchmarks.harness import Measure, Options, Unavailable, rate
from tests.benchmarks.window import window_run

LONGEST, USUAL = 50.0, 16.0


async def measure(options: Options) -> Sequence[Measure]:
    """Time between ticks of a 1 ms timer, to the Kafka stand-in, the run panel in sight."""
    found, _ = await window_run("gaps", str(options.messages))
    gaps, summary = found["gaps"], found["summary"]
    if summary is None:
        raise Unavailable("the delivery did not end well")
    if not found["charted"]:
        raise Unavailable("the chart was not in sight: deliver more messages")
    note = f"{rate(summary['delivered'], summary['seconds'])} meanwhile, with the live chart"
    usual = quantiles(gaps, n=100)[98]
    return [
        Measure("longest gap of the event loop", f"{max(gaps):.0f} ms", f"{LONGEST:.0f} ms",
                max(gaps) / LONGEST, 1.0, at_least=False, note=note),
        Measure("99th percentile of the gaps", f"{usual:.1f} ms", f"{USUAL:.0f} ms",
                usual / USUAL, 1.0, at_least=False, note=f"{len(gaps):,} gaps"),
    ]  # fmt: skip
