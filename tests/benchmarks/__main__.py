"""`python -m tests.benchmarks [--only NAME] [--messages N] [--rows N] [--rounds N]`.

Prints a table of ratios against bare clients measured in the same run. Ratios travel between
machines, absolute numbers do not. Nothing here fails a build.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from types import ModuleType

from tests.benchmarks.harness import Measure, Options, Unavailable, benchmarks


def main(arguments: list[str]) -> int:
    """Run the chosen benchmarks one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="may be given repeatedly")
    parser.add_argument("--messages", type=int, default=Options().messages)
    parser.add_argument("--rows", type=int, default=Options().rows, help="rows of the memory run")
    parser.add_argument("--rounds", type=int, default=Options().rounds)
    chosen = parser.parse_args(arguments)
    options = Options(chosen.messages, chosen.rows, chosen.rounds)
    known = dict(benchmarks())
    names = chosen.only or list(known)
    for name in names:
        if name not in known:
            parser.error(f"unknown benchmark {name}; known: {', '.join(known)}")
    if any(hasattr(known[name], "measure") for name in names):
        print(f"{'what':<68} {'RouteStudio':>12} {'bare':>12} {'ratio':>7} {'bar':>8}")
    for name in names:
        _run(name, known[name], options)
    return 0


def _run(name: str, module: ModuleType, options: Options) -> None:
    if hasattr(module, "table"):
        asyncio.run(_print(module.table(options)))
        return
    try:
        for measure in asyncio.run(module.measure(options)):
            print(_line(measure), flush=True)
    except Unavailable as reason:
        print(f"{name:<68} skipped: {reason}", flush=True)


async def _print(lines: AsyncIterator[str]) -> None:
    async for line in lines:
        print(line, flush=True)


def _line(measure: Measure) -> str:
    bar = ""
    if measure.bar is not None:
        bar = f"{'>=' if measure.at_least else '<='} {measure.bar:.2f}"
    verdict = {True: "met", False: "MISSED", None: ""}[measure.met]
    note = f"  {measure.note}" if measure.note else ""
    return (
        f"{measure.what:<68} {measure.ours:>12} {measure.bare:>12} "
        f"{measure.ratio:>7.2f} {bar:>8} {verdict}{note}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
